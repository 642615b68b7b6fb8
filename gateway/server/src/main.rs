//! The `naru` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    naru::cli::run()
}
