//! Wire shapes: bytes ↔ records of texts. What the texts mean is decided by [`crate::rows`].

pub(crate) mod csv;
pub(crate) mod fixed;
pub(crate) mod json;
pub(crate) mod mime;
pub(crate) mod structure;
pub(crate) mod xml;
pub(crate) mod xml_text;
