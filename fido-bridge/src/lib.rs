//! Passkey evidence: WebAuthn registration and assertion, authenticator metadata, step-up for one
//! act, and the signed link between a passkey and a DID.
//!
//! Nothing is here yet.
