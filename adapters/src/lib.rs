//! Backends: one module per protocol, each an [`Adapter`](gateway_core::Adapter) behind a Cargo
//! feature, each with the same files (`mod`, `config`, `client`, `codec`, README).
//!
//! No adapter bounds itself by anything but the deadline it is given; what every backend needs
//! stands around it in [`layer`].

#[cfg(feature = "ethereum")]
pub mod ethereum;
#[cfg(feature = "http")]
pub mod http;
pub mod layer;
#[cfg(any(feature = "http", feature = "telegram"))]
mod message;
#[cfg(feature = "telegram")]
pub mod telegram;
#[cfg(any(feature = "http", feature = "telegram"))]
pub mod tls;
