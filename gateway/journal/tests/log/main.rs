//! The log from outside: appended to, killed, damaged, reopened, and read as any mirror reads it.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod notary;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod regulator;
