//! What X-Road over REST and over SOAP have in common: identifiers of clients and services, the
//! registered clients, and the request hash. The protocols themselves are fronts.

mod client;
mod hash;
mod part;
mod service;

pub use client::{ClientId, Clients};
pub use hash::{rest_request_hash, soap_request_hash};
pub(crate) use part::percent_decode;
pub use part::{decode_part, encode_part};
pub use service::ServiceId;

/// Why a text is not an X-Road identifier. It does not repeat the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Too few or too many parts.
    #[error("has {found} parts where {wanted} are wanted")]
    Parts {
        /// What is wanted, e.g. `three or four`.
        wanted: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A part without a character.
    #[error("has an empty part")]
    Empty,
    /// A `%` without two hex digits after it, or bytes that are not UTF-8.
    #[error("is not percent-encoded UTF-8")]
    Encoding,
    /// A part that is `.` or `..`, or holds a character that no identifier may hold.
    #[error("has a part that no identifier may have")]
    Forbidden,
    /// A part that is longer than any identifier.
    #[error("has a part of more than {max} characters")]
    TooLong {
        /// Characters at most.
        max: usize,
    },
}

#[cfg(test)]
mod tests;
