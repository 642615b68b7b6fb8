//! A file's bytes → its records' bytes, one at a time: gzip inflated within bounds, lines or
//! blocks of fixed length cut out. Holds one record and its buffers, never the file.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use gateway_core::{Fault, Kind};
use thiserror::Error;

/// What a file may be.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Bytes of the whole content at most, inflated.
    pub content_bytes: u64,
    /// Bytes of one record at most.
    pub record_bytes: usize,
}

/// Why a file is not taken.
#[derive(Debug, Error)]
pub enum BatchError {
    /// The storage failed: the file may be tried again.
    #[error("the file cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The file is refused: reading it again would not help.
    #[error(transparent)]
    Refused(Box<Fault>),
}

impl From<Fault> for BatchError {
    fn from(fault: Fault) -> Self {
        Self::Refused(Box::new(fault))
    }
}

/// A file that is refused.
pub(super) fn refused(code: &'static str, says: impl Into<String>) -> BatchError {
    Fault::new(Kind::Malformed, code, says).into()
}

/// What a gzip file may hold for each of its own bytes. DEFLATE reaches 1032; records of spaces and
/// zeros that are honest stay below 100.
const RATIO: u64 = 200;
/// Below this much, the ratio says nothing.
const RATIO_FROM: u64 = 1 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 64 << 10;

/// The content of one file.
pub(super) struct Content<R: Read> {
    stream: BufReader<Stream<R>>,
    record_bytes: usize,
    /// Lines or blocks read so far.
    pub(super) line: u64,
}

impl<R: Read> Content<R> {
    /// Begins to read; `named_gzip` when the file's name says that it is compressed.
    pub(super) fn open(
        mut source: R,
        named_gzip: bool,
        limits: &BatchLimits,
    ) -> Result<Self, BatchError> {
        let mut magic = Vec::with_capacity(GZIP.len());
        let head = (&mut source).take(GZIP.len() as u64).read_to_end(&mut magic);
        head.map_err(BatchError::Read)?;
        let is_gzip = magic == GZIP;
        if named_gzip && !is_gzip {
            return Err(refused("not-gzip", "the file is named .gz and is not in the gzip format"));
        }
        let counted = Counted { source: Cursor::new(magic).chain(source), count: 0 };
        let form = match is_gzip {
            true => Form::Gzip(MultiGzDecoder::new(BufReader::new(counted))),
            false => Form::Plain(counted),
        };
        let stream = Stream { form, out: 0, limit: limits.content_bytes };
        let stream = BufReader::with_capacity(BUFFER, stream);
        Ok(Self { stream, record_bytes: limits.record_bytes, line: 0 })
    }

    /// Reads the next line without its end, LF or CRLF. False at the end of the file.
    pub(super) fn next_line(&mut self, line: &mut Vec<u8>) -> Result<bool, BatchError> {
        line.clear();
        let limit = self.record_bytes.saturating_add(2);
        let read = (&mut self.stream).take(limit as u64).read_until(b'\n', line);
        if read.map_err(failed)? == 0 {
            return Ok(false);
        }
        self.line = self.line.saturating_add(1);
        if line.pop_if(|last| *last == b'\n').is_some() {
            line.pop_if(|last| *last == b'\r');
        }
        if line.len() > self.record_bytes {
            return Err(self.too_long());
        }
        Ok(true)
    }

    /// Reads the next `length` bytes. False at the end of the file.
    pub(super) fn next_block(
        &mut self,
        length: usize,
        block: &mut Vec<u8>,
    ) -> Result<bool, BatchError> {
        block.clear();
        let read = (&mut self.stream).take(length as u64).read_to_end(block).map_err(failed)?;
        if read == 0 {
            return Ok(false);
        }
        self.line = self.line.saturating_add(1);
        match read == length {
            true => Ok(true),
            false => Err(refused("truncated", "the file ends in the middle of a record")),
        }
    }

    fn too_long(&self) -> BatchError {
        let limit = self.record_bytes;
        let says = format!("line {}: a record may have {limit} bytes at most", self.line);
        refused("record-too-long", says)
    }
}

/// What the inflated content turned out to be.
#[derive(Debug, Error)]
enum Excess {
    #[error("the content is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the content is more than {RATIO} times as large as the file")]
    Expands,
}

