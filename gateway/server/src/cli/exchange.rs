//! `naru exchange …`: a client of the admin listener.

use std::io::{self, Write};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use uuid::Uuid;

use super::operator::Operator;
use super::{Failure, say};

/// See and export what passed: who asked for what, when, and with what outcome. There is no personal
/// data in it.
#[derive(Args)]
pub(super) struct Exchange {
    #[command(flatten)]
    operator: Operator,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List records, the oldest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many at most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show everything recorded of one exchange.
    Show {
        /// The exchange.
        exchange: Uuid,
    },
    /// Write the evidence of one exchange to standard output, as one file that naru verify --bundle checks
    /// with the log's public key alone. That it was made, and of what, is on record.
    Bundle {
        /// The exchange.
        exchange: Uuid,
        /// A part to open: request, reply, subject, consent, call, answer, ledger, certificate, details.
        /// May be given several times; every other part stays closed.
        #[arg(long = "part", value_name = "PART")]
        parts: Vec<String>,
    },
    /// Write all records that fit to standard output.
    Export {
        #[command(flatten)]
        filter: Filter,
        /// JSON lines, or CSV.
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

#[derive(Args)]
struct Filter {
    /// Of this member, or operator.
    #[arg(long)]
    member: Option<String>,
    /// Of this service: sector/code.
    #[arg(long)]
    service: Option<String>,
    /// Of this kind: exchange, acceptance, settlement, administration, delivery.
    #[arg(long)]
    kind: Option<String>,
    /// For this purpose.
    #[arg(long)]
    purpose: Option<String>,
    /// That relied on this consent.
    #[arg(long)]
    consent: Option<Uuid>,
    /// ok, refused, a kind of fault (Forbidden), or kind/code.
    #[arg(long)]
    outcome: Option<String>,
    /// Received at this time or later: 2026-11-02T00:00:00Z.
    #[arg(long)]
    from: Option<String>,
    /// Received before this time.
    #[arg(long)]
    until: Option<String>,
    /// Behind this index of the log.
    #[arg(long)]
    after: Option<u64>,
}

/// Records asked for at a time by an export: as many as there are in one answer.
const PAGE: u32 = 1000;

const COLUMNS: [&str; 15] = [
    "index",
    "exchange",
    "kind",
    "received",
    "finished",
    "front",
    "member",
    "service",
    "operation",
    "purpose",
    "consent",
    "outcome",
    "requestBytes",
    "replyBytes",
    "decision",
];

impl Filter {
    fn query(&self) -> Vec<(&'static str, String)> {
        let text = |name, value: &Option<String>| value.clone().map(|value| (name, value));
        let all = [
            text("member", &self.member),
            text("service", &self.service),
            text("kind", &self.kind),
            text("purpose", &self.purpose),
            self.consent.map(|id| ("consent", id.to_string())),
            text("outcome", &self.outcome),
            text("from", &self.from),
            text("until", &self.until),
        ];
        all.into_iter().flatten().collect()
    }
}

impl Exchange {
    pub(super) fn run(self) -> Result<(), Failure> {
        let operator = self.operator;
        match self.act {
            Act::List { filter, limit } => {
                let after = filter.after;
                let records = page(&operator, filter.query(), after, limit)?;
                records.into_iter().try_for_each(say)
            }
            Act::Show { exchange } => {
                let query = vec![("exchange", exchange.to_string())];
                let records = page(&operator, query, None, PAGE)?;
                if records.is_empty() {
                    let why = "it may be of another gateway, or not archived yet; try in a second";
                    return Err(format!("there is no exchange {exchange}: {why}").into());
                }
                say(serde_json::to_string_pretty(&records)?)
            }
            Act::Bundle { exchange, parts } => {
                let query: Vec<_> = parts.iter().map(|part| ("part", part)).collect();
                let bundle = operator.send(|client, admin| {
                    client.get(format!("{admin}/exchanges/{exchange}/bundle")).query(&query)
                })?;
                say(bundle)
            }
            Act::Export { filter, format } => export(&operator, &filter, format),
        }
    }
}

fn page(
    operator: &Operator,
    mut query: Vec<(&'static str, String)>,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<Value>, Failure> {
    query.push(("limit", limit.to_string()));
    query.extend(after.map(|after| ("after", after.to_string())));
    let answer = operator
        .clone()
        .send(|client, admin| client.get(format!("{admin}/exchanges")).query(&query))?;
    match answer {
        Value::Array(records) => Ok(records),
        _ => Err("the gateway answered something else than a list".into()),
    }
}

fn export(operator: &Operator, filter: &Filter, format: Format) -> Result<(), Failure> {
    let mut after = filter.after;
    let mut out = io::BufWriter::new(io::stdout());
    if matches!(format, Format::Csv) {
        writeln!(out, "{}", COLUMNS.join(","))?;
    }
    loop {
        let records = page(operator, filter.query(), after, PAGE)?;
        for record in &records {
            match format {
                Format::Jsonl => writeln!(out, "{record}")?,
                Format::Csv => writeln!(out, "{}", line(record))?,
            }
        }
        match records.last().and_then(|record| record.get("index")?.as_u64()) {
            Some(last) => after = Some(last),
            None => return Ok(out.flush()?),
        }
    }
}

/// RFC 4180: fields that hold a comma, a quote or a line's end are quoted.
fn line(record: &Value) -> String {
    let fields = COLUMNS.map(|column| match record.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    });
    fields
        .map(|field| if field.contains([',', '"', '\n', '\r']) { quoted(&field) } else { field })
        .join(",")
}

fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}
