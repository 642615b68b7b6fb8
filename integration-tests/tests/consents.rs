//! Consents by the `naru consent` command and the admin API behind it.

use std::io::Write;
use std::process::{Command, Stdio};

use integration_tests::{naru, start};
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
