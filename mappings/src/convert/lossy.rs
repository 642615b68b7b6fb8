//! Texts that may reach the other side with less than they had, because their row says so.

use std::borrow::Cow;

use gateway_core::LossKind;

use crate::charset::Charset;

/// What the target of a lossy row can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) loss: LossKind,
    /// Characters at most.
    pub(crate) characters: usize,
    /// Bytes of EUC-KR at most, where the target counts so.
    pub(crate) bytes: Option<usize>,
}

impl Limit {
    /// The text as the target can hold it; nothing when it is dropped.
    pub(crate) fn fit<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let replaced = match self.loss {
            LossKind::Replace => self.replaced(text),
            LossKind::Truncate | LossKind::Drop => Cow::Borrowed(text),
        };
        let end = self.end(&replaced);
        match (self.loss, end == replaced.len()) {
            (_, true) if self.is_held(&replaced) => Some(replaced),
            (LossKind::Truncate, false) => Some(match replaced {
                Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
                Cow::Owned(text) => Cow::Owned(text.get(..end).unwrap_or_default().to_owned()),
            }),
            (LossKind::Drop, _) => None,
            // What is too long or cannot be held otherwise is for the codec to refuse.
            _ => Some(replaced),
        }
    }

    /// Whether fitting this text loses anything of it.
    pub(crate) fn loses(&self, text: &str) -> bool {
        self.fit(text).is_none_or(|fitted| *fitted != *text)
    }

    fn replaced<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.is_held(text) {
            true => Cow::Borrowed(text),
            false => {
                let kept = |one: char| if width(one).is_some() { one } else { '?' };
                Cow::Owned(text.chars().map(kept).collect())
            }
        }
    }

    /// Whether the target has every character.
    fn is_held(&self, text: &str) -> bool {
        self.bytes.is_none() || text.is_ascii() || text.chars().all(|one| width(one).is_some())
    }

    /// Where the part that fits ends, in bytes of the text.
    fn end(&self, text: &str) -> usize {
        let (mut characters, mut bytes) = (0_usize, 0_usize);
        for (at, one) in text.char_indices() {
            characters = characters.saturating_add(1);
            bytes = bytes.saturating_add(width(one).unwrap_or(1));
            let over = self.bytes.is_some_and(|limit| bytes > limit);
            if characters > self.characters || over {
                return at;
            }
        }
        text.len()
    }
}

/// Bytes of a character in EUC-KR.
fn width(character: char) -> Option<usize> {
    Charset::Cp949.width(character)
}
