//! Every front carries a key under which a submit happens once: a repeat gets the first answer, the
//! key with another request is refused in the caller's format, and the ledger knows of it once.

use integration_tests::load::post;
use integration_tests::start;
use sandbox::callers::Identity;
use sandbox::callers::city_a::{CityA, Telegram};
use sandbox::callers::city_b;
use sandbox::callers::ministry::benefit_fields;
use sandbox::people::{BATCH, Benefit, Person, Programme};
use sandbox::world::World;
use serde_json::json;

/// One front's way to ask for a benefit.
struct Row {
    name: &'static str,
    person: Person,
    /// The code of an answer.
    done: &'static str,
    /// The code of a refusal because the key was used for another request.
    reused: &'static str,
}

const ROWS: [Row; 4] = [
    Row { name: "REST", person: BATCH[0], done: "200", reused: "422" },
    Row { name: "SOAP", person: BATCH[1], done: "0000", reused: "3001" },
    Row { name: "telegram", person: BATCH[2], done: "0000", reused: "9001" },
    Row { name: "batch", person: BATCH[3], done: "0000", reused: "9001" },
];

/// Asks for a benefit of `amount` under `key`, for the `attempt`-th time: the code, and what the
/// answer says of the benefit.
async fn ask(world: &World, row: &Row, key: u32, amount: u64, attempt: u32) -> (String, String) {
    let benefit = Benefit {
        person: row.person,
        programme: Programme::YouthRent,
        from: "2026-01-01",
        to: "2026-12-31",
        monthly_amount: amount,
    };
    match row.name {
        "REST" => {
            let request = json!({
                "residentNumber": row.person.resident_number, "name": row.person.name,
                "programme": "youth-rent", "from": benefit.from, "to": benefit.to,
                "monthlyAmount": amount,
            });
            let (status, body) =
                post(world, "benefitGrant", Some(&format!("key-{key}")), &request).await;
            (status.to_string(), body["benefit"].to_string())
        }
        "SOAP" => {
            let fields = benefit_fields(&format!("KEY-{key}"), &benefit, None);
            let ministry = world.ministry(Identity::Mohw).unwrap();
            let reply = ministry.call("benefitApply", &fields).await.unwrap();
            (reply.code.clone(), format!("{:?}", reply.fields))
        }
        "telegram" => {
            let api_key = world.api_keys().city_a.expose();
            let telegram = Telegram::benefit_grant(api_key, key, &benefit).unwrap();
            let mut city = CityA::connect(world.ports().telegram).await.unwrap();
            let reply = city.call(&telegram).await.unwrap();
            (reply.code, format!("{:?}", reply.body))
        }
        _ => {
            // The same records under the same file id, handed over in another file.
            let content = city_b::grants(&format!("KEY{key}"), &[benefit]).unwrap();
            let name = format!("KEY{key}-{amount}-{attempt}");
            let result = world.city_b().hand_over(&name, &content).await.unwrap();
            (result.lines[0].code.clone(), result.lines[0].benefit.clone())
        }
    }
}

/// How many events the contract has written.
async fn events(world: &World) -> usize {
    let filter = json!([{ "fromBlock": "0x0", "address": world.contract().address }]);
    let logs = world.rpc().call("eth_getLogs", filter).await.unwrap();
    let of_benefits =
        |log: &&serde_json::Value| log["topics"].as_array().is_some_and(|t| t.len() > 2);
    logs.as_array().unwrap().iter().filter(of_benefits).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submit_happens_once_under_its_key_on_every_front() {
    let (world, _folder) = start(None).await;
    for row in &ROWS {
        let before = events(&world).await;
        let first = ask(&world, row, 7, 200_000, 1).await;
        assert_eq!(first.0, row.done, "{}: {}", row.name, first.1);
        let after = events(&world).await;
        assert_eq!(after, before + 1, "{}", row.name);

        let again = ask(&world, row, 7, 200_000, 2).await;
        assert_eq!(again, first, "{}: a repeat gets the first answer", row.name);
        let reused = ask(&world, row, 7, 300_000, 3).await;
        assert_eq!(reused.0, row.reused, "{}: {}", row.name, reused.1);
        assert_eq!(events(&world).await, after, "{}", row.name);
    }
    // The other formats cannot leave the key out: it is made of fields that they require.
    let request = json!({ "residentNumber": BATCH[0].resident_number });
    assert_eq!(post(&world, "benefitGrant", None, &request).await.0, 400);
    world.stop().await.unwrap();
}
