//! The gateway's configuration of this world. `sandbox/config/naru.toml` explains the same keys one
//! by one; a test here holds the two together.

use std::path::Path;

use super::anvil::CHAIN_ID;
use super::contract::Contract;
use super::keys::{ApiKey, ApiKeys};
use super::pki::Pki;
use super::ports::Ports;

/// The origin of the world's evidence log.
pub const LOG_ORIGIN: &str = "world.naru.example/log";
/// How often the portal may ask in a minute.
pub const PORTAL_QUOTA: u32 = 5;
/// How often city A may ask for overlaps in a minute.
pub const CITY_A_QUOTA: u32 = 3;

/// What the configuration is written from.
pub(super) struct Facts<'a> {
    pub(super) ports: &'a Ports,
    pub(super) catalog: &'a Path,
    pub(super) api_keys: &'a ApiKeys,
    pub(super) pki: &'a Pki,
    pub(super) contract: &'a Contract,
}

impl Facts<'_> {
    /// The text of `naru.toml`.
    pub(super) fn configuration(&self) -> String {
        [self.gateway(), self.listeners(), self.members(), self.queue(), self.backend()].join("\n")
    }

    fn gateway(&self) -> String {
        let catalog = quoted(self.catalog);
        format!(
            r#"# Written by the practice world; sandbox/config/naru.toml explains every key.
[gateway]
name = "naru-world"
state = "state"
catalog = {catalog}
policies = "policies"
shutdown_seconds = 10

[secrets]
pseudonyms = {{ welfare = "file:keys/welfare.key", population = "file:keys/population.key" }}
commitments = "file:keys/commitments.key"

[log]
directory = "log"
origin = "{LOG_ORIGIN}"
key = "file:keys/log.key"
publish_seconds = 1
serve = true

[bodies]
keep = ["request", "reply"]
root = "file:keys/bodies.key"
otherwise_days = 365

[consent]
receipt_key = "file:keys/consent-receipts.key"

[log_output]
format = "json"
filter = "info"
"#
        )
    }

    fn listeners(&self) -> String {
        let Ports { http, https, grpc, telegram, city_c, people, admin, .. } = self.ports;
        let operator = self.api_keys.operator.hash();
        format!(
            r#"[[listen.http]]
address = "127.0.0.1:{http}"

[[listen.http]]
address = "127.0.0.1:{https}"
tls = {{ certificate = "pki/server.pem", key = "file:pki/server.key", client_authority = "pki/ca.pem" }}

[listen.people]
address = "127.0.0.1:{people}"
url = "http://127.0.0.1:{people}"

[[listen.grpc]]
address = "127.0.0.1:{grpc}"
tls = {{ certificate = "pki/server.pem", key = "file:pki/server.key", client_authority = "pki/ca.pem" }}

[[listen.telegram]]
address = "127.0.0.1:{telegram}"
front = "welfare/city-a/v1"
idle_seconds = 60
in_flight = 1

[[listen.telegram]]
address = "127.0.0.1:{city_c}"
front = "welfare/city-c/v1"
idle_seconds = 60
in_flight = 16

[[listen.batch]]
folder = "inbox/city-b"
front = "welfare/city-b/v1"
member = "city-b"
poll_ms = 200
complete = "renamed"
concurrency = 16

[[listen.batch]]
folder = "inbox/city-d"
front = "welfare/city-d/v1"
member = "city-d"
poll_ms = 200
complete = {{ unchanged = 400 }}

[listen.limits]
body_bytes = 1048576
peer_per_second = 2000
file_bytes = 1073741824

[admin]
address = "127.0.0.1:{admin}"
keys = [{{ name = "operator", hash = "{operator}" }}]

[fronts]
soap = ["welfare/mohw/v1", "welfare/soap12/v1", "welfare/xroad-soap/v1"]
rest = ["welfare/rest/v1", "population/rest/v1"]
xml = ["welfare/open-data/v1"]
xroad_rest = ["welfare/xroad-rest/v1"]
"#
        )
    }

    fn members(&self) -> String {
        let ApiKeys { mohw, city_a, city_c, portal, .. } = self.api_keys;
        let [mohw, city_a, city_c, portal] = [mohw, city_a, city_c, portal].map(ApiKey::hash);
        let certificate = &self.pki.mohw_fingerprint;
        format!(
            r#"[[member]]
id = "mohw"
name = "Ministry of Health and Welfare"
api_keys = ["{mohw}"]
certificates = ["{certificate}"]

[[member]]
id = "city-a"
name = "City A"
api_keys = ["{city_a}"]
paper_consent = "low"

[[member]]
id = "city-b"
name = "City B"

[[member]]
id = "city-c"
name = "City C"
api_keys = ["{city_c}"]

[[member]]
id = "city-d"
name = "City D"

[[member]]
id = "portal"
name = "Welfare portal"
api_keys = ["{portal}"]

[[quota]]
name = "rest-demo"
members = ["portal"]
services = ["welfare/overlapCheck"]
requests = {PORTAL_QUOTA}
seconds = 60

[[quota]]
name = "city-a-checks"
members = ["city-a"]
services = ["welfare/overlapCheck"]
requests = {CITY_A_QUOTA}
seconds = 60
"#
        )
    }

    fn queue(&self) -> String {
        let port = self.ports.callbacks;
        format!(
            r#"[queue]
key = "file:keys/queue.key"
keep_hours = 24
keep_dead_days = 30
waiting = 1000
workers = 4
attempts = 5
first_retry_ms = 200
longest_retry_seconds = 2

[[subscription]]
name = "mohw"
member = "mohw"
url = "http://127.0.0.1:{port}/mohw"
secret = "file:keys/callbacks.secret"
events = ["exchange.completed", "exchange.failed"]
body = "reply"
private_addresses = true
timeout_seconds = 1

[[subscription]]
name = "city-a"
member = "city-a"
url = "http://127.0.0.1:{port}/city-a"
secret = "file:keys/callbacks.secret"
events = ["exchange.completed", "exchange.failed"]
body = "notice"
private_addresses = true
timeout_seconds = 1
"#
        )
    }

    fn backend(&self) -> String {
        let address = &self.contract.address;
        let (port, register) = (self.ports.ledger, self.ports.register);
        format!(
            r#"[[backend]]
name = "welfare-ledger"
kind = "ethereum"
url = "http://127.0.0.1:{port}"
chain_id = {CHAIN_ID}
contract = "{address}"
abi = "contract/Welfare.json"
key = "file:keys/ledger.key"
finality = {{ confirmations = 1 }}
deadline_seconds = 10

[[backend]]
name = "resident-register"
kind = "telegram"
address = "127.0.0.1:{register}"
framing = {{ length_digits = 4, max = 4096 }}
deadline_seconds = 5

[[route]]
services = [
    "welfare/overlapCheck",
    "welfare/benefitApply",
    "welfare/benefitGrant",
    "welfare/benefitEnd",
    "welfare/history",
]
mapping = "welfare/ledger/v1"
backend = "welfare-ledger"

[[route]]
services = [
    "population/realNameCheck",
    "population/residentRecord",
    "population/moveReport",
]
mapping = "population/mois-telegram/v1"
backend = "resident-register"
"#
        )
    }
}

