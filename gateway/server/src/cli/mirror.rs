//! `naru mirror`.

use clap::Args;

use super::operator::Operator;
use super::{Failure, say};

/// List the last answers that differed elsewhere.
#[derive(Args)]
pub(super) struct Mirror {
    #[command(flatten)]
    operator: Operator,
}

impl Mirror {
    pub(super) fn run(self) -> Result<(), Failure> {
        let answer = self.operator.send(|client, admin| client.get(format!("{admin}/mirror")))?;
        say(serde_json::to_string_pretty(&answer)?)
    }
}
