//! The message catalogs, one file for each language. A text that one of them lacks fails to load, and a
//! test loads both.

use std::sync::LazyLock;

use serde::Deserialize;

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Korean,
    English,
}

impl Language {
    /// What is asked for by name, else the one that the browser prefers (RFC 9110, section 12.5.4),
    /// else Korean.
    pub(super) fn of(asked: Option<&str>, accepted: Option<&str>) -> Self {
        let named = |text: &str| match text.split(['-', ';']).next().map(str::trim) {
            Some("ko") => Some(Self::Korean),
            Some("en") => Some(Self::English),
            _ => None,
        };
        let accepted = || accepted.into_iter().flat_map(|text| text.split(',')).find_map(named);
        asked.and_then(named).or_else(accepted).unwrap_or(Self::Korean)
    }

    /// BCP 47.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    pub(super) fn messages(self) -> &'static Messages {
        match self {
            Self::Korean => &KOREAN,
            Self::English => &ENGLISH,
        }
    }
}

/// Every text of the pages in one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Messages {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) skip: String,
    pub(super) other_language: String,
    pub(super) other_code: String,
    pub(super) door_text: String,
    pub(super) door_button: String,
    pub(super) leave: String,
    pub(super) left: String,
    pub(super) signed_out: String,
    pub(super) link_spent: String,
    pub(super) forged: String,
    pub(super) nothing_here: String,
    pub(super) failed: String,
    pub(super) none: String,
    pub(super) intro: String,
    pub(super) back: String,
    pub(super) recipient: String,
    pub(super) items: String,
    pub(super) until: String,
    pub(super) from: String,
    pub(super) state: String,
    pub(super) basis: String,
    pub(super) notice: String,
    pub(super) retention: String,
    pub(super) limit: String,
    pub(super) limit_once: String,
    pub(super) limit_per: String,
    pub(super) hour: String,
    pub(super) day: String,
    pub(super) month: String,
    pub(super) year: String,
    pub(super) counted: String,
    pub(super) details: String,
    pub(super) history: String,
    pub(super) uses: String,
    pub(super) uses_none: String,
    pub(super) service: String,
    pub(super) time: String,
    pub(super) event: String,
    pub(super) by: String,
    pub(super) by_you: String,
    pub(super) by_delegate: String,
    pub(super) by_gateway: String,
    pub(super) receipt: String,
    pub(super) narrow: String,
    pub(super) narrow_text: String,
    pub(super) narrow_button: String,
    pub(super) withdraw: String,
    pub(super) withdraw_text: String,
    pub(super) withdraw_button: String,
    pub(super) given: String,
    pub(super) withdrawn: String,
    pub(super) expired: String,
    pub(super) not_yet: String,
    pub(super) grant_event: String,
    pub(super) narrow_event: String,
    pub(super) withdraw_event: String,
    pub(super) expire_event: String,
    pub(super) done_narrow: String,
    pub(super) done_withdraw: String,
}

static KOREAN: LazyLock<Messages> = LazyLock::new(|| load(include_str!("messages/ko.toml")));
static ENGLISH: LazyLock<Messages> = LazyLock::new(|| load(include_str!("messages/en.toml")));

/// Empty texts when the catalog is wrong, which a test keeps from being built.
fn load(text: &str) -> Messages {
    toml::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_catalogs_are_whole() {
        for text in [include_str!("messages/ko.toml"), include_str!("messages/en.toml")] {
            toml::from_str::<Messages>(text).unwrap();
        }
        assert_eq!((&*KOREAN.code, &*KOREAN.other_code), ("ko", "en"));
        assert_eq!((&*ENGLISH.code, &*ENGLISH.other_code), ("en", "ko"));
    }

    #[test]
    fn a_language_is_asked_for_or_accepted() {
        for (asked, accepted, wanted) in [
            (Some("en"), Some("ko"), Language::English),
            (None, Some("fr-FR, en-GB;q=0.8, ko;q=0.5"), Language::English),
            (Some("xx"), Some("ko-KR"), Language::Korean),
            (None, None, Language::Korean),
        ] {
            assert_eq!(Language::of(asked, accepted), wanted);
        }
    }
}
