//! `multipart/related` (RFC 2387), as SOAP messages with attachments and MTOM use it: read
//! strictly, within limits, and written. Nothing is decoded on the way: parts are binary.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Attachments of a message at most.
const MAX_PARTS: usize = 32;
/// Header lines of a part at most.
const MAX_HEADERS: usize = 16;

/// Why a multipart message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MimeError {
    #[error("the content type names no usable boundary")]
    Boundary,
    #[error("the message does not end where its boundary says, or has none")]
    Truncated,
    #[error("a part's header is not one of MIME")]
    Header,
    #[error("the message has more than {MAX_PARTS} attachments")]
    TooManyParts,
    #[error("a part is encoded other than as 7bit, 8bit, binary or base64")]
    TransferEncoding,
    #[error("an attachment has no Content-ID, or another one has the same")]
    ContentId,
    #[error("the message has no part where its content type says the envelope is")]
    Start,
}

/// A media type with its parameters (RFC 2045, section 5.1). Names are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype`, in lower case.
    pub(crate) name: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a `Content-Type`. None when it is not one, or a parameter stands there twice.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let name = name.trim().to_ascii_lowercase();
        let (kind, subtype) = name.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while !rest.trim_start().is_empty() {
            let (name, after) = rest.trim_start().split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => unquote(quoted)?,
                None => {
                    let end = after.find(';').unwrap_or(after.len());
                    let (value, after) = after.split_at_checked(end)?;
                    (value.trim().to_owned(), after)
                }
            };
            if !is_token(&name) || parameters.iter().any(|(known, _)| *known == name) {
                return None;
            }
            parameters.push((name, value));
            rest = match after.trim_start() {
                "" => "",
                after => after.strip_prefix(';')?,
            };
        }
        Some(Self { name, parameters })
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn is_token(text: &str) -> bool {
    let is_special = |byte: u8| b"()<>@,;:\\\"/[]?=".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !is_special(byte))
}

/// A quoted string after its first quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at.saturating_add(1)..)?)),
            '\\' => value.push(characters.next()?.1),
            character => value.push(character),
        }
    }
    None
}

/// The parts of a message besides its root, by their `Content-ID` without angle brackets.
#[derive(Debug, Default)]
pub(crate) struct Attachments<'i> {
    parts: Vec<Attachment<'i>>,
}

#[derive(Debug)]
struct Attachment<'i> {
    id: String,
    content: Cow<'i, [u8]>,
    is_used: bool,
}

impl Attachments<'_> {
    /// The base64 of the part that a `cid:` URL names (RFC 2392).
    pub(crate) fn take(&mut self, reference: &str) -> Option<String> {
        let id = percent_decoded(reference.trim().strip_prefix("cid:")?)?;
        let part = self.parts.iter_mut().find(|part| part.id == id)?;
        part.is_used = true;
        Some(STANDARD.encode(&part.content))
    }

    /// Whether every part was taken.
    pub(crate) fn are_used(&self) -> bool {
        self.parts.iter().all(|part| part.is_used)
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|d| u8::try_from(d).ok());
        bytes.push(if byte == b'%' { digit()? << 4 | digit()? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

/// A message taken apart.
#[derive(Debug)]
pub(crate) struct Related<'i> {
    /// The content type of the root part.
    pub(crate) root_type: MediaType,
    /// The root part: the envelope.
    pub(crate) root: &'i [u8],
    /// All others.
    pub(crate) attachments: Attachments<'i>,
}

/// Takes apart a `multipart/related` body of the content type `media`.
///
/// # Errors
/// When it is not strictly one, or larger than the limits.
pub(crate) fn read<'i>(media: &MediaType, body: &'i [u8]) -> Result<Related<'i>, MimeError> {
    let parts = split(media.parameter("boundary").unwrap_or_default(), body)?;
    let start = media.parameter("start").map(without_brackets);
    let is_root = |part: &Part<'_>| match start {
        Some(start) => part.id.as_deref() == Some(start),
        None => true,
    };
    let at = parts.iter().position(is_root).ok_or(MimeError::Start)?;
    let root_id = parts.get(at).and_then(|part| part.id.clone());
    let (mut root, mut attachments) = (None, Attachments::default());
    for (index, part) in parts.into_iter().enumerate() {
        if index == at {
            // The request hash and the parser take the bytes as they stand.
            if part.is_base64 {
                return Err(MimeError::TransferEncoding);
            }
            root = Some((part.media, part.content));
            continue;
        }
        let id = part.id.clone().ok_or(MimeError::ContentId)?;
        let is_known = attachments.parts.iter().any(|known| known.id == id);
        if is_known || root_id.as_ref() == Some(&id) {
            return Err(MimeError::ContentId);
        }
        let attachment = Attachment { id, content: part.decoded()?, is_used: false };
        attachments.parts.push(attachment);
    }
    let (root_type, root) = root.ok_or(MimeError::Start)?;
    Ok(Related { root_type, root, attachments })
}

struct Part<'i> {
    media: MediaType,
    id: Option<String>,
    is_base64: bool,
    content: &'i [u8],
}

