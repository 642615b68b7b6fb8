//! A copybook → a mapping that loads, with what a copybook does not say left plain and marked: which
//! service it is, how telegrams are framed, who may call.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::CopybookError;
use super::item::{self, Item};
use crate::charset::Charset;
use crate::import::Scaffold;

mod fields;
mod render;

/// What the person who imports a copybook knows and it does not say.
#[derive(Clone, Debug)]
pub struct CopybookScaffold {
    /// The sector, e.g. `welfare`.
    pub sector: String,
    /// The system, e.g. `city-c`.
    pub system: String,
    /// The code of the one operation that the scaffold has.
    pub operation: String,
    /// The name of its service.
    pub service: String,
    /// The item that holds the transaction code. The header ends with the topmost group, below the
    /// record, that it is in.
    pub transaction: String,
    /// The item of the header that holds the result code of a reply.
    pub result: Option<String>,
    /// `cp949`, `ebcdic-933` …
    pub encoding: String,
    /// `translated` or `ascii`, where digits of an ASCII encoding carry signs.
    pub overpunch: Option<String>,
    /// For each alternative of a `REDEFINES` its item, the item that decides, and the codes by which
    /// it is chosen.
    pub alternatives: Vec<(String, String, Vec<String>)>,
}

/// Why no mapping can be made of a copybook.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScaffoldError {
    /// It cannot be read.
    #[error(transparent)]
    Copybook(#[from] CopybookError),
    /// An item that was named is not in it.
    #[error("the copybook has no item {0}")]
    NoItem(String),
    /// The header holds tables or alternatives.
    #[error("line {line}: a header holds plain items; {name} is none")]
    Header {
        /// The line, from 1.
        line: usize,
        /// The item.
        name: String,
    },
    /// A `REDEFINES` of which it is not said when which alternative is there.
    #[error(
        "line {line}: {name} lies over another item; say by which codes each of them is chosen, \
         the first too: --when ITEM=DECIDING-ITEM:CODE"
    )]
    Alternatives {
        /// The line, from 1.
        line: usize,
        /// The item.
        name: String,
    },
}

impl CopybookScaffold {
    /// Makes the files of a new mapping. The copybook's first record is the request and its second,
    /// or the same where there is no other, the reply; both begin with the same header.
    ///
    /// # Errors
    /// When the copybook cannot be read, or something must be said about it first.
    pub fn write(&self, copybook: &[u8]) -> Result<Scaffold, ScaffoldError> {
        let text = match std::str::from_utf8(copybook) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let decoded = Charset::Cp949.decode(copybook);
                decoded.map_err(|_| CopybookError::NotText)?.into_owned()
            }
        };
        let records = item::records(&text)?;
        let request = records.first().ok_or(CopybookError::Empty)?;
        let reply = records.get(1).unwrap_or(request);
        let header = self.header_length(request)?;
        render::scaffold(self, request, reply, header)
    }

    /// How many items at the start of a record are its header.
    fn header_length(&self, record: &Item) -> Result<usize, ScaffoldError> {
        let holds = |item: &Item| item.has(&self.transaction);
        let at = record.children().iter().position(holds);
        let at = at.ok_or_else(|| ScaffoldError::NoItem(self.transaction.clone()))?;
        Ok(at.saturating_add(1))
    }
}

impl Item {
    /// Whether it is the item of this name, or holds it.
    fn has(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name) || self.children().iter().any(|item| item.has(name))
    }
}

/// Everything that is written once for both messages.
#[derive(Default)]
struct Shared {
    /// Closed sets, by name.
    codes: BTreeMap<String, BTreeSet<String>>,
    /// Tables, by the same name: code → member.
    tables: BTreeMap<String, BTreeMap<String, String>>,
}
