//! The archive beside the evidence log.

#[cfg(test)]
mod records;
