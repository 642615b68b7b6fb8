//! Cedar's own build, from npm, decides the same requests over the same policies and schema: what the
//! index finds and what is remembered changes no answer.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use integration_tests::root;
use naru::policies::cases::WrittenRequest;
use naru::policies::{Policies, SCHEMA};
use serde_json::{Value, json};

/// Asks for every fact of the schema, beside the shipped policies.
const EXTRA: [(&str, &str); 5] = [
    (
        "office-hours",
        r#"permit(principal, action == Naru::Action::"query", resource)
        when { context.hour >= 9 && context.hour < 18 && context.weekday <= 5 &&
               context.networks.contains("office") };"#,
    ),
    (
        "pilot",
        r#"permit(principal, action, resource in Naru::Sector::"welfare")
        when { context.exemptions.contains("pilot") &&
               context.time < datetime("2026-03-02T12:00:00Z") };"#,
    ),
    (
        "south",
        r#"permit(principal, action, resource == Naru::Service::"welfare/history")
        when { principal has class && principal.class == "GOV" &&
               principal.hasTag("region") && principal.getTag("region") == "south" };"#,
    ),
    (
        "no-ends",
        r#"forbid(principal, action, resource)
        when { context has endpoint && context.endpoint.path like "*/end" };"#,
    ),
    (
        "test-systems",
        r#"forbid(principal in Naru::Member::"city-a", action, resource)
        when { context has subsystem && context.subsystem == "test" };"#,
    ),
];

/// The policies as one text for each id, as Cedar's interface takes them.
fn policies(folder: &Path) -> Value {
    let mut all = serde_json::Map::new();
    for file in ["population.cedar", "welfare.cedar"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        for part in text.split("@id(\"").skip(1) {
            let (id, policy) = part.split_once("\")").unwrap();
            all.insert(id.to_owned(), policy.into());
        }
    }
    all.extend(EXTRA.map(|(id, text)| (id.to_owned(), text.into())));
    all.into()
}

/// A request as a person writes it, with every combination of what policies look at.
fn requests() -> Vec<Value> {
    let mut all = Vec::new();
    let services = [
        ("welfare/overlapCheck", "query"),
        ("welfare/history", "query"),
        ("welfare/benefitEnd", "submit"),
        ("population/residentRecord", "query"),
    ];
    let around = [
        json!({}),
        json!({ "networks": ["office"], "exemptions": ["pilot"], "class": "GOV" }),
        json!({ "time": "2026-03-02T13:00:00.250Z", "exemptions": ["pilot", "other"],
                "endpoint": { "method": "POST", "path": "/benefits/{benefit}/end" } }),
        json!({ "time": "2026-03-07T02:00:00Z", "networks": ["office", "vpn"],
                "class": "GOV", "attributes": { "region": "south" }, "subsystem": "test" }),
    ];
    for member in ["mohw", "city-a", "city-b", "portal", "stranger"] {
        for (service, operation) in services {
            for means in ["certificate", "api-key", "folder"] {
                for around in &around {
                    let mut request = around.clone();
                    let parts = [
                        ("member", member),
                        ("service", service),
                        ("operation", operation),
                        ("means", means),
                    ];
                    for (name, value) in parts {
                        request[name] = value.into();
                    }
                    all.push(request);
                }
            }
        }
    }
    all
}

/// The same in Cedar's terms, written out by hand.
fn in_cedars_terms(request: &Value) -> Value {
    let text = |name: &str| request[name].as_str().unwrap();
    let time = request["time"].as_str().unwrap_or("2026-03-02T00:30:00Z");
    let (hour, weekday) = match time {
        "2026-03-02T00:30:00Z" => (9, 1),
        "2026-03-02T13:00:00.250Z" => (22, 1),
        "2026-03-07T02:00:00Z" => (11, 6),
        other => panic!("{other}"),
    };
    let full = if time.contains('.') { time.to_owned() } else { time.replace('Z', ".000Z") };
    let uid = |kind: &str, id: &str| json!({ "type": format!("Naru::{kind}"), "id": id });
    let (sector, _) = text("service").split_once('/').unwrap();
    let mut context = json!({
        "means": text("means"),
        "assurance": if text("means") == "certificate" { 2 } else { 1 },
        "time": { "__extn": { "fn": "datetime", "arg": full } },
        "hour": hour,
        "weekday": weekday,
        "networks": request.get("networks").cloned().unwrap_or(json!([])),
        "exemptions": request.get("exemptions").cloned().unwrap_or(json!([])),
    });
    for optional in ["endpoint", "subsystem"] {
        if let Some(value) = request.get(optional) {
            context[optional] = value.clone();
        }
    }
    let class = request.get("class").map_or(json!({}), |class| json!({ "class": class }));
    let tags = request.get("attributes").cloned().unwrap_or(json!({}));
    let (member, service) = (uid("Member", text("member")), uid("Service", text("service")));
    json!({
        "principal": member,
        "action": uid("Action", text("operation")),
        "resource": service,
        "context": context,
        "entities": [
            { "uid": member, "attrs": class, "parents": [], "tags": tags },
            { "uid": service, "attrs": {}, "parents": [uid("Sector", sector)] },
            { "uid": uid("Sector", sector), "attrs": {}, "parents": [] },
        ],
    })
}

fn cedar(question: &Value) -> Vec<Value> {
    let mut node = Command::new("node")
        .arg(root().join("integration-tests/clients/cedar.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn cedars_own_build_decides_the_same() {
    let shipped = root().join("sandbox/config/policies");
    let folder = tempfile::tempdir().unwrap();
    for file in ["population.cedar", "welfare.cedar"] {
        std::fs::copy(shipped.join(file), folder.path().join(file)).unwrap();
    }
    let extra: String = EXTRA.iter().map(|(id, text)| format!("@id(\"{id}\") {text}\n")).collect();
    std::fs::write(folder.path().join("extra.cedar"), extra).unwrap();
    let ours = Policies::load(folder.path()).unwrap();
    let requests = requests();
    let question = json!({
        "schema": SCHEMA,
        "policies": policies(&shipped),
        "requests": requests.iter().map(in_cedars_terms).collect::<Vec<_>>(),
    });
    let theirs = cedar(&question);
    assert_eq!(theirs.len(), requests.len());
    let mut allowed = 0;
    for (request, theirs) in requests.iter().zip(&theirs) {
        let asked = WrittenRequest::parse(&request.to_string()).unwrap();
        for _ in 0..2 {
            let ours = serde_json::to_value(ours.decide(&asked).unwrap()).unwrap();
            assert_eq!(&ours, theirs, "{request}");
        }
        allowed += usize::from(theirs["allowed"] == true);
    }
    assert!(allowed > 20 && allowed < requests.len() - 20, "both answers occur: {allowed}");
}
