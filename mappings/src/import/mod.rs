//! Mappings made from what other systems have: a start for the person who finishes them. A copybook
//! says a telegram's bytes ([`copybook`]), a WSDL a SOAP service ([`wsdl`]), a schema alone plain XML
//! ([`xml`]), OpenAPI a REST service ([`openapi`]), an ABI a contract's functions ([`abi`]). What is
//! read becomes fields ([`fields`]) with what a mapping cannot say beside them, and these are written
//! as YAML ([`render`]); nothing is dropped without a word.

pub mod abi;
pub mod copybook;
mod documents;
mod fields;
mod names;
pub mod openapi;
mod render;
mod tree;
pub mod wsdl;
pub mod xml;
mod xsd;

use std::fmt;

use thiserror::Error;

pub use documents::{Documents, Folder, Refusal};
pub use tree::TreeError;

/// The files of a new mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaffold {
    /// `services.yaml` of a sector that is not there yet.
    pub services: String,
    /// The mappings, each of its own system.
    pub mappings: Vec<NewMapping>,
    /// What the source says and a mapping cannot, each with its path.
    pub unsaid: Vec<String>,
}

/// One `mapping.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMapping {
    /// The system that it is of.
    pub system: String,
    /// The text of the file.
    pub text: String,
}

/// Which side of a contract a mapping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The gateway serves the contract.
    Front,
    /// The gateway calls the provider.
    Backend,
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The file, relative to the folder of the first.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why no mapping can be made of a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImportError {
    /// A file cannot be had.
    #[error("{path}: {why}")]
    File {
        /// The path that was asked for.
        path: String,
        /// Why not.
        why: Refusal,
    },
    /// A document is not XML that is read here.
    #[error("{at}: {why}")]
    Tree {
        /// Where reading ended.
        at: At,
        /// What is wrong.
        why: TreeError,
    },
    /// The document is of another kind.
    #[error("{at}: the root is `{found}`, and {wanted} is wanted")]
    Root {
        /// Its root.
        at: At,
        /// The root's name.
        found: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// A name that leads to nothing.
    #[error(
        "{at}: there is no {kind} `{name}` of the namespace `{space}` in the files read; save the \
         document that has it beside this one, and name it there by `schemaLocation` or `location`"
    )]
    Unknown {
        /// Where it is named.
        at: At,
        /// What it should be: `type`, `element` …
        kind: &'static str,
        /// Its namespace.
        space: String,
        /// Its name.
        name: String,
    },
    /// A text that is not of its format.
    #[error("{file}: {why}")]
    Text {
        /// The file.
        file: String,
        /// What is wrong, and where.
        why: String,
    },
    /// A name that is none of XML's.
    #[error("{at}: `{name}` is no name of XML without a colon")]
    Name {
        /// Where it stands.
        at: At,
        /// The text.
        name: String,
    },
    /// What changes the bytes in a way that mappings cannot say.
    #[error("{at}: {what} is not supported: {why}")]
    Unsupported {
        /// Where it is.
        at: At,
        /// What it is.
        what: &'static str,
        /// What to do instead.
        why: &'static str,
    },
    /// More than a person would read.
    #[error("the messages have more than {most} fields; say with --port or --only less at a time")]
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// A choice that only the person who imports can make.
    #[error("say {option}, one of: {}", choices.join(", "))]
    Choose {
        /// The option of the command.
        option: &'static str,
        /// What it may be.
        choices: Vec<String>,
    },
    /// Nothing of the document can become an operation.
    #[error("no operation can be made of it: {}", why.join("; "))]
    Nothing {
        /// What was left out, and why.
        why: Vec<String>,
    },
}
