//! Salted commitments: an entry binds bytes it does not hold.
//!
//! ```text
//! salt       = HMAC-SHA-256(salt key, exchange id (16 bytes) ‖ kind ‖ 0x00 ‖ part)
//! commitment = SHA-256(salt ‖ bytes)
//! ```
//!
//! No salt is stored: the operator, who has the key, computes the one salt of the one part that must
//! be opened and hands it over with the bytes; every other part stays closed. Without the salt a
//! commitment says nothing about its bytes, not even to one who can guess them. The written
//! specification is `docs/evidence.md`.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64_simd::URL_SAFE_NO_PAD;
use gateway_core::ExchangeId;
use gateway_core::journal::RecordKind;

/// The parts of an exchange that an entry commits to. What their bytes are is in
/// `docs/evidence.md`, "Parts".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The request as it came.
    Request,
    /// The reply as it left, without its receipt.
    Reply,
    /// The pseudonym of the person concerned: 32 bytes.
    Subject,
    /// The consent relied on: its id and items.
    Consent,
    /// The call: function ‖ 0x1f ‖ arguments, or the encoded message, in canonical form.
    Call,
    /// What the backend sent, in canonical form, where the mapping reads its bytes.
    Answer,
    /// Where on a ledger the answer stands.
    Ledger,
    /// The caller's certificate, DER, where that is how it was authenticated.
    Certificate,
    /// What else the gateway knows of the exchange, as its archive keeps it: sizes, quotas, key.
    Details,
}

impl Part {
    /// Every part, in the order in which an entry has them.
    pub const ALL: [Self; 9] = [
        Self::Request,
        Self::Reply,
        Self::Subject,
        Self::Consent,
        Self::Call,
        Self::Answer,
        Self::Ledger,
        Self::Certificate,
        Self::Details,
    ];

    /// Its name in entries, salts and openings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
            Self::Subject => "subject",
            Self::Consent => "consent",
            Self::Call => "call",
            Self::Answer => "answer",
            Self::Ledger => "ledger",
            Self::Certificate => "certificate",
            Self::Details => "details",
        }
    }

    /// The part of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// How an entry names its kind.
pub fn kind_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Exchange => "exchange",
        RecordKind::Acceptance => "acceptance",
        RecordKind::Settlement => "settlement",
        RecordKind::Administration => "administration",
        RecordKind::Delivery => "delivery",
    }
}

/// The secret that salts come from. Lose it and no commitment can be opened; leak it and every
/// commitment can be tried against guesses.
pub struct CommitmentKey(hmac::Key);

impl CommitmentKey {
    /// Takes 32 secret random bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The salt of one part of one entry: what the operator hands over to open it. `kind` is the
    /// entry's, as [`kind_name`] says it.
    pub fn salt(&self, exchange: &ExchangeId, kind: &str, part: Part) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(exchange.0.as_bytes());
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(part.name().as_bytes());
        let mut salt = [0; 32];
        salt.copy_from_slice(context.sign().as_ref());
        salt
    }
}

/// The commitment to `bytes`, as an entry holds it: base64url without padding.
pub fn commit(salt: &[u8; 32], bytes: &[u8]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(salt);
    context.update(bytes);
    URL_SAFE_NO_PAD.encode_to_string(context.finish())
}

impl fmt::Debug for CommitmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommitmentKey(***)")
    }
}
