//! How long one message takes from the wire to the service's terms and back: a telegram of city A and
//! a SOAP envelope of the ministry, from the catalog's cases. Run with `--release`; prints
//! microseconds for each message, the median of several rounds.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use gateway_core::front::Exchange;
use gateway_core::{Evidence, ExchangeId, Front, Inbound, Message, Pseudonym, Pseudonymize, Value};
use jiff::Timestamp;
use mappings::Catalog;
use uuid::Uuid;

/// Messages of each round.
const MESSAGES: u32 = 20_000;
/// Rounds, of which the median counts.
const ROUNDS: usize = 9;

/// As the gateway has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

/// One request decoded and one answer encoded.
fn exchange(front: &Arc<dyn Front>, inbound: &Inbound, answer: &Message) -> Result<usize, String> {
    let envelope = Arc::new(front.decode(inbound).map_err(|fault| fault.to_string())?);
    let exchange = Exchange {
        id: inbound.id,
        inbound,
        envelope: Some(&envelope),
        quota: &[],
        now: inbound.received,
    };
    let draft = front.encode(&exchange, answer).map_err(|fault| fault.to_string())?;
    Ok(draft.body.len())
}

fn measure(front: Arc<dyn Front>, body: Vec<u8>, answer: &Message) -> Result<f64, String> {
    let inbound = Inbound {
        id: ExchangeId(Uuid::nil()),
        front: front.clone(),
        evidence: Evidence::default(),
        attributes: [("content-type".to_owned(), "text/xml; charset=utf-8".to_owned())].into(),
        body: body.into(),
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    };
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..MESSAGES {
            std::hint::black_box(exchange(&front, &inbound, answer)?);
        }
        rounds.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(MESSAGES));
    }
    rounds.sort_by(f64::total_cmp);
    rounds.get(ROUNDS / 2).copied().ok_or_else(|| "no round".to_owned())
}

fn run() -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let catalog = Catalog::load(&root, Arc::new(Nobody)).map_err(|problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })?;
    let answer = Message::from_iter([("benefit", Value::Bytes(vec![0xab; 32]))]);
    let mut lines = Vec::new();
    for system in ["city-a", "city-c", "mohw"] {
        let id = format!("welfare/{system}/v1");
        let file = root.join(&id).join("cases/grant.in");
        let body = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let front = catalog.front(&id).ok_or_else(|| format!("no front {id}"))?.as_front();
        let bytes = body.len();
        let took = measure(front, body, &answer)?;
        lines.push(format!("{id}: {bytes} bytes, {took:.2} µs a message"));
    }
    Ok(lines.join("\n"))
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its user")]
fn main() -> ExitCode {
    match run() {
        Ok(lines) => {
            println!("{lines}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
