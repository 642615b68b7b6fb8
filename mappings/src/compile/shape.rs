//! What each layout must know of a field, and whether it can hold what the codec may write.

use crate::convert::{Codec, DateForm};
use crate::format::Row;
use crate::layout::json::JsonKind;
use crate::layout::xml::XmlKind;
use crate::problem::Spot;

/// An XML element.
pub(crate) fn xml(row: &Row, codec: &Codec, spot: &mut Spot<'_>) -> Option<XmlKind> {
    fixed_only(row, spot);
    let wanted = "`string`, `boolean`, `date`, `base64Binary`, `swaRef` or a type of numbers";
    let kind = parse(row.kind.as_deref(), XmlKind::parse, wanted, spot)?;
    let fits = match (kind, codec) {
        (XmlKind::String, codec) => !matches!(codec, Codec::Base64 { .. }),
        (XmlKind::Boolean, codec) => is_boolean(codec),
        (XmlKind::Date, codec) => matches!(codec, Codec::Date(DateForm::Iso)),
        (XmlKind::DateTime, _) => false,
        (XmlKind::Base64 | XmlKind::SwaRef, codec) => matches!(codec, Codec::Base64 { .. }),
        (kind, Codec::Integer { min, max }) => {
            kind.numbers().is_some_and(|(least, most)| least <= *min && *max <= most)
        }
        _ => false,
    };
    mismatch(fits, spot);
    Some(kind)
}

/// A JSON member.
pub(crate) fn json(row: &Row, codec: &Codec, spot: &mut Spot<'_>) -> Option<JsonKind> {
    fixed_only(row, spot);
    let wanted = "`string`, `integer` or `boolean`";
    let kind = parse(row.kind.as_deref(), JsonKind::parse, wanted, spot)?;
    let fits = match kind {
        JsonKind::String => true,
        JsonKind::Integer => matches!(codec, Codec::Integer { .. }),
        JsonKind::Boolean => is_boolean(codec),
    };
    mismatch(fits, spot);
    Some(kind)
}

/// Reports what only fixed-length fields have.
pub(crate) fn fixed_only(row: &Row, spot: &mut Spot<'_>) {
    super::unused(row.length.is_some(), "length", spot);
    super::unused(row.picture.is_some(), "picture", spot);
    super::unused(row.usage.is_some(), "usage", spot);
    super::unused(row.sign.is_some(), "sign", spot);
    super::unused(row.zeros.is_some(), "zeros", spot);
}

fn is_boolean(codec: &Codec) -> bool {
    matches!(codec, Codec::Flag { yes: "true", .. })
}

fn mismatch(fits: bool, spot: &mut Spot<'_>) {
    if !fits {
        spot.key("type").problem("does not go with the type of the service's field");
    }
}

pub(crate) fn parse<T>(
    name: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    wanted: &str,
    spot: &mut Spot<'_>,
) -> Option<T> {
    let found = name.and_then(parse);
    if found.is_none() {
        spot.key("type").problem(format_args!("must be {wanted}"));
    }
    found
}
