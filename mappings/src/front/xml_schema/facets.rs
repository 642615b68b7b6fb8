//! The XML Schema type of one field, with every facet that the mapping implies: a schema validator
//! and the field table accept the same texts. What no facet can say is the calendar of days that
//! are not `xs:date`, and the range of numbers that are not of a type of numbers.

use gateway_core::Decimal;

use super::escaped;
use crate::convert::{Codec, DateForm};
use crate::layout::xml::XmlKind;

/// A restriction of a built-in type.
pub(crate) struct Restriction {
    pub(crate) base: String,
    facets: Vec<(&'static str, String)>,
}

/// Controls are refused in every text.
const NO_CONTROLS: &str = "\\P{Cc}*";
const MONTH_AND_DAY: [&str; 2] = ["(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"];

/// The type of a value's text; `must` when an empty one is not an absent one.
pub(crate) fn of(codec: &Codec, kind: XmlKind, must: bool) -> Restriction {
    let facets = match (kind, codec) {
        (XmlKind::String, codec) => text(codec, must),
        (XmlKind::Base64, Codec::Base64 { max }) => lengths(*max, must),
        (XmlKind::Date, _) => {
            let pattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}(Z|[+\\-][0-9]{2}:[0-9]{2})?";
            vec![("pattern", pattern.to_owned())]
        }
        (XmlKind::Decimal, Codec::Decimal(decimal)) if !decimal.truncate => {
            let bound = |units| Decimal::new(units, decimal.scale).to_string();
            vec![
                ("minInclusive", bound(decimal.min)),
                ("maxInclusive", bound(decimal.max)),
                ("fractionDigits", decimal.wire.to_string()),
            ]
        }
        (_, Codec::Integer { min, max }) => {
            vec![("minInclusive", min.to_string()), ("maxInclusive", max.to_string())]
        }
        _ => vec![],
    };
    let base = match kind {
        XmlKind::SwaRef => "ref:swaRef".to_owned(),
        kind => format!("xs:{}", kind.name()),
    };
    Restriction { base, facets }
}

/// The built-in type alone.
pub(crate) fn plain(kind: XmlKind) -> Restriction {
    Restriction { base: format!("xs:{}", kind.name()), facets: vec![] }
}

fn text(codec: &Codec, must: bool) -> Vec<(&'static str, String)> {
    let [month, day] = MONTH_AND_DAY;
    let pattern = match codec {
        Codec::Text { max } | Codec::Personal { max } => {
            let mut facets = lengths(*max, must);
            facets.push(("pattern", NO_CONTROLS.to_owned()));
            return facets;
        }
        Codec::Code(codes) if must => {
            return codes.texts().map(|code| ("enumeration", escaped(code))).collect();
        }
        Codec::Code(codes) => escaped(&codes.texts().map(literal).collect::<Vec<_>>().join("|")),
        Codec::Integer { min, .. } if *min < 0 => "-?[0-9]+".to_owned(),
        Codec::Integer { .. } => "-?[0-9]+".to_owned(),
        Codec::Flag { yes, no } => format!("{yes}|{no}"),
        Codec::Date(DateForm::Iso) => format!("[0-9]{{4}}-{month}-{day}"),
        Codec::Date(DateForm::Compact) => format!("[0-9]{{4}}{month}{day}"),
        Codec::Hex { length } => format!("[0-9a-f]{{{}}}", length.saturating_mul(2)),
        Codec::Resident(_) => format!("[0-9]{{2}}{month}{day}-?[0-9]{{7}}"),
        Codec::Business { .. } => "[0-9]{10}|[0-9]{3}-[0-9]{2}-[0-9]{5}".to_owned(),
        Codec::Constant(text) => escaped(&literal(text)),
        Codec::Time => "[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?".to_owned(),
        // No facet says their formats.
        Codec::Base64 { .. }
        | Codec::Decimal(_)
        | Codec::DateTime(_)
        | Codec::Pattern(..)
        | Codec::Masked(_)
        | Codec::Normalized(..)
        | Codec::Lossy(..)
        | Codec::Parts(_) => return vec![],
    };
    let optional = if must { "" } else { "?" };
    vec![("pattern", format!("({pattern}){optional}"))]
}

fn lengths(max: usize, must: bool) -> Vec<(&'static str, String)> {
    let least = must.then(|| ("minLength", "1".to_owned()));
    least.into_iter().chain([("maxLength", max.to_string())]).collect()
}

/// A text as a regular expression of XML Schema (Part 2, appendix F).
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\|.?*+(){}[]^-".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

impl Restriction {
    pub(crate) fn is_built_in(&self) -> bool {
        self.facets.is_empty()
    }

    /// The `xs:simpleType`, perhaps with a name.
    pub(crate) fn simple_type(&self, name: &str) -> String {
        let facets: String = self
            .facets
            .iter()
            .map(|(facet, value)| format!("<xs:{facet} value=\"{value}\"/>"))
            .collect();
        let name = if name.is_empty() { String::new() } else { format!(" name=\"{name}\"") };
        format!(
            "<xs:simpleType{name}><xs:restriction base=\"{}\">{facets}</xs:restriction>\
             </xs:simpleType>",
            self.base
        )
    }
}
