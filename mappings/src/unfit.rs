//! Why one value does not fit the other side. Never repeats the value: it may be personal.

use gateway_core::{Fault, Kind, Origin};
use thiserror::Error;

/// What keeps a value from being mapped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Unfit {
    #[error("is missing")]
    Missing,
    #[error("is not {0}")]
    NotA(&'static str),
    #[error("is not a code of its table")]
    UnknownCode,
    #[error("is outside {min} to {max}")]
    OutOfRange { min: i128, max: i128 },
    #[error("has more than {scale} digits after the point")]
    Imprecise { scale: u8 },
    #[error("is not meant to be there in this case")]
    Unwanted,
    #[error("is longer than {max} {unit}")]
    TooLong { max: usize, unit: &'static str },
    #[error("does not decode as {0}")]
    Undecodable(&'static str),
    #[error("has more than {digits} digits after the point")]
    TooPrecise { digits: usize },
    #[error("ends in the middle of a character")]
    CutCharacter,
    #[error("holds a character that the encoding lacks")]
    Unencodable,
    #[error("holds a control character")]
    ControlCharacter,
    #[error("holds more than {max} records")]
    TooManyRecords { max: usize },
    #[error("holds another number of records than its count says")]
    CountMismatch,
    #[error("is of none of the kinds that its deciding field may name")]
    UnknownChoice,
    #[error("holds an unused record before a used one")]
    Gap,
    #[error("stands there twice, or out of order")]
    Repeated,
    #[error("is followed by something that does not belong there")]
    Intruder,
    #[error("has an attribute that does not belong there")]
    Attribute,
}

impl Unfit {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownCode
            | Self::UnknownChoice
            | Self::OutOfRange { .. }
            | Self::Imprecise { .. }
            | Self::TooPrecise { .. }
            | Self::Unencodable => Kind::Unmappable,
            _ => Kind::Malformed,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "field-missing",
            Self::NotA(_) | Self::ControlCharacter => "field-invalid",
            Self::UnknownCode | Self::UnknownChoice => "unknown-code",
            Self::OutOfRange { .. } => "value-out-of-range",
            Self::Imprecise { .. } => "value-too-precise",
            Self::Unwanted => "field-unwanted",
            Self::TooLong { .. } => "value-too-long",
            Self::Undecodable(_) => "undecodable",
            Self::TooPrecise { .. } => "value-too-precise",
            Self::CutCharacter => "character-cut",
            Self::Unencodable => "character-unencodable",
            Self::TooManyRecords { .. } => "too-many-records",
            Self::CountMismatch | Self::Gap => "count-mismatch",
            Self::Repeated => "field-repeated",
            Self::Intruder | Self::Attribute => "field-unknown",
        }
    }
}

/// A field, by its name on the side where it does not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{field}` {why}")]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) why: Unfit,
}

impl FieldError {
    pub(crate) fn new(field: &str, why: Unfit) -> Self {
        Self { field: field.to_owned(), why }
    }

    /// The fault of a request that cannot be read.
    pub(crate) fn in_request(&self) -> Fault {
        Fault::new(self.why.kind(), self.why.code(), format!("the field {self}"))
    }

    /// The fault of an answer that the caller's format cannot hold.
    pub(crate) fn in_reply(&self) -> Fault {
        let says = format!("the answer cannot be written in this format: the field {self}");
        let mut fault = Fault::new(Kind::Unmappable, "reply-unwritable", says);
        fault.origin = Origin::Gateway;
        fault
    }

    /// The fault of a request that the backend cannot hold.
    pub(crate) fn in_call(&self) -> Fault {
        let says = format!("the provider cannot take this: the field {self}");
        Fault::new(Kind::Unmappable, "call-unwritable", says)
    }

    /// The fault of a backend's answer that does not say what the service promises.
    pub(crate) fn in_answer(&self) -> Fault {
        let says = "the provider's answer could not be read";
        let mut fault = Fault::new(Kind::Unmappable, "answer-unreadable", says).context(self);
        fault.origin = Origin::Backend;
        fault
    }
}
