//! Access: a refusal names its rule in every format and in its entry; members come, go and are
//! suspended at once; acts want a second operator; recorded traffic is decided again by other policies.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use integration_tests::{configure, naru, prepare};
use naru::authenticate::sha256;
use reqwest::{Client, Response};
use sandbox::callers::Identity;
use sandbox::callers::city_a::{CityA, Telegram};
use sandbox::people::HONG;
use sandbox::world::World;
use serde_json::{Value, json};

/// A key as configurations and registrations name it.
fn digest(key: &str) -> String {
    let hex: String = sha256(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Runs `naru` as an operator, the world's own or one whose key is in a file: what it prints.
fn operate(world: &World, key: Option<&PathBuf>, arguments: &[&str]) -> Result<Value, String> {
    let own = world.layout().path("keys/operator.api-key");
    let output = Command::new(naru())
        .args(arguments)
        .args(["--admin", &world.admin_url(), "--key"])
        .arg(key.unwrap_or(&own))
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

/// The entry that a receipt proves, as `naru verify` prints it.
fn verified(world: &World, receipt: &str) -> Value {
    let file = world.layout().path("a.receipt");
    std::fs::write(&file, receipt).unwrap();
    let key = world.layout().path("keys/log.key.pub");
    let run = Command::new(naru()).arg("verify").arg("--key").arg(key).arg(file).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

async fn overlap_check(world: &World, key: &str) -> Response {
    let body = json!({
        "residentNumber": HONG.resident_number, "group": "housing",
        "from": "2026-06-01", "to": "2026-06-30",
    });
    let url = format!("{}/v1/welfare/overlapCheck", world.http_url());
    Client::new().post(url).header("x-api-key", key).json(&body).send().await.unwrap()
}

async fn code(world: &World, key: &str) -> (u16, String) {
    let response = overlap_check(world, key).await;
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

fn without_quota(world: &World) {
    configure(world, |table| drop(table.remove("quota")));
}

fn add_policy(world: &World, name: &str, text: &str) {
    std::fs::write(world.layout().path("policies").join(name), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_its_rule_in_every_format_and_its_receipt_proves_it() {
    let (mut world, _folder) = prepare(|_| {}).await;
    add_policy(
        &world,
        "closed.cedar",
        r#"@id("checks-are-closed") forbid(principal, action,
            resource == Naru::Service::"welfare/overlapCheck")
            unless { context.networks.contains("nowhere") };"#,
    );
    world.start_gateway().await.unwrap();
    let names = |receipt: &str| {
        let entry = verified(&world, receipt);
        assert_eq!(entry["outcome"], "Forbidden/policy-forbids");
        assert_eq!(entry["decision"]["policies"], json!(["checks-are-closed"]));
    };

    let response = overlap_check(&world, world.api_keys().portal.expose()).await;
    assert_eq!(response.status(), 403);
    let receipt = response.headers()["naru-receipt"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    assert!(body["detail"].as_str().unwrap().contains("checks-are-closed"), "{body}");
    names(&receipt);

    let fields = [
        ("residentNumber", HONG.resident_number.to_owned()),
        ("groupCode", "HOU".to_owned()),
        ("startDate", "2026-06-01".to_owned()),
        ("endDate", "2026-06-30".to_owned()),
    ];
    let ministry = world.ministry(Identity::Mohw).unwrap();
    let reply = ministry.call("overlapCheck", &fields).await.unwrap();
    assert!(reply.message.contains("checks-are-closed"), "{}", reply.message);
    names(&reply.receipt.unwrap());

    let key = world.api_keys().city_a.expose();
    let period = ("2026-06-01", "2026-06-30");
    let telegram = Telegram::overlap_check(key, 7, HONG, "20", period).unwrap();
    let mut city = CityA::connect(world.ports().telegram).await.unwrap();
    let reply = city.call(&telegram).await.unwrap();
    assert!(reply.message.contains("checks-are-closed"), "{}", reply.message);
    names(&reply.receipt.unwrap());

    let response = overlap_check(&world, "nobody's").await;
    let receipt = response.headers()["naru-receipt"].to_str().unwrap().to_owned();
    assert!(verified(&world, &receipt)["decision"].is_null(), "nothing was decided");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_applies_is_let_in_suspended_and_ends() {
    let (mut world, _folder) = prepare(|_| {}).await;
    add_policy(
        &world,
        "city-x.cedar",
        r#"@id("cities-of-the-south") permit(principal, action, resource in Naru::Sector::"welfare")
            when { principal has class && principal.class == "GOV" &&
                   principal.hasTag("region") && principal.getTag("region") == "south" };"#,
    );
    without_quota(&world);
    world.start_gateway().await.unwrap();
    let act = |arguments: &[&str]| operate(&world, None, &[&["member"][..], arguments].concat());
    let until = ["--until", "2099-01-01T00:00:00Z"];
    let add = |id: &str, key: &str, validity: &[&str]| {
        act(&[&["key", "add", id, "--api-key", &digest(key)][..], validity].concat())
    };

    let applied = act(&[
        "apply",
        "city-x",
        "--name",
        "City X",
        "--class",
        "GOV",
        "--attribute",
        "region=south",
    ]);
    let applied = applied.unwrap();
    assert_eq!(applied["state"], "applied");
    let entry = verified(&world, applied["receipt"].as_str().unwrap());
    assert_eq!(entry["act"], json!({ "name": "member.apply", "target": "city-x", "step": "done" }));
    assert_eq!(entry["caller"]["member"], "operator");
    add("city-x", "key-of-city-x", &until).unwrap();
    assert_eq!(code(&world, "key-of-city-x").await, (403, "member-applied".to_owned()));

    for refused in
        [&["resume", "city-x"][..], &["suspend", "city-x"], &["apply", "mohw", "--name", "M"]]
    {
        assert!(act(refused).is_err(), "{refused:?}");
    }
    act(&["activate", "city-x"]).unwrap();
    assert_eq!(code(&world, "key-of-city-x").await.0, 200);
    assert!(act(&["activate", "city-x"]).unwrap_err().contains("is active"));

    // A key belongs to one member, wherever it is registered; several of one hold at once.
    assert!(add("mohw", "key-of-city-x", &until).unwrap_err().contains("registered already"));
    let portals = world.api_keys().portal.expose();
    assert!(add("city-x", portals, &until).unwrap_err().contains("registered already"));
    add("city-x", "second-key", &until).unwrap();
    assert_eq!(code(&world, "second-key").await.0, 200);
    let past = ["--from", "2020-01-01T00:00:00Z", "--until", "2021-01-01T00:00:00Z"];
    add("city-x", "old-key", &past).unwrap();
    assert_eq!(code(&world, "old-key").await, (401, "credentials-expired".to_owned()));
    act(&["key", "revoke", "city-x", &digest("key-of-city-x")]).unwrap();
    assert_eq!(code(&world, "key-of-city-x").await, (401, "credentials-revoked".to_owned()));
    assert!(act(&["key", "revoke", "city-x", &digest("key-of-city-x")]).is_err());

    // A member of the configuration is suspended in the same way, at once and over a restart.
    assert_eq!(code(&world, portals).await.0, 200);
    act(&["suspend", "portal"]).unwrap();
    assert_eq!(code(&world, portals).await, (403, "member-suspended".to_owned()));
    act(&["end", "city-x"]).unwrap();
    let portals = portals.to_owned();
    world.kill_gateway().await.unwrap();
    world.start_gateway().await.unwrap();
    assert_eq!(code(&world, &portals).await, (403, "member-suspended".to_owned()));
    assert_eq!(code(&world, "second-key").await, (403, "member-ended".to_owned()));
    let act = |arguments: &[&str]| operate(&world, None, &[&["member"][..], arguments].concat());
    act(&["resume", "portal"]).unwrap();
    assert_eq!(code(&world, &portals).await.0, 200);
    assert!(act(&["resume", "city-x"]).is_err(), "it has ended for good");
    let all = act(&["list"]).unwrap();
    let states: Vec<_> = all.as_array().unwrap().iter().map(|member| &member["state"]).collect();
    assert!(states.contains(&&json!("ended")) && states.contains(&&json!("active")), "{all}");
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_waits_for_a_second_operator_over_a_restart() {
    let (mut world, folder) = prepare(|_| {}).await;
    let second = folder.path().join("second.key");
    std::fs::write(&second, "second-operator").unwrap();
    configure(&world, |table| {
        let admin = table["admin"].as_table_mut().unwrap();
        let keys = admin["keys"].as_array_mut().unwrap();
        let operator = [("name", "second".to_owned()), ("hash", digest("second-operator"))];
        let operator = operator.map(|(key, value)| (key.to_owned(), value.into()));
        keys.push(toml::Value::Table(operator.into_iter().collect()));
        admin.insert("four_eyes".into(), vec!["member.suspend".to_owned()].into());
    });
    without_quota(&world);
    world.start_gateway().await.unwrap();
    let key = world.api_keys().portal.expose().to_owned();

    let proposed = operate(&world, None, &["member", "suspend", "portal"]).unwrap();
    let id = proposed["act"]["id"].as_str().unwrap().to_owned();
    assert_eq!(proposed["act"]["state"], "proposed");
    let entry = verified(&world, proposed["receipt"].as_str().unwrap());
    assert_eq!((&entry["act"]["step"], &entry["exchange"]), (&json!("proposed"), &json!(id)));
    assert_eq!(code(&world, &key).await.0, 200, "it is not done yet");
    let own = operate(&world, None, &["act", "approve", &id]).unwrap_err();
    assert!(own.contains("whoever proposed"), "{own}");

    world.kill_gateway().await.unwrap();
    world.start_gateway().await.unwrap();
    let waiting = operate(&world, None, &["act", "list"]).unwrap();
    assert_eq!(waiting[0]["id"], json!(id));
    let approved = operate(&world, Some(&second), &["act", "approve", &id]).unwrap();
    let entry = verified(&world, approved["receipt"].as_str().unwrap());
    let wanted = json!({
        "name": "member.suspend", "target": "portal", "step": "approved", "proposer": "operator",
    });
    assert_eq!((&entry["act"], &entry["about"]), (&wanted, &json!(id)));
    assert_eq!(entry["caller"]["member"], "second");
    assert_eq!(code(&world, &key).await, (403, "member-suspended".to_owned()));
    let again = operate(&world, Some(&second), &["act", "approve", &id]).unwrap_err();
    assert!(again.contains("done already"), "{again}");

    operate(&world, None, &["member", "resume", "portal"]).unwrap();
    let proposed = operate(&world, None, &["member", "suspend", "portal"]).unwrap();
    let id = proposed["act"]["id"].as_str().unwrap();
    operate(&world, None, &["act", "reject", id]).unwrap();
    assert!(operate(&world, Some(&second), &["act", "approve", id]).is_err());
    assert_eq!(code(&world, &key).await.0, 200);
    world.stop().await.unwrap();
}

/// What `naru policy replay` says, once everything is archived.
async fn replay(world: &World, policies: &Path, replayed: u64) -> Value {
    let policies = policies.to_str().unwrap();
    loop {
        let arguments = ["policy", "replay", "--json", "--policies", policies];
        let found = operate(world, None, &arguments).unwrap();
        if found["replayed"].as_u64().unwrap() >= replayed {
            assert_eq!(found["replayed"], replayed);
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_lists_exactly_the_decisions_that_would_change() {
    let (mut world, folder) = prepare(|_| {}).await;
    without_quota(&world);
    world.start_gateway().await.unwrap();
    let (portal, mohw) = (world.api_keys().portal.expose(), world.api_keys().mohw.expose());
    for (key, status) in [(portal, 200), (mohw, 200), (portal, 200), ("nobody's", 401)] {
        assert_eq!(overlap_check(&world, key).await.status(), status);
    }
    let history = format!("{}/v1/welfare/history", world.http_url());
    let body = json!({ "residentNumber": HONG.resident_number, "group": "housing" });
    let refused = Client::new().post(history).header("x-api-key", portal).json(&body);
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let exchange = refused.headers()["naru-exchange"].to_str().unwrap().to_owned();

    let current = world.layout().path("policies");
    let same = replay(&world, &current, 4).await;
    assert_eq!((&same["changed"], &same["by_other_policies"]), (&json!([]), &json!(0)));

    let proposed = folder.path().join("proposed");
    std::fs::create_dir(&proposed).unwrap();
    std::fs::write(
        proposed.join("a.cedar"),
        r#"@id("ministry") permit(principal == Naru::Member::"mohw", action, resource);
        @id("portal-reads") permit(principal == Naru::Member::"portal", action,
            resource == Naru::Service::"welfare/history");"#,
    )
    .unwrap();
    let changed = replay(&world, &proposed, 4).await;
    let rows = changed["changed"].as_array().unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row["member"].as_str(), row["service"].as_str(), &row["would_be"]["allowed"]))
        .collect();
    let check = (Some("portal"), Some("welfare/overlapCheck"), &json!(false));
    assert_eq!(found, [check, check, (Some("portal"), Some("welfare/history"), &json!(true))]);
    assert_eq!(rows[2]["exchange"], json!(exchange));
    assert_eq!(changed["by_other_policies"], 1);
    let counted = json!({ "portal": { "newly_refused": 2, "newly_allowed": 1 } });
    assert_eq!(changed["members"], counted);

    let explained = ["policy", "explain", "--json", "--exchange", &exchange, "--policies"];
    let explained = [&explained[..], &[current.to_str().unwrap()]].concat();
    let explained = operate(&world, None, &explained).unwrap();
    assert_eq!(explained["decision"], json!({ "allowed": false, "policies": [] }));
    let near = explained["near"].as_array().unwrap();
    let near: Vec<_> = near.iter().map(|near| near["policy"].as_str().unwrap()).collect();
    assert!(near.contains(&"portal-overlap-check"), "{near:?}");

    // The archive alone says the same.
    let archive = world.layout().path("state/archive.sqlite");
    world.kill_gateway().await.unwrap();
    let offline = Command::new(naru())
        .args(["policy", "replay", "--json", "--policies"])
        .args([&*proposed, Path::new("--archive"), &*archive])
        .output()
        .unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&offline.stdout).unwrap(), changed);
    world.stop().await.unwrap();
}
