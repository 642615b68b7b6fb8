//! How a process knows, without asking the database, that any process has changed it.
//!
//! Every commit to a SQLite file in WAL mode changes the header of its wal-index, the file ending in
//! `-shm`, before the commit returns (<https://www.sqlite.org/walformat.html>, section 2.2: `iChange`).
//! So what was read under an equal header is what the file holds; reading 48 bytes of a shared mapping
//! takes less than a microsecond. A header read while it is being written is like neither the one
//! before nor the one after, and only makes somebody look once more.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The first copy of the header.
pub(crate) type Header = [u8; 48];

pub(crate) struct Changes(File);

impl Changes {
    /// For the database at `path`, which must be open and stay so.
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push("-shm");
        File::open(name).map(Self)
    }

    /// What it says now; nothing where it cannot be read, which counts as changed.
    pub(crate) fn header(&self) -> Option<Header> {
        let mut header = [0; 48];
        self.0.read_exact_at(&mut header, 0).ok().map(|()| header)
    }
}
