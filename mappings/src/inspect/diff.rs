//! What a new version of a catalog's file breaks, and for whom. A change breaks when a message that
//! was understood before may be refused, misread, or not understood now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::Value as Json;

use super::untyped;
use crate::problem::Problem;

/// One difference between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whom it concerns: the callers of a front, a backend, or everyone of a sector.
    pub whom: String,
    /// The key path.
    pub path: String,
    /// What changed.
    pub message: String,
    /// Whether it breaks something for them.
    pub breaks: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = if self.breaks { "BREAKS" } else { "change" };
        write!(f, "{weight}  {}: {}: {}", self.whom, self.path, self.message)
    }
}

/// Compares two files of one kind, `mapping.yaml` or `services.yaml`; a folder stands for the file
/// in it.
///
/// # Errors
/// When one cannot be read, or they are not of one kind.
pub fn diff(old: &Path, new: &Path) -> Result<Vec<Change>, Problem> {
    let (old, new) = (read(old)?, read(new)?);
    let text = |json: &Json, key: &str| json[key].as_str().unwrap_or_default().to_owned();
    if text(&old, "naru") != text(&new, "naru") {
        return Err(problem("", "the two are not of one kind and format"));
    }
    let is_backend = is_backend(&new);
    let mut changes = Changes { all: vec![], whom: String::new() };
    if old.get("services").is_some() {
        changes.whom = format!("everyone of {}", text(&new, "sector"));
        services(&old, &new, &mut changes);
    } else {
        let who = if is_backend { "backend" } else { "callers of" };
        changes.whom = format!("{who} {}/{}", text(&new, "sector"), text(&new, "system"));
        mapping(&old, &new, &mut changes);
    }
    Ok(changes.all)
}

fn problem(file: &str, message: impl fmt::Display) -> Problem {
    Problem { file: file.to_owned(), path: String::new(), message: message.to_string() }
}

fn read(path: &Path) -> Result<Json, Problem> {
    let shown = path.display().to_string();
    let file = ["mapping.yaml", "services.yaml"].map(|name| path.join(name));
    let file = file.into_iter().find(|file| file.is_file()).unwrap_or_else(|| path.to_owned());
    let text = std::fs::read_to_string(&file).map_err(|error| problem(&shown, error))?;
    untyped(&text).map_err(|error| problem(&shown, error))
}

struct Changes {
    all: Vec<Change>,
    whom: String,
}

impl Changes {
    fn add(&mut self, breaks: bool, path: &str, message: impl fmt::Display) {
        let (whom, path) = (self.whom.clone(), path.to_owned());
        self.all.push(Change { whom, path, message: message.to_string(), breaks });
    }
}

fn members(json: &Json) -> BTreeMap<&str, &Json> {
    let members = json.as_object().into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member)).collect()
}

