//! The hash by which a response is bound to its request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

/// `X-Road-Request-Hash` (PR-REST 4.3): over the hash of the head and that of the body, or over the
/// head alone where there is no body.
pub fn rest_request_hash(head: &[u8], body: &[u8]) -> String {
    if body.is_empty() {
        return STANDARD.encode(Sha512::digest(head));
    }
    let both = Sha512::new().chain_update(Sha512::digest(head));
    STANDARD.encode(both.chain_update(Sha512::digest(body)).finalize())
}

/// `requestHash` with the algorithm `http://www.w3.org/2001/04/xmlenc#sha512` (PR-MESS 2.2).
pub fn soap_request_hash(message: &[u8]) -> String {
    STANDARD.encode(Sha512::digest(message))
}
