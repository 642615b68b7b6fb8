//! Certificate evidence: chains, revocation, CMS and XML signatures, the Korean VID, and the signed
//! link between a certificate and a DID.
//!
//! Nothing is here yet. Until it is, certificates are authenticated by `naru` at the TLS listener:
//! chain to the configured authority, then the fingerprint registered for the member.
