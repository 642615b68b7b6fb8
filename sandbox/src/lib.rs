//! The practice world: a real ledger node with the welfare contract, a test authority, keys, a
//! configured gateway, and simulated ministries and cities that call it.
//!
//! It shares no code with the gateway, not even codecs: a fake that shares our codec agrees with
//! our bugs. Read [`world`] for what is started, [`callers`] for the simulated systems, [`tour`]
//! for the walk through the main job, and [`run()`] for the command that does all three.

pub mod callers;
pub mod people;
mod run;
pub mod tour;
pub mod world;

pub use run::{RunError, RunOptions, run};
