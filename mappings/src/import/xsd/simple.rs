//! Simple types → values: what a type is derived from and the facets that narrow it, as far as a
//! mapping can say them (XML Schema Part 2, sections 3 and 4.3).

use super::schema::{Header, Kind, Part, Schemas, XS};
use crate::import::ImportError;
use crate::import::fields::{Codes, Term, UNLIMITED_BINARY, UNLIMITED_TEXT, Value};
use crate::import::tree::{Element, Name};

/// A value, and what a mapping cannot say of it.
#[derive(Debug)]
pub(super) struct Simple {
    pub(super) value: Value,
    /// An empty text is one of its values.
    pub(super) may_be_empty: bool,
    pub(super) unsaid: Vec<String>,
}

/// What types are derived from, as far as they differ here.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Primitive {
    Text,
    /// A type that is read as its text, and why.
    Plain(&'static str),
    Boolean,
    Date,
    DateTime,
    Time,
    Decimal,
    Base64,
    Whole {
        wire: &'static str,
        min: i128,
        max: i128,
    },
}

/// Derivations from one another at most.
const MAX_DERIVATIONS: usize = 32;
/// Values of an enumeration that becomes a code table.
const MAX_CODES: usize = 1000;

/// Gathers what a type and those that it is derived from say.
#[derive(Default)]
struct Facets {
    length: Option<usize>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    codes: Option<Vec<String>>,
    low: Option<i128>,
    high: Option<i128>,
    total: Option<u32>,
    fraction: Option<u8>,
    unsaid: Vec<String>,
}

/// The type of a name.
pub(super) fn named(
    schemas: &Schemas,
    codes: &mut Codes,
    name: &Name,
    at: (&Header, &Element),
    hint: &str,
) -> Result<Simple, ImportError> {
    let mut facets = Facets::default();
    let primitive = facets.follow(schemas, name, at, 0)?;
    let own = if *name.space == *XS { hint } else { &name.local };
    Ok(facets.value(primitive, codes, own))
}

/// The type that a `simpleType` element, or the restriction of one, says in place.
pub(super) fn anonymous(
    schemas: &Schemas,
    codes: &mut Codes,
    part: Part<'_>,
    hint: &str,
) -> Result<Simple, ImportError> {
    let mut facets = Facets::default();
    let primitive = match part.element.name.as_str() {
        "simpleType" => facets.derive(schemas, part, 0)?,
        _ => facets.restrict(schemas, part.element, part.of, 0)?,
    };
    Ok(facets.value(primitive, codes, hint))
}

impl Facets {
    fn follow(
        &mut self,
        schemas: &Schemas,
        name: &Name,
        (of, element): (&Header, &Element),
        depth: usize,
    ) -> Result<Primitive, ImportError> {
        if *name.space == *XS {
            return built_in(&name.local).ok_or_else(|| ImportError::Unknown {
                at: of.at(element),
                kind: "type",
                space: XS.to_owned(),
                name: name.local.clone(),
            });
        }
        let part = schemas.find(Kind::Type, name, of.at(element))?;
        if depth > MAX_DERIVATIONS {
            return Err(ImportError::Unsupported {
                at: part.of.at(part.element),
                what: "a type that is derived from itself",
                why: "say what it is derived from in the end",
            });
        }
        match part.element.name.as_str() {
            "simpleType" => self.derive(schemas, part, depth),
            // The text of a complex type with simple content.
            _ => {
                let content = part.element.first(XS, "simpleContent");
                let derived = content.and_then(derivation);
                match derived {
                    Some(derived) => self.restrict(schemas, derived, part.of, depth),
                    None => Ok(Primitive::Plain("its text alone is read")),
                }
            }
        }
    }

    fn derive(
        &mut self,
        schemas: &Schemas,
        part: Part<'_>,
        depth: usize,
    ) -> Result<Primitive, ImportError> {
        let element = part.element;
        if element.first(XS, "list").is_some() {
            return Ok(Primitive::Plain("a list within one text is read as its text"));
        }
        if element.first(XS, "union").is_some() {
            return Ok(Primitive::Plain("a union of types is read as its text"));
        }
        match element.first(XS, "restriction") {
            Some(restriction) => self.restrict(schemas, restriction, part.of, depth),
            None => Ok(Primitive::Plain("the type says nothing of itself")),
        }
    }

    /// Takes what a restriction or extension says, then what its base says.
    fn restrict(
        &mut self,
        schemas: &Schemas,
        restriction: &Element,
        of: &Header,
        depth: usize,
    ) -> Result<Primitive, ImportError> {
        self.take(restriction);
        let depth = depth.saturating_add(1);
        if let Some(base) = restriction.attribute("base") {
            let name = of.resolve(restriction, base)?;
            return self.follow(schemas, &name, (of, restriction), depth);
        }
        match restriction.first(XS, "simpleType") {
            Some(element) if depth <= MAX_DERIVATIONS => {
                self.derive(schemas, Part { element, of }, depth)
            }
            _ => Ok(Primitive::Text),
        }
    }

