use std::fs;
use std::path::Path;

use gateway_core::{Evidence, ExchangeId, Pseudonym, Pseudonymize};
use tempfile::TempDir;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::*;
use crate::authenticate::sha256;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

/// The real catalog's services, and two versions of two of its fronts: the second ones have other
/// names for a field and for an operation.
fn catalog() -> (Catalog, TempDir) {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings/catalog/welfare");
    let folder = tempfile::tempdir().unwrap();
    let sector = folder.path().join("welfare");
    fs::create_dir(&sector).unwrap();
    for name in ["purposes.yaml", "services.yaml"] {
        fs::copy(real.join(name), sector.join(name)).unwrap();
    }
    for (system, from, to) in
        [("rest", "from: group, to", "from: category, to"), ("city-a", "WLF001", "WLF901")]
    {
        let text = fs::read_to_string(real.join(system).join("v1/mapping.yaml")).unwrap();
        let second = text.replace("version: 1", "version: 2").replace(from, to);
        for (version, text) in [("v1", text), ("v2", second)] {
            let folder = sector.join(system).join(version);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("mapping.yaml"), text).unwrap();
        }
    }
    let catalog = Catalog::load(folder.path(), Arc::new(Nobody));
    (catalog.map_err(|problems| format!("{problems:?}")).unwrap(), folder)
}

fn member(id: &str, fronts: &[&str]) -> Member {
    Member {
        id: id.into(),
        name: id.into(),
        api_keys: vec![format!("sha256:{}", hex::encode(sha256(id.as_bytes())))],
        fronts: fronts.iter().map(|id| (*id).to_owned()).collect(),
        ..Member::default()
    }
}

fn versions(members: &[Member], catalog: &Catalog) -> Result<Versions, Vec<Problem>> {
    let registered = Arc::new(Members::new(members).unwrap());
    Versions::new(members, catalog, &registered)
}

fn inbound(front: Arc<dyn Front>, api_key: Option<&str>, body: &[u8]) -> Inbound {
    let attributes = [("content-type", "application/json"), (":path", "/v1/welfare/overlapCheck")];
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front,
        evidence: Evidence {
            api_key: api_key.map(|key| Zeroizing::new(key.to_owned())),
            ..Evidence::default()
        },
        attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.to_vec().into(),
        received: "2026-01-01T00:00:00Z".parse().unwrap(),
        deadline: None,
    }
}

/// The mapping that decodes a message, or the code of its refusal.
fn decoded(front: &Arc<dyn Front>, api_key: Option<&str>, body: &[u8]) -> String {
    match front.decode(&inbound(front.clone(), api_key, body)) {
        Ok(envelope) => envelope.mapping.to_string(),
        Err(fault) => fault.kind.to_string(),
    }
}

#[test]
fn whom_a_connection_names_decides_the_version() {
    let (catalog, _folder) = catalog();
    let members = [member("new", &["welfare/rest/v2"]), member("old", &[])];
    let versions = versions(&members, &catalog).unwrap();
    let front = versions.of(catalog.front("welfare/rest/v1").unwrap().as_front());
    let request = |field: &str| {
        format!(
            r#"{{"residentNumber":"9001011234567","{field}":"housing","from":"2026-01-01","to":"2026-12-31"}}"#
        )
    };
    for (caller, field, by) in [
        (Some("old"), "group", "welfare/rest/v1"),
        (Some("new"), "category", "welfare/rest/v2"),
        (Some("new"), "group", "Malformed"),
        (Some("old"), "category", "Malformed"),
        (None, "group", "welfare/rest/v1"),
    ] {
        assert_eq!(decoded(&front, caller, request(field).as_bytes()), by, "{caller:?} {field}");
    }
}

#[test]
fn where_only_the_message_names_its_sender_it_decides() {
    let (catalog, _folder) = catalog();
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings/catalog/welfare");
    let old = fs::read(real.join("city-a/v1/cases/overlap.in")).unwrap();
    let new = [b"WLF901", &old[6..]].concat();
    let front = |members: &[Member]| {
        let versions = versions(members, &catalog).unwrap();
        versions.of(catalog.front("welfare/city-a/v1").unwrap().as_front())
    };
    let moved = front(&[member("city-a", &["welfare/city-a/v2"])]);
    assert_eq!(decoded(&moved, None, &new), "welfare/city-a/v2");
    assert_eq!(decoded(&moved, None, &old), "welfare/city-a/v1", "it may still be in the old one");
    let other = front(&[member("city-a", &[]), member("city-c", &["welfare/city-a/v2"])]);
    assert_eq!(decoded(&other, None, &old), "welfare/city-a/v1");
    assert_eq!(decoded(&other, None, &new), "Unroutable", "city A does not have that version");
}

#[test]
fn a_front_without_other_versions_is_itself() {
    let (catalog, _folder) = catalog();
    let versions = versions(&[member("a", &["welfare/rest/v2"])], &catalog).unwrap();
    let front = versions.of(catalog.front("welfare/city-a/v1").unwrap().as_front());
    assert_eq!(front.mapping(), "welfare/city-a/v1");
    assert!(!versions.0.contains_key("welfare/city-a/v1"));
}

#[test]
fn versions_that_are_none_are_refused() {
    let (catalog, _folder) = catalog();
    let bad =
        [member("a", &["welfare/rest/v9"]), member("b", &["welfare/rest/v1", "welfare/rest/v2"])];
    let problems = versions(&bad, &catalog).err().unwrap();
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["member[0].fronts[0]", "member[1].fronts[1]"]);
}
