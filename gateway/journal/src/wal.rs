//! The write-ahead log: what makes an entry durable before its tiles are.
//!
//! A segment is named for the tree size at which it begins and opens with that size and root.
//! Then comes one frame per batch, each written and synced before the next is begun:
//!
//! ```text
//! segment = magic (8) ‖ size u64 ‖ root (32) ‖ frame*
//! frame   = magic (8) ‖ size before u64 ‖ entries u32
//!           ‖ bytes u32 ‖ (length u16 ‖ entry)*
//!           ‖ bytes u32 ‖ (length u32 ‖ attachment)* ‖ SHA-256 of the attachments with their lengths (32)
//!           ‖ root after (32)
//! ```
//!
//! Numbers are big-endian. The root is the checksum of the entries: replaying a frame must lead to it,
//! so a frame that is not what was written, or does not follow what went before, is found out. The
//! attachments, which are in no tree, have one of their own.
//!
//! Behind the last frame stand zeros, written ahead of need: a sync of bytes that take the place of
//! others has no file length and no block map to make durable with them, which halves its cost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use tlog_tiles::Hash;

use crate::error::LogError;

const SEGMENT_MAGIC: [u8; 8] = *b"naruwal\x02";
/// Not UTF-8, so that it cannot occur inside an entry; what is sealed in an attachment is random.
const FRAME_MAGIC: [u8; 8] = *b"\xff\xfeframe\x02";
const SEGMENT_HEADER: usize = 8 + 8 + 32;
const FRAME_HEADER: usize = 8 + 8 + 4;
/// How many zeros are written ahead at a time.
const RESERVE: usize = 1 << 20;

/// Makes a file's content durable. A test puts a failing disk in its place.
pub(crate) type Sync = Box<dyn FnMut(&File) -> io::Result<()> + Send>;

/// The segment being written.
pub(crate) struct Segment {
    file: File,
    path: PathBuf,
    /// The tree size at which it begins.
    pub(crate) start: u64,
    /// Its length in bytes, without the zeros behind.
    pub(crate) length: u64,
    /// Its length with them.
    reserved: u64,
}

impl Segment {
    /// Begins a segment. It appears under its name only once its header is on disk.
    pub(crate) fn create(directory: &Path, start: u64, root: Hash) -> Result<Self, LogError> {
        let path = directory.join(format!("{start:020}"));
        let create = || {
            let draft = directory.join("new");
            let mut file = File::create(&draft)?;
            let header = [&SEGMENT_MAGIC[..], &start.to_be_bytes(), &root.0].concat();
            file.write_all(&header)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(directory)?.sync_all()?;
            Ok(file)
        };
        let file = create().map_err(|source| LogError::io("create", &path, source))?;
        let length = SEGMENT_HEADER as u64;
        Ok(Self { file, path, start, length, reserved: length })
    }

    /// Opens a segment to write on at `length`; what lies behind is cut off.
    pub(crate) fn resume(path: &Path, start: u64, length: u64) -> Result<Self, LogError> {
        let open = || {
            let file = OpenOptions::new().write(true).open(path)?;
            if file.metadata()?.len() != length {
                file.set_len(length)?;
                file.sync_all()?;
            }
            Ok(file)
        };
        Ok(Self {
            file: open().map_err(|source| LogError::io("open", path, source))?,
            path: path.to_owned(),
            start,
            length,
            reserved: length,
        })
    }

    /// Appends one frame and returns once it is durable.
    pub(crate) fn append(&mut self, frame: &[u8], sync: &mut Sync) -> Result<(), LogError> {
        let written = self.reserve(frame.len() as u64).and_then(|()| {
            self.file.write_all_at(frame, self.length)?;
            sync(&self.file)
        });
        written.map_err(|source| LogError::io("write", &self.path, source))?;
        self.length += frame.len() as u64;
        Ok(())
    }

