//! The log from outside: appended to, killed, damaged, reopened, and read as any mirror reads it.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod recovery;
