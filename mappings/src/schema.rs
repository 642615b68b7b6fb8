//! The JSON Schemas of `mapping.yaml`, `services.yaml` and `purposes.yaml`, made of the types that read them. They
//! are checked in under `schema/`, where editors find them; `UPDATE_SCHEMA=1` rewrites them.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_core::{Assurance, Kind, LossKind, Operation};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value as Json, json};

use crate::format::{MappingFile, PurposesFile, ServicesFile};
use crate::inspect::untyped;

/// The words of a closed set that is declared in the core, which knows nothing of schemas.
macro_rules! words {
    ($name:ident, $words:expr) => {
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": $words })
            }
        }
    };
}

words!(Kinds, Kind::ALL.map(|kind| kind.to_string()).to_vec());
words!(Losses, [LossKind::Truncate, LossKind::Replace, LossKind::Drop].map(|one| one.to_string()));
words!(ByteOrders, ["big", "little"]);
words!(Assurances, json!([Assurance::Low, Assurance::Substantial]));
words!(Operations, json!([Operation::Query, Operation::Submit]));

/// How a telegram is told from the next; declared in the core as well.
pub(crate) struct Framings;

impl JsonSchema for Framings {
    fn schema_name() -> Cow<'static, str> {
        "Framing".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": false,
            "required": ["max"],
            "properties": {
                "length-digits": { "type": "integer", "minimum": 1, "maximum": 8 },
                "length-bytes": { "enum": [2, 4] },
                "stx-etx": { "enum": ["plain", "lrc"] },
                "newline": { "enum": ["lf", "crlf"] },
                "ebcdic": { "type": "boolean" },
                "byte-order": { "enum": ["big", "little"] },
                "inclusive": { "type": "boolean" },
                "offset": { "type": "integer", "minimum": 0 },
                "counts-before": { "type": "boolean" },
                "max": { "type": "integer", "minimum": 1 },
            },
        })
    }
}

fn schema<T: JsonSchema>(title: &str) -> Json {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["$id"] = json!(format!("urn:naru:schema:{}", title.replace('/', ":")));
    schema["title"] = json!(title);
    schema["properties"]["naru"] = json!({ "const": title });
    schema
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema")
}

fn all() -> [(&'static str, Json); 3] {
    [
        ("mapping.v1.json", schema::<MappingFile>("mapping/v1")),
        ("purposes.v1.json", schema::<PurposesFile>("purposes/v1")),
        ("services.v1.json", schema::<ServicesFile>("services/v1")),
    ]
}

/// Every file of the catalog, with the schema that it must follow.
fn files() -> Vec<(PathBuf, &'static str)> {
    let mut files = Vec::new();
    let mut folders = vec![folder().with_file_name("catalog")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.file_name().and_then(|name| name.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("mapping.yaml") => files.push((path, "mapping.v1.json")),
                Some("purposes.yaml") => files.push((path, "purposes.v1.json")),
                Some("services.yaml") => files.push((path, "services.v1.json")),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

fn yaml(path: &Path) -> Json {
    untyped(&fs::read_to_string(path).unwrap()).unwrap()
}

fn validator(name: &str) -> jsonschema::Validator {
    let schema = all().into_iter().find(|(known, _)| *known == name).unwrap().1;
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

#[test]
fn the_schemas_are_those_of_the_types() {
    for (name, schema) in all() {
        let path = folder().join(name);
        let text = format!("{schema:#}\n");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let same = serde_json::from_str::<Json>(&kept).is_ok_and(|kept| kept == schema);
        assert!(same, "{name} is not current: run the tests once with UPDATE_SCHEMA=1");
    }
}

#[test]
fn every_file_of_the_catalog_follows_its_schema_and_says_where_it_is() {
    for (path, name) in files() {
        let validator = validator(name);
        let file = yaml(&path);
        let errors: Vec<String> = validator
            .iter_errors(&file)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());

        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().next().unwrap_or_default();
        let target = line.strip_prefix("# yaml-language-server: $schema=");
        let target =
            target.and_then(|target| path.parent().unwrap().join(target).canonicalize().ok());
        let wanted = folder().join(name).canonicalize().unwrap();
        assert_eq!(target, Some(wanted), "{}: the first line names the schema", path.display());
    }
}

/// Puts an unknown key into every object, one at a time.
fn with_unknown_keys(file: &Json) -> Vec<(String, Json)> {
    fn pointers(json: &Json, at: &str, found: &mut Vec<String>) {
        match json {
            Json::Object(members) => {
                found.push(at.to_owned());
                for (name, member) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    pointers(member, &format!("{at}/{name}"), found);
                }
            }
            Json::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    pointers(entry, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    pointers(file, "", &mut found);
    let changed = found.into_iter().map(|pointer| {
        let mut file = file.clone();
        let object = file.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
        // A number is no value of any of the maps from name to text or to a table either.
        object.insert("no-such-key".to_owned(), json!(7.5));
        (pointer, file)
    });
    changed.collect()
}

#[test]
fn an_unknown_key_is_refused_by_the_schema_and_by_the_loader() {
    for (path, name) in files() {
        let validator = validator(name);
        for (pointer, file) in with_unknown_keys(&yaml(&path)) {
            let place = format!("{} {pointer}", path.display());
            assert!(!validator.is_valid(&file), "the schema allows it: {place}");
            let loaded = match name {
                "mapping.v1.json" => serde_json::from_value::<MappingFile>(file).is_ok(),
                _ => serde_json::from_value::<ServicesFile>(file).is_ok(),
            };
            assert!(!loaded, "the loader allows it: {place}");
        }
    }
}