    fn take(&mut self, restriction: &Element) {
        let mut codes = Vec::new();
        let mut patterns = Vec::new();
        for facet in restriction.children.iter().filter(|child| *child.space == *XS) {
            let text = facet.attribute("value").unwrap_or_default();
            match facet.name.as_str() {
                "enumeration" => codes.push(text.to_owned()),
                "pattern" => patterns.push(text),
                "length" => self.length = self.length.or(text.trim().parse().ok()),
                "minLength" => self.min_length = self.min_length.or(text.trim().parse().ok()),
                "maxLength" => self.max_length = self.max_length.or(text.trim().parse().ok()),
                "totalDigits" => self.total = self.total.or(text.trim().parse().ok()),
                "fractionDigits" => self.fraction = self.fraction.or(text.trim().parse().ok()),
                "minInclusive" | "minExclusive" | "maxInclusive" | "maxExclusive" => {
                    self.bound(&facet.name, text.trim());
                }
                // What is done to white space changes no value that would be accepted.
                "whiteSpace" | "annotation" | "attribute" | "attributeGroup" | "simpleType" => {}
                "anyAttribute" => {}
                other => self.unsaid.push(format!("the facet {other} is not checked")),
            }
        }
        if !patterns.is_empty() {
            self.unsaid.push(format!("the pattern {} is not checked", patterns.join(" or ")));
        }
        if !codes.is_empty() && self.codes.is_none() {
            self.codes = Some(codes);
        }
    }

    /// Only whole bounds can be said; the others are looked after by whoever is called.
    fn bound(&mut self, facet: &str, text: &str) {
        let number = text.strip_prefix('+').unwrap_or(text).parse::<i128>();
        let whole = number.ok().filter(|number| number.unsigned_abs() < 1 << 100);
        match (facet, whole) {
            (_, None) => self.unsaid.push(format!("{facet} {text} is not checked")),
            ("minInclusive", low) => self.low = self.low.max(low),
            ("minExclusive", Some(low)) => self.low = self.low.max(Some(low.saturating_add(1))),
            ("maxInclusive", Some(high)) => self.cap(high),
            (_, Some(high)) => self.cap(high.saturating_sub(1)),
        }
    }

    fn cap(&mut self, high: i128) {
        self.high = Some(self.high.map_or(high, |known| known.min(high)));
    }

    fn value(mut self, primitive: Primitive, codes: &mut Codes, hint: &str) -> Simple {
        if let Some(listed) = self.codes.take()
            && !matches!(primitive, Primitive::Boolean | Primitive::Base64)
        {
            if listed.len() <= MAX_CODES {
                let may_be_empty = listed.iter().any(String::is_empty);
                let listed: Vec<_> = listed.into_iter().filter(|code| !code.is_empty()).collect();
                if !listed.is_empty() {
                    let term = Term::Code(codes.set(hint, &listed));
                    let unsaid = std::mem::take(&mut self.unsaid);
                    let value = Value { wire: "string", term };
                    return Simple { value, may_be_empty, unsaid };
                }
            }
            self.unsaid.push(format!("more than {MAX_CODES} codes are not checked"));
        }
        let (wire, term) = self.typed(primitive);
        let may_be_empty = matches!(term, Term::Text { .. } | Term::Binary { .. })
            && self.length.or(self.min_length).unwrap_or(0) == 0
            && wire == "string";
        Simple { value: Value { wire, term }, may_be_empty, unsaid: self.unsaid }
    }

    fn typed(&mut self, primitive: Primitive) -> (&'static str, Term) {
        match primitive {
            Primitive::Text => ("string", self.text(UNLIMITED_TEXT)),
            Primitive::Plain(why) => {
                self.unsaid.push(why.to_owned());
                ("string", self.text(UNLIMITED_TEXT))
            }
            Primitive::Boolean => ("boolean", Term::Flag),
            Primitive::Base64 => {
                let max = self.length.or(self.max_length).unwrap_or(UNLIMITED_BINARY);
                ("base64Binary", Term::Binary { max })
            }
            Primitive::Date => ("date", Term::Date),
            Primitive::Time => ("time", Term::Time),
            Primitive::DateTime => ("dateTime", Term::DateTime),
            Primitive::Decimal => self.decimal(),
            Primitive::Whole { wire, min, max } => self.whole(wire, min, max),
        }
    }

    fn text(&mut self, unlimited: usize) -> Term {
        let least = self.length.or(self.min_length).unwrap_or(0);
        if least > 1 {
            self.unsaid.push(format!("that there are {least} characters at least is not checked"));
        }
        Term::Text { max: self.length.or(self.max_length).unwrap_or(unlimited).clamp(1, 1 << 24) }
    }

