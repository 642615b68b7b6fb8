//! What the disk allows: one append of a kilobyte and one wait for it, again and again.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::tally::Tally;

pub(crate) fn append(path: &Path, length: Duration) -> io::Result<Tally> {
    let mut file = File::create(path)?;
    let end = Instant::now() + length;
    let mut tally = Tally::new();
    loop {
        let began = Instant::now();
        if began >= end {
            break;
        }
        file.write_all(&[0x5a; 1024])?;
        file.sync_data()?;
        tally.good(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(tally)
}
