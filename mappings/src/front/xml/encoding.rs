//! The encoding of a document over HTTP: the one that its `Content-Type` names, or else its XML
//! declaration (RFC 7303, section 3), or UTF-8. Where several say it, they must say the same.

use std::borrow::Cow;

use encoding_rs::EUC_KR;
use gateway_core::{Fault, Inbound, Kind};
use quick_xml::events::BytesStart;

use crate::charset::Charset;

/// An encoding that documents may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentEncoding {
    Utf8,
    /// Read with all syllables of CP949, written with those of KS X 1001 and references to the
    /// others, so that every reader of EUC-KR can read it.
    EucKr,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// A declaration is shorter than this.
const DECLARATION_MAX: usize = 128;

impl DocumentEncoding {
    /// By one of the names that it goes by.
    pub(crate) fn parse(label: &str) -> Option<Self> {
        let is = |name| label.eq_ignore_ascii_case(name);
        if is("utf-8") || is("utf8") {
            return Some(Self::Utf8);
        }
        let is_korean = is("cp949") || is("ms949") || is("x-windows-949");
        let known = encoding_rs::Encoding::for_label(label.as_bytes()) == Some(EUC_KR);
        (is_korean || known).then_some(Self::EucKr)
    }

    /// As declarations and `Content-Type` name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::EucKr => "EUC-KR",
        }
    }

    fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
        let (charset, code) = match self {
            Self::Utf8 => (Charset::Utf8, "not-utf-8"),
            Self::EucKr => (Charset::Cp949, "not-euc-kr"),
        };
        charset.decode(bytes).map_err(|_| {
            let says = format!("the document is not {}", self.name());
            Fault::new(Kind::Malformed, code, says)
        })
    }

    /// The bytes of a document. What the encoding lacks becomes a character reference.
    pub(crate) fn encode(self, document: String) -> Vec<u8> {
        if self == Self::Utf8 || document.is_ascii() {
            return document.into_bytes();
        }
        let mut bytes = Vec::with_capacity(document.len());
        for character in document.chars() {
            let mut utf8 = [0; 4];
            let text = character.encode_utf8(&mut utf8);
            if Charset::EucKr.encode(text, None, &mut bytes).is_err() {
                bytes.extend(format!("&#{};", u32::from(character)).into_bytes());
            }
        }
        bytes
    }
}

/// The text of the document that came in.
///
/// # Errors
/// `Malformed` for a media type that is none of XML's, an encoding that is none of `allowed`, two
/// that contradict each other, and bytes that are not in it.
pub(crate) fn decode<'i>(
    inbound: &'i Inbound,
    allowed: &[DocumentEncoding],
) -> Result<Cow<'i, str>, Fault> {
    let labels = labels(inbound)?;
    let mut named = None;
    for label in labels.into_iter().flatten() {
        let encoding = DocumentEncoding::parse(&label);
        let encoding = encoding.filter(|encoding| allowed.contains(encoding));
        let encoding = encoding.ok_or_else(|| unsupported(allowed))?;
        if named.replace(encoding).is_some_and(|other| other != encoding) {
            let says = "the document and its Content-Type name different encodings";
            return Err(Fault::new(Kind::Malformed, "encoding-mismatch", says));
        }
    }
    let body = inbound.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&inbound.body);
    let encoding = named.unwrap_or(DocumentEncoding::Utf8);
    if !allowed.contains(&encoding) {
        return Err(unsupported(allowed));
    }
    encoding.decode(body)
}

/// The encoding of the reply: that of the request as far as it names one, or that which the caller
/// would rather have, or the first.
pub(crate) fn of_reply(inbound: &Inbound, allowed: &[DocumentEncoding]) -> DocumentEncoding {
    let accepted = inbound.attributes.get("accept-charset").map_or("", String::as_str);
    let accepted = accepted.split(',').filter_map(|one| one.split(';').next());
    let named = labels(inbound).unwrap_or_default().into_iter().flatten();
    let mut wanted = named.chain(accepted.map(|label| Cow::Borrowed(label.trim())));
    let first = allowed.first().copied().unwrap_or(DocumentEncoding::Utf8);
    let known = |label: Cow<'_, str>| {
        DocumentEncoding::parse(&label).filter(|encoding| allowed.contains(encoding))
    };
    wanted.find_map(known).unwrap_or(first)
}