    fn whole(&mut self, wire: &'static str, min: i128, max: i128) -> (&'static str, Term) {
        let digits = self.total.and_then(|total| 10_i128.checked_pow(total));
        let most = digits.map_or(i128::MAX, |power| power.saturating_sub(1));
        let low = self.low.unwrap_or(min).max(min).max(most.saturating_neg());
        let high = self.high.unwrap_or(max).min(max).min(most);
        let fits = |number: i128| i64::try_from(number);
        if fits(low).is_err() || fits(high).is_err() {
            self.unsaid.push("a number of more than 64 bits is refused".to_owned());
        }
        let min = fits(low).unwrap_or(if low < 0 { i64::MIN } else { i64::MAX });
        let max = fits(high).unwrap_or(if high < 0 { i64::MIN } else { i64::MAX });
        (wire, Term::Integer { min, max: max.max(min) })
    }

    fn decimal(&mut self) -> (&'static str, Term) {
        const SCALE: u8 = 6;
        const DIGITS: u32 = 15;
        let scale = self.fraction.unwrap_or(SCALE).min(18);
        if self.fraction != Some(scale) {
            self.unsaid.push(format!("more than {scale} digits after the point are refused"));
        }
        let whole = match (self.total, self.fraction) {
            (Some(total), Some(fraction)) => total.saturating_sub(fraction.into()),
            (Some(total), None) => total,
            (None, _) => DIGITS,
        };
        let bounded = self.total.is_some() || (self.low.is_some() && self.high.is_some());
        if !bounded || whole > 18 {
            self.unsaid
                .push(format!("more than {} digits before the point are refused", whole.min(18)));
        }
        let most = 10_i128.pow(whole.min(18));
        let low = self.low.unwrap_or(-most).clamp(-most, most);
        let high = self.high.unwrap_or(most).clamp(low, most);
        let fits = |number: i128| i64::try_from(number).unwrap_or_default();
        ("decimal", Term::Decimal { scale, min: fits(low), max: fits(high) })
    }
}

/// The restriction or extension of a content.
pub(super) fn derivation(content: &Element) -> Option<&Element> {
    content.first(XS, "extension").or_else(|| content.first(XS, "restriction"))
}

fn built_in(name: &str) -> Option<Primitive> {
    const ANY: (i128, i128) = (i128::MIN, i128::MAX);
    let whole = |wire, (min, max): (i128, i128)| Primitive::Whole { wire, min, max };
    Some(match name {
        "string" | "normalizedString" | "token" | "language" | "Name" | "NCName" | "NMTOKEN"
        | "ID" | "IDREF" | "anyURI" => Primitive::Text,
        "boolean" => Primitive::Boolean,
        "date" => Primitive::Date,
        "time" => Primitive::Time,
        "dateTime" => Primitive::DateTime,
        "decimal" => Primitive::Decimal,
        "base64Binary" => Primitive::Base64,
        "byte" => whole("byte", (i8::MIN.into(), i8::MAX.into())),
        "short" => whole("short", (i16::MIN.into(), i16::MAX.into())),
        "int" => whole("int", (i32::MIN.into(), i32::MAX.into())),
        "long" => whole("long", (i64::MIN.into(), i64::MAX.into())),
        "unsignedByte" => whole("short", (0, u8::MAX.into())),
        "unsignedShort" => whole("int", (0, u16::MAX.into())),
        "unsignedInt" => whole("long", (0, u32::MAX.into())),
        "unsignedLong" => whole("integer", (0, u64::MAX.into())),
        "integer" => whole("integer", ANY),
        "nonNegativeInteger" => whole("integer", (0, ANY.1)),
        "positiveInteger" => whole("integer", (1, ANY.1)),
        "nonPositiveInteger" => whole("integer", (ANY.0, 0)),
        "negativeInteger" => whole("integer", (ANY.0, -1)),
        "float" | "double" => Primitive::Plain("a floating-point number is read as its text"),
        "hexBinary" => Primitive::Plain("hexadecimal bytes are read as their text"),
        "QName" | "NOTATION" => Primitive::Plain("a qualified name is read as its text"),
        "duration" | "gYear" | "gYearMonth" | "gMonth" | "gMonthDay" | "gDay"
        | "dayTimeDuration" | "yearMonthDuration" | "dateTimeStamp" => {
            Primitive::Plain("this type of time is read as its text")
        }
        "IDREFS" | "NMTOKENS" | "ENTITIES" | "ENTITY" => {
            Primitive::Plain("a list within one text is read as its text")
        }
        "anySimpleType" | "anyAtomicType" => Primitive::Plain("any value is read as its text"),
        _ => return None,
    })
}