impl<'i> Part<'i> {
    fn decoded(&self) -> Result<Cow<'i, [u8]>, MimeError> {
        if !self.is_base64 {
            return Ok(Cow::Borrowed(self.content));
        }
        let digits: Vec<u8> =
            self.content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        STANDARD.decode(digits).map(Cow::Owned).map_err(|_| MimeError::TransferEncoding)
    }
}

/// RFC 2046, section 5.1.1. What stands before the first delimiter is passed over; after the last
/// only white space may follow.
fn split<'i>(boundary: &str, body: &'i [u8]) -> Result<Vec<Part<'i>>, MimeError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    if boundary.is_empty()
        || boundary.len() > 70
        || boundary.ends_with(' ')
        || !boundary.bytes().all(is_allowed)
    {
        return Err(MimeError::Boundary);
    }
    let delimiter = format!("\r\n--{boundary}");
    let delimiter = delimiter.as_bytes();
    let opening = delimiter.get(2..).unwrap_or_default();
    let mut rest = match body.strip_prefix(opening) {
        Some(rest) => rest,
        None => find(body, delimiter).ok_or(MimeError::Truncated)?.1,
    };
    let mut parts = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(b"--") {
            return match after.trim_ascii().is_empty() && !parts.is_empty() {
                true => Ok(parts),
                false => Err(MimeError::Truncated),
            };
        }
        // One for the root.
        if parts.len() > MAX_PARTS {
            return Err(MimeError::TooManyParts);
        }
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let line = rest.get(padding..).unwrap_or_default();
        let content = line.strip_prefix(b"\r\n").ok_or(MimeError::Boundary)?;
        let (content, after) = find(content, delimiter).ok_or(MimeError::Truncated)?;
        parts.push(part(content)?);
        rest = after;
    }
}

/// What stands before and after the first occurrence of `wanted`.
fn find<'i>(bytes: &'i [u8], wanted: &[u8]) -> Option<(&'i [u8], &'i [u8])> {
    let at = bytes.windows(wanted.len()).position(|window| window == wanted)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some((before, rest.get(wanted.len()..)?))
}

fn part(bytes: &[u8]) -> Result<Part<'_>, MimeError> {
    let (head, content) = match bytes.strip_prefix(b"\r\n") {
        Some(content) => (&b""[..], content),
        None => find(bytes, b"\r\n\r\n").ok_or(MimeError::Header)?,
    };
    let head = std::str::from_utf8(head).map_err(|_| MimeError::Header)?;
    let mut part = Part { media: MediaType::default(), id: None, is_base64: false, content };
    let mut seen = Vec::new();
    for line in unfolded(head)? {
        let (name, value) = line.split_once(':').ok_or(MimeError::Header)?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        if !is_token(&name) || seen.contains(&name) || seen.len() >= MAX_HEADERS {
            return Err(MimeError::Header);
        }
        match name.as_str() {
            "content-type" => part.media = MediaType::parse(value).ok_or(MimeError::Header)?,
            "content-id" => part.id = Some(without_brackets(value).to_owned()),
            "content-transfer-encoding" => match value.to_ascii_lowercase().as_str() {
                "7bit" | "8bit" | "binary" => {}
                "base64" => part.is_base64 = true,
                _ => return Err(MimeError::TransferEncoding),
            },
            _ => {}
        }
        seen.push(name);
    }
    Ok(part)
}

/// Header lines, with those that continue another joined to it.
fn unfolded(head: &str) -> Result<Vec<String>, MimeError> {
    let mut lines: Vec<String> = Vec::new();
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        match (line.starts_with([' ', '\t']), lines.last_mut()) {
            (true, Some(last)) => last.push_str(line),
            (true, None) => return Err(MimeError::Header),
            (false, _) => lines.push(line.to_owned()),
        }
    }
    Ok(lines)
}

fn without_brackets(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id)
}

/// Writes a `multipart/related` body. Answers with it and with where the root part begins in it.
pub(crate) fn write(
    boundary: &str,
    root_type: &str,
    root: &[u8],
    attachments: &[(String, String, Vec<u8>)],
) -> (Vec<u8>, usize) {
    let more: usize =
        attachments.iter().map(|(_, _, content)| content.len().saturating_add(256)).sum();
    let mut body = Vec::with_capacity(root.len().saturating_add(more).saturating_add(512));
    let push = |body: &mut Vec<u8>, media: &str, encoding: &str, id: &str, content: &[u8]| {
        let head = format!(
            "--{boundary}\r\nContent-Type: {media}\r\nContent-Transfer-Encoding: {encoding}\r\n\
             Content-ID: <{id}>\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        let at = body.len();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
        at
    };
    let at = push(&mut body, root_type, "8bit", ROOT_ID, root);
    for (id, media, content) in attachments {
        push(&mut body, media, "binary", id, content);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (body, at)
}

/// The `Content-ID` of the root part that is written.
pub(crate) const ROOT_ID: &str = "envelope@naru";

#[cfg(test)]
mod tests;
