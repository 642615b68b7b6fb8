//! The header of a message: what its fields are for in a request and what a reply puts there. The
//! same for XML headers, telegram headers and the first line of a file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gateway_core::{Fault, Kind, Message, Value};
use jiff::Timestamp;
use jiff::tz::Offset;
use zeroize::Zeroizing;

use crate::convert::write_date_time;
use crate::faults::Outcome;
use crate::rows::{Form, Record, Rows, Wire};

/// A header, compiled. Its rows' fields are named as on the wire.
pub(crate) struct Header<S> {
    pub(crate) rows: Rows<S>,
    /// One for each row.
    pub(crate) roles: Vec<Role>,
    /// Organization code → member.
    pub(crate) organizations: BTreeMap<String, String>,
    /// The offset of times that a reply states.
    pub(crate) offset: Offset,
}

pub(crate) struct Role {
    pub(crate) request: Purpose,
    pub(crate) reply: Content,
}

/// What a field of a request is for.
pub(crate) enum Purpose {
    Ignored,
    Operation,
    Organization,
    Credential,
    File,
    Expect {
        value: String,
        kind: Kind,
        code: String,
    },
    /// Names a party to a registered integration, or the integration.
    Party(Party),
}

/// What of a registered integration a field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Integration,
    ConsumerSystem,
    ProviderOrganization,
    ProviderSystem,
}

/// What a field of a reply holds.
pub(crate) enum Content {
    Blank,
    Echo,
    Received,
    Sent,
    ResultCode,
    ResultName,
    ResultMessage,
    Constant(String),
}

/// What a request's header said.
#[derive(Default)]
pub(crate) struct HeaderContent {
    pub(crate) operation: Option<String>,
    pub(crate) claimed_member: Option<String>,
    pub(crate) credential: Option<Zeroizing<String>>,
    pub(crate) file: Option<String>,
    pub(crate) parties: Parties,
    /// What a reply repeats.
    pub(crate) echo: Message,
}

/// The integration that a request says it is of, and the parties to it.
#[derive(Debug, Default)]
pub(crate) struct Parties {
    pub(crate) integration: Option<String>,
    pub(crate) consumer_organization: Option<String>,
    pub(crate) consumer_system: Option<String>,
    pub(crate) provider_organization: Option<String>,
    pub(crate) provider_system: Option<String>,
}

impl Parties {
    fn set(&mut self, party: Party, text: &str) {
        let place = match party {
            Party::Integration => &mut self.integration,
            Party::ConsumerSystem => &mut self.consumer_system,
            Party::ProviderOrganization => &mut self.provider_organization,
            Party::ProviderSystem => &mut self.provider_system,
        };
        *place = Some(text.to_owned());
    }
}

/// The times a reply may state.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) received: Timestamp,
    pub(crate) sent: Timestamp,
}

impl<S> Header<S> {
    /// Reads a request's header and does what its fields are for.
    pub(crate) fn read(&self, record: &Record<'_>) -> Result<HeaderContent, Fault> {
        let mut content = HeaderContent::default();
        for ((row, role), wire) in self.rows.0.iter().zip(&self.roles).zip(record) {
            let value = row.read(wire.as_ref()).map_err(|error| error.in_request())?;
            let text = match wire {
                Some(Wire::Text(text)) => &**text,
                _ => "",
            };
            match &role.request {
                Purpose::Ignored => {}
                Purpose::Operation => content.operation = Some(text.to_owned()),
                Purpose::Organization => {
                    content.claimed_member = Some(self.member(text)?);
                    content.parties.consumer_organization = Some(text.to_owned());
                }
                Purpose::Party(party) => content.parties.set(*party, text),
                Purpose::Credential => content.credential = Some(Zeroizing::new(text.to_owned())),
                Purpose::File => content.file = Some(text.to_owned()),
                Purpose::Expect { value, .. } if value == text => {}
                Purpose::Expect { kind, code, .. } => {
                    let says = format!("the field `{}` does not hold what it must", row.name);
                    return Err(Fault::new(*kind, code.clone(), says));
                }
            }
            if let (Content::Echo, Some(value)) = (&role.reply, value) {
                content.echo.set(&*row.name, value);
            }
        }
        Ok(content)
    }

    /// What a reply can repeat of a header that may be broken elsewhere.
    pub(crate) fn glimpse(&self, record: &Record<'_>) -> Message {
        let fields = self.rows.0.iter().zip(&self.roles).zip(record);
        let echoed = fields.filter(|((_, role), _)| matches!(role.reply, Content::Echo));
        let fitting = echoed.filter_map(|((row, _), wire)| {
            let value = row.read(wire.as_ref()).ok()??;
            Some((row.name.to_string(), value))
        });
        fitting.collect()
    }

    /// The member of an organization code.
    pub(crate) fn member(&self, organization: &str) -> Result<String, Fault> {
        self.organizations.get(organization).cloned().ok_or_else(|| {
            Fault::new(
                Kind::Forbidden,
                "unknown-organization",
                "the organization that the message names is not registered for this format",
            )
        })
    }

    /// The texts of a reply's header.
    pub(crate) fn reply<'v>(
        &'v self,
        echo: &'v Message,
        outcome: Outcome<'v>,
        times: Times,
    ) -> Record<'v> {
        let text = |name: &str, form: &'v Form<S>, content: &'v Content| match content {
            Content::Blank => None,
            Content::Echo => echo.get(name).and_then(|value| written(form, value)),
            Content::Received => Some(self.time(times.received)),
            Content::Sent => Some(self.time(times.sent)),
            Content::ResultCode => Some(Cow::Borrowed(outcome.code)),
            Content::ResultName => Some(Cow::Borrowed(outcome.name)),
            Content::ResultMessage => Some(Cow::Borrowed(outcome.message)),
            Content::Constant(text) => Some(Cow::Borrowed(text.as_str())),
        };
        let rows = self.rows.0.iter().zip(&self.roles);
        rows.map(|(row, role)| text(&row.name, &row.form, &role.reply).map(Wire::Text)).collect()
    }

    fn time(&self, time: Timestamp) -> Cow<'static, str> {
        let mut text = String::with_capacity(29);
        write_date_time(&mut text, time, self.offset);
        Cow::Owned(text)
    }
}

fn written<'v, S>(form: &'v Form<S>, value: &'v Value) -> Option<Cow<'v, str>> {
    match form {
        Form::Value { codec, .. } => codec.write(value).ok(),
        Form::Record { .. } | Form::List { .. } => None,
    }
}