/// What names an encoding: the `charset`, a byte order mark, the declaration.
type Labels<'i> = [Option<Cow<'i, str>>; 3];

fn labels(inbound: &Inbound) -> Result<Labels<'_>, Fault> {
    let mut parts = match inbound.attributes.get("content-type") {
        Some(given) => given.split(';').map(str::trim),
        None => "application/xml".split(';').map(str::trim),
    };
    let media = parts.next().unwrap_or_default();
    if !["application/xml", "text/xml"].iter().any(|known| media.eq_ignore_ascii_case(known)) {
        let says = "the body must be application/xml or text/xml";
        return Err(Fault::new(Kind::Malformed, "unsupported-media-type", says));
    }
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then_some(Cow::Borrowed(value))
    });
    let mark = match inbound.body.as_ref() {
        [0xef, 0xbb, 0xbf, ..] => Some(Cow::Borrowed("utf-8")),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, ..] | [_, 0, ..] => Some(Cow::Borrowed("utf-16")),
        _ => None,
    };
    Ok([charset, mark, declared(&inbound.body)])
}

/// The `encoding` of the XML declaration. It stands in ASCII in every encoding that is read here.
fn declared(body: &[u8]) -> Option<Cow<'_, str>> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).strip_prefix(b"<?")?;
    let start = body.get(..DECLARATION_MAX).unwrap_or(body);
    let end = start.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(start.get(..end)?).ok()?;
    let declaration = BytesStart::from_content(declaration, "xml".len());
    let mut attributes = declaration.attributes().flatten();
    let found = attributes.find(|attribute| attribute.key.0 == "encoding")?;
    Some(Cow::Owned(found.value.into_owned()))
}

fn unsupported(allowed: &[DocumentEncoding]) -> Fault {
    let names: Vec<_> = allowed.iter().map(|encoding| encoding.name()).collect();
    let says = format!("the document must be in {}", names.join(" or "));
    Fault::new(Kind::Malformed, "unsupported-encoding", says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_goes_by_several_names() {
        for label in ["euc-kr", "EUC-KR", "ks_c_5601-1987", "cp949", "MS949", "windows-949"] {
            assert_eq!(DocumentEncoding::parse(label), Some(DocumentEncoding::EucKr), "{label}");
        }
        assert_eq!(DocumentEncoding::parse("UTF8"), Some(DocumentEncoding::Utf8));
        for label in ["utf-16", "iso-8859-1", "", "utf-7"] {
            assert_eq!(DocumentEncoding::parse(label), None, "{label}");
        }
    }

    #[test]
    fn the_declaration_is_found_where_there_is_one() {
        let found = |document: &[u8]| declared(document).map(Cow::into_owned);
        assert_eq!(
            found(b"<?xml version='1.0' encoding='EUC-KR'?><a/>").as_deref(),
            Some("EUC-KR")
        );
        assert_eq!(found(b"\xef\xbb\xbf<?xml encoding=\"x\" ?>").as_deref(), Some("x"));
        for none in
            [&b"<a/>"[..], b"", b"<?xml version='1.0'?>", b"<?xml encoding='a'", b"<?\xff?>"]
        {
            assert_eq!(found(none), None);
        }
    }

    #[test]
    fn what_euc_kr_lacks_is_written_as_a_reference() {
        let encoded = DocumentEncoding::EucKr.encode("<a>가뷁 😀</a>".to_owned());
        assert_eq!(encoded, b"<a>\xb0\xa1&#48577; &#128512;</a>");
        // A reader of EUC-KR has the same text again.
        assert_eq!(DocumentEncoding::EucKr.decode(b"\xb0\xa1").unwrap(), "가");
        assert!(DocumentEncoding::EucKr.decode(b"\xb0").is_err());
    }
}