    /// Writes zeros ahead when less than `wanted` bytes of them are left.
    fn reserve(&mut self, wanted: u64) -> io::Result<()> {
        while self.reserved < self.length + wanted {
            self.file.write_all_at(&vec![0; RESERVE], self.reserved)?;
            self.reserved += RESERVE as u64;
        }
        Ok(())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The segments in `directory`, oldest first.
pub(crate) fn segments(directory: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let list = || {
        let mut found = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let start = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            found.extend(start.map(|start| (start, path)));
        }
        found.sort();
        Ok(found)
    };
    list().map_err(|source| LogError::io("list", directory, source))
}

/// Builds a frame for a tree that has `size` entries before it, without the root behind it. Each entry
/// comes with its attachment.
pub(crate) fn frame<'a>(
    size: u64,
    entries: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
) -> Vec<u8> {
    let lengths = |(count, sum): (u32, usize), (entry, attachment): (&[u8], &[u8])| {
        (count + 1, sum + 6 + entry.len() + attachment.len())
    };
    let (count, length) = entries.clone().fold((0, 0), lengths);
    let mut frame = Vec::with_capacity(FRAME_HEADER + 8 + length + 2 * size_of::<Hash>());
    frame.extend_from_slice(&FRAME_MAGIC);
    frame.extend_from_slice(&size.to_be_bytes());
    frame.extend_from_slice(&count.to_be_bytes());
    section(&mut frame, |to| entries.clone().for_each(|(entry, _)| push_entry(to, entry)));
    let attachments = section(&mut frame, |to| {
        for (_, attachment) in entries.clone() {
            to.extend_from_slice(&(attachment.len() as u32).to_be_bytes());
            to.extend_from_slice(attachment);
        }
    });
    let sum = frame.get(attachments..).map(checksum).unwrap_or_default();
    frame.extend_from_slice(&sum);
    frame
}

/// Writes a length and what it counts; returns where that begins.
fn section(frame: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> usize {
    let at = frame.len();
    frame.extend_from_slice(&[0; 4]);
    write(frame);
    let length = (frame.len() - at - 4) as u32;
    if let Some(place) = frame.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    at + 4
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

/// Appends an entry as bundles and frames hold it. Its length was checked when it was taken in.
pub(crate) fn push_entry(to: &mut Vec<u8>, entry: &[u8]) {
    to.extend_from_slice(&(entry.len() as u16).to_be_bytes());
    to.extend_from_slice(entry);
}

/// Splits what [`push_entry`] joined; `None` when it is cut off.
pub(crate) fn entries(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        found.push(entry);
        bytes = rest;
    }
    Some(found)
}

/// Splits the attachments of a frame; `None` when they are cut off.
fn attachments(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (attachment, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        found.push(attachment);
        bytes = rest;
    }
    Some(found)
}

/// A segment as it was found.
pub(crate) struct Found<'a> {
    /// The tree size at which it begins.
    pub(crate) start: u64,
    /// The root of that tree.
    pub(crate) root: Hash,
    rest: &'a [u8],
    offset: usize,
}

/// A frame as it was found: whole, but perhaps not right.
pub(crate) struct Frame<'a> {
    /// The entries.
    pub(crate) entries: Vec<&'a [u8]>,
    /// Their attachments.
    pub(crate) attachments: Vec<&'a [u8]>,
    /// The root with them in the tree.
    pub(crate) root: Hash,
    length: usize,
}

impl<'a> Found<'a> {
    /// Reads the header; `None` when it is not one.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&SEGMENT_MAGIC)?;
        let (start, rest) = rest.split_first_chunk()?;
        let (root, rest) = rest.split_first_chunk()?;
        Some(Self {
            start: u64::from_be_bytes(*start),
            root: Hash(*root),
            rest,
            offset: SEGMENT_HEADER,
        })
    }

    /// How far the segment was read: everything before is right.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes that are not the zeros at the end have not been read.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
    }

    /// The next frame, if there is a whole one for a tree of `size` entries.
    pub(crate) fn peek(&self, size: u64) -> Option<Frame<'a>> {
        let rest = self.rest.strip_prefix(&FRAME_MAGIC)?;
        let (before, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (payload, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (attached, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let (sum, rest) = rest.split_first_chunk::<32>()?;
        let root = Hash(*rest.first_chunk()?);
        let (entries, attachments) = (entries(payload)?, attachments(attached)?);
        let right = u64::from_be_bytes(*before) == size
            && u32::from_be_bytes(*count) as usize == entries.len()
            && entries.len() == attachments.len()
            && checksum(attached) == *sum;
        let length =
            FRAME_HEADER + 8 + payload.len() + attached.len() + sum.len() + size_of::<Hash>();
        right.then_some(Frame { entries, attachments, root, length })
    }

    /// Goes past a frame that was found right.
    pub(crate) fn accept(&mut self, frame: &Frame<'_>) {
        self.offset += frame.length;
        self.rest = self.rest.get(frame.length..).unwrap_or_default();
    }

    /// Whether another frame begins behind this place. As each frame is synced before the next is
    /// begun, a crash spoils at most the last one: spoiled bytes with a frame behind them are not
    /// the work of a crash.
    pub(crate) fn has_later_frame(&self) -> bool {
        self.rest.windows(FRAME_MAGIC.len()).skip(1).any(|window| window == FRAME_MAGIC)
    }
}
