//! City B, which runs no ledger node: CSV files put into a folder, results read from beside them.
//! Written from `mappings/catalog/welfare/city-b/v1/README.md`.

use std::path::PathBuf;
use std::time::Duration;

use csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};

use super::CallError;
use crate::people::Benefit;

/// How long city B waits for a result file.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A batch file of grants: header, one record for each, trailer with count and control total.
///
/// # Errors
/// When it cannot be written as CSV.
pub fn grants(file_id: &str, benefits: &[Benefit]) -> Result<Vec<u8>, CallError> {
    let mut writer =
        WriterBuilder::new().flexible(true).terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(["H", "CITYB001", file_id, "20260302"])?;
    for (index, benefit) in benefits.iter().enumerate() {
        writer.write_record([
            "D",
            &(index + 1).to_string(),
            "G",
            benefit.person.resident_number,
            benefit.person.name,
            benefit.programme.city_b(),
            benefit.from,
            benefit.to,
            &benefit.monthly_amount.to_string(),
        ])?;
    }
    let total: u64 = benefits.iter().map(|benefit| benefit.monthly_amount).sum();
    writer.write_record(["T", &benefits.len().to_string(), &total.to_string()])?;
    writer.into_inner().map_err(|_| CallError::Missing("batch file"))
}

/// One line of a result file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultLine {
    /// The number of the record it answers.
    pub record: String,
    /// `0000` or a refusal.
    pub code: String,
    /// What the refusal says.
    pub message: String,
    /// The benefit, when granted.
    pub benefit: String,
    /// The receipt, when there is one.
    pub receipt: Option<String>,
}

/// A result file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchResult {
    /// One for each record.
    pub lines: Vec<ResultLine>,
    /// Count, succeeded and failed, as the trailer says.
    pub trailer: [String; 3],
}

impl BatchResult {
    /// Reads a result file.
    ///
    /// # Errors
    /// When it is no CSV or has no trailer; a refused file has none.
    pub fn parse(text: &str) -> Result<Self, CallError> {
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut lines = Vec::new();
        let mut trailer = None;
        for record in reader.records() {
            let record = record?;
            match record.get(0) {
                Some("R") => lines.push(line(&record)),
                Some("T") => trailer = Some([1, 2, 3].map(|index| cell(&record, index))),
                _ => {}
            }
        }
        let trailer = trailer.ok_or(CallError::Missing("trailer"))?;
        Ok(Self { lines, trailer })
    }
}

fn line(record: &StringRecord) -> ResultLine {
    let receipt = cell(record, 5);
    ResultLine {
        record: cell(record, 1),
        code: cell(record, 2),
        message: cell(record, 3),
        benefit: cell(record, 4),
        receipt: (!receipt.is_empty()).then_some(receipt),
    }
}

fn cell(record: &StringRecord, index: usize) -> String {
    record.get(index).unwrap_or_default().to_owned()
}

/// City B's folder.
#[derive(Clone, Debug)]
pub struct CityB {
    /// The folder that the gateway watches.
    pub folder: PathBuf,
}

impl CityB {
    /// Hands a file over, whole, as `WELFARE_<file_id>.csv`, and waits for its result.
    ///
    /// # Errors
    /// When none comes within a minute or it cannot be read.
    pub async fn hand_over(&self, file_id: &str, content: &[u8]) -> Result<BatchResult, CallError> {
        let draft = self.folder.join(format!("{file_id}.part"));
        tokio::fs::write(&draft, content).await?;
        let name = format!("WELFARE_{file_id}");
        tokio::fs::rename(&draft, self.folder.join(format!("{name}.csv"))).await?;
        let result = self.folder.join(format!("{name}.result.csv"));
        let found = tokio::time::timeout(PATIENCE, async {
            while !tokio::fs::try_exists(&result).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            tokio::fs::read_to_string(&result).await
        });
        let text = found.await.map_err(|_| CallError::Late(PATIENCE.as_secs()))??;
        BatchResult::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{BATCH, Programme};

    #[test]
    fn a_file_has_its_count_and_total() {
        let benefits = BATCH.map(|person| Benefit {
            person,
            programme: Programme::YouthRent,
            from: "2026-01-01",
            to: "2026-12-31",
            monthly_amount: 200_000,
        });
        let text = String::from_utf8(grants("F1", &benefits[..2]).unwrap()).unwrap();
        assert_eq!(
            text,
            "H,CITYB001,F1,20260302\r\n\
             D,1,G,8503152345678,김나루,청년월세,2026-01-01,2026-12-31,200000\r\n\
             D,2,G,9207221456789,이가람,청년월세,2026-01-01,2026-12-31,200000\r\n\
             T,2,400000\r\n"
        );
    }

    #[test]
    fn a_result_is_read() {
        let text = "H,CITYB001,F1,20260302\nR,1,0000,,ab,r1\nR,2,9001,\"bad, bad\",,\nT,2,1,1\n";
        let result = BatchResult::parse(text).unwrap();
        assert_eq!(result.trailer, ["2", "1", "1"]);
        assert_eq!(result.lines[0].receipt.as_deref(), Some("r1"));
        assert_eq!(result.lines[1].message, "bad, bad");
        assert_eq!(result.lines[1].receipt, None);
        assert!(BatchResult::parse("H,CITYB001,F1,20260302\nE,9001,no,\n").is_err());
    }
}
