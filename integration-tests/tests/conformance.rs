//! One service, defined once in `services.yaml`, through every front, by clients not written here.
//! `docs/conformance.md` is this test's record: `UPDATE_CONFORMANCE=1` writes it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use integration_tests::{naru, root, start};
use sandbox::world::World;
use serde_json::Value;
use tokio::process::Command;

const PAGE: &str = "docs/conformance.md";
const MARK: &str =
    "<!-- the table below is written by integration-tests/tests/conformance.rs -->\n";

#[tokio::test(flavor = "multi_thread")]
async fn one_service_is_the_same_through_every_front() {
    let (world, _folder) = start(None).await;
    let mut table = String::from(
        "| Front | Client | No benefit | A benefit | A grant that overlaps is refused with | Receipts |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in ask(&world).await {
        let (front, client) = (text(&row["front"]), text(&row["client"]));
        assert_eq!(row["free"]["answer"], false, "{row:#}");
        assert_eq!(row["taken"]["answer"], true, "{row:#}");
        let mut verified = 0;
        for step in ["free", "taken", "refused"] {
            verify(&world, front, text(&row[step]["receipt"])).await;
            verified += 1;
        }
        let refusal = text(&row["refused"]["refusal"]);
        writeln!(table, "| {front} | {client} | no | yes | {refusal} | {verified} verified |")
            .unwrap();
    }
    world.stop().await.unwrap();

    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let (head, recorded) = page.split_once(MARK).expect("the page has its mark");
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        fs::write(root().join(PAGE), format!("{head}{MARK}{table}")).unwrap();
    } else {
        assert_eq!(recorded, table, "{PAGE} is out of date: run this with UPDATE_CONFORMANCE=1");
    }
}

async fn ask(world: &World) -> Vec<Value> {
    let clients = root().join("integration-tests/clients");
    let output = Command::new(clients.join(".venv/bin/python"))
        .arg(clients.join("conformance.py"))
        .arg(world.layout().path(""))
        .arg(root().join("mappings/proto"))
        .kill_on_drop(true)
        .output()
        .await
        .expect("`make deps` installs the clients");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn verify(world: &World, front: &str, receipt: &str) {
    let file = world.layout().path("receipt.txt");
    fs::write(&file, receipt).unwrap();
    let key = world.layout().path("keys/log.key.pub");
    let verified = run_verify(&key, &file).await;
    assert!(verified, "{front}: naru verify refuses {receipt:?}");
}

async fn run_verify(key: &Path, receipt: &Path) -> bool {
    let output = Command::new(naru()).args(["verify", "--key"]).arg(key).arg(receipt).output();
    output.await.unwrap().status.success()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}
