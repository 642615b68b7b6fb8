//! For what personal data may be asked: the registry that consent, presentations and policies read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::{Assurance, MemberId};

/// A registered purpose of one sector.
#[derive(Clone, Debug)]
pub struct Purpose {
    /// The sector.
    pub sector: Arc<str>,
    /// Its code there, e.g. `welfare-eligibility`.
    pub code: Arc<str>,
    /// Its name for people.
    pub title: Bilingual,
    /// What law it rests on, e.g. 개인정보 보호법 제17조제1항제1호.
    pub legal_basis: Bilingual,
    /// What a person is told before agreeing, a refusal's consequences included.
    pub notice: Bilingual,
    /// The items that may be asked for, by name.
    pub items: BTreeMap<String, Bilingual>,
    /// Who holds the data.
    pub controllers: Vec<Bilingual>,
    /// Who may receive it.
    pub recipients: BTreeSet<MemberId>,
    /// Where it is stored: countries, ISO 3166.
    pub storage: Vec<String>,
    /// Under which law, ISO 3166.
    pub jurisdiction: String,
    /// How long a recipient may keep what it got.
    pub retention: Retention,
    /// How long the record of a consent is kept after it has ended.
    pub keep_record: Retention,
    /// The least assurance of a proof by which a consent is granted or changed.
    pub assurance: Assurance,
}

/// A text in both languages of the pages for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bilingual {
    /// Korean.
    pub ko: String,
    /// English.
    pub en: String,
}

/// A calendar duration as ISO 8601 writes it, e.g. `P1Y6M`.
#[derive(Clone, Debug)]
pub struct Retention(Span);

/// It is no duration that something could be kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("wanted: a positive ISO 8601 duration of at most a hundred years, such as P1Y6M")]
pub struct InvalidRetention;

impl Retention {
    /// Reads one.
    ///
    /// # Errors
    /// [`InvalidRetention`].
    pub fn parse(text: &str) -> Result<Self, InvalidRetention> {
        let span: Span = text.parse().map_err(|_| InvalidRetention)?;
        let retention = Self(span);
        let start = Timestamp::UNIX_EPOCH;
        match (text.starts_with('P'), retention.after(start), century().after(start)) {
            (true, Some(end), Some(most)) if start < end && end <= most => Ok(retention),
            _ => Err(InvalidRetention),
        }
    }

    /// When it is over, counted from `start` in the calendar of UTC; nothing beyond the calendar.
    pub fn after(&self, start: Timestamp) -> Option<Timestamp> {
        start.to_zoned(TimeZone::UTC).checked_add(self.0).ok().map(|end| end.timestamp())
    }
}

/// Longer than anything is kept for.
fn century() -> Retention {
    Retention(Span::new().years(100))
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_a_positive_duration_of_the_calendar() {
        let leap: Timestamp = "2028-02-29T12:00:00Z".parse().unwrap();
        for (text, end) in [
            ("P1Y", "2029-02-28T12:00:00Z"),
            ("P1M2D", "2028-03-31T12:00:00Z"),
            ("PT36H", "2028-03-02T00:00:00Z"),
        ] {
            let retention = Retention::parse(text).unwrap();
            assert_eq!(retention.after(leap), Some(end.parse().unwrap()), "{text}");
            assert_eq!(retention.to_string(), text);
        }
        for text in ["", "1 year", "-P1Y", "P0D", "P101Y", "P1Y ", "forever", "P"] {
            assert_eq!(Retention::parse(text).unwrap_err(), InvalidRetention, "{text}");
        }
    }
}
