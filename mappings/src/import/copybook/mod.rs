//! COBOL copybooks: the records of a legacy system as its own programs declare them. Reads data
//! descriptions of fixed and free format; what would change the bytes and is not understood is
//! refused, never guessed. What a mapping is made of them is in [`scaffold`].

mod clauses;
mod item;
mod scaffold;
mod source;

use thiserror::Error;

pub use scaffold::{CopybookScaffold, ScaffoldError};

/// Why a copybook cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CopybookError {
    /// The text is in no known encoding.
    #[error("the copybook is neither UTF-8 nor EUC-KR")]
    NotText,
    /// It declares nothing.
    #[error("the copybook declares no record")]
    Empty,
    /// A sentence without its period.
    #[error("line {line}: the sentence that begins here has no period")]
    Unfinished {
        /// The line, from 1.
        line: usize,
    },
    /// A line that continues a word of the line before.
    #[error("line {line}: continuation lines are not read; join the lines")]
    Continued {
        /// The line, from 1.
        line: usize,
    },
    /// A quote that is not closed.
    #[error("line {line}: a literal is not closed")]
    OpenLiteral {
        /// The line, from 1.
        line: usize,
    },
    /// `COPY`, or a placeholder of its `REPLACING`.
    #[error(
        "line {line}: COPY and REPLACING are not followed; give the text as the compiler sees it \
         (GnuCOBOL: cobc -E)"
    )]
    Copy {
        /// The line, from 1.
        line: usize,
    },
    /// A clause that is not understood.
    #[error("line {line}: `{clause}` is not understood here")]
    Unknown {
        /// The line, from 1.
        line: usize,
        /// The clause's first word.
        clause: String,
    },
    /// A clause that would change the bytes in a way that mappings cannot say.
    #[error("line {line}: {clause} is not supported: {why}")]
    Unsupported {
        /// The line, from 1.
        line: usize,
        /// The clause.
        clause: &'static str,
        /// What it would mean.
        why: &'static str,
    },
    /// A picture that is none.
    #[error("line {line}: the picture `{picture}` {why}")]
    Picture {
        /// The line, from 1.
        line: usize,
        /// The picture.
        picture: String,
        /// What is wrong.
        why: String,
    },
    /// Levels or clauses that do not go together.
    #[error("line {line}: {why}")]
    Structure {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
}
