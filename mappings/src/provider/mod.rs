//! A provider's mapping: the service's request as the bytes of its message, its answer as the
//! service's reply, its refusals in the service's terms. An adapter carries the bytes.
//!
//! [`Provider`] is what all formats have in common, [`Wire`] what each has of its own ([`soap`],
//! [`json`], [`xml`], [`telegram`]); [`special`] are the values that no caller gives.

pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod soap;
pub(crate) mod special;
pub(crate) mod telegram;
#[cfg(test)]
mod tests;
pub(crate) mod verdict;
pub(crate) mod xml;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::adapter::{Format, Settlement};
use gateway_core::{
    Admitted, Answer, Call, Content, Encoded, Fault, Kind, Mapping, Message, Occasion, Operation,
    Profile, Received, Response, Service, ServiceId, Takes,
};
use jiff::tz::Offset;

use crate::backend::Asked;
use crate::path::Path;
use crate::rows::Rows;
use crate::unfit::{FieldError, Unfit};
use verdict::{Refusals, Said, Unreadable};

/// One provider of a sector.
pub(crate) struct Provider<W: Wire> {
    pub(crate) id: String,
    pub(crate) wire: W,
    /// By service code.
    pub(crate) operations: BTreeMap<Arc<str>, Operated<W::Shape>>,
    pub(crate) refusals: Refusals,
    /// The offset of times that a request states.
    pub(crate) offset: Offset,
}

/// One format: bytes ↔ records, and what stands around them.
pub(crate) trait Wire: Send + Sync {
    /// What it must know of each field.
    type Shape: Send + Sync;

    /// What an adapter must be able to carry.
    const FORMAT: Format;

    /// A message in the provider's terms, with the values of [`special`] in it → bytes.
    fn write(&self, saying: &Saying<Self::Shape>, message: &Message)
    -> Result<Encoded, FieldError>;

    /// Bytes → what they say.
    fn read(&self, saying: &Saying<Self::Shape>, received: &Received) -> Result<Said, Unreadable>;
}

/// How one service is said to a provider.
pub(crate) struct Operated<S> {
    pub(crate) service: Arc<Service>,
    pub(crate) saying: Saying<S>,
    /// Fields of the request that the reply repeats: theirs, its.
    pub(crate) repeated: Vec<(String, String)>,
    pub(crate) repeatable: bool,
    pub(crate) inquiry: Option<Inquiry<S>>,
}

/// One message there and one back.
pub(crate) struct Saying<S> {
    pub(crate) function: String,
    /// The name of the answer, where the format has one.
    pub(crate) answer: String,
    pub(crate) http: http::Line,
    pub(crate) request: Rows<S>,
    pub(crate) reply: Rows<S>,
}

/// How to ask what became of a submit.
pub(crate) struct Inquiry<S> {
    pub(crate) saying: Saying<S>,
    pub(crate) pending: Vec<String>,
    pub(crate) never: Vec<String>,
}

