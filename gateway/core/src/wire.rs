//! Messages as bytes, on their way to a provider and back, with what stands around them there. A
//! mapping writes and reads them, an adapter carries them. They may be personal throughout: `Debug`
//! shows neither bodies nor paths, and what is sent is wiped from memory when dropped.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A message for a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What stands around the body.
    pub around: Around,
    /// The message itself, without framing.
    pub body: Zeroizing<Vec<u8>>,
}

/// What stands around a message, by the transport that carries it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Around {
    /// A request of HTTP.
    Http {
        /// Its method.
        method: Method,
        /// Path and query as on the wire, to be put behind the backend's base URL; empty, or
        /// beginning with `/` or `?`.
        path: String,
        /// Header fields, names in lower case: `content-type`, `soapaction`.
        headers: Vec<(String, String)>,
    },
    /// A telegram.
    Telegram {
        /// Fields of the body that only the adapter can fill; they are blank until then.
        places: Vec<Place>,
    },
}

/// A method of HTTP (RFC 9110, section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads; has no body.
    Get,
    /// Does what the provider says it does.
    Post,
    /// Puts something there.
    Put,
    /// Changes something that is there.
    Patch,
    /// Removes something.
    Delete,
}

impl Method {
    /// As it is written on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A field of a telegram that its adapter fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What goes there.
    pub holds: Holds,
    /// Where it begins in the body, in bytes.
    pub offset: usize,
    /// How many digits it has.
    pub length: usize,
}

/// What goes into a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// The telegram's own serial number. The answer has it in the same place.
    Serial,
    /// The serial number of the submit that an inquiry asks after.
    Original,
}

/// What a provider sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// The status of HTTP; none where the transport has no such thing.
    pub status: Option<u16>,
    /// Header fields, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The message, without framing.
    pub body: Bytes,
}

impl Encoded {
    /// The bytes that the journal commits to: over HTTP the request line without version, header
    /// lines, an empty line and the body, lines ending in LF; otherwise the body.
    pub fn canonical(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(256 + self.body.len()));
        if let Around::Http { method, path, headers } = &self.around {
            out.extend_from_slice(method.name().as_bytes());
            out.push(b' ');
            out.extend_from_slice(path.as_bytes());
            out.push(b'\n');
            write_headers(headers.iter().map(|(name, value)| (&**name, &**value)), &mut out);
        }
        out.extend_from_slice(&self.body);
        out
    }
}

impl Received {
    /// The bytes that the journal commits to: over HTTP the status, header lines, an empty line and
    /// the body, lines ending in LF; otherwise the body.
    pub fn canonical(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(256 + self.body.len()));
        if let Some(status) = self.status {
            out.extend_from_slice(status.to_string().as_bytes());
            out.push(b'\n');
            write_headers(self.headers.iter().map(|(name, value)| (&**name, &**value)), &mut out);
        }
        out.extend_from_slice(&self.body);
        out
    }
}

fn write_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>, out: &mut Vec<u8>) {
    for (name, value) in headers {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match &self.around {
            Around::Http { method, .. } => method.name(),
            Around::Telegram { .. } => "telegram",
        };
        write!(f, "Encoded({transport}, {} bytes)", self.body.len())
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received({:?}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_to_reads_like_the_message_and_debug_shows_nothing_of_it() {
        let around = Around::Http {
            method: Method::Post,
            path: "/people?number=9001011234567".into(),
            headers: vec![("content-type".into(), "text/xml".into())],
        };
        let sent = Encoded { around, body: Zeroizing::new(b"<a/>".to_vec()) };
        let wanted = b"POST /people?number=9001011234567\ncontent-type: text/xml\n\n<a/>";
        assert_eq!(&sent.canonical()[..], wanted);
        assert_eq!(format!("{sent:?}"), "Encoded(POST, 4 bytes)");
        let headers = [("a".to_owned(), "b".to_owned())].into();
        let got = Received { status: Some(200), headers, body: "홍길동".into() };
        assert_eq!(&got.canonical()[..], "200\na: b\n\n홍길동".as_bytes());
        assert_eq!(format!("{got:?}"), "Received(Some(200), 9 bytes)");
    }
}
