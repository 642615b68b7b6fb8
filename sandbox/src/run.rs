//! `naru world`: start the practice world, take the tour, and keep serving.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::tour::{self, TourError};
use crate::world::gateway::GatewayError;
use crate::world::{World, WorldError, WorldOptions};

/// Blocks come at intervals, as on a ledger that others use too.
const BLOCK_TIME: Duration = Duration::from_millis(250);

/// What to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Where the world stands; an earlier world there is wiped.
    pub directory: PathBuf,
    /// The root of the source tree, with `sandbox/` and `mappings/`.
    pub root: PathBuf,
    /// The `naru` executable.
    pub naru: PathBuf,
    /// End after the tour instead of serving until Ctrl-C.
    pub once: bool,
}

/// Why it did not go well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The world does not stand.
    #[error("the practice world cannot be started")]
    World(#[from] WorldError),
    /// The gateway does not run.
    #[error("the gateway does not run as it should")]
    Gateway(#[from] GatewayError),
    /// The tour did not go as it should.
    #[error(transparent)]
    Tour(#[from] TourError),
    /// Progress cannot be printed, or signals not be awaited.
    #[error("the terminal failed")]
    Terminal(#[from] io::Error),
}

/// Starts the world and its gateway, takes the tour, and, unless `once`, serves until SIGINT,
/// SIGTERM or SIGHUP. Progress goes to standard output.
///
/// # Errors
/// When something cannot be started, or (after serving) when the tour found something wrong.
pub async fn run(options: RunOptions) -> Result<(), RunError> {
    let out = &mut io::stdout();
    let (mut interrupted, mut terminated, mut hung_up) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    );
    let ended = async {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
            _ = hung_up.recv() => {}
        }
    };
    tokio::pin!(ended);

    let once = options.once;
    say(out, format_args!("Practice world in {}", options.directory.display()))?;
    // A signal drops what is being started, and dropping ends its processes.
    let mut world = tokio::select! {
        world = World::start(options.world()) => world?,
        () = &mut ended => return Ok(()),
    };
    tokio::select! {
        ready = world.start_gateway() => ready?,
        () = &mut ended => return Ok(()),
    }
    places(&world, out)?;

    let toured = tokio::select! {
        toured = tour::run(&world, out) => toured,
        () = &mut ended => return Ok(world.stop().await?),
    };
    if !once {
        serving(&world, &toured, out)?;
        ended.await;
        say(out, "\nEnding.")?;
    }
    world.stop().await?;
    Ok(toured?)
}

impl RunOptions {
    fn world(self) -> WorldOptions {
        let options = WorldOptions::in_tree(&self.root, self.directory, self.naru);
        WorldOptions { block_time: Some(BLOCK_TIME), ..options }
    }
}

fn places(world: &World, out: &mut impl Write) -> io::Result<()> {
    say(out, format_args!("  ledger    {}", world.rpc_url()))?;
    say(out, format_args!("  contract  {}", world.contract().address))?;
    say(out, format_args!("  REST      {}/v1/welfare/…", world.http_url()))?;
    say(out, format_args!("  SOAP      {}/soap/welfare", world.https_url()))?;
    say(out, format_args!("  telegram  127.0.0.1:{}", world.ports().telegram))?;
    say(out, format_args!("  batch     {}", world.city_b().folder.display()))?;
    say(out, format_args!("  admin     {}\n", world.admin_url()))
}

fn serving(world: &World, toured: &Result<(), TourError>, out: &mut impl Write) -> io::Result<()> {
    if let Err(error) = toured {
        say(out, format_args!("\n{error}"))?;
    }
    let folder = world.layout().root().display();
    say(out, format_args!("\nServing until Ctrl-C. In {folder}:"))?;
    say(out, "  samples/README.md   commands to paste")?;
    say(out, "  endpoints.json      addresses, keys and certificates, for programs")
}

fn say(out: &mut impl Write, line: impl Display) -> io::Result<()> {
    writeln!(out, "{line}")?;
    out.flush()
}