/// What the catalog and its cases need of a provider, whatever its format.
pub(crate) trait Provide: Mapping {
    fn call(&self, asked: &Asked<'_>, occasion: Occasion) -> Result<Call, Fault>;

    fn reply(&self, asked: &Asked<'_>, answer: &Answer) -> Result<Message, Fault>;

    /// A service that it offers.
    fn service(&self, code: &str) -> Option<&Arc<Service>>;
}

impl<W: Wire> Provider<W> {
    fn operated(&self, service: &ServiceId) -> Result<&Operated<W::Shape>, Fault> {
        self.operations.get(&service.code).ok_or_else(|| {
            let says = "the provider of this service does not offer it";
            Fault::new(Kind::Unsupported, "not-offered", says)
                .context(format_args!("{} has no {service}", self.id))
        })
    }
}

impl<W: Wire> Provide for Provider<W> {
    fn call(&self, asked: &Asked<'_>, occasion: Occasion) -> Result<Call, Fault> {
        let operated = self.operated(&asked.service.id)?;
        let specials = special::values(asked, occasion, self.offset);
        let mut message = asked.message.clone();
        for (name, value) in specials.iter() {
            message.set(name, value.clone());
        }
        let write = |saying: &Saying<_>, message| {
            self.wire.write(saying, &special::calling(&saying.function, message))
        };
        let written = write(&operated.saying, message);
        let inquiry = operated.inquiry.as_ref().map(|inquiry| write(&inquiry.saying, specials));
        Ok(Call {
            operation: operated.service.operation,
            function: operated.saying.function.clone(),
            content: Content::Message {
                message: written.map_err(|error| error.in_call())?,
                inquiry: inquiry.transpose().map_err(|error| error.in_call())?,
            },
            key: asked.key,
            repeatable: operated.repeatable,
        })
    }

    fn reply(&self, asked: &Asked<'_>, answer: &Answer) -> Result<Message, Fault> {
        let operated = self.operated(&asked.service.id)?;
        let mut reply = answer.values.clone();
        for (from, to) in &operated.repeated {
            if let Some(value) = asked.message.get(from) {
                reply.set(to.as_str(), value.clone());
            }
        }
        Ok(reply)
    }

    fn service(&self, code: &str) -> Option<&Arc<Service>> {
        self.operations.get(code).map(|operated| &operated.service)
    }
}

impl<W: Wire> Mapping for Provider<W> {
    fn id(&self) -> &str {
        &self.id
    }

    fn map(&self, admitted: &Admitted, occasion: Occasion) -> Result<Call, Fault> {
        self.call(&Asked::of(admitted), occasion)
    }

    fn answer(&self, service: &ServiceId, response: Response) -> Result<Answer, Fault> {
        let operated = self.operated(service)?;
        let received = match response {
            Response::Received(received) => received,
            Response::Answer(answer) => return Ok(answer),
        };
        let operation = operated.service.operation;
        match self.wire.read(&operated.saying, &received) {
            Ok(Said::Answer(values)) => Ok(Answer { values, proof: None }),
            Ok(Said::Refusal(refused)) => Err(self.refusals.fault(&refused, operation)),
            Err(unreadable) => Err(unreadable.into_fault(operation)),
        }
    }

    fn settlement(&self, service: &ServiceId, report: Received) -> Result<Settlement, Fault> {
        let operated = self.operated(service)?;
        let Some(inquiry) = &operated.inquiry else {
            return Ok(Settlement::Pending);
        };
        let refused = match self.wire.read(&inquiry.saying, &report) {
            Ok(Said::Answer(values)) => {
                return Ok(Settlement::Settled(Ok(Answer { values, proof: None })));
            }
            Ok(Said::Refusal(refused)) => refused,
            // The inquiry itself is a query: that it failed says nothing of the submit.
            Err(unreadable) => return Err(unreadable.into_fault(Operation::Query)),
        };
        if refused.is_one_of(&inquiry.pending) {
            return Ok(Settlement::Pending);
        }
        if refused.is_one_of(&inquiry.never) {
            return Ok(Settlement::Settled(Err(verdict::never_done(&refused))));
        }
        let fault = self.refusals.fault(&refused, Operation::Submit);
        match fault.kind {
            Kind::BackendRefused => Ok(Settlement::Settled(Err(fault))),
            _ => Err(verdict::no_report(&refused)),
        }
    }

    fn found(&self, service: &ServiceId, values: Message) -> Result<Answer, Fault> {
        let operated = self.operated(service)?;
        for row in operated.saying.reply.0.iter().filter(|row| row.required) {
            let is_there = |field: &Path| values.at(field.names()).is_some();
            if row.field.as_ref().is_some_and(|field| !is_there(field)) {
                return Err(FieldError::new(&row.name, Unfit::Missing).in_request());
            }
        }
        Ok(Answer { values, proof: None })
    }

    fn map_back(&self, admitted: &Admitted, answer: &Answer) -> Result<Message, Fault> {
        self.reply(&Asked::of(admitted), answer)
    }

    fn refusal(&self, fault: Fault) -> Fault {
        self.refusals.translated(fault)
    }

    fn unsupported_by(&self, profile: &Profile) -> Vec<String> {
        match &profile.takes {
            Takes::Messages(formats) if formats.contains(&W::FORMAT) => vec![],
            _ => vec![format!("the backend does not carry messages of {:?}", W::FORMAT)],
        }
    }
}
