//! Load for `make bench`: sends requests to a server over kept connections, as fast as they are
//! answered (closed loop) or at a fixed rate (open loop), and prints what it saw as one line of
//! JSON. Also the stub backend behind the servers, and a measure of the disk. Start at `drive`.

mod backend;
mod disk;
mod drive;
mod tally;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::drive::Plan;
use crate::wire::Wire;

#[derive(Parser)]
#[command(about)]
struct Command {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Posts a body over HTTP/1.1 with kept connections.
    Http {
        /// The request's path.
        #[arg(long, default_value = "/")]
        path: String,
        /// A request header, `name: value`; may be repeated.
        #[arg(long = "header")]
        headers: Vec<String>,
        /// A text that every good answer's body holds.
        #[arg(long)]
        expect: String,
        #[command(flatten)]
        load: Load,
    },
    /// Sends telegrams behind a length of four ASCII digits.
    Telegram {
        /// What stands at the response code's place in every good answer.
        #[arg(long, default_value = "0000")]
        expect: String,
        /// Where the response code begins.
        #[arg(long, default_value_t = 106)]
        offset: usize,
        #[command(flatten)]
        load: Load,
    },
    /// Answers as an Ethereum node does (`/`) and as a plain JSON service does (`/records`).
    Backend {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
        /// Counts the JSON-RPC methods it is asked and prints each count that is a power of two.
        #[arg(long)]
        count: bool,
    },
    /// Appends to a file and waits for the disk, as often as it can.
    Disk {
        /// A file to append to; it is removed afterwards.
        #[arg(long)]
        file: PathBuf,
        /// For how long.
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
    },
}

#[derive(Args)]
struct Load {
    /// The server.
    #[arg(long)]
    to: SocketAddr,
    /// The file that holds the body.
    #[arg(long)]
    body: PathBuf,
    /// How many connections.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// For how long.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Open loop: how many requests a second to offer. Without it: closed loop.
    #[arg(long)]
    rate: Option<f64>,
    /// Speaks of this many persons in turn: the resident number 9001011000000 in the body is
    /// replaced by the following ones.
    #[arg(long, default_value_t = 1)]
    persons: u32,
}

impl Load {
    fn bodies(&self) -> io::Result<Vec<Vec<u8>>> {
        wire::persons(&std::fs::read(&self.body)?, self.persons)
    }

    async fn run(&self, wire: Wire) -> io::Result<()> {
        let plan = Plan {
            to: self.to,
            connections: self.connections,
            length: Duration::from_secs_f64(self.seconds),
            rate: self.rate,
        };
        println!("{}", drive::drive(&plan, Rc::new(wire)).await?.summary());
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    match Command::parse().work {
        Work::Http { path, headers, expect, load } => {
            let wire = Wire::http(load.to, &path, &headers, &load.bodies()?, &expect);
            load.run(wire).await
        }
        Work::Telegram { expect, offset, load } => {
            let wire = Wire::telegram(&load.bodies()?, offset, &expect);
            load.run(wire).await
        }
        Work::Backend { listen, count } => backend::serve(listen, count).await,
        Work::Disk { file, seconds } => {
            let tally = disk::append(&file, Duration::from_secs_f64(seconds))?;
            println!("{}", tally.summary());
            Ok(())
        }
    }
}
