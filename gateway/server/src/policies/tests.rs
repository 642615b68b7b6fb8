use std::collections::BTreeMap;

use gateway_core::caller::Means;
use gateway_core::policy::Asked;
use gateway_core::{AccessRequest, Assurance, Endpoint, MemberId, Operation, ServiceId};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::test_support::{caller, envelope};

fn load(text: &str) -> Result<Policies, Vec<Problem>> {
    Policies::parse("test", &[PolicyFile { name: "a.cedar".into(), text: text.into() }])
}

fn request() -> AccessRequest {
    let now = "2026-03-02T00:30:00Z".parse().unwrap();
    AccessRequest::of(&Asked { caller: &caller("mohw"), envelope: &envelope(), address: None, now })
}

fn decide(text: &str) -> (bool, Vec<String>) {
    let Decision { allowed, policies } = load(text).unwrap().decide(&request()).unwrap();
    (allowed, policies)
}

const ALLOW: &str = r#"@id("allow") permit(principal == Naru::Member::"mohw", action,
    resource in Naru::Sector::"practice");"#;

#[test]
fn access_is_denied_unless_a_policy_allows_and_none_forbids() {
    assert_eq!(decide(ALLOW), (true, vec!["allow".to_owned()]));
    let other = r#"@id("o") permit(principal == Naru::Member::"other", action, resource);"#;
    assert_eq!(decide(other), (false, vec![]));
    let strict = r#"@id("strict") forbid(principal, action, resource)
        when { context.assurance < 2 };"#;
    assert_eq!(decide(&[ALLOW, strict].concat()), (false, vec!["strict".to_owned()]));
}

