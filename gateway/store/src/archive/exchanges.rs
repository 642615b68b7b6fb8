//! Operational records: what passed, for whom, with what outcome. There is no personal data in them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};
use uuid::Uuid;

use super::ArchiveStore;
use crate::database::uuid;
use crate::error::Broken;
use crate::letters::time;

/// Records of a page, when nothing else is said, and at most.
const PAGE: u32 = 100;
const LONGEST_PAGE: u32 = 1000;

/// As [`ExchangeFilter::outcome`]: everything but `ok`.
pub const OUTCOME_REFUSED: &str = "refused";

/// Which records are wanted; what is absent does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeFilter {
    /// Of this exchange.
    pub exchange: Option<Uuid>,
    /// Of this kind, as entries name it: `exchange`, `administration` …
    pub kind: Option<String>,
    /// Of this member, or operator.
    pub member: Option<String>,
    /// Of this service: `sector/code`.
    pub service: Option<String>,
    /// For this purpose.
    pub purpose: Option<String>,
    /// That relied on this consent.
    pub consent: Option<Uuid>,
    /// `ok`, `refused`, a kind of fault, or kind `/` code.
    pub outcome: Option<String>,
    /// Received at this time or later.
    pub from: Option<Timestamp>,
    /// Received before this time.
    pub until: Option<Timestamp>,
    /// Behind this index: the last of the page before.
    pub after: Option<u64>,
    /// How many at most; a hundred when absent, never more than a thousand.
    pub limit: Option<u32>,
}

/// The record of one entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeRecord {
    /// The entry's index in the log.
    pub index: u64,
    /// The exchange.
    pub exchange: Uuid,
    /// The entry's kind.
    pub kind: String,
    /// When its last byte had arrived.
    pub received: Timestamp,
    /// When its reply was ready.
    pub finished: Timestamp,
    /// The format it came in.
    pub front: String,
    /// Who called.
    pub member: Option<String>,
    /// `sector/code`.
    pub service: Option<String>,
    /// `query` or `submit`.
    pub operation: Option<String>,
    /// The purpose's code.
    pub purpose: Option<String>,
    /// The consent relied on.
    pub consent: Option<String>,
    /// `ok`, or kind `/` code of the fault.
    pub outcome: String,
    /// Bytes of the request.
    pub request_bytes: i64,
    /// Bytes of the reply.
    pub reply_bytes: i64,
    /// What access decided, as the entry has it.
    pub decision: Option<Value>,
    /// The entry's part `details`.
    pub details: Value,
}

impl ArchiveStore {
    /// A page of records in the order of the log.
    ///
    /// # Errors
    /// [`Broken`] when the archive cannot be read.
    pub async fn exchanges(&self, filter: &ExchangeFilter) -> Result<Vec<ExchangeRecord>, Broken> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM exchanges WHERE number > ");
        query.push_bind(filter.after.map_or(-1, u64::cast_signed));
        if let Some(exchange) = filter.exchange {
            query.push(" AND exchange = ").push_bind(exchange.as_bytes().to_vec());
        }
        let texts = [
            (" AND kind = ", filter.kind.clone()),
            (" AND member = ", filter.member.clone()),
            (" AND service = ", filter.service.clone()),
            (" AND purpose = ", filter.purpose.clone()),
            (" AND consent_id = ", filter.consent.map(|id| id.to_string())),
        ];
        for (condition, value) in texts {
            if let Some(value) = value {
                query.push(condition).push_bind(value);
            }
        }
        match filter.outcome.as_deref() {
            None => {}
            Some(OUTCOME_REFUSED) => drop(query.push(" AND outcome <> 'ok'")),
            Some(outcome) => {
                query.push(" AND (outcome = ").push_bind(outcome.to_owned());
                query.push(" OR outcome >= ").push_bind(format!("{outcome}/"));
                // `0` follows `/` in ASCII: everything that begins with the kind and a slash.
                query.push(" AND outcome < ").push_bind(format!("{outcome}0")).push(")");
            }
        }
        for (condition, time) in
            [(" AND received >= ", filter.from), (" AND received < ", filter.until)]
        {
            if let Some(time) = time {
                query.push(condition).push_bind(time.as_millisecond());
            }
        }
        query
            .push(" ORDER BY number LIMIT ")
            .push_bind(filter.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE));
        let rows = query.build().fetch_all(&self.reading).await?;
        rows.iter().map(record).collect()
    }
}

fn record(row: &SqliteRow) -> Result<ExchangeRecord, Broken> {
    let moment = |column| time(row, column)?.ok_or(Broken::Column(column));
    let decision: Option<&str> = row.try_get("decision")?;
    Ok(ExchangeRecord {
        index: row.try_get::<i64, _>("number")?.cast_unsigned(),
        exchange: uuid(row, "exchange")?,
        kind: row.try_get("kind")?,
        received: moment("received")?,
        finished: moment("finished")?,
        front: row.try_get("front")?,
        member: row.try_get("member")?,
        service: row.try_get("service")?,
        operation: row.try_get("operation")?,
        purpose: row.try_get("purpose")?,
        consent: row.try_get("consent_id")?,
        outcome: row.try_get("outcome")?,
        request_bytes: row.try_get("request_bytes")?,
        reply_bytes: row.try_get("reply_bytes")?,
        decision: decision.map(serde_json::from_str).transpose()?,
        details: serde_json::from_slice(row.try_get("details")?)?,
    })
}
