//! The two wire formats that load is sent in: when an answer is whole, and whether it is good.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

use memchr::memmem::{self, Finder};

/// The resident number in a body that stands for one person after another.
const PERSON: u64 = 9_001_011_000_000;

/// What to send, and what to expect.
pub(crate) struct Wire {
    requests: Vec<Vec<u8>>,
    sent: Cell<usize>,
    format: Format,
}

enum Format {
    Http {
        expect: Box<Finder<'static>>,
    },
    Telegram {
        /// Where the expected bytes stand, counted from the start of the length prefix.
        offset: usize,
        expect: Vec<u8>,
    },
}

/// One body for each person.
pub(crate) fn persons(body: &[u8], count: u32) -> io::Result<Vec<Vec<u8>>> {
    let written = PERSON.to_string();
    let Some(at) = memmem::find(body, written.as_bytes()).filter(|_| count > 1) else {
        return Ok(vec![body.to_vec()]);
    };
    let bodies = (0..u64::from(count)).map(|person| {
        let mut body = body.to_vec();
        let number = (PERSON + person).to_string();
        body.splice(at..at + number.len(), number.bytes());
        body
    });
    Ok(bodies.collect())
}

impl Wire {
    pub(crate) fn http(
        to: SocketAddr,
        path: &str,
        headers: &[String],
        bodies: &[Vec<u8>],
        expect: &str,
    ) -> Self {
        let request = |body: &Vec<u8>| {
            let mut request = format!("POST {path} HTTP/1.1\r\nhost: {to}\r\n");
            for header in headers {
                request.push_str(&format!("{header}\r\n"));
            }
            request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
            let mut request = request.into_bytes();
            request.extend_from_slice(body);
            request
        };
        Self {
            requests: bodies.iter().map(request).collect(),
            sent: Cell::new(0),
            format: Format::Http { expect: Box::new(Finder::new(expect).into_owned()) },
        }
    }

    pub(crate) fn telegram(bodies: &[Vec<u8>], offset: usize, expect: &str) -> Self {
        let request = |body: &Vec<u8>| {
            let mut request = format!("{:04}", body.len()).into_bytes();
            request.extend_from_slice(body);
            request
        };
        Self {
            requests: bodies.iter().map(request).collect(),
            sent: Cell::new(0),
            format: Format::Telegram { offset: offset + 4, expect: expect.into() },
        }
    }

    /// The next request.
    pub(crate) fn request(&self) -> &[u8] {
        let sent = self.sent.get();
        self.sent.set(sent + 1);
        self.requests.get(sent % self.requests.len().max(1)).map_or(&[], Vec::as_slice)
    }

    /// Whether these bytes are a whole answer.
    ///
    /// # Errors
    /// When they cannot become one.
    pub(crate) fn is_whole(&self, answer: &[u8]) -> io::Result<bool> {
        match self.format {
            Format::Http { .. } => Ok(body(answer)?.is_some()),
            Format::Telegram { .. } => {
                let Some(prefix) = answer.first_chunk::<4>() else {
                    return Ok(false);
                };
                let length = std::str::from_utf8(prefix).map_err(io::Error::other)?;
                let length: usize = length.parse().map_err(io::Error::other)?;
                Ok(answer.len() >= 4 + length)
            }
        }
    }

    /// Whether a whole answer is the one expected.
    pub(crate) fn is_good(&self, answer: &[u8]) -> bool {
        match &self.format {
            Format::Http { expect } => {
                answer.starts_with(b"HTTP/1.1 200") && expect.find(answer).is_some()
            }
            Format::Telegram { offset, expect } => {
                answer.get(*offset..).is_some_and(|rest| rest.starts_with(expect))
            }
        }
    }
}

/// The body of a whole HTTP answer, chunk sizes included; none while bytes are missing.
fn body(answer: &[u8]) -> io::Result<Option<&[u8]>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(answer).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let rest = answer.get(start..).unwrap_or_default();
    for header in head.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = std::str::from_utf8(header.value).map_err(io::Error::other)?;
            return Ok(rest.get(..length.parse().map_err(io::Error::other)?));
        }
    }
    // Chunked: no body here holds the closing chunk's bytes, so finding them is enough.
    Ok(rest.ends_with(b"\r\n0\r\n\r\n").then_some(rest))
}
