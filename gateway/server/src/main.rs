//! The `naru` command.

use std::process::ExitCode;

// See docs/adr/0008: a fifth of the time per request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    naru::cli::run()
}