#[test]
fn a_policy_that_cannot_be_right_is_refused_at_load() {
    for (bad, why) in [
        ("permit(principal, action, resource);", "@id"),
        (r#"@id("a b") permit(principal, action, resource);"#, "letters"),
        (r#"@id("x") permit(principal, action, resource) when { context.colour == 1 };"#, "colour"),
        (
            r#"@id("x") permit(principal, action, resource) when { context.purpose == "p" };"#,
            "purpose",
        ),
        (r#"@id("x") permit(principal == Naru::Person::"p", action, resource);"#, "Person"),
        (r#"@id("x") permit(principal == ?principal, action, resource);"#, "templates"),
        ("permit(", "unexpected"),
        ("// nothing", "no policy"),
    ] {
        let problems = load(bad).err().unwrap();
        assert!(problems.iter().any(|p| p.message.contains(why)), "{bad}: {problems:?}");
    }
    let twice = load(&[ALLOW, ALLOW].concat()).err().unwrap();
    assert!(twice[0].message.contains("allow"), "{twice:?}");
}

#[test]
fn every_fact_that_the_schema_names_can_be_asked_for() {
    let everything = r#"@id("x") permit(principal, action, resource) when {
        principal has class && principal.class == "GOV" &&
        principal.hasTag("region") && principal.getTag("region") == "11" &&
        context.means == "api-key" && context.assurance == 1 &&
        context has subsystem && context.subsystem == "portal" &&
        context has purpose && context.purpose == "check" &&
        context has endpoint && context.endpoint.method == "GET" &&
        context.endpoint.path like "/history/*" &&
        context.time == datetime("2026-03-02T00:30:00Z") &&
        context.hour == 9 && context.weekday == 1 &&
        context.networks.contains("office") && context.exemptions.contains("pilot")
    };"#;
    let policies = load(everything).unwrap();
    let mut asked = request();
    assert!(!policies.decide(&asked).unwrap().allowed);
    asked.class = Some("GOV".into());
    asked.attributes = Arc::new(BTreeMap::from([("region".into(), "11".into())]));
    asked.subsystem = Some("portal".into());
    asked.purpose = Some("check".into());
    let (method, path) = ("GET".into(), "/history/{person}".into());
    asked.endpoint = Some(Arc::new(Endpoint { method, path }));
    asked.networks = vec!["office".into()];
    asked.exemptions = vec!["pilot".into()];
    assert!(policies.decide(&asked).unwrap().allowed);
    asked.time = "2026-03-02T15:30:00Z".parse().unwrap();
    assert!(!policies.decide(&asked).unwrap().allowed, "Tuesday, half past midnight, in Korea");
}

#[test]
fn a_decision_is_remembered_only_for_what_it_depended_on() {
    let office = r#"@id("office") permit(principal, action, resource)
        when { context.hour >= 9 && context.hour < 18 && context.networks.contains("office") };"#;
    let policies = load(office).unwrap();
    let mut asked = request();
    asked.networks = vec!["office".into()];
    for (time, allowed) in [("00:30", true), ("09:00", false), ("08:59", true), ("00:31", true)] {
        asked.time = format!("2026-03-02T{time}:00Z").parse().unwrap();
        assert_eq!(policies.decide(&asked).unwrap().allowed, allowed, "{time}");
    }
    asked.networks.clear();
    assert!(!policies.decide(&asked).unwrap().allowed);
    let class = r#"@id("gov") permit(principal, action, resource)
        when { principal has class && principal.class == "GOV" };"#;
    let policies = load(class).unwrap();
    for (class, allowed) in [("GOV", true), ("COM", false), ("GOV", true)] {
        asked.class = Some(class.into());
        assert_eq!(policies.decide(&asked).unwrap().allowed, allowed, "{class}");
    }
}

const MEMBERS: [&str; 3] = ["a", "b", "c"];
const SERVICES: [&str; 4] = ["s/x", "s/y", "t/x", "t/z"];

const CONDITIONS: [&str; 15] = [
    "true",
    "context.means == \"certificate\"",
    "context.assurance >= 2",
    "context has subsystem && context.subsystem == \"u\"",
    "context has purpose && [\"p\", \"q\"].contains(context.purpose)",
    "context has endpoint && context.endpoint.method == \"GET\"",
    "context has endpoint && context.endpoint.path like \"/x/*\"",
    "context.time < datetime(\"2026-03-02T12:00:00Z\")",
    "context.hour >= 9 && context.hour < 18",
    "context.weekday <= 5",
    "context.networks.contains(\"office\")",
    "context.exemptions.containsAny([\"pilot\", \"trial\"])",
    "principal has class && principal.class == \"GOV\"",
    "principal.hasTag(\"region\") && principal.getTag(\"region\") == \"11\"",
    // Overflows for all but midnight: a policy that fails does not count.
    "context.hour * 9223372036854775807 == 0",
];

fn policy() -> impl Strategy<Value = String> {
    let member = || select(&MEMBERS[..]);
    let principal = prop_oneof![
        Just("principal".to_owned()),
        Just("principal is Naru::Member".to_owned()),
        member().prop_map(|m| format!("principal == Naru::Member::\"{m}\"")),
        member().prop_map(|m| format!("principal in Naru::Member::\"{m}\"")),
        member().prop_map(|m| format!("principal is Naru::Member in Naru::Member::\"{m}\"")),
    ];
    let action = select(vec![
        "action",
        "action == Naru::Action::\"query\"",
        "action in Naru::Action::\"submit\"",
        "action in [Naru::Action::\"query\", Naru::Action::\"submit\"]",
    ]);
    let resource = prop_oneof![
        Just("resource".to_owned()),
        Just("resource is Naru::Service".to_owned()),
        Just("resource in Naru::Sector::\"s\"".to_owned()),
        Just("resource is Naru::Service in Naru::Sector::\"t\"".to_owned()),
        select(&SERVICES[..]).prop_map(|s| format!("resource == Naru::Service::\"{s}\"")),
        select(&SERVICES[..]).prop_map(|s| format!("resource in Naru::Service::\"{s}\"")),
    ];
    let condition = (select(vec!["when", "unless"]), select(&CONDITIONS[..]))
        .prop_map(|(kind, condition)| format!("{kind} {{ {condition} }}"));
    let conditions = prop::collection::vec(condition, 0..3);
    let effect = select(vec!["permit", "permit", "forbid"]);
    (effect, principal, action, resource, conditions).prop_map(|(effect, p, a, r, conditions)| {
        format!("{effect}({p}, {a}, {r}) {};", conditions.join(" "))
    })
}

fn policies() -> impl Strategy<Value = String> {
    prop::collection::vec(policy(), 1..30).prop_map(|policies| {
        let named = policies.iter().enumerate();
        named.map(|(at, policy)| format!("@id(\"p{at}\") {policy}\n")).collect()
    })
}

fn maybe(names: &'static [&'static str]) -> impl Strategy<Value = Option<Arc<str>>> {
    prop::option::of(select(names).prop_map(Arc::from))
}

fn some(names: &'static [&'static str]) -> impl Strategy<Value = Vec<Arc<str>>> {
    subsequence(names, 0..=names.len()).prop_map(|names| names.into_iter().map(Arc::from).collect())
}

fn requests() -> impl Strategy<Value = AccessRequest> {
    let who = (select(&MEMBERS[..]), maybe(&["GOV", "COM"]), maybe(&["11", "26"]), maybe(&["u"]));
    let what = (select(&SERVICES[..]), any::<bool>(), maybe(&["GET", "POST"]), maybe(&["p", "r"]));
    let means = select(vec![Means::Certificate, Means::ApiKey, Means::Folder]);
    let how = (means, any::<bool>(), 0..14_i64 * 24);
    let around = (some(&["office", "vpn"]), some(&["pilot", "trial", "other"]));
    (who, what, how, around).prop_map(|(who, what, how, around)| {
        let (member, class, region, subsystem) = who;
        let (service, submits, method, purpose) = what;
        let (means, sure, hours) = how;
        let (sector, code) = service.split_once('/').unwrap();
        let region = region.map(|region| ("region".to_owned(), (*region).to_owned()));
        let path: Arc<str> = format!("/{code}/{{id}}").into();
        let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        AccessRequest {
            member: MemberId(member.into()),
            class,
            state: gateway_core::member::MemberState::Active,
            attributes: Arc::new(region.into_iter().collect()),
            subsystem,
            service: ServiceId { sector: sector.into(), code: code.into() },
            operation: if submits { Operation::Submit } else { Operation::Query },
            endpoint: method.map(|method| Arc::new(Endpoint { method, path })),
            purpose,
            means,
            assurance: if sure { Assurance::Substantial } else { Assurance::Low },
            time: start + jiff::SignedDuration::from_hours(hours),
            networks: around.0,
            exemptions: around.1,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_answer_is_cedars_over_the_whole_set(
        text in policies(),
        asked in prop::collection::vec(requests(), 1..30),
    ) {
        let policies = load(&text).unwrap();
        for round in 0..2 {
            for request in &asked {
                let whole = policies.decide_by_all(request).unwrap();
                prop_assert_eq!(policies.decide(request).unwrap(), whole, "{} {:?}", round, request);
            }
        }
    }
}
