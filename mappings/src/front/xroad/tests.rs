use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gateway_core::front::Exchange;
use gateway_core::{Draft, Evidence, ExchangeId, Fault, Front, Inbound, Pseudonym, Pseudonymize};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::XRoadRest;
use super::error::{ErrorType, Form};
use crate::{Catalog, FrontEntry};

struct Nobody;

impl Pseudonymize for Nobody {
    fn pseudonym(&self, _: &str, _: &str, _: &[u8]) -> Pseudonym {
        Pseudonym([0; 32])
    }
}

fn providers() -> XRoadRest {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let catalog = Catalog::load(&root, Arc::new(Nobody)).unwrap_or_else(|all| panic!("{all:?}"));
    let names = BTreeMap::from([("mohw".to_owned(), "보건 <복지>".to_owned())]);
    let mut providers = XRoadRest::new(names);
    let Some(FrontEntry::XRoadRest(front)) = catalog.front("welfare/xroad-rest/v1") else {
        panic!("the mapping is in the catalog");
    };
    assert!(providers.add(front.clone()));
    assert!(!providers.add(front.clone()), "a provider stands there once");
    providers
}

fn get(path: &str, query: &str) -> Inbound {
    let attributes = [
        (":method", "GET"),
        (":path", path),
        (":query", query),
        ("x-road-client", "KR/COM/PORTAL/portal"),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Inbound {
        id: ExchangeId(Uuid::nil()),
        front: Arc::new(XRoadRest::default()),
        evidence: Evidence::default(),
        attributes: attributes.into(),
        body: Bytes::new(),
        received: Timestamp::UNIX_EPOCH,
        deadline: None,
    }
}

fn exchange(inbound: &Inbound) -> Exchange<'_> {
    let now = Timestamp::UNIX_EPOCH;
    Exchange { id: inbound.id, inbound, envelope: None, quota: &[], now }
}

fn ask(code: &str, query: &str, allowed: &[&str]) -> Result<Draft, Fault> {
    let providers = providers();
    let inbound = get(&format!("/r1/KR/GOV/NARU/welfare/{code}"), query);
    let asked = providers.metadata(&inbound).expect("a metaservice")?;
    asked.answer(&exchange(&inbound), |service| allowed.contains(&&*service.id.code))
}

fn json(draft: &Draft) -> Value {
    serde_json::from_slice(&draft.body).unwrap()
}

fn codes(methods: &Value) -> Vec<&str> {
    let services = methods["service"].as_array().unwrap();
    services.iter().map(|service| service["service_code"].as_str().unwrap()).collect()
}

