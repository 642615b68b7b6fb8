//! The ABI of a Solidity contract, as `solc` writes it → a backend mapping of its functions. A
//! contract's types say little: what a number or 32 bytes mean is for a person to say.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value as Json;

use super::fields::{Codes, Field, Note, Shape, Table, Term, UNLIMITED_LIST, Value, Wire};
use super::names::{refusal_code, scalar, service_name, unique_of};
use super::render::{self, Spaces, Way, line};
use super::{ImportError, NewMapping, Scaffold};

/// What the person who imports an ABI knows and it does not say.
#[derive(Clone, Debug)]
pub struct AbiScaffold {
    /// The sector, e.g. `welfare`.
    pub sector: String,
    /// The system, e.g. `ledger`.
    pub system: String,
}

/// One entry (Contract ABI Specification, "JSON").
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    inputs: Vec<Parameter>,
    #[serde(default)]
    outputs: Vec<Parameter>,
    #[serde(rename = "stateMutability", default)]
    mutability: String,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(default)]
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    components: Vec<Parameter>,
}

impl Entry {
    /// Its name and the names of its parameters with their types.
    fn described(&self) -> String {
        let fields = self.inputs.iter().map(|one| format!("{} {}", one.kind, one.name));
        let fields: Vec<String> = fields.collect();
        render::one_line(&format!("{}: {}", self.name, fields.join(", ")))
    }
}

/// A function that a mapping can call.
struct Function {
    name: String,
    service: String,
    asks: bool,
    request: Table,
    reply: Table,
}

/// Functions and errors of a contract at most.
const MAX_ENTRIES: usize = 1000;

impl AbiScaffold {
    /// Makes the files of a new mapping of a JSON file: the ABI itself, or what a compiler writes
    /// with it under `abi`.
    ///
    /// # Errors
    /// When it is no ABI, or none of its functions can be called.
    pub fn write(&self, file: &str, abi: &[u8]) -> Result<Scaffold, ImportError> {
        let entries = entries(file, abi)?;
        let (mut functions, mut notes) = (Vec::new(), Vec::new());
        for entry in entries.iter().filter(|entry| entry.kind == "function") {
            let named = |other: &&Entry| other.kind == "function" && other.name == entry.name;
            let made = match entries.iter().filter(named).count() {
                1 => function(entry, &functions),
                _ => Err("functions of one name are told apart by nothing here".to_owned()),
            };
            match made {
                Ok(function) => functions.push(function),
                Err(why) => {
                    let says = format!("the function is left out: {why}");
                    notes.push(Note { path: entry.name.clone(), says });
                }
            }
        }
        if functions.is_empty() {
            let why = notes.iter().map(render::sentence).collect();
            return Err(ImportError::Nothing { why });
        }
        let mut unsaid: Vec<String> = notes.iter().map(render::sentence).collect();
        for function in &functions {
            unsaid.extend(function.reply.all_notes().into_iter().map(render::sentence));
        }
        let text = self.mapping(&functions, &entries, &notes);
        let mappings = vec![NewMapping { system: self.system.clone(), text }];
        Ok(Scaffold { services: self.services(&functions), mappings, unsaid })
    }

    fn mapping(&self, functions: &[Function], entries: &[Entry], notes: &[Note]) -> String {
        let out = &mut String::new();
        line(
            out,
            0,
            "# Made from an ABI by `naru mapping new`. What it does not say is marked TO SAY.",
        );
        line(out, 0, "naru: mapping/v1");
        line(out, 0, &format!("sector: {}", scalar(&self.sector)));
        line(out, 0, &format!("system: {}", scalar(&self.system)));
        line(out, 0, "version: 1\n");
        line(out, 0, "layout:\n  contract: {}\n");
        render::notes(notes, 0, out);
        line(
            out,
            0,
            "# TO SAY: which argument is the submission key (`from: $key`), which the caller (`$caller`),",
        );
        line(
            out,
            0,
            "# which a person (`convert: pseudonym`), a text (`ascii`), a day (`day-number`) or a code (`table`).",
        );
        let events = entries.iter().filter(|entry| entry.kind == "event");
        let events: Vec<String> = events.map(Entry::described).collect();
        if !events.is_empty() {
            let asks = "# TO SAY: what a submit answers besides what is returned: fields of its events, such as";
            line(out, 0, asks);
            events.iter().for_each(|event| line(out, 0, &format!("#   {event}")));
        }
        line(out, 0, "operations:");
        let spaces = Spaces { qualified: false, prefixes: Default::default() };
        for function in functions {
            line(out, 1, &format!("{}:", scalar(&function.name)));
            line(out, 2, &format!("service: {}", scalar(&function.service)));
            line(out, 2, &format!("function: {}", scalar(&function.name)));
            spaces.table("request", &function.request, Way::Writes, 2, out);
            spaces.table("reply", &function.reply, Way::Reads, 2, out);
        }
        let errors = entries.iter().filter(|entry| entry.kind == "error");
        let errors: BTreeSet<&str> = errors.map(|entry| entry.name.as_str()).collect();
        if !errors.is_empty() {
            line(out, 0, "\n# TO SAY: what the contract's errors mean.");
            line(out, 0, "refusals:");
            for error in errors {
                let says = super::names::quoted(&format!("the ledger refused this: {error}"));
                let code = refusal_code(error);
                line(out, 1, &format!("{}: {{ code: {code}, says: {says} }}", scalar(error)));
            }
        }
        std::mem::take(out)
    }

