//! The gateway as a program: configuration, listeners, administration and the `naru` command.
//!
//! [`plan`] checks a configuration and everything it names; [`serve`] opens what was planned and
//! runs until it is told to stop; [`reload`] exchanges what it runs for a newer [`deployment`]. What happens to a request is not here: see
//! `gateway_core::pipeline`.

pub mod admin;
pub mod alarm;
pub mod authenticate;
pub mod authorize;
pub mod backends;
mod bodies;
pub mod capacity;
pub mod cli;
pub mod clock;
pub mod config;
pub mod consents;
pub mod deployment;
pub mod fingerprint;
pub mod later;
pub mod listen;
pub mod mirrors;
pub mod notary;
pub mod people;
pub mod plan;
pub mod policies;
pub mod pseudonyms;
pub mod quota;
pub mod registry;
pub mod reload;
pub mod resources;
mod routing;
pub mod secret;
pub mod serve;
pub mod telemetry;
pub mod tls;
pub mod versions;

#[cfg(test)]
mod test_support;