#[test]
fn methods_are_listed_with_their_endpoints() {
    let reply = ask("listMethods", "", &[]).unwrap();
    assert!(reply.headers.iter().any(|(name, _)| *name == "x-road-request-hash"));
    let methods = json(&reply);
    assert_eq!(codes(&methods), ["benefits", "history", "overlaps"]);
    let benefits = &methods["service"][0];
    assert_eq!(benefits["object_type"], "SERVICE");
    assert_eq!(benefits["service_type"], "OPENAPI");
    assert_eq!(benefits["subsystem_code"], "welfare");
    let endpoints = benefits["endpoint_list"].as_array().unwrap();
    let endpoints: Vec<_> =
        endpoints.iter().map(|one| format!("{} {}", one["method"], one["path"])).collect();
    let wanted = [r#""POST" "/applications""#, r#""PUT" "/*/end""#, r#""POST" "/""#];
    assert_eq!(endpoints, wanted);
}

#[test]
fn allowed_methods_are_those_that_a_policy_allows() {
    let providers = providers();
    let inbound = get("/r1/KR/GOV/NARU/welfare/allowedMethods", "");
    let asked = providers.metadata(&inbound).unwrap().unwrap();
    let probes = asked.probes();
    assert_eq!(probes.len(), 7, "one for each endpoint: access may differ between them");
    assert!(probes.iter().all(|probe| probe.claimed_member.as_deref() == Some("portal")));
    let methods = json(&ask("allowedMethods", "", &["history"]).unwrap());
    assert_eq!(codes(&methods), ["history"]);
    assert_eq!(codes(&json(&ask("allowedMethods", "", &[]).unwrap())), [""; 0]);
}

#[test]
fn a_description_is_of_one_service() {
    let document = json(&ask("getOpenAPI", "a=b&serviceCode=benefits", &[]).unwrap());
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/", "/applications", "/{benefit}/end"]);
    assert_eq!(document["servers"][0]["url"], "http://example.org/xroad-endpoint");
    let refused = |query: &str| ask("getOpenAPI", query, &[]).unwrap_err().code;
    assert_eq!(refused(""), "service-code-missing");
    assert_eq!(refused("serviceCode="), "service-code-missing");
    assert_eq!(refused("serviceCode=%zz"), "service-code-missing");
    assert_eq!(refused("serviceCode=other"), "unknown-service");
    assert_eq!(ask("getWsdl", "serviceCode=benefits", &[]).unwrap_err().code, "unknown-service");
}

#[test]
fn only_a_known_client_is_told_anything() {
    let providers = providers();
    let path = "/r1/KR/GOV/NARU/welfare/listMethods";
    let refused = |inbound: &Inbound| providers.metadata(inbound).unwrap().err().unwrap().code;
    let mut stranger = get(path, "");
    stranger.attributes.insert("x-road-client".into(), "KR/COM/OTHER/portal".into());
    assert_eq!(refused(&stranger), "unknown-client");
    stranger.attributes.remove("x-road-client");
    assert_eq!(refused(&stranger), "client-missing");
    let elsewhere = get("/r1/KR/GOV/OTHER/welfare/listMethods", "");
    assert_eq!(refused(&elsewhere), "unknown-provider");
    let mut posted = get(path, "");
    posted.attributes.insert(":method".into(), "POST".into());
    assert!(providers.metadata(&posted).is_none());
    assert!(providers.metadata(&get("/r1/KR/GOV/NARU/welfare/overlaps", "")).is_none());
}

#[test]
fn a_call_for_nobody_is_refused_as_xroad_does() {
    let providers = providers();
    for (path, error) in [
        ("/r1/KR/GOV/OTHER/welfare/overlaps", "Server.ClientProxy.UnknownMember"),
        ("/r1/KR/GOV/NARU/welfare", "Client.BadRequest"),
        ("/r1/KR/GOV/NARU/../overlaps", "Client.BadRequest"),
        ("/r1/KR/GOV/NARU/%2e%2e/overlaps", "Client.BadRequest"),
        ("/r1//GOV/NARU/welfare/overlaps", "Client.BadRequest"),
    ] {
        let inbound = get(path, "");
        let fault = providers.decode(&inbound).unwrap_err();
        let draft = providers.refuse(&exchange(&inbound), &fault);
        assert_eq!(json(&draft)["type"], error, "{path}");
        assert_eq!(draft.status, if error.starts_with("Client") { 400 } else { 500 });
        assert_eq!(json(&draft)["detail"], Uuid::nil().to_string());
    }
}

#[test]
fn clients_are_listed_in_both_forms() {
    let providers = providers();
    let (media_type, text) = providers.list_clients("application/json", None);
    assert_eq!(media_type, "application/json;charset=utf-8");
    let clients: Value = serde_json::from_str(&text).unwrap();
    let members = clients["member"].as_array().unwrap();
    assert_eq!(members.len(), 8, "four subsystems and the members they are of");
    let of = |object: &str| members.iter().filter(|one| one["id"]["object_type"] == object).count();
    assert_eq!((of("MEMBER"), of("SUBSYSTEM")), (4, 4));
    assert!(members.iter().any(|one| one["name"] == "보건 <복지>"));
    for accept in ["", "text/xml", "*/*"] {
        let (media_type, text) = providers.list_clients(accept, None);
        assert_eq!(media_type, "text/xml;charset=utf-8");
        assert!(text.contains("<xrd:name>보건 &lt;복지&gt;</xrd:name>"), "{text}");
        assert_eq!(text.matches("<xrd:member>").count(), 8);
    }
    let (_, none) = providers.list_clients("application/json", Some("EE"));
    assert_eq!(none, r#"{"member":[]}"#);
}

#[test]
fn an_error_type_is_a_status_or_of_xroads_three_origins() {
    assert_eq!(ErrorType::parse("409"), Ok(ErrorType::Provider(409)));
    let own = "Server.ServerProxy.ServiceFailed.Late";
    assert_eq!(ErrorType::parse(own), Ok(ErrorType::Gateway(own.to_owned())));
    for bad in ["", "200", "600", "Server.", "Server.Other.X", "Client.", "Client.a b", "client.A"]
    {
        assert!(ErrorType::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_first_known_media_type_is_taken() {
    for (accept, form) in [
        ("", Form::Json),
        ("image/png", Form::Json),
        ("text/html, text/*;q=0.5", Form::Xml),
        ("Application/XML", Form::Xml),
        ("application/problem+json, */*", Form::Problem),
        ("*/*, text/xml", Form::Json),
    ] {
        assert_eq!(Form::accepted(accept), form, "{accept}");
    }
}
