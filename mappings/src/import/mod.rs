//! Mappings made from what other systems have: a start for the person who finishes them.

pub mod copybook;
