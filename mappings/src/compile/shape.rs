//! What each layout must know of a field, and whether it can hold what the codec may write.

use gateway_core::Decimal;

use crate::convert::{Codec, DateForm, DecimalForm};
use crate::format::Row;
use crate::layout::json::JsonKind;
use crate::layout::xml::XmlKind;
use crate::problem::Spot;

/// An XML element.
pub(crate) fn xml(row: &Row, codec: &Codec, spot: &mut Spot<'_>) -> Option<XmlKind> {
    fixed_only(row, spot);
    let wanted = "`string`, `boolean`, `date`, `dateTime`, `time`, `base64Binary`, `swaRef` or a type \
                  of numbers";
    let kind = parse(row.kind.as_deref(), XmlKind::parse, wanted, spot)?;
    let fits = match (kind, codec) {
        (XmlKind::String, codec) => !matches!(codec, Codec::Base64 { .. }),
        (XmlKind::Boolean, codec) => is_boolean(codec),
        (XmlKind::Date, codec) => matches!(codec, Codec::Date(DateForm::Iso)),
        (XmlKind::DateTime, codec) => matches!(codec, Codec::DateTime(_)),
        (XmlKind::Time, codec) => matches!(codec, Codec::Time),
        (XmlKind::Decimal, codec) => is_number(codec),
        (XmlKind::Base64 | XmlKind::SwaRef, codec) => matches!(codec, Codec::Base64 { .. }),
        (kind, Codec::Integer { min, max }) => {
            kind.numbers().is_some_and(|(least, most)| least <= *min && *max <= most)
        }
        (kind, Codec::Constant(text)) => kind.numbers().is_some_and(|(least, most)| {
            is_integer(codec) && text.parse().is_ok_and(|number| (least..=most).contains(&number))
        }),
        _ => false,
    };
    mismatch(fits, spot);
    Some(kind)
}

/// A JSON member.
pub(crate) fn json(row: &Row, codec: &Codec, spot: &mut Spot<'_>) -> Option<JsonKind> {
    fixed_only(row, spot);
    let wanted = "`string`, `integer`, `number` or `boolean`";
    let kind = parse(row.kind.as_deref(), JsonKind::parse, wanted, spot)?;
    let fits = match kind {
        JsonKind::String => true,
        JsonKind::Integer => is_integer(codec),
        // A double holds fifteen digits exactly, and a reader may use no other numbers.
        JsonKind::Number => {
            is_number(codec) && codec.extremes().iter().all(|text| text.len() <= 16)
        }
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
    match codec {
        Codec::Flag { yes, .. } => *yes == "true",
        Codec::Constant(text) => matches!(text.as_str(), "true" | "false"),
        _ => false,
    }
}

fn is_integer(codec: &Codec) -> bool {
    match codec {
        Codec::Integer { .. } => true,
        Codec::Constant(text) => {
            text.parse::<i64>().is_ok_and(|number| number.to_string() == *text)
        }
        _ => false,
    }
}

fn is_number(codec: &Codec) -> bool {
    match codec {
        Codec::Decimal(decimal) => decimal.form == DecimalForm::Plain,
        Codec::Constant(text) => Decimal::parse(text).is_some(),
        _ => false,
    }
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
