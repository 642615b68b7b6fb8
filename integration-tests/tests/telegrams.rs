//! Raw sockets in Python, which share no code with Naru, speak every framing with the running
//! gateway: persistent and single connections, every lie about a length, many requests at once,
//! TLS, keep-alive telegrams, and a switch that the gateway connects to.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use integration_tests::{naru, root};
use sandbox::world::ports::{PortChoice, free_port};
use sandbox::world::{World, WorldOptions};
use serde_json::json;

const FRAMING: &str = "framing: { length-digits: 4, inclusive: false, max: 9999 }";

/// Each framing's name and keys.
const FRAMINGS: [(&str, &str); 9] = [
    ("digits-4", "length-digits: 4"),
    ("digits-6", "length-digits: 6, inclusive: true"),
    ("digits-8", "length-digits: 8"),
    ("digits-ebcdic", "length-digits: 4, ebcdic: true"),
    ("within", "length-digits: 4, inclusive: true, offset: 0"),
    ("binary-2", "length-bytes: 2"),
    ("binary-4", "length-bytes: 4, byte-order: little, inclusive: true"),
    ("stx-etx", "stx-etx: lrc"),
    ("newline", "newline: crlf"),
];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true if path.ends_with("cases") => {}
            true => copy(&path, &target),
            false => drop(std::fs::copy(&path, &target).unwrap()),
        }
    }
}

/// City A's mapping with another framing.
fn variant(name: &str, keys: &str) -> String {
    let city_a = root().join("mappings/catalog/welfare/city-a/v1/mapping.yaml");
    let mapping = std::fs::read_to_string(city_a).unwrap();
    let mapping = mapping.replace("system: city-a", &format!("system: {name}"));
    let mut framing = format!("framing: {{ {keys}, max: 9999 }}");
    if name == "digits-4" {
        framing += "\n    multiplexed-by: serialNumber\n    keep-alive: { TST001: { echo-body: true, reply: { messageType: \"0810\" } } }";
    }
    assert!(mapping.contains(FRAMING));
    let mapping = mapping.replace(FRAMING, &framing);
    match name {
        "within" => mapping.replace(
            "header-length: 176\n    header:\n",
            "header-length: 180\n    header:\n      - { name: length, type: N, length: 4 }\n",
        ),
        _ => mapping,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_sockets_speak_every_framing() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("catalog");
    copy(&root().join("mappings/catalog"), &catalog);
    let mut listeners = BTreeMap::new();
    let mut sections = String::new();
    for (name, keys) in FRAMINGS {
        let mapping = catalog.join("welfare").join(name).join("v1/mapping.yaml");
        std::fs::create_dir_all(mapping.parent().unwrap()).unwrap();
        std::fs::write(mapping, variant(name, keys)).unwrap();
        let port = free_port().unwrap();
        listeners.insert(name, port);
        let in_flight = if name == "digits-4" { "in_flight = 4\n" } else { "" };
        sections += &format!(
            "[[listen.telegram]]\naddress = \"127.0.0.1:{port}\"\nfront = \"welfare/{name}/v1\"\n{in_flight}"
        );
    }
    let (tls, switch) = (free_port().unwrap(), free_port().unwrap());
    sections += &format!(
        "[[listen.telegram]]\naddress = \"127.0.0.1:{tls}\"\nfront = \"welfare/city-a/v1\"\n\
         tls = {{ certificate = \"pki/server.pem\", key = \"file:pki/server.key\", client_authority = \"pki/ca.pem\" }}\n\
         [[listen.switch]]\nconnect = \"127.0.0.1:{switch}\"\nfront = \"welfare/city-a/v1\"\nretry_seconds = 1\n"
    );
    let options = WorldOptions {
        ports: PortChoice::Free,
        catalog,
        ..WorldOptions::in_tree(root(), folder.path().join("world"), naru())
    };
    let mut world = World::start(options).await.unwrap();
    let file = world.layout().path("naru.toml");
    let configuration = std::fs::read_to_string(&file).unwrap();
    let patient = configuration.replace("[listen.limits]", "[listen.limits]\nmessage_seconds = 2");
    assert_ne!(patient, configuration);
    std::fs::write(&file, patient + &sections).unwrap();
    world.start_gateway().await.unwrap();

    let path = |name: &str| world.layout().path(name).to_str().unwrap().to_owned();
    let arguments = json!({
        "key": world.api_keys().city_a.expose(),
        "listeners": listeners,
        "switch": switch,
        "tls": {
            "port": tls,
            "ca": path("pki/ca.pem"),
            "certificate": path("pki/mohw.pem"),
            "private_key": path("pki/mohw.key"),
        },
    });
    let client = root().join("integration-tests/clients/telegram.py");
    let output = tokio::task::spawn_blocking(move || {
        Command::new("python3").arg(client).arg(arguments.to_string()).output()
    });
    let output = output.await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ok");
    world.stop().await.unwrap();
}
