//! Every adapter against a real backend: `contract` holds what all of them must do, the other
//! modules what only one has. The EVM node comes from `sandbox/contracts`; `make deps` installs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod carriers;
mod contract;
mod ethereum;
mod http;
mod layer;
mod layers;
mod ledger;
mod submits;
mod support;
mod telegram;
mod welfare;