    fn services(&self, functions: &[Function]) -> String {
        let out = &mut String::new();
        render::services_head("an ABI", &self.sector, &Codes::default(), out);
        for function in functions {
            line(out, 1, &format!("{}:", scalar(&function.service)));
            let operation = if function.asks { "query" } else { "submit" };
            line(out, 2, &format!("operation: {operation}"));
            render::terms("request", &function.request, 2, out);
            render::terms("reply", &function.reply, 2, out);
        }
        std::mem::take(out)
    }
}

fn entries(file: &str, abi: &[u8]) -> Result<Vec<Entry>, ImportError> {
    let wrong = |why: String| ImportError::Text { file: file.to_owned(), why };
    let mut json: Json = serde_json::from_slice(abi).map_err(|error| wrong(error.to_string()))?;
    if let Some(inner) = json.get_mut("abi") {
        json = inner.take();
    }
    let no_abi = |error: serde_json::Error| wrong(format!("this is no ABI: {error}"));
    let entries: Vec<Entry> = serde_json::from_value(json).map_err(no_abi)?;
    match entries.len() > MAX_ENTRIES {
        true => Err(ImportError::TooLarge { most: MAX_ENTRIES }),
        false => Ok(entries),
    }
}

fn function(entry: &Entry, others: &[Function]) -> Result<Function, String> {
    if entry.mutability == "payable" {
        return Err("it takes the chain's own currency, and a call sends none".to_owned());
    }
    let mut request = Table::default();
    for (index, argument) in entry.inputs.iter().enumerate() {
        let kind = &argument.kind;
        let field = value(kind).map(|value| field(index, argument, Shape::Value(value)));
        let field = field.ok_or_else(|| format!("no row writes the type {kind} of an argument"))?;
        if !request.add(field) {
            return Err("two of its arguments have one name".to_owned());
        }
    }
    let free = |name: &str| others.iter().all(|other| other.service != name);
    Ok(Function {
        name: entry.name.clone(),
        service: unique_of(&service_name(&entry.name), free),
        asks: matches!(entry.mutability.as_str(), "view" | "pure"),
        request,
        reply: results(&entry.outputs, &format!("{}.reply", entry.name)),
    })
}

fn results(outputs: &[Parameter], path: &str) -> Table {
    let mut table = Table::default();
    for (index, output) in outputs.iter().enumerate() {
        let shape = match value(&output.kind) {
            Some(value) => Some(Shape::Value(value)),
            None if output.kind == "tuple[]" => {
                let path = format!("{path}.{}", output.name);
                let inner = results(&output.components, &path);
                let max = UNLIMITED_LIST;
                (!inner.fields.is_empty()).then_some(Shape::List { max, table: inner })
            }
            None => None,
        };
        let says = match shape {
            None => format!("no row reads the type {} of `{}`", output.kind, output.name),
            Some(shape) => match table.add(field(index, output, shape)) {
                true => continue,
                false => format!("another result has the name `{}` too", output.name),
            },
        };
        table.notes.push(Note { path: path.to_owned(), says });
    }
    table
}

/// A parameter by its name, or its position where it has none.
fn field(index: usize, parameter: &Parameter, shape: Shape) -> Field {
    let name = match parameter.name.as_str() {
        "" => index.to_string(),
        name => name.to_owned(),
    };
    Field {
        wire: Wire::Element { space: "".into(), name },
        name: String::new(),
        required: true,
        present: false,
        default: None,
        shape,
        notes: vec![],
    }
}

fn value(kind: &str) -> Option<Value> {
    let whole = |max| Term::Integer { min: 0, max };
    let (wire, term) = match kind {
        "bool" => ("bool", Term::Flag),
        "bytes32" => ("bytes32", Term::Bytes { length: 32 }),
        "uint8" => ("uint8", whole(u8::MAX.into())),
        "uint32" => ("uint32", whole(u32::MAX.into())),
        "uint64" => ("uint64", whole(i64::MAX)),
        "uint256" => ("uint256", whole(i64::MAX)),
        _ => return None,
    };
    Some(Value { wire, term })
}
