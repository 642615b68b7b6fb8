//! Recorded decisions: from an archive file, or from a running gateway's admin listener.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use clap::Args;
use gateway_core::AccessRequest;
use gateway_store::{ArchiveStore, ExchangeFilter};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::super::operator::Operator;
use super::super::{Failure, block_on};
use crate::policies::recorded::decided;
use crate::policies::replay::Decided;

/// Records of a page.
const PAGE: u32 = 1000;

#[derive(Args)]
pub(super) struct Traffic {
    /// The archive of a gateway, state/archive.sqlite; the admin listener is asked when absent.
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    #[command(flatten)]
    operator: Operator,
    /// Only requests received at this time or later.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only requests received before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

impl Traffic {
    /// Hands on every recorded decision, in the order of the log.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(Decided) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut filter = ExchangeFilter {
            from: self.from,
            until: self.until,
            limit: Some(PAGE),
            ..ExchangeFilter::default()
        };
        loop {
            let records = self.page(&filter)?;
            let Some(last) = records.last() else { return Ok(()) };
            filter.after = last.get("index").and_then(Value::as_u64);
            for record in &records {
                decided(record)?.map_or(Ok(()), &mut take)?;
            }
        }
    }

    /// All that the decision on one exchange depended on.
    pub(super) fn request_of(&self, exchange: Uuid) -> Result<AccessRequest, Failure> {
        let filter = ExchangeFilter { exchange: Some(exchange), ..ExchangeFilter::default() };
        for record in self.page(&filter)? {
            if let Some(found) = decided(&record)? {
                return Ok(found.request);
            }
        }
        Err(format!("no access was decided for an exchange {exchange} that is recorded here")
            .into())
    }

    fn page(&self, filter: &ExchangeFilter) -> Result<Vec<Value>, Failure> {
        match &self.archive {
            Some(archive) => block_on(read(archive, filter)),
            None => {
                let asked = |client: &reqwest::Client, admin: &str| {
                    client.get(format!("{admin}/exchanges")).query(filter)
                };
                Ok(serde_json::from_value(self.operator.clone().send(asked)?)?)
            }
        }
    }
}

async fn read(archive: &Path, filter: &ExchangeFilter) -> Result<Vec<Value>, Failure> {
    if !archive.is_file() {
        return Err(format!("{} is no file", archive.display()).into());
    }
    let archive = ArchiveStore::open(archive).await?;
    let records = archive.exchanges(filter).await?;
    archive.close().await;
    Ok(records.iter().map(serde_json::to_value).collect::<Result<_, _>>()?)
}

/// The exchange that a receipt is for. Whether it verifies is `naru verify`'s matter.
pub(super) fn exchange_of(receipt: &str) -> Result<Uuid, Failure> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(receipt)?)?;
    let entry = text.lines().find_map(|line| line.strip_prefix("extra "));
    let entry = BASE64_STANDARD.decode(entry.ok_or("this is no receipt")?)?;
    let entry: Value = serde_json::from_slice(&entry)?;
    let exchange = entry.get("exchange").and_then(Value::as_str);
    Ok(exchange.ok_or("the receipt is for no exchange")?.parse()?)
}