/// A path as a TOML string.
fn quoted(path: &Path) -> String {
    toml::Value::from(path.to_string_lossy().as_ref()).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use toml::{Table, Value};

    use super::*;
    use crate::world::layout::Layout;
    use crate::world::ports::PortChoice;

    const EXAMPLE: &str = include_str!("../../config/naru.toml");

    /// Every key path; the entries of a list count as one.
    fn keys(at: &str, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    keys(&format!("{at}.{key}"), value, found);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| keys(at, value, found)),
            _ => drop(found.insert(at.to_owned())),
        }
    }

    fn keys_of(text: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        keys("", &Value::Table(text.parse::<Table>().unwrap()), &mut found);
        found
    }

    #[test]
    fn every_key_written_is_explained_in_the_example() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(&directory.path().join("world")).unwrap();
        let facts = Facts {
            ports: &Ports::choose(PortChoice::Free).unwrap(),
            catalog: Path::new("a \"quoted\" folder"),
            api_keys: &ApiKeys::create(&layout).unwrap(),
            pki: &Pki { mohw_fingerprint: "sha256:00".into() },
            contract: &Contract { address: "0x00".into() },
        };
        let written = facts.configuration();
        let unexplained: Vec<_> =
            keys_of(&written).difference(&keys_of(EXAMPLE)).cloned().collect();
        assert!(unexplained.is_empty(), "{unexplained:?}");
        let table: Table = written.parse().unwrap();
        assert_eq!(table["gateway"]["catalog"].as_str(), Some("a \"quoted\" folder"));
        for secret in facts.api_keys.texts() {
            assert!(!written.contains(secret));
        }
    }
}
