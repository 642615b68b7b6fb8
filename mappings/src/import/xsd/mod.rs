//! XML Schema 1.0 → fields. [`schema`] gathers the components of all documents, [`walk`] turns the
//! content of an element into fields, [`simple`] its values. What a mapping cannot say becomes a note
//! beside the field; what would change the bytes and is not understood is an error.

mod schema;
mod simple;
mod walk;

pub(super) use schema::{Header, Schemas, XS};
pub(super) use walk::Walk;
