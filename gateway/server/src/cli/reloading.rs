//! `naru reload`.

use clap::Args;

use super::operator::Operator;
use super::{Failure, say};

/// Let a running gateway read its configuration again.
#[derive(Args)]
pub(super) struct Reload {
    #[command(flatten)]
    operator: Operator,
}

impl Reload {
    pub(super) fn run(self) -> Result<(), Failure> {
        let answer = self.operator.send(|client, admin| client.post(format!("{admin}/reload")))?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
