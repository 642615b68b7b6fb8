//! The mapping engine.
