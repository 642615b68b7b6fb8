//! DIDs and credentials: resolution, verifiable credentials and their status, OpenID4VP
//! presentations, the purpose registry and real-name checks for banks.
//!
//! Nothing is here yet. Consent purposes are named by the service definitions in `mappings/catalog`.
