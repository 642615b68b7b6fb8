//! City D's mainframe: files of fixed-length records in EUC-KR, compressed, put into a folder.
//! Written from `mappings/catalog/welfare/city-d/v1/README.md`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use encoding_rs::EUC_KR;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::CallError;
use super::city_b::{BatchResult, ResultLine};
use crate::people::Benefit;

/// Bytes of every record.
const RECORD: usize = 80;
/// How long city D waits for a result file.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A record that is being filled from the left.
struct Record(Vec<u8>);

impl Record {
    /// Text in EUC-KR, left-aligned.
    fn text(mut self, field: &'static str, text: &str, length: usize) -> Result<Self, CallError> {
        let (bytes, _, unmappable) = EUC_KR.encode(text);
        if unmappable || bytes.len() > length {
            return Err(CallError::Unfit { field, length });
        }
        let end = self.0.len() + length;
        self.0.extend_from_slice(&bytes);
        self.0.resize(end, b' ');
        Ok(self)
    }

    /// Digits, right-aligned.
    fn number(mut self, number: u64, length: usize) -> Self {
        self.0.extend_from_slice(format!("{number:0length$}").as_bytes());
        self
    }

    fn line(mut self) -> Vec<u8> {
        self.0.resize(RECORD, b' ');
        self.0.push(b'\n');
        self.0
    }
}

fn record(kind: &str) -> Record {
    Record(kind.as_bytes().to_vec())
}

/// A compressed file of grants: header, one record for each, trailer.
///
/// # Errors
/// When a value does not fit its field.
pub fn grants(file_id: &str, benefits: &[Benefit]) -> Result<Vec<u8>, CallError> {
    let header = record("10").text("institutionCode", "CITYD001", 8)?;
    let mut file = header.text("fileId", file_id, 20)?.number(20_260_302, 8).line();
    for (number, benefit) in (1..).zip(benefits) {
        let data = record("20").number(number, 7).text("operation", "GR", 2)?;
        let data = data.text("residentNumber", benefit.person.resident_number, 13)?;
        let data = data.text("name", benefit.person.name, 20)?;
        let data = data.text("programmeCode", benefit.programme.city_a(), 2)?;
        let data = data.text("startDate", &benefit.from.replace('-', ""), 8)?;
        let data = data.text("endDate", &benefit.to.replace('-', ""), 8)?;
        file.extend(data.number(benefit.monthly_amount, 12).line());
    }
    let total = benefits.iter().map(|benefit| benefit.monthly_amount).sum();
    let count = benefits.len() as u64;
    file.extend(record("90").number(count, 7).number(total, 15).line());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&file)?;
    Ok(gzip.finish()?)
}

/// Reads a result file.
///
/// # Errors
/// When it has no trailer; a refused file has none.
pub fn parse(file: &[u8]) -> Result<BatchResult, CallError> {
    let mut lines = Vec::new();
    let mut trailer = None;
    for line in file.split(|byte| *byte == b'\n') {
        let field = |from: usize, length: usize| {
            let bytes = line.get(from..from + length).unwrap_or_default();
            EUC_KR.decode(bytes).0.trim_end().to_owned()
        };
        match line.get(..2) {
            Some(b"30") => lines.push(ResultLine {
                record: field(2, 7),
                code: field(9, 4),
                message: field(13, 60),
                benefit: field(73, 64),
                receipt: line
                    .get(137..)
                    .filter(|receipt| !receipt.is_empty())
                    .map(|receipt| String::from_utf8_lossy(receipt).into_owned()),
            }),
            Some(b"90") => trailer = Some([2, 9, 16].map(|from| field(from, 7))),
            _ => {}
        }
    }
    let trailer = trailer.ok_or(CallError::Missing("trailer"))?;
    Ok(BatchResult { lines, trailer })
}

/// City D's folder.
#[derive(Clone, Debug)]
pub struct CityD {
    /// The folder that the gateway watches.
    pub folder: PathBuf,
}

impl CityD {
    /// Writes a file in place, as `WLFD<name>.dat.gz`, and waits for its result.
    ///
    /// # Errors
    /// When none comes within a minute or it cannot be read.
    pub async fn hand_over(&self, name: &str, content: &[u8]) -> Result<BatchResult, CallError> {
        tokio::fs::write(self.folder.join(format!("WLFD{name}.dat.gz")), content).await?;
        let result = self.folder.join(format!("WLFD{name}.result.dat"));
        let found = tokio::time::timeout(PATIENCE, async {
            while !tokio::fs::try_exists(&result).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            tokio::fs::read(&result).await
        });
        parse(&found.await.map_err(|_| CallError::Late(PATIENCE.as_secs()))??)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::people::{HONG, Programme};

    #[test]
    fn every_record_has_its_length_and_the_trailer_its_sums() {
        let benefit = Benefit {
            person: HONG,
            programme: Programme::YouthRent,
            from: "2026-01-01",
            to: "2026-12-31",
            monthly_amount: 200_000,
        };
        let file = grants("F1", &[benefit, benefit]).unwrap();
        let mut plain = Vec::new();
        GzDecoder::new(&file[..]).read_to_end(&mut plain).unwrap();
        let lines: Vec<&[u8]> = plain.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[..4].iter().all(|line| line.len() == RECORD));
        // 홍길동 in EUC-KR.
        assert_eq!(&lines[1][24..30], b"\xc8\xab\xb1\xe6\xb5\xbf");
        assert!(lines[3].starts_with(b"900000002000000000400000 "));
    }

    #[test]
    fn a_result_is_read() {
        let line = format!("300000001{:4}{:60}{:64}RECEIPT\n", "0000", "", "ab");
        let file = format!("10\n{line}90000000100000010000000\n");
        let result = parse(file.as_bytes()).unwrap();
        assert_eq!(result.trailer, ["0000001", "0000001", "0000000"]);
        assert_eq!(result.lines[0].benefit, "ab");
        assert_eq!(result.lines[0].receipt.as_deref(), Some("RECEIPT"));
        assert!(parse(b"999001no\n").is_err());
    }
}