/// Calls `both` for what both have; reports what only one has.
fn each<'j>(
    old: &'j Json,
    new: &'j Json,
    path: &str,
    (lost_breaks, gained_breaks): (bool, bool),
    changes: &mut Changes,
    mut both: impl FnMut(&str, &'j Json, &'j Json, &mut Changes),
) {
    let (old, new) = (members(old), members(new));
    for (name, before) in &old {
        let path = format!("{path}.{name}");
        match new.get(name) {
            Some(after) => both(&path, before, after, changes),
            None => changes.add(lost_breaks, &path, "is gone"),
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        changes.add(gained_breaks, &format!("{path}.{name}"), "is new");
    }
}

/// Reports every leaf that differs.
fn any_difference(old: &Json, new: &Json, path: &str, breaks: bool, changes: &mut Changes) {
    if old != new {
        let shown = |json: &Json| match json {
            Json::Null => "nothing".to_owned(),
            Json::Object(_) | Json::Array(_) => "other content".to_owned(),
            json => format!("`{}`", json.to_string().trim_matches('"')),
        };
        changes.add(breaks, path, format_args!("was {} and is {}", shown(old), shown(new)));
    }
}

fn is_backend(mapping: &Json) -> bool {
    ["contract", "provider"].iter().any(|kind| mapping["layout"].get(kind).is_some())
}

fn mapping(old: &Json, new: &Json, changes: &mut Changes) {
    let is_backend = is_backend(new);
    for key in ["layout", "zone", "idempotency-key"] {
        any_difference(&old[key], &new[key], key, true, changes);
    }
    each(
        &old["organizations"],
        &new["organizations"],
        "organizations",
        (true, false),
        changes,
        leaf,
    );
    each(
        &old["tables"],
        &new["tables"],
        "tables",
        (false, false),
        changes,
        |path, old, new, changes| {
            let path = format!("{path}.rows");
            each(&old["rows"], &new["rows"], &path, (true, false), changes, leaf);
        },
    );
    let layout = &new["layout"];
    let fixed =
        [layout.get("telegram"), layout.get("provider").and_then(|one| one.get("telegram"))];
    let fixed = fixed.iter().any(Option::is_some);
    let side = Side { is_backend, fixed };
    each(
        &old["operations"],
        &new["operations"],
        "operations",
        (true, false),
        changes,
        |path, old, new, changes| {
            for key in ["service", "function", "http", "soap", "call"] {
                any_difference(&old[key], &new[key], &format!("{path}.{key}"), true, changes);
            }
            for key in ["request", "reply"] {
                let path = format!("{path}.{key}");
                rows(&old[key], &new[key], &path, key == "request", side, changes);
            }
        },
    );
    for key in ["success", "faults"] {
        each(&old[key], &new[key], key, (true, true), changes, leaf);
    }
    each(&old["refusals"], &new["refusals"], "refusals", (true, false), changes, leaf);
}

fn leaf(path: &str, old: &Json, new: &Json, changes: &mut Changes) {
    any_difference(old, new, path, true, changes);
}

#[derive(Clone, Copy)]
struct Side {
    is_backend: bool,
    /// Fields are found by their place, so that any change of places breaks.
    fixed: bool,
}

/// Rows by the wire's name.
fn rows(old: &Json, new: &Json, path: &str, is_request: bool, side: Side, changes: &mut Changes) {
    let wire = if is_request != side.is_backend { "from" } else { "to" };
    let by_name = |rows: &'_ Json| -> Vec<(String, Json)> {
        let named = rows.as_array().into_iter().flatten();
        named.filter_map(|row| Some((row[wire].as_str()?.to_owned(), row.clone()))).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let find = |rows: &[(String, Json)], name: &str| {
        rows.iter().find(|(known, _)| known == name).map(|(_, row)| row.clone())
    };
    // A provider's request is written by us and a caller's reply too: more in it is no harm.
    let we_read = is_request != side.is_backend;
    let service = if wire == "from" { "to" } else { "from" };
    for (name, before) in &old {
        let path = format!("{path}.{name}");
        match find(&new, name) {
            Some(after) => row(before, &after, &path, we_read, is_request, side, changes),
            None => {
                let same = |(_, row): &&(String, Json)| {
                    !before[service].is_null() && row[service] == before[service]
                };
                match new.iter().find(same) {
                    Some((renamed, _)) => {
                        changes.add(true, &path, format_args!("is now `{renamed}`"))
                    }
                    None => changes.add(true, &path, "is gone"),
                }
            }
        }
    }
    for (name, after) in new.iter().filter(|(name, _)| find(&old, name).is_none()) {
        let required = after["required"] == Json::Bool(true) && after["default"].is_null();
        let breaks = side.fixed || (we_read && required);
        let says = if required { "is new and required" } else { "is new" };
        changes.add(breaks, &format!("{path}.{name}"), says);
    }
    let common = |rows: &[(String, Json)], others: &[(String, Json)]| -> Vec<String> {
        let kept = rows.iter().filter(|(name, _)| find(others, name).is_some());
        kept.map(|(name, _)| name.clone()).collect()
    };
    if common(&old, &new) != common(&new, &old) {
        changes.add(true, path, "the fields stand in another order");
    }
}

fn row(
    old: &Json,
    new: &Json,
    path: &str,
    we_read: bool,
    is_request: bool,
    side: Side,
    changes: &mut Changes,
) {
    let required = |row: &Json| row["required"] == Json::Bool(true) && row["default"].is_null();
    match (required(old), required(new)) {
        (false, true) => changes.add(we_read, path, "is required now"),
        (true, false) => changes.add(!we_read, path, "may be absent now"),
        _ => {}
    }
    limit(&old["max"], &new["max"], &format!("{path}.max"), we_read, changes);
    if !old["fields"].is_null() && !new["fields"].is_null() {
        rows(&old["fields"], &new["fields"], &format!("{path}.fields"), is_request, side, changes);
    }
    let compared = ["from", "to", "required", "max", "fields", "default", "loss"];
    let names: BTreeSet<&str> = members(old).into_keys().chain(members(new).into_keys()).collect();
    for name in names.into_iter().filter(|name| !compared.contains(name)) {
        any_difference(&old[name], &new[name], &format!("{path}.{name}"), true, changes);
    }
    any_difference(&old["default"], &new["default"], &format!("{path}.default"), false, changes);
    any_difference(&old["loss"], &new["loss"], &format!("{path}.loss"), false, changes);
    for side in ["from", "to"] {
        let path = format!("{path}.{side}");
        any_difference(&old[side], &new[side], &path, false, changes);
    }
}

/// A limit that the reader of a message keeps: less breaks the writer, more breaks the reader.
fn limit(old: &Json, new: &Json, path: &str, we_read: bool, changes: &mut Changes) {
    let number = |json: &Json| json.as_i64().unwrap_or(i64::MAX);
    let (before, after) = (number(old), number(new));
    if before != after {
        let narrower = after < before;
        let says = if narrower { "is narrower" } else { "is wider" };
        let shown =
            |number: i64| if number == i64::MAX { "none".to_owned() } else { number.to_string() };
        let message = format!("{says}: {} after {}", shown(after), shown(before));
        changes.add(narrower == we_read, path, message);
    }
}

fn services(old: &Json, new: &Json, changes: &mut Changes) {
    each(
        &old["codes"],
        &new["codes"],
        "codes",
        (true, false),
        changes,
        |path, old, new, changes| {
            let names = |set: &Json| -> BTreeSet<String> {
                let names = set.as_array().into_iter().flatten();
                names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
            };
            let (old, new) = (names(old), names(new));
            old.difference(&new)
                .for_each(|name| changes.add(true, path, format_args!("`{name}` is gone")));
            // Every code table must get a row for it.
            new.difference(&old)
                .for_each(|name| changes.add(true, path, format_args!("`{name}` is new")));
        },
    );
    each(&old["tables"], &new["tables"], "tables", (true, false), changes, leaf);
    each(
        &old["services"],
        &new["services"],
        "services",
        (true, false),
        changes,
        |path, old, new, changes| {
            for key in ["operation", "subject", "purpose", "consent"] {
                any_difference(&old[key], &new[key], &format!("{path}.{key}"), true, changes);
            }
            fields(&old["request"], &new["request"], &format!("{path}.request"), true, changes);
            fields(&old["reply"], &new["reply"], &format!("{path}.reply"), false, changes);
        },
    );
}

/// Fields of a service. Callers write requests and read replies.
fn fields(old: &Json, new: &Json, path: &str, is_request: bool, changes: &mut Changes) {
    let (before, after) = (members(old), members(new));
    for (name, field) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        let required = field["required"] == Json::Bool(true);
        let says = if required { "is new and required" } else { "is new" };
        changes.add(required, &format!("{path}.{name}"), says);
    }
    for (name, was) in &before {
        let path = format!("{path}.{name}");
        match after.get(name) {
            None => changes.add(true, &path, "is gone"),
            Some(is) => field(was, is, &path, is_request, changes),
        }
    }
}

fn field(old: &Json, new: &Json, path: &str, is_request: bool, changes: &mut Changes) {
    let required = |field: &Json| field["required"] == Json::Bool(true);
    match (required(old), required(new)) {
        (false, true) => changes.add(is_request, path, "is required now"),
        (true, false) => changes.add(!is_request, path, "may be absent now"),
        _ => {}
    }
    limit(&old["max"], &new["max"], &format!("{path}.max"), is_request, changes);
    let negated = |json: &Json| json.as_i64().map_or(Json::Null, |number| Json::from(-number));
    limit(
        &negated(&old["min"]),
        &negated(&new["min"]),
        &format!("{path}.min"),
        is_request,
        changes,
    );
    if !old["fields"].is_null() || !new["fields"].is_null() {
        fields(&old["fields"], &new["fields"], &format!("{path}.fields"), is_request, changes);
    }
    for key in ["type", "of", "length", "scale", "check"] {
        any_difference(&old[key], &new[key], &format!("{path}.{key}"), true, changes);
    }
    any_difference(&old["class"], &new["class"], &format!("{path}.class"), false, changes);
}
