//! The paths and methods of a document → operations with the fields of their messages.

use serde_json::{Map, Value as Json};

use super::Document;
use super::schema::{Stop, Walk};
use crate::import::ImportError;
use crate::import::fields::{Codes, Note, Shape, Table};
use crate::import::names::{service_name, unique_of};

/// One operation.
pub(super) struct Operation {
    /// The name in the mappings, and of its service.
    pub(super) name: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) request: Table,
    pub(super) reply: Table,
}

/// Everything that was read.
pub(super) struct Contract {
    pub(super) operations: Vec<Operation>,
    pub(super) codes: Codes,
    /// What was left out.
    pub(super) notes: Vec<Note>,
    /// The first server.
    pub(super) server: Option<String>,
}

const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

/// Operations at most.
const MAX_OPERATIONS: usize = 500;

pub(super) fn read(document: &Document) -> Result<Contract, ImportError> {
    let mut walk = Walk::new(document);
    let (mut operations, mut notes) = (Vec::new(), Vec::new());
    let paths = document.root.get("paths").and_then(Json::as_object);
    for (path, item) in paths.into_iter().flatten() {
        for (key, method) in METHODS {
            let Some(operation) = item.get(key) else { continue };
            if operations.len() >= MAX_OPERATIONS {
                return Err(ImportError::TooLarge { most: MAX_OPERATIONS });
            }
            let mut reader = Reader { walk: &mut walk, method, path, notes: vec![] };
            match reader.operation(item, operation, &operations) {
                Ok(made) => {
                    operations.push(made);
                    notes.append(&mut reader.notes);
                }
                Err(Stop::Unsaid(why)) => {
                    let says = format!("the operation is left out: {why}");
                    notes.push(Note { path: format!("{method} {path}"), says });
                }
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
    }
    let server = document.root.pointer("/servers/0/url").and_then(Json::as_str);
    let server = server.map(str::to_owned);
    Ok(Contract { operations, codes: walk.codes, notes, server })
}

struct Reader<'w, 'd> {
    walk: &'w mut Walk<'d>,
    method: &'static str,
    path: &'d str,
    notes: Vec<Note>,
}

impl<'d> Reader<'_, 'd> {
    fn operation(
        &mut self,
        item: &'d Json,
        operation: &'d Json,
        others: &[Operation],
    ) -> Result<Operation, Stop> {
        let wanted = operation.get("operationId").and_then(Json::as_str);
        let wanted = wanted.map_or_else(|| format!("{} {}", self.method, self.path), str::to_owned);
        let free = |name: &str| others.iter().all(|other| other.name != name);
        let name = unique_of(&service_name(&wanted), free);
        check_path(self.path)?;
        let body = self.request_body(operation, &name)?;
        let mut request = Table::default();
        for parameters in [operation.get("parameters"), item.get("parameters")] {
            for parameter in parameters.and_then(Json::as_array).into_iter().flatten() {
                let (parameter, _) = self.walk.document.follow(parameter)?;
                self.parameter(parameter, &name, &mut request)?;
            }
        }
        for field in in_path(self.path) {
            let has = |one: &crate::import::fields::Field| one.wire.local() == field;
            if !request.fields.iter().any(has) {
                return Err(Stop::Unsaid(format!("the path's `{field}` is no parameter")));
            }
        }
        if let Some(body) = body {
            request.notes.extend(body.notes);
            for field in body.fields {
                let local = field.wire.local().to_owned();
                if !request.add(field) {
                    return Err(Stop::Unsaid(format!("`{local}` is in the path and in the body")));
                }
            }
        }
        let reply = self.reply(operation, &name)?;
        let (method, path) = (self.method, self.path.to_owned());
        Ok(Operation { name, method, path, request, reply })
    }

    fn parameter(
        &mut self,
        parameter: &'d Json,
        operation: &str,
        table: &mut Table,
    ) -> Result<(), Stop> {
        let text = |key: &str| parameter.get(key).and_then(Json::as_str).unwrap_or_default();
        let (name, place) = (text("name"), text("in"));
        let required = parameter.get("required") == Some(&Json::Bool(true)) || place == "path";
        let says = match (place, self.method) {
            ("path", _) => None,
            ("query", "GET" | "DELETE") => None,
            ("query", _) => Some("a parameter in the query beside a body".to_owned()),
            _ => Some(format!("a parameter in the {place}")),
        };
        let made = match (says, parameter.get("schema")) {
            (Some(says), _) => Err(Stop::Unsaid(says)),
            (None, None) => Err(Stop::Unsaid("a parameter without a schema".to_owned())),
            (None, Some(schema)) => {
                self.walk.field(name, schema, required, &format!("{operation}.request"))
            }
        };
        let says = match made {
            Ok(mut field) if matches!(field.shape, Shape::Value(_)) => {
                // An empty segment is no path.
                field.required |= place == "path";
                field.present = false;
                // What the operation says holds before what its path says.
                table.add(field);
                return Ok(());
            }
            Ok(_) => "a parameter of several values".to_owned(),
            Err(Stop::Unsaid(says)) => says,
            Err(failed) => return Err(failed),
        };
        if required {
            return Err(Stop::Unsaid(format!("{says}, `{name}`, is required")));
        }
        let path = format!("{operation}.request.{name}");
        table.notes.push(Note { path, says: format!("{says} is not sent") });
        Ok(())
    }

    fn request_body(&mut self, operation: &'d Json, name: &str) -> Result<Option<Table>, Stop> {
        let Some(body) = operation.get("requestBody") else { return Ok(None) };
        let (body, _) = self.walk.document.follow(body)?;
        if matches!(self.method, "GET" | "DELETE") {
            return Err(Stop::Unsaid("a body of a method that has none".to_owned()));
        }
        let schema = json_schema(body);
        let schema = schema.ok_or_else(|| Stop::Unsaid("its body is not JSON".to_owned()))?;
        self.walk.body(schema, &format!("{name}.request")).map(Some)
    }

    /// The first answer that says that all went well.
    fn reply(&mut self, operation: &'d Json, name: &str) -> Result<Table, Stop> {
        let responses = operation.get("responses").and_then(Json::as_object);
        let good = responses.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
        let (_, response) =
            good.ok_or_else(|| Stop::Unsaid("no answer says that all went well".to_owned()))?;
        let (response, _) = self.walk.document.follow(response)?;
        let schema = json_schema(response);
        let schema = schema.ok_or_else(|| Stop::Unsaid("its answer is not JSON".to_owned()))?;
        self.walk.body(schema, &format!("{name}.reply"))
    }
}

fn json_schema(message: &Json) -> Option<&Json> {
    let content: &Map<String, Json> = message.get("content")?.as_object()?;
    let is_json = |media: &str| {
        let media = media.split(';').next().unwrap_or_default().trim();
        media == "application/json" || media.ends_with("+json")
    };
    content.iter().find(|(media, _)| is_json(media)).and_then(|(_, media)| media.get("schema"))
}

/// The names in braces.
fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(in_braces)
}

fn in_braces(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A path of plain segments and whole parameters.
fn check_path(path: &str) -> Result<(), Stop> {
    let plain = |text: &str| {
        let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !matches!(text, "" | "." | "..") && text.bytes().all(byte)
    };
    let sound = |segment: &str| match in_braces(segment) {
        Some(name) => !name.is_empty() && !name.contains(['{', '}']),
        None => plain(segment),
    };
    match path.strip_prefix('/').is_some_and(|path| path.split('/').all(sound)) {
        true => Ok(()),
        false => Err(Stop::Unsaid("its path is not made of plain segments".to_owned())),
    }
}
