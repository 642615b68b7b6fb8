//! The simulated systems that call the gateway, each in the format it has always used.
//!
//! The formats are written out by hand from their documents. Nothing here knows a mapping file.

pub mod city_a;
pub mod city_b;
pub mod city_c;
pub mod city_d;
mod http;
pub mod ministry;
pub mod office;
pub mod operator;
pub mod portal;

pub use http::{HttpClients, Identity};

/// Why a caller has no reply, or none that it can read.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The request failed before a reply came.
    #[error("no reply over HTTP")]
    Http(#[from] reqwest::Error),
    /// The connection or the folder failed.
    #[error("no reply")]
    Io(#[from] std::io::Error),
    /// Nothing came in time.
    #[error("no reply within {0} seconds")]
    Late(u64),
    /// The reply is not XML.
    #[error("the reply is no XML")]
    Xml(#[from] roxmltree::Error),
    /// The reply is not CSV.
    #[error("the result file is no CSV")]
    Csv(#[from] csv::Error),
    /// A part that every reply has is missing.
    #[error("the reply has no {0}")]
    Missing(&'static str),
    /// A field does not fit the format: a mistake in the caller itself.
    #[error("{field} does not fit into {length} bytes of the wire encoding")]
    Unfit {
        /// The field.
        field: &'static str,
        /// Its length.
        length: usize,
    },
}
