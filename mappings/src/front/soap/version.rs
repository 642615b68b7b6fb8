//! The two versions of SOAP, as far as they differ on the wire.

use crate::layout::xml_text::{SOAP_11, SOAP_12, Space};

/// A version of SOAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// SOAP 1.1 (W3C Note).
    V11,
    /// SOAP 1.2 (W3C Recommendation).
    V12,
}

impl Version {
    pub(crate) const ALL: [Self; 2] = [Self::V11, Self::V12];

    /// As mappings name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V11 => "1.1",
            Self::V12 => "1.2",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// The version whose envelope is of this namespace.
    pub(crate) fn of(space: Space) -> Option<Self> {
        match space {
            Space::Soap11 => Some(Self::V11),
            Space::Soap12 => Some(Self::V12),
            _ => None,
        }
    }

    pub(crate) fn space(self) -> Space {
        match self {
            Self::V11 => Space::Soap11,
            Self::V12 => Space::Soap12,
        }
    }

    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::V11 => SOAP_11,
            Self::V12 => SOAP_12,
        }
    }

    /// SOAP 1.1, section 6; SOAP 1.2 Part 2, section 7.1.4.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml",
            Self::V12 => "application/soap+xml",
        }
    }
}
