//! Who administers, and which acts want a second operator.

use std::net::SocketAddr;

use serde::Deserialize;

/// `[admin]`
#[derive(Debug, Deserialize)]
pub struct Admin {
    /// Where to listen; its own address, so that a firewall can tell it apart.
    pub address: SocketAddr,
    /// Who may.
    pub keys: Vec<AdminKey>,
    /// The acts that a second operator must approve, e.g. `member.activate`.
    #[serde(default)]
    pub four_eyes: Vec<String>,
    /// How long an act waits for that.
    #[serde(default = "twenty_four")]
    pub four_eyes_hours: u32,
}

/// One of `admin.keys`
#[derive(Debug, Deserialize)]
pub struct AdminKey {
    /// The operator.
    pub name: String,
    /// `sha256:` and the hex digest of the key.
    pub hash: String,
}

fn twenty_four() -> u32 {
    24
}
