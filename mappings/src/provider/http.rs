//! The request line and the header fields of a message over HTTP.

use gateway_core::wire::{Around, Method};
use gateway_core::{Encoded, Message, Received};
use zeroize::Zeroizing;

use crate::layout::json::JsonKind;
use crate::rows::{Record, Rows, Wire};
use crate::unfit::{FieldError, Unfit};
use crate::xroad::encode_part;

/// How one operation is asked for.
pub(crate) struct Line {
    pub(crate) method: Method,
    /// Texts and, between each two of them, the name of a field.
    pub(crate) path: Vec<Part>,
    /// The SOAP action.
    pub(crate) action: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Field(String),
}

impl Line {
    /// `/people/{number}` → its parts; none when a brace is left open.
    pub(crate) fn parse(template: &str) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}')?;
            parts.push(Part::Text(text.to_owned()));
            parts.push(Part::Field(field.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let sound = parts.iter().all(|part| match part {
            Part::Text(text) => {
                !text.contains('}') && text.bytes().all(|byte| byte.is_ascii_graphic())
            }
            Part::Field(field) => !field.is_empty(),
        });
        sound.then_some(parts)
    }

    /// The names that the path takes out of the request.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.path.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether what the path does not take is the query rather than the body.
    pub(crate) fn has_query(&self) -> bool {
        matches!(self.method, Method::Get | Method::Delete)
    }

    /// The path, with the fields that it names taken out of the record. Values are encoded one by
    /// one, so that none of them can reach another path.
    pub(crate) fn path<S>(
        &self,
        rows: &Rows<S>,
        record: &mut Record<'_>,
    ) -> Result<String, FieldError> {
        let mut path = String::new();
        for part in &self.path {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Field(name) => {
                    let taken = rows.position(name).and_then(|at| record.get_mut(at)?.take());
                    match taken {
                        Some(Wire::Text(text)) if matches!(&*text, "." | "..") => {
                            return Err(FieldError::new(name, Unfit::Unencodable));
                        }
                        Some(Wire::Text(text)) => path.push_str(&encode_part(&text)),
                        _ => return Err(FieldError::new(name, Unfit::Missing)),
                    }
                }
            }
        }
        if self.has_query() {
            let mut separator = if path.contains('?') { '&' } else { '?' };
            for (row, wire) in rows.0.iter().zip(record.iter_mut()) {
                if let Some(Wire::Text(text)) = wire.take() {
                    path.push(separator);
                    path.extend([&*encode_part(&row.name), "=", &encode_part(&text)]);
                    separator = '&';
                }
            }
        }
        Ok(path)
    }

    /// The whole request.
    pub(crate) fn request(
        &self,
        path: String,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Encoded {
        let around = Around::Http { method: self.method, path, headers };
        Encoded { around, body: Zeroizing::new(body) }
    }
}

/// The fields of a request's header that a mapping lists.
pub(crate) fn headers(
    rows: &Rows<JsonKind>,
    message: &Message,
) -> Result<Vec<(String, String)>, FieldError> {
    let mut headers = Vec::new();
    for (row, wire) in rows.0.iter().zip(rows.write(message)?) {
        if let Some(Wire::Text(text)) = wire {
            // What could end the field, or the request, does not go into one (RFC 9110, 5.5).
            if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err(FieldError::new(&row.name, Unfit::Unencodable));
            }
            headers.push((row.name.to_ascii_lowercase(), text.into_owned()));
        }
    }
    Ok(headers)
}

/// Whether the status says that the body is an answer.
pub(crate) fn is_success(received: &Received) -> bool {
    received.status.is_some_and(|status| (200..300).contains(&status))
}
