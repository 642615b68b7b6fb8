//! Providers that are programs not written in Rust, and a gateway that is configured to call them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use sandbox::world::World;
use tempfile::TempDir;

use crate::{configure, prepare, root};

/// A running provider; killed when dropped.
pub struct Provider {
    child: Child,
    /// Where it listens, on the loopback address.
    pub port: u16,
}

impl Provider {
    /// Starts a script of `integration-tests/providers`, which prints its port.
    pub fn start(script: &str) -> Self {
        let folder = root().join("integration-tests");
        let program = match script.rsplit_once('.') {
            Some((_, "py")) => folder.join("clients/.venv/bin/python"),
            _ => "node".into(),
        };
        let mut child = Command::new(&program)
            .arg(folder.join("providers").join(script))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}; `make deps`", program.display()));
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("its output is piped"));
        output.read_line(&mut line).expect("it prints a line");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{script} printed {line:?}"));
        Self { child, port }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A route of the tests' own: services, mapping, and the backend's keys without its name.
pub struct Way<'a> {
    /// The services that go this way.
    pub services: &'a [&'a str],
    /// The backend mapping.
    pub mapping: &'a str,
    /// `kind` and what belongs to it.
    pub backend: String,
}

/// Starts a world whose gateway goes these ways, and its own for every other service.
pub async fn start_with(ways: &[Way<'_>]) -> (World, TempDir) {
    let (mut world, folder) = prepare(|_| {}).await;
    configure(&world, |table| {
        for (index, way) in ways.iter().enumerate() {
            go(table, way, format!("provider-{index}"));
        }
    });
    world.start_gateway().await.expect("the gateway starts");
    (world, folder)
}

fn go(table: &mut toml::Table, way: &Way<'_>, name: String) {
    let services: Vec<toml::Value> = way.services.iter().map(|&each| each.into()).collect();
    let mut backend: toml::Table = way.backend.parse().expect("the backend is TOML");
    backend.insert("name".into(), name.as_str().into());
    let routes = list(table, "route");
    for other in routes.iter_mut().filter_map(|route| route.get_mut("services")?.as_array_mut()) {
        other.retain(|service| !services.contains(service));
    }
    routes.retain(|route| {
        let served = route.get("services").and_then(toml::Value::as_array);
        served.is_none_or(|services| !services.is_empty())
    });
    let mut route = toml::Table::new();
    route.insert("services".into(), services.into());
    route.insert("mapping".into(), way.mapping.into());
    route.insert("backend".into(), name.into());
    routes.push(route.into());
    list(table, "backend").push(backend.into());
}

fn list<'t>(table: &'t mut toml::Table, name: &str) -> &'t mut Vec<toml::Value> {
    let list = table.get_mut(name).and_then(toml::Value::as_array_mut);
    list.expect("the world's configuration has some")
}
