//! The receipts of all replies, each verified offline, each refused with one byte changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{StepError, Tour};

/// The receipts collected so far, as files `NN.txt`.
pub(super) struct Receipts {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Receipts {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, files: Vec::new() }
    }

    /// Writes one down and returns its name, e.g. `receipt 07`.
    pub(super) fn keep(&mut self, receipt: &str) -> io::Result<String> {
        let number = self.files.len() + 1;
        let file = self.folder.join(format!("{number:02}.txt"));
        fs::write(&file, receipt)?;
        self.files.push(file);
        Ok(format!("receipt {number:02}"))
    }

    pub(super) fn count(&self) -> usize {
        self.files.len()
    }
}

/// Verifies them all.
pub(super) async fn step(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let files = tour.receipts.files.clone();
    let damaged_copy = tour.receipts.folder.join("damaged.txt");
    let (mut accepted, mut refused) = (0, 0);
    tour.report
        .sent(&format!("naru verify, {} receipts and a damaged copy of each", files.len()))?;
    for (index, file) in files.iter().enumerate() {
        accepted += usize::from(verifies(tour, file).await?);
        fs::write(&damaged_copy, damaged(&fs::read(file)?, index))?;
        refused += usize::from(!verifies(tour, &damaged_copy).await?);
    }
    fs::remove_file(&damaged_copy)?;
    let all = files.len();
    let what = format!("{accepted} of {all} receipts accepted");
    tour.report.check(accepted == all && all > 0, &what)?;
    let what = format!("{refused} of {all} copies with one byte changed refused");
    tour.report.check(refused == all && all > 0, &what)?;
    Ok(())
}

async fn verifies(tour: &Tour<'_>, receipt: &Path) -> io::Result<bool> {
    let key = tour.world.layout().path("keys/log.key.pub");
    let output = Command::new(tour.world.naru())
        .args(["verify", "--key"])
        .arg(key)
        .arg(receipt)
        .output()
        .await?;
    Ok(output.status.success())
}

/// A copy with one byte changed, another one in each receipt. The new byte is a digit, so that it is
/// printable and never the same letter in the other case.
fn damaged(receipt: &[u8], index: usize) -> Vec<u8> {
    let mut copy = receipt.to_vec();
    let at = (index * 97) % receipt.len().max(1);
    if let Some(byte) = copy.get_mut(at) {
        *byte = if *byte == b'7' { b'3' } else { b'7' };
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_copy_differs_in_one_byte() {
        let receipt = b"the receipt of reply 7";
        for index in 0..50 {
            let copy = damaged(receipt, index);
            let differing = copy.iter().zip(receipt).filter(|(a, b)| a != b).count();
            assert_eq!((copy.len(), differing), (receipt.len(), 1));
        }
    }
}
