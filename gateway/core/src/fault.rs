//! Everything that can go wrong with an exchange, as a closed set of kinds.
//!
//! A fault is turned into bytes in one place per wire format, by [`crate::Front::refuse`]. What
//! the caller reads (`public`) and what the operator reads (`context`, `source`) are different
//! fields, and neither holds personal data.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What kind of failure it is; each front has one reply for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// The bytes are not what the format demands.
    Malformed,
    /// It is not known who calls.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// No consent of the person covers this.
    ConsentMissing,
    /// A consent covered this and has ended.
    ConsentExpired,
    /// The caller has used up its share.
    RateLimited,
    /// There is no such service.
    Unroutable,
    /// The message is well formed and cannot be said in the other side's terms.
    Unmappable,
    /// The backend cannot do this.
    Unsupported,
    /// The backend understood and said no: a business refusal.
    BackendRefused,
    /// The backend did not answer; nothing was done.
    BackendUnavailable,
    /// It was sent and the answer was lost. Never retried blindly: ask again under the same key.
    OutcomeUnknown,
    /// A defect or a broken part of the gateway itself.
    Internal,
}

impl Kind {
    /// Every kind, in the order of the refusal matrix.
    pub const ALL: [Self; 13] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ConsentMissing,
        Self::ConsentExpired,
        Self::RateLimited,
        Self::Unroutable,
        Self::Unmappable,
        Self::Unsupported,
        Self::BackendRefused,
        Self::BackendUnavailable,
        Self::OutcomeUnknown,
        Self::Internal,
    ];

    /// Whose matter the fault is, unless the one who raises it knows better.
    pub fn origin(self) -> Origin {
        match self {
            Self::BackendRefused | Self::BackendUnavailable | Self::OutcomeUnknown => {
                Origin::Backend
            }
            Self::Unsupported | Self::Internal => Origin::Gateway,
            _ => Origin::Caller,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Whose matter a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The caller can mend it.
    Caller,
    /// The operator of the gateway can mend it.
    Gateway,
    /// The system behind the gateway said or caused it.
    Backend,
}

/// Whether sending the same request again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retry {
    /// It would be refused again.
    Never,
    /// It may be sent again, under the same idempotency key, after this long.
    After(Duration),
}

/// A refusal or failure of one exchange.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// The closed kind.
    pub kind: Kind,
    /// Whose matter it is.
    pub origin: Origin,
    /// Whether to try again.
    pub retry: Retry,
    /// A stable name within the kind, `kebab-case`, e.g. `overlapping-benefit`.
    pub code: Cow<'static, str>,
    /// What the caller reads.
    pub public: String,
    /// What the operator reads.
    pub context: String,
    /// What caused it, for the operator.
    #[serde(skip)]
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A fault of `kind` with the stable `code` and the sentence the caller reads.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, public: impl Into<String>) -> Self {
        let retry = match kind {
            Kind::RateLimited | Kind::BackendUnavailable | Kind::OutcomeUnknown => {
                Retry::After(Duration::from_secs(1))
            }
            _ => Retry::Never,
        };
        Self {
            kind,
            origin: kind.origin(),
            retry,
            code: code.into(),
            public: public.into(),
            context: String::new(),
            source: None,
        }
    }

    /// Adds what the operator should read.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.context = context.to_string();
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Sets how long to wait before the same request makes sense again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry = Retry::After(wait);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.kind, self.code, self.public)?;
        if !self.context.is_empty() {
            write!(f, " ({})", self.context)?;
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for Fault {}
