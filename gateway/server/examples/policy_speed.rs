//! How long an access decision takes at 10, 100 and 1,000 policies, and what the policies take in
//! memory: `make bench-policies`.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use gateway_core::AccessRequest;
use naru::policies::cases::WrittenRequest;
use naru::policies::{Policies, PolicyFile};

/// Decisions of one measurement.
const ROUNDS: u32 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "policies | Cedar alone µs | first µs | not remembered µs | remembered µs | MB")?;
    for count in [10, 100, 1_000] {
        let before = resident()?;
        let policies = policies(count)?;
        let all: Vec<AccessRequest> = (0..members(count)).map(request).collect::<Result<_, _>>()?;
        let one = all.first().ok_or("no request")?;
        let alone = each(ROUNDS / 20, |_| decide(policies.decide_by_all(one)))?;
        let first = each(members(count), |turn| {
            all.get(turn as usize).map_or(Ok(()), |request| decide(policies.decide(request)))
        })?;
        // The instant is read by one policy of this member's, so nothing is remembered.
        let fresh = each(ROUNDS, |_| decide(policies.decide(one)))?;
        let other = all.get(1).ok_or("no second request")?;
        let remembered = each(ROUNDS, |_| decide(policies.decide(other)))?;
        let memory = resident()?.saturating_sub(before) as f64 / 1e6;
        let [alone, first, fresh, remembered] = [alone, first, fresh, remembered].map(micros);
        writeln!(
            out,
            "{count} | {alone:.1} | {first:.1} | {fresh:.1} | {remembered:.2} | {memory:.1}"
        )?;
    }
    Ok(())
}

/// Each member has five policies, one of them with conditions; the first also asks for the time.
fn members(policies: u32) -> u32 {
    policies / 5
}

fn policies(count: u32) -> Result<Policies, Box<dyn Error>> {
    let mut text = String::new();
    for member in 0..members(count) {
        let time = if member == 0 { " && context.time < datetime(\"2100-01-01\")" } else { "" };
        for service in 0..5 {
            writeln!(
                text,
                "@id(\"m{member}-s{service}\") permit(principal == Naru::Member::\"m{member}\", \
                 action, resource == Naru::Service::\"s/x{service}\") when {{ \
                 [\"certificate\", \"api-key\"].contains(context.means){time} }};"
            )?;
        }
    }
    let file = PolicyFile { name: "bench".to_owned(), text };
    Policies::parse("bench", &[file]).map_err(|problems| format!("{problems:?}").into())
}

fn request(member: u32) -> Result<AccessRequest, String> {
    let text = format!("{{ member: m{member}, service: s/x1, operation: query }}");
    WrittenRequest::parse(&text)
}

fn decide(
    decided: Result<gateway_core::Decision, naru::policies::Undecided>,
) -> Result<(), Box<dyn Error>> {
    match black_box(decided?).allowed {
        true => Ok(()),
        false => Err("the request must be allowed".into()),
    }
}

fn each(
    rounds: u32,
    mut turn: impl FnMut(u32) -> Result<(), Box<dyn Error>>,
) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    for round in 0..rounds {
        turn(round)?;
    }
    Ok(start.elapsed() / rounds.max(1))
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// Bytes of this process in memory.
fn resident() -> Result<u64, Box<dyn Error>> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split_whitespace().nth(1).ok_or("no statm")?.parse()?;
    Ok(pages * 4_096)
}