fn failed(error: io::Error) -> BatchError {
    let excess = error.get_ref().and_then(|inner| inner.downcast_ref::<Excess>());
    match (excess, error.kind()) {
        (Some(Excess::TooLarge(limit)), _) => {
            refused("too-large", format!("a file may have {limit} bytes at most, inflated"))
        }
        (Some(Excess::Expands), _) => refused("expands-too-much", format!("{}", Excess::Expands)),
        (None, io::ErrorKind::UnexpectedEof) if error.raw_os_error().is_none() => {
            refused("gzip-truncated", "the gzip content ends before its end")
        }
        (None, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
            if error.raw_os_error().is_none() =>
        {
            refused("gzip-damaged", "the gzip content is damaged")
        }
        _ => BatchError::Read(error),
    }
}

/// A file's bytes, inflated where they are compressed, and counted.
struct Stream<R: Read> {
    form: Form<R>,
    out: u64,
    limit: u64,
}

enum Form<R: Read> {
    Plain(Counted<R>),
    Gzip(MultiGzDecoder<BufReader<Counted<R>>>),
}

/// A source, and how much was read of it.
struct Counted<R> {
    source: Chain<Cursor<Vec<u8>>, R>,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.count = self.count.saturating_add(read as u64);
        Ok(read)
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, stored) = match &mut self.form {
            Form::Plain(source) => (source.read(buffer)?, u64::MAX),
            Form::Gzip(decoder) => (decoder.read(buffer)?, decoder.get_ref().get_ref().count),
        };
        self.out = self.out.saturating_add(read as u64);
        if self.out > self.limit {
            return Err(io::Error::other(Excess::TooLarge(self.limit)));
        }
        if self.out > RATIO_FROM && self.out > stored.saturating_mul(RATIO) {
            return Err(io::Error::other(Excess::Expands));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const LIMITS: BatchLimits = BatchLimits { content_bytes: 64 << 20, record_bytes: 100 };

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads every line, and says how many there are or why not.
    fn lines(file: &[u8], named_gzip: bool, limits: BatchLimits) -> Result<u64, String> {
        let read = || {
            let mut content = Content::open(file, named_gzip, &limits)?;
            let mut line = Vec::new();
            while content.next_line(&mut line)? {}
            Ok(content.line)
        };
        read().map_err(|error| match error {
            BatchError::Refused(fault) => fault.code.into_owned(),
            BatchError::Read(error) => panic!("{error}"),
        })
    }

    #[test]
    fn lines_end_in_either_way_or_with_the_file() {
        let mut content = Content::open(&b"a\r\nb\n\nc"[..], false, &LIMITS).unwrap();
        let (mut line, mut all) = (Vec::new(), Vec::new());
        while content.next_line(&mut line).unwrap() {
            all.push(String::from_utf8(line.clone()).unwrap());
        }
        assert_eq!(all, ["a", "b", "", "c"]);
    }

    #[test]
    fn gzip_is_known_by_its_first_bytes_and_its_name_must_not_lie() {
        let one = gzip(b"a\nb\n");
        assert_eq!(lines(&one, true, LIMITS), Ok(2));
        assert_eq!(lines(&one, false, LIMITS), Ok(2));
        let two = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(lines(&two, true, LIMITS), Ok(2), "members follow one another (RFC 1952, 2.2)");
        assert_eq!(lines(b"a\nb\n", true, LIMITS), Err("not-gzip".into()));
        assert_eq!(lines(b"", true, LIMITS), Err("not-gzip".into()));
    }

    #[test]
    fn gzip_that_is_cut_off_or_damaged_is_refused() {
        let whole = gzip("1234567890\n".repeat(1000).as_bytes());
        for cut in 2..whole.len() {
            let cause = lines(&whole[..cut], false, LIMITS);
            assert_eq!(cause, Err("gzip-truncated".into()), "cut after {cut} bytes");
        }
        let mut wrong_sum = whole.clone();
        let last = wrong_sum.len() - 5;
        wrong_sum[last] ^= 1;
        assert_eq!(lines(&wrong_sum, false, LIMITS), Err("gzip-damaged".into()));
        let trailing = [whole, b"something else".to_vec()].concat();
        assert_eq!(lines(&trailing, false, LIMITS), Err("gzip-damaged".into()));
    }

    #[test]
    fn a_bomb_is_defused_by_its_ratio_and_by_its_size() {
        let bomb = gzip(&b"\n".repeat(16 << 20));
        assert_eq!(lines(&bomb, true, LIMITS), Err("expands-too-much".into()));
        let honest = gzip(&b"\n".repeat(1 << 19));
        assert_eq!(lines(&honest, true, LIMITS), Ok(1 << 19), "too small to be one");
        let small = BatchLimits { content_bytes: 1 << 18, ..LIMITS };
        assert_eq!(lines(&honest, true, small), Err("too-large".into()));
        assert_eq!(lines(&b"\n".repeat(1 << 19), false, small), Err("too-large".into()));
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let long = vec![b'x'; 1 << 20];
        assert_eq!(lines(&long, false, LIMITS), Err("record-too-long".into()));
        assert_eq!(lines(&[b'x'; 100], false, LIMITS), Ok(1));
        assert_eq!(lines(&[b'x'; 101], false, LIMITS), Err("record-too-long".into()));
    }
}
