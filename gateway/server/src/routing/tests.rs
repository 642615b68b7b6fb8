use std::path::{Path, PathBuf};

use gateway_core::{Finality, Pseudonym, Pseudonymize, Takes};

use super::*;

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

fn catalog() -> Catalog {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings/catalog");
    Catalog::load(&folder, Arc::new(Nobody)).map_err(|problems| problems.len()).unwrap()
}

const BASE: &str = r#"
[gateway]
name = "g"
state = "state"
catalog = "catalog"
policies = "policies"
[secrets]
pseudonyms = {}
commitments = "env:COMMITMENTS"
[log]
directory = "log"
origin = "log.example/naru"
key = "file:log.key"
[admin]
address = "127.0.0.1:18081"
keys = []
"#;

fn backend(name: &str) -> String {
    format!(
        "[[backend]]\nname = \"{name}\"\nkind = \"ethereum\"\nurl = \"http://127.0.0.1:1\"\n\
         chain_id = 1\ncontract = \"0x5fbdb2315678afecb367f032d93f642f64180aa3\"\nabi = \"a\"\n\
         key = \"file:k\"\n"
    )
}

fn route(keys: &str) -> String {
    format!(
        "[[route]]\nservices = [\"welfare/overlapCheck\"]\nmapping = \"welfare/ledger/v1\"\n\
         backend = \"one\"\n{keys}\n"
    )
}

/// The problems of these routes, over two backends that were not read and two members.
fn problems(routes: &[String]) -> Vec<String> {
    let text = [BASE.to_owned(), backend("one"), backend("two"), routes.concat()].concat();
    let config = Config::parse(&text, PathBuf::new()).unwrap();
    let catalog = catalog();
    let members = ["city-a", "city-b"].map(|id| MemberId(id.into()));
    let named = Named { catalog: &catalog, members: &members, profiles: vec![] };
    check(&config, &named).iter().map(ToString::to_string).collect()
}

fn paths(routes: &[String]) -> Vec<String> {
    let path = |problem: String| problem.split(": ").next().unwrap().to_owned();
    problems(routes).into_iter().map(path).collect()
}

#[test]
fn routes_that_can_be_told_apart_are_good() {
    let good = [
        route(""),
        route("when = { group = [\"housing\"] }\nfailover = [\"two\"]"),
        route("members = [\"city-a\"]\nwhen = { group = [\"housing\"] }"),
        route(
            "fronts = [\"welfare/rest/v1\"]\nmembers = [\"city-a\"]\nwhen = { group = [\"housing\"] }",
        ),
    ];
    assert_eq!(problems(&good), [""; 0]);
    let split = [route(
        "canary = { percent = 5.5, backend = \"two\" }\nmirror = { percent = 100, backend = \"two\" }",
    )];
    assert_eq!(problems(&split), [""; 0]);
}

#[test]
fn two_that_cannot_be_told_apart_are_refused() {
    assert_eq!(paths(&[route(""), route("")]), ["route[1]"]);
    let crossing = [route("members = [\"city-a\"]"), route("when = { group = [\"housing\"] }")];
    assert_eq!(paths(&crossing), ["route[1]"], "which one for housing in city A?");
    let disjoint = [route("members = [\"city-a\"]"), route("members = [\"city-b\"]")];
    assert_eq!(problems(&disjoint), [""; 0]);
}

#[test]
fn every_name_of_nothing_is_reported_with_its_key_path() {
    let bad = [
        route("members = [\"nobody\"]\nfronts = [\"welfare/rest/v9\"]"),
        route("members = [\"city-a\"]\nwhen = { colour = [\"red\"] }"),
        route(
            "members = [\"city-b\"]\nwhen = { group = [\"houses\"], person = [\"9001011234567\"] }\nfailover = [\"one\"]",
        ),
    ];
    assert_eq!(
        paths(&bad),
        [
            "route[0].members",
            "route[0].fronts",
            "route[1].when.colour",
            "route[2].when.group",
            "route[2].when.person",
            "route[2].failover",
        ]
    );
    let bad = [route(
        "canary = { percent = 101, mapping = \"welfare/ledger/v9\" }\nmirror = { percent = 1 }",
    )];
    assert_eq!(
        paths(&bad),
        ["route[0].canary.percent", "route[0].canary.mapping", "route[0].mirror"]
    );
    let bad = [route("failover = [\"three\"]\nmirror = { percent = 1, backend = \"three\" }")];
    assert_eq!(paths(&bad), ["route[0].failover", "route[0].mirror.backend"]);
}

#[test]
fn what_a_backend_cannot_do_is_refused() {
    let text = [BASE.to_owned(), backend("one"), route("")].concat();
    let config = Config::parse(&text, PathBuf::new()).unwrap();
    let catalog = catalog();
    let profile = Profile { takes: Takes::Functions(vec![]), finality: Finality::Immediate };
    let named = Named { catalog: &catalog, members: &[], profiles: vec![("one", &profile)] };
    let problems = check(&config, &named);
    assert!(problems.iter().any(|problem| problem.path == "route[0].backend"), "{problems:?}");
}
