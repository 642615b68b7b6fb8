//! Consents by the `naru consent` command and the APIs for operators, offices and recipients.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use integration_tests::{configure, naru, prepare, root, start};
use reqwest::Client;
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::{Value, json};

/// Runs `naru consent` with the operator's key; `input` goes to its standard input.
fn consent(world: &World, arguments: &[&str], input: &str) -> Result<Value, String> {
    let mut run = Command::new(naru())
        .args(["consent", "--admin", &world.admin_url(), "--key"])
        .arg(world.layout().path("keys/operator.api-key"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    run.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = run.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

fn grant(world: &World, recipient: &str, item: &str, resident: &str) -> Result<Value, String> {
    let until = ["--until", "2099-01-01T00:00:00+09:00"];
    let terms = ["--sector", "welfare", "--purpose", "welfare-eligibility"];
    let named = ["grant", "--recipient", recipient, "--item", item];
    consent(world, &[&named[..], &terms[..], &until[..]].concat(), resident)
}

async fn history(world: &World) -> (u16, Value) {
    let response = Client::new()
        .post(format!("{}/v1/welfare/history", world.http_url()))
        .header("x-api-key", world.api_keys().mohw.expose())
        .json(&json!({ "residentNumber": HONG.resident_number, "group": "housing" }))
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_cut_to_what_the_person_agreed_to_until_it_is_withdrawn() {
    let (world, _folder) = start(None).await;
    assert_eq!(history(&world).await.0, 403);

    let granted = grant(&world, "mohw", "benefit-count", HONG.resident_number).unwrap();
    assert!(granted["receipt"].as_str().unwrap().len() > 100);
    assert_eq!(history(&world).await, (200, json!({ "count": 0 })), "the details are not covered");
    grant(&world, "city-a", "benefit-details", HONG.resident_number).unwrap();
    assert_eq!(history(&world).await.1, json!({ "count": 0 }), "another's consent covers nothing");
    grant(&world, "mohw", "benefit-details", HONG.resident_number).unwrap();

    let listed = consent(&world, &["list", "--recipient", "mohw"], "").unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(HONG.resident_number), "persons are pseudonyms");
    for row in listed.as_array().unwrap() {
        consent(&world, &["withdraw", row["id"].as_str().unwrap()], "").unwrap();
    }
    let (status, problem) = history(&world).await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("consent-withdrawn")));
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_consent_to_is_refused_and_says_why() {
    let (world, _folder) = start(None).await;
    for (recipient, item, resident, why) in [
        ("nobody", "benefit-count", HONG.resident_number, "not a member"),
        ("mohw", "shoe-size", HONG.resident_number, "items must name items"),
        ("mohw", "benefit-count", "123", "resident registration number"),
    ] {
        let refused = grant(&world, recipient, item, resident).unwrap_err();
        assert!(refused.contains(why), "{refused}");
        assert!(!refused.contains(HONG.resident_number));
    }
    let unknown = consent(&world, &["withdraw", "00000000-0000-0000-0000-000000000000"], "");
    assert!(unknown.unwrap_err().contains("no consent with this id"));
    let consents = format!("{}/admin/consents?recipient=mohw", world.admin_url());
    let stranger = Client::new().get(consents).bearer_auth("guess").send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    assert_eq!(history(&world).await.0, 403, "nothing was recorded");
    world.stop().await.unwrap();
}

/// City A takes consents on paper.
fn office(world: &World, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
    let url = format!("{}/consents{path}", world.http_url());
    Client::new().request(method, url).header("x-api-key", world.api_keys().city_a.expose())
}

fn terms(change: Value) -> Value {
    let mut terms = json!({
        "sector": "welfare",
        "resident": HONG.resident_number,
        "recipient": "mohw",
        "purpose": "welfare-eligibility",
        "items": ["benefit-count", "benefit-details"],
        "valid_until": "2099-01-01T00:00:00Z",
        "evidence": "paper 2026-17",
    });
    terms.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    terms
}

async fn granted(world: &World, change: Value) -> Value {
    let request = office(world, reqwest::Method::POST, "").json(&terms(change));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 201, "{response:?}");
    response.json().await.unwrap()
}

async fn of_office(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_grants_narrows_and_withdraws_on_paper_and_each_change_is_chained() {
    use reqwest::Method;
    let (world, _folder) = start(None).await;
    let done = granted(&world, json!({})).await;
    let id = done["id"].as_str().unwrap().to_owned();
    let narrowing = json!({ "narrowing": { "items": ["benefit-count"] }, "evidence": "paper 18" });
    let path = format!("/{id}/narrow");
    let (status, narrowed) = of_office(office(&world, Method::POST, &path).json(&narrowing)).await;
    assert_eq!((status, narrowed["revision"].as_u64()), (200, Some(2)));
    assert_eq!(history(&world).await, (200, json!({ "count": 0 })));
    let wider = json!({ "narrowing": { "items": ["benefit-details"] } });
    let (status, _) = of_office(office(&world, Method::POST, &path).json(&wider)).await;
    assert_eq!(status, 400, "never to something else");
    let path = format!("/{id}/withdraw");
    let (status, withdrawn) = of_office(office(&world, Method::POST, &path)).await;
    assert_eq!(status, 200);
    let (_, again) = of_office(office(&world, Method::POST, &path)).await;
    assert_eq!(again, withdrawn, "the first withdrawal stands");

    let shown = consent(&world, &["show", &id], "").unwrap();
    assert_eq!(shown["event_state"], "withdrawn");
    assert_eq!(shown["schema_version"], "ISO/IEC TS 27560:2023");
    assert_eq!(shown["lawful_basis"]["ko"].as_str().map(|law| law.contains("제17조")), Some(true));
    assert!(!shown.to_string().contains(HONG.resident_number));
    let events = consent(&world, &["history", &id], "").unwrap();
    let events = events.as_array().unwrap();
    let types: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["grant", "narrow", "withdraw"]);
    for pair in events.windows(2) {
        let after: Value = serde_json::from_str(pair[1]["revision"].as_str().unwrap()).unwrap();
        assert_eq!(after["previous"], pair[0]["hash"]);
    }
    for event in events {
        assert_eq!(event["office"], "city-a");
        assert_eq!(event["proof"]["assurance"], "low");
        assert!(event["receipt"].as_str().unwrap().len() > 100);
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_knows_a_consent_by_its_reference_alone() {
    use reqwest::Method;
    let (world, _folder) = start(None).await;
    let done = granted(&world, json!({})).await;
    let (id, reference) = (done["id"].as_str().unwrap(), done["reference"].as_str().unwrap());
    let ask = async |key: &str, path: &str| {
        let url = format!("{}/consents{path}", world.http_url());
        of_office(Client::new().get(url).header("x-api-key", key)).await
    };
    let keys = world.api_keys();
    let path = format!("/references/{reference}");
    let (status, seen) = ask(keys.mohw.expose(), &path).await;
    assert_eq!((status, &seen["live"]), (200, &json!(true)));
    assert!(seen["as_of"].is_string() && seen.get("id").is_none(), "{seen}");
    assert_eq!(ask(keys.portal.expose(), &path).await.0, 404, "another recipient's is not there");
    assert_eq!(ask(keys.mohw.expose(), &format!("/{id}")).await.0, 403, "no office for paper");
    let (_, own) = ask(keys.mohw.expose(), "").await;
    assert_eq!(own[0]["reference"], reference);
    let nobody = Client::new().get(format!("{}/consents", world.http_url())).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    of_office(office(&world, Method::POST, &format!("/{id}/withdraw"))).await;
    assert_eq!(ask(keys.mohw.expose(), &path).await.1["live"], false);
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_used_as_often_as_agreed() {
    let (world, _folder) = start(None).await;
    granted(&world, json!({ "limit": "once", "items": ["benefit-count"] })).await;
    assert_eq!(history(&world).await.0, 200);
    let (status, problem) = history(&world).await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("consent-used-up")));
    let limit = json!({ "periodic": { "unit": "hour", "value": 2 } });
    granted(&world, json!({ "limit": limit })).await;
    for wanted in [200, 200, 403] {
        assert_eq!(history(&world).await.0, wanted);
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_grants_within_the_delegation_and_no_longer() {
    use reqwest::Method;
    let (world, _folder) = start(None).await;
    let delegation = |until: &str| {
        json!({ "acted_by": "delegate", "valid_until": "2098-01-01T00:00:00Z", "delegation": {
            "role": "guardian",
            "delegate": "700101-1234567",
            "valid_until": until,
            "evidence": "register of families 5",
        } })
    };
    let short = terms(delegation("2097-01-01T00:00:00Z"));
    let (status, problem) = of_office(office(&world, Method::POST, "").json(&short)).await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (403, Some("urn:naru:fault:delegation-missing"))
    );
    let done = granted(&world, delegation("2098-01-01T00:00:00Z")).await;
    let shown = consent(&world, &["show", done["id"].as_str().unwrap()], "").unwrap();
    assert_eq!(shown["delegation"]["role"], "guardian");
    assert_eq!(shown["events"][0]["acted_by"], "delegate");
    assert!(!shown.to_string().contains("700101"));
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_of_other_systems_are_imported_by_their_own_names() {
    let (world, folder) = start(None).await;
    let file = folder.path().join("artefact.json");
    let artefact = json!({
        "consentStart": "2026-01-01T00:00:00Z",
        "consentExpiry": "2099-01-01T00:00:00Z",
        "consentMode": "STORE",
        "fetchType": "PERIODIC",
        "Purpose": { "code": "welfare-eligibility", "text": "eligibility" },
        "DataLife": { "unit": "YEAR", "value": 1 },
        "Frequency": { "unit": "MONTH", "value": 3 },
        "DataConsumer": { "id": "mohw" },
        "fiTypes": ["benefit-count"],
    });
    let import = |text: &Value| {
        std::fs::write(&file, text.to_string()).unwrap();
        let arguments = ["import", "--sector", "welfare", file.to_str().unwrap()];
        consent(&world, &arguments, HONG.resident_number)
    };
    let imported = import(&artefact).unwrap();
    let shown = consent(&world, &["show", imported["id"].as_str().unwrap()], "").unwrap();
    assert_eq!(shown["limit"], json!({ "periodic": { "unit": "month", "value": 3 } }));
    assert_eq!(shown["validity"]["from"], "2026-01-01T00:00:00Z");

    let again = import(&shown).unwrap();
    let second = consent(&world, &["show", again["id"].as_str().unwrap()], "").unwrap();
    for same in ["principal_id", "purpose", "items", "recipients", "validity", "limit"] {
        assert_eq!(second[same], shown[same], "{same}");
    }
    let mut short = artefact.clone();
    short["DataLife"] = json!({ "unit": "DAY", "value": 1 });
    assert!(import(&short).unwrap_err().contains("DataLife"));
    let mut viewed = artefact.clone();
    viewed["consentMode"] = json!("VIEW");
    assert!(import(&viewed).unwrap_err().contains("consentMode"));
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_checked_by_a_library_not_written_here_with_the_public_key_alone() {
    let (world, _folder) = start(None).await;
    let done = granted(&world, json!({})).await;
    let id = done["id"].as_str().unwrap();
    let signed = consent(&world, &["receipt", id], "").unwrap();
    let python = root().join("integration-tests/clients/.venv/bin/python");
    let script = root().join("integration-tests/clients/receipt.py");
    let check = |input: &Value| {
        let mut run = Command::new(&python)
            .arg(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`make deps` installs Python's packages");
        run.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
        let output = run.wait_with_output().unwrap();
        output.status.success().then(|| serde_json::from_slice::<Value>(&output.stdout).unwrap())
    };
    let claims = check(&signed).expect("the receipt is genuine");
    assert_eq!(claims["record"]["record_id"], id);
    assert_eq!(claims["evidence"], done["receipt"]);
    let mut forged = signed.clone();
    let text = signed["receipt"].as_str().unwrap();
    let place = text.len() / 2;
    let other = if &text[place..=place] == "A" { "B" } else { "A" };
    forged["receipt"] = format!("{}{other}{}", &text[..place], &text[place + 1..]).into();
    assert_eq!(check(&forged), None);
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_holds_for_requests_that_wait_in_the_queue() {
    let (mut world, _folder) = prepare(|_| {}).await;
    configure(&world, |table| {
        table["queue"]["attempts"] = 1_000.into();
        table["queue"]["longest_retry_seconds"] = 1.into();
    });
    world.start_gateway().await.unwrap();
    let done = granted(&world, json!({})).await;
    let ask = |world: &World| {
        Client::new()
            .post(format!("{}/v1/welfare/history", world.http_url()))
            .header("x-api-key", world.api_keys().mohw.expose())
            .header("prefer", "respond-async")
            .json(&json!({ "residentNumber": HONG.resident_number, "group": "housing" }))
    };
    // Nobody answers at the backend's new address, so the request waits.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    configure(&world, |table| {
        table["backend"][0]["url"] = format!("http://{nobody}").into();
    });
    let reload = Client::new().post(format!("{}/admin/reload", world.admin_url()));
    let reloaded = reload.bearer_auth(world.api_keys().operator.expose()).send().await.unwrap();
    assert_eq!(reloaded.status(), 200);
    let taken = ask(&world).send().await.unwrap();
    assert_eq!(taken.status(), 202);
    let location = taken.headers()["location"].to_str().unwrap().to_owned();
    let path = format!("/{}/withdraw", done["id"].as_str().unwrap());
    assert_eq!(of_office(office(&world, reqwest::Method::POST, &path)).await.0, 200);
    let (status, problem) = loop {
        let url = format!("{}{location}", world.http_url());
        let key = world.api_keys().mohw.expose();
        let reply = Client::new().get(url).header("x-api-key", key).send().await.unwrap();
        if reply.status() != 202 {
            break (reply.status().as_u16(), reply.json::<Value>().await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((status, problem["code"].as_str()), (403, Some("consent-withdrawn")));
    world.stop().await.unwrap();
}

/// Two gateways with a ledger each, which share the consents and the keys that name persons.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_at_one_gateway_holds_at_once_at_another_on_the_same_file() {
    let (mut here, folder) = prepare(|_| {}).await;
    let (mut there, _other) = prepare(|_| {}).await;
    let shared = folder.path().join("consents.sqlite");
    for world in [&here, &there] {
        configure(world, |table| {
            let consent = table["consent"].as_table_mut().unwrap();
            consent.insert("store".to_owned(), shared.to_str().unwrap().into());
        });
    }
    let key = "keys/welfare.key";
    std::fs::copy(here.layout().path(key), there.layout().path(key)).unwrap();
    here.start_gateway().await.unwrap();
    there.start_gateway().await.unwrap();

    assert_eq!(history(&there).await.0, 403, "having none is remembered");
    for _ in 0..5 {
        let done = granted(&here, json!({})).await;
        assert_eq!(history(&there).await.0, 200);
        let path = format!("/{}/withdraw", done["id"].as_str().unwrap());
        of_office(office(&here, reqwest::Method::POST, &path)).await;
        assert_eq!(history(&there).await.0, 403);
    }
    here.stop().await.unwrap();
    there.stop().await.unwrap();
}
