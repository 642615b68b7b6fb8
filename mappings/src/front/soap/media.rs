//! What stands around an envelope: its content type, and attachments packaged with it, as MTOM has
//! them (XOP 1.0) or as SOAP messages with attachments do (SwA).

use gateway_core::front::Slot;
use gateway_core::{ExchangeId, Fault, Inbound, Kind};

use super::version::Version;
use crate::layout::mime::{self, Attachments, MediaType, MimeError, ROOT_ID};
use crate::layout::xml::XmlWriter;

/// How a message and its attachments stand in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Packaging {
    /// There are none.
    #[default]
    Plain,
    /// `application/xop+xml`: an `xop:Include` stands where the attachment belongs.
    Xop,
    /// The envelope is as without them, and refers to them.
    Attached,
}

impl Packaging {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Xop => "xop",
            Self::Attached => "attached",
        }
    }

    pub(crate) fn parse(name: &str) -> Self {
        let all = [Self::Xop, Self::Attached];
        all.into_iter().find(|packaging| packaging.name() == name).unwrap_or_default()
    }
}

/// A body taken apart.
pub(crate) struct Package<'i> {
    pub(crate) envelope: &'i [u8],
    pub(crate) packaging: Packaging,
    /// The version of SOAP that the content type is of, when there is one.
    pub(crate) declared: Option<Version>,
    pub(crate) attachments: Attachments<'i>,
}

/// Takes a request apart by its content type. Without one the body is an envelope.
pub(crate) fn unpack(inbound: &Inbound, takes_attachments: bool) -> Result<Package<'_>, Fault> {
    let mut package = Package {
        envelope: &inbound.body,
        packaging: Packaging::Plain,
        declared: None,
        attachments: Attachments::default(),
    };
    let Some(content_type) = inbound.attributes.get("content-type") else {
        return Ok(package);
    };
    let media = MediaType::parse(content_type).ok_or_else(|| unsupported("is not one"))?;
    if media.name != "multipart/related" {
        package.declared = Some(envelope_type(&media, &media.name)?);
        return Ok(package);
    }
    if !takes_attachments {
        return Err(unsupported("has attachments, and the service takes none"));
    }
    let related = mime::read(&media, &inbound.body).map_err(mime_fault)?;
    let root = &related.root_type;
    let (packaging, envelope) = match root.name.as_str() {
        "application/xop+xml" => {
            let inner = root.parameter("type").or(media.parameter("start-info"));
            let inner = inner.and_then(MediaType::parse);
            (Packaging::Xop, inner.unwrap_or_default().name)
        }
        // A part without a content type is of the type that the whole says its root has.
        "" => (Packaging::Attached, media.parameter("type").unwrap_or_default().to_owned()),
        name => (Packaging::Attached, name.to_owned()),
    };
    package.declared = Some(envelope_type(root, &envelope)?);
    package.envelope = related.root;
    package.packaging = packaging;
    package.attachments = related.attachments;
    Ok(package)
}

/// The version whose media type `name` is. The charset, where one is given, is UTF-8.
fn envelope_type(media: &MediaType, name: &str) -> Result<Version, Fault> {
    if media.parameter("charset").is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        let says = "the content type names a character set other than UTF-8";
        return Err(Fault::new(Kind::Malformed, "not-utf-8", says));
    }
    let found = Version::ALL.into_iter().find(|version| version.media_type() == name);
    found.ok_or_else(|| unsupported("is not that of a SOAP message"))
}

pub(crate) fn unsupported(why: &str) -> Fault {
    let says = format!("the content type {why}");
    Fault::new(Kind::Malformed, "unsupported-media-type", says)
}

fn mime_fault(error: MimeError) -> Fault {
    Fault::new(Kind::Malformed, "malformed-multipart", error.to_string())
}

/// A reply as it is sent: its content type, its bytes, and the receipt's place among them.
pub(crate) fn pack(
    version: Version,
    packaging: Packaging,
    exchange: ExchangeId,
    written: XmlWriter,
    receipt: Slot,
) -> (String, Vec<u8>, Slot) {
    let media = version.media_type();
    let envelope = written.text.into_bytes();
    if written.attachments.is_empty() {
        return (format!("{media}; charset=utf-8"), envelope, receipt);
    }
    let (root, outer) = match packaging {
        Packaging::Xop => (
            format!("application/xop+xml; charset=utf-8; type=\"{media}\""),
            format!("type=\"application/xop+xml\"; start-info=\"{media}\""),
        ),
        Packaging::Plain | Packaging::Attached => {
            (format!("{media}; charset=utf-8"), format!("type=\"{media}\""))
        }
    };
    // Nobody knew the exchange's id when an attachment was made, so none can hold the boundary.
    let boundary = format!("naru-{}", exchange.0.simple());
    let (body, at) = mime::write(&boundary, &root, &envelope, &written.attachments);
    let receipt = match receipt {
        Slot::Insert(offset) => Slot::Insert(offset.saturating_add(at)),
        other => other,
    };
    let outer =
        format!("multipart/related; {outer}; start=\"<{ROOT_ID}>\"; boundary=\"{boundary}\"");
    (outer, body, receipt)
}
