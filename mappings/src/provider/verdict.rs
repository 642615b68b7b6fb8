//! What a provider's answer comes to: an answer, a refusal by name, or nothing that can be read; and
//! what each of them is to the caller.
//!
//! The rule behind it: a submit counts as refused only where the provider said so in a way that the
//! mapping knows or the protocol defines as "not done". Everything else leaves its outcome unknown,
//! because a second try under another key would be a second effect.

use std::collections::BTreeMap;

use gateway_core::{Fault, Kind, Message, Operation, Origin};

use crate::format::Refusal;
use crate::layout::json::JsonError;
use crate::layout::xml::ContentError;
use crate::layout::xml_text::XmlError;
use crate::unfit::FieldError;

/// What an answer says.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// The reply, in the service's terms.
    Answer(Message),
    Refusal(Refused),
}

/// A refusal in the provider's own terms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its names, the most telling one first; never none.
    names: Vec<String>,
    /// What it is where the mapping does not list it.
    standing: Standing,
}

/// What a refusal says of the request by its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was at fault and nothing was done.
    NotDone,
    /// Nothing was done this time; later it may be.
    Later,
    /// It may have been done.
    Unclear,
}

/// The longest name of a refusal that is kept.
const MAX_NAME: usize = 64;

impl Refused {
    /// A name that is not one (a sentence, perhaps with a person in it) is not kept.
    pub(crate) fn new(names: impl IntoIterator<Item = String>, standing: Standing) -> Self {
        let is_name = |name: &String| {
            (1..=MAX_NAME).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._:/#-".contains(&byte))
        };
        let mut names: Vec<_> = names.into_iter().filter(is_name).collect();
        if names.is_empty() {
            names.push("unnamed".to_owned());
        }
        Self { names, standing }
    }

    /// A refusal of HTTP (RFC 9110, section 15) whose body says it in `names`.
    pub(crate) fn by_status(status: u16, names: impl IntoIterator<Item = String>) -> Self {
        let standing = match status {
            // Not yet, misdirected, too early, too many.
            421 | 425 | 429 => Standing::Later,
            408 => Standing::Unclear,
            400..=499 => Standing::NotDone,
            _ => Standing::Unclear,
        };
        Self::new(names.into_iter().chain([format!("http-{status}")]), standing)
    }

    pub(crate) fn is_one_of(&self, names: &[String]) -> bool {
        self.names.iter().any(|name| names.contains(name))
    }

    fn name(&self) -> &str {
        self.names.first().map_or("unnamed", String::as_str)
    }
}

/// Why bytes say nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error("{0}")]
    Form(&'static str),
}

impl From<ContentError> for Unreadable {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Xml(error) => Self::Xml(error),
            ContentError::Field(error) => Self::Field(error),
        }
    }
}

impl Unreadable {
    /// The fault of an answer that cannot be read. A submit may have been done all the same.
    pub(crate) fn into_fault(self, operation: Operation) -> Fault {
        match operation {
            Operation::Submit => {
                unclear().context(format_args!("the answer is unreadable: {self}"))
            }
            Operation::Query => {
                let says = "the provider's answer could not be read";
                let mut fault = Fault::new(Kind::Unmappable, "answer-unreadable", says);
                fault.origin = Origin::Backend;
                fault.context(self)
            }
        }
    }
}

/// A provider's refusals in the service's terms.
pub(crate) struct Refusals {
    pub(crate) listed: BTreeMap<String, Refusal>,
}

/// The name under which a mapping lists what every refusal is that it does not list.
pub(crate) const ANY: &str = "*";

impl Refusals {
    /// The fault of a refusal. Where it is a business refusal its code is still the provider's name,
    /// which [`Refusals::translated`] puts into the service's.
    pub(crate) fn fault(&self, refused: &Refused, operation: Operation) -> Fault {
        let known = refused.names.iter().find_map(|name| Some((name, self.listed.get(name)?)));
        let known = known.or_else(|| Some((refused.names.first()?, self.listed.get(ANY)?)));
        let raw = |name: &str| {
            Fault::new(Kind::BackendRefused, name.to_owned(), "the provider refused this")
        };
        match known {
            Some((name, Refusal { kind: None, .. })) => raw(name),
            Some((name, Refusal { kind: Some(kind), code, says })) => {
                Fault::new(*kind, code.clone(), says.as_str()).context(name)
            }
            None => match (refused.standing, operation) {
                (Standing::NotDone, _) => raw(refused.name()),
                (Standing::Unclear, Operation::Submit) => {
                    unclear().context(format_args!("the provider said {}", refused.name()))
                }
                (Standing::Later, _) | (Standing::Unclear, Operation::Query) => {
                    let says = "the provider cannot answer now";
                    let fault = Fault::new(Kind::BackendUnavailable, "provider-failed", says);
                    fault.context(refused.name())
                }
            },
        }
    }

    /// Puts a business refusal into the service's terms.
    pub(crate) fn translated(&self, fault: Fault) -> Fault {
        if fault.kind != Kind::BackendRefused || fault.code == NEVER_DONE {
            return fault;
        }
        let known = self.listed.get(&*fault.code).or_else(|| self.listed.get(ANY));
        let (code, says) = match known {
            Some(known) => (known.code.clone(), known.says.clone()),
            None => ("refused".to_owned(), "the provider refused this".to_owned()),
        };
        Fault::new(fault.kind, code, says).context(&fault.code)
    }
}

const NEVER_DONE: &str = "never-done";

/// The provider does not know the submit and promises that it never will.
pub(crate) fn never_done(refused: &Refused) -> Fault {
    let says = "it never reached the provider and was not done; send it under another key";
    Fault::new(Kind::BackendRefused, NEVER_DONE, says).context(refused.name())
}

/// An inquiry that failed.
pub(crate) fn no_report(refused: &Refused) -> Fault {
    let says = "the provider cannot say now what became of it";
    Fault::new(Kind::BackendUnavailable, "no-report", says).context(refused.name())
}

fn unclear() -> Fault {
    let says = "it was sent and its outcome is not known yet; ask again under the same key";
    Fault::new(Kind::OutcomeUnknown, "outcome-unknown", says)
}
