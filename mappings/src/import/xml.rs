//! A schema alone → a backend mapping of plain XML over HTTP: a document there, a document back.

use std::sync::Arc;

use super::documents::Documents;
use super::names::{quoted, scalar};
use super::render::{self, Spaces, Way, line};
use super::tree::{Element, Name, parse};
use super::xsd::{Schemas, Walk};
use super::{At, ImportError, NewMapping, Scaffold};

/// What the person who imports a schema knows and it does not say.
#[derive(Clone, Debug)]
pub struct XsdScaffold {
    /// The sector, e.g. `population`.
    pub sector: String,
    /// The system, e.g. `register`.
    pub system: String,
    /// The name of the one service that the mapping has.
    pub service: String,
    /// The elements of the document that is sent, and of the one that comes back.
    pub request: Option<String>,
    /// The other one.
    pub reply: Option<String>,
    /// Whether it changes something.
    pub submits: bool,
}

impl XsdScaffold {
    /// Makes the files of a new mapping from the schema `first` and those it refers to.
    ///
    /// # Errors
    /// When a document cannot be read, or something must be said about it first.
    pub fn write(&self, first: &str, documents: &dyn Documents) -> Result<Scaffold, ImportError> {
        let bytes = documents
            .read(first)
            .map_err(|why| ImportError::File { path: first.to_owned(), why })?;
        let root: Arc<Element> = Arc::new(parse(first, &bytes)?);
        let mut schemas = Schemas::default();
        schemas.add(first, &root, vec![], documents)?;
        let target: Arc<str> = root.attribute("targetNamespace").unwrap_or_default().into();
        let own = schemas.elements().filter(|name| name.space == target);
        let choices: Vec<String> = own.map(|name| name.local.clone()).collect();
        let find = |option, wanted: &Option<String>| match wanted {
            Some(name) if choices.contains(name) => {
                Ok(Name { space: target.clone(), local: name.clone() })
            }
            _ => Err(ImportError::Choose { option, choices: choices.clone() }),
        };
        let request = find("--request", &self.request)?;
        let reply = find("--reply", &self.reply)?;
        let mut walk = Walk::new(&schemas);
        let at = || At { file: first.to_owned(), line: root.line };
        let asked = walk.message(&request, &request.local, at())?;
        let answered = walk.message(&reply, &reply.local, at())?;
        let spaces = Spaces::of(&target, [&asked, &answered]);
        let notes = [&asked, &answered].into_iter().flat_map(|table| table.all_notes());
        let unsaid = notes.map(render::sentence).collect();

        let out = &mut String::new();
        line(
            out,
            0,
            "# Made from a schema by `naru mapping new`. What it does not say is marked TO SAY, and",
        );
        line(out, 0, "# what this mapping does not carry CANNOT SAY.");
        line(out, 0, "naru: mapping/v1");
        line(out, 0, &format!("sector: {}", scalar(&self.sector)));
        line(out, 0, &format!("system: {}", scalar(&self.system)));
        line(out, 0, "version: 1\n");
        line(out, 0, "layout:\n  provider:");
        match target.is_empty() && spaces.prefixes.is_empty() {
            true => line(out, 2, "xml: {}"),
            false => line(out, 2, "xml:"),
        }
        if !target.is_empty() {
            line(out, 3, &format!("namespace: {}", quoted(&target)));
        }
        spaces.layout(!target.is_empty(), 3, out);
        line(
            out,
            2,
            "# TO SAY: by which element an answer says that all went well: result: { field, success }.\n",
        );
        render::tables(&walk.codes, out);
        line(out, 0, "operations:");
        line(out, 1, &format!("{}:", scalar(&self.service)));
        line(out, 2, &format!("function: {}", scalar(&request.local)));
        line(out, 2, "# TO SAY: `method` and `path`; POST to the backend's `url` without.");
        line(out, 2, &format!("call: {{ answer: {} }}", scalar(&reply.local)));
        spaces.table("request", &asked, Way::Writes, 2, out);
        spaces.table("reply", &answered, Way::Reads, 2, out);
        let mapping = NewMapping { system: self.system.clone(), text: std::mem::take(out) };

        render::services_head("a schema", &self.sector, &walk.codes, out);
        line(out, 1, &format!("{}:", scalar(&self.service)));
        line(out, 2, if self.submits { "operation: submit" } else { "operation: query" });
        render::terms("request", &asked, 2, out);
        render::terms("reply", &answered, 2, out);
        Ok(Scaffold { services: std::mem::take(out), mappings: vec![mapping], unsaid })
    }
}
