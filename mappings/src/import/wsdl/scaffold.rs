//! A contract → the mappings that serve it and that call it, and the services between them.

use std::collections::{BTreeMap, BTreeSet};

use gateway_core::Kind;

use super::contract::{self, Contract, Message, Operation};
use super::definitions::Definitions;
use crate::import::fields::{Note, Shape, Wire};
use crate::import::names::{quoted, refusal_code, scalar, service_name, unique_of};
use crate::import::render::{self, Spaces, Way, line};
use crate::import::{Documents, ImportError, NewMapping, Scaffold, Side};

/// What the person who imports a WSDL knows and it does not say.
#[derive(Clone, Debug)]
pub struct WsdlScaffold {
    /// The sector, e.g. `welfare`.
    pub sector: String,
    /// The system. The backend's mapping is of the system with `-provider` after its name.
    pub system: String,
    /// The port; needed where ports are of several port types.
    pub port: Option<String>,
    /// The one mapping that is wanted; both when absent.
    pub only: Option<Side>,
    /// The operations that change something; all others only ask.
    pub submits: Vec<String>,
}

impl WsdlScaffold {
    /// Makes the files of the new mappings from the document `first` and those it refers to.
    ///
    /// # Errors
    /// When a document cannot be read, or something must be said about it first.
    pub fn write(&self, first: &str, documents: &dyn Documents) -> Result<Scaffold, ImportError> {
        let definitions = Definitions::read(first, documents)?;
        let contract = contract::read(&definitions, self.port.as_deref())?;
        let names: Vec<&String> = contract.operations.iter().map(|one| &one.name).collect();
        if self.submits.iter().any(|submit| !names.contains(&submit)) {
            let choices = names.into_iter().cloned().collect();
            return Err(ImportError::Choose { option: "--submit", choices });
        }
        let writer = Writer { wanted: self, spaces: spaces(&contract), contract: &contract };
        let mut mappings = Vec::new();
        if self.only != Some(Side::Backend) {
            mappings.push(NewMapping { system: self.system.clone(), text: writer.front() });
        }
        if self.only != Some(Side::Front) {
            let system = format!("{}-provider", self.system);
            mappings.push(NewMapping { text: writer.backend(&system), system });
        }
        Ok(Scaffold { services: writer.services(), mappings, unsaid: writer.unsaid() })
    }
}

/// Which namespaces elements have, and how a row says so. Parts of the rpc style have none whatever
/// is below them.
fn spaces(contract: &Contract) -> Spaces {
    let messages = contract.operations.iter().flat_map(|one| [&one.request, &one.reply]);
    if !contract.rpc {
        return Spaces::of(&contract.namespace, messages.map(|message| &message.table));
    }
    let parts = messages.flat_map(|message| &message.table.fields);
    let below = parts.filter_map(|part| match &part.shape {
        Shape::Value(_) => None,
        Shape::Record(table) | Shape::List { table, .. } => Some(table),
    });
    Spaces::of(&contract.namespace, below)
}

struct Writer<'c> {
    wanted: &'c WsdlScaffold,
    contract: &'c Contract,
    spaces: Spaces,
}

impl Writer<'_> {
    /// Everything that a mapping cannot say, once.
    fn unsaid(&self) -> Vec<String> {
        let mut notes: Vec<&Note> = self.contract.notes.iter().collect();
        for operation in &self.contract.operations {
            notes.extend(&operation.notes);
            notes.extend(operation.request.table.all_notes());
            notes.extend(operation.reply.table.all_notes());
        }
        let mut notes: Vec<String> = notes.into_iter().map(render::sentence).collect();
        notes.extend(self.header_notes().iter().map(render::sentence));
        notes
    }

    fn head(&self, system: &str, out: &mut String) {
        line(
            out,
            0,
            "# Made from a WSDL by `naru mapping new`. What it does not say is marked TO SAY, and what",
        );
        line(out, 0, "# this mapping does not carry CANNOT SAY.");
        line(out, 0, "naru: mapping/v1");
        line(out, 0, &format!("sector: {}", scalar(&self.wanted.sector)));
        line(out, 0, &format!("system: {}", scalar(system)));
        line(out, 0, "version: 1\n");
        render::notes(&self.contract.notes, 0, out);
    }

    fn front(&self) -> String {
        let out = &mut String::new();
        self.head(&self.wanted.system, out);
        line(out, 0, "layout:\n  soap:");
        line(out, 2, &format!("service: {}", scalar(&self.wanted.system)));
        line(out, 2, &format!("namespace: {}", quoted(&self.contract.namespace)));
        line(out, 2, "receipt-namespace: urn:naru:evidence:v1");
        let versions: Vec<String> =
            self.contract.versions.iter().map(|version| quoted(version)).collect();
        line(out, 2, &format!("versions: [{}]", versions.join(", ")));
        let style = match (self.contract.rpc, self.is_wrapped()) {
            (true, _) => "rpc",
            (false, true) => "document-wrapped",
            (false, false) => "document-bare",
        };
        line(out, 2, &format!("style: {style}"));
        self.spaces.layout(true, 2, out);
        if let Some((element, header)) = self.header(0) {
            if element != "header" {
                line(out, 2, &format!("header-element: {}", scalar(element)));
            }
            line(
                out,
                2,
                "# TO SAY: what each field of the header is for (`request`) and holds (`reply`).",
            );
            line(out, 2, "header:");
            for (name, kind) in header {
                line(out, 3, &format!("- {{ name: {}, type: {kind} }}", scalar(name)));
            }
        }
        render::notes(&self.header_notes(), 2, out);
        line(out, 0, "");
        line(
            out,
            0,
            "# TO SAY: the elements that together name a request, for operations that change something:",
        );
        line(out, 0, "# idempotency-key: [requestNumber]\n");
        render::tables(&self.contract.codes, out);
        line(out, 0, "operations:");
        for (operation, code) in self.operations() {
            line(out, 1, &format!("{}:", scalar(&operation.name)));
            line(out, 2, &format!("service: {}", scalar(&code)));
            self.soap_names(operation, out);
            render::notes(&operation.notes, 2, out);
            self.spaces.table("request", &operation.request.table, Way::Reads, 2, out);
            self.spaces.table("reply", &operation.reply.table, Way::Writes, 2, out);
        }
        line(out, 0, "\n# TO SAY: the system's own codes of faults.");
        self.fault_comment(out);
        line(out, 0, "faults:");
        for kind in Kind::ALL {
            line(out, 1, &format!("{kind}: {kind}"));
        }
        std::mem::take(out)
    }

    fn soap_names(&self, operation: &Operation, out: &mut String) {
        let mut keys = Vec::new();
        if !operation.action.is_empty() {
            keys.push(format!("action: {}", quoted(&operation.action)));
        }
        if !self.contract.rpc && !self.is_wrapped() {
            keys.push(format!("request: {}", scalar(&operation.request.element.local)));
            keys.push(format!("reply: {}", scalar(&operation.reply.element.local)));
        }
        if !keys.is_empty() {
            line(out, 2, &format!("soap: {{ {} }}", keys.join(", ")));
        }
    }

    /// Whether elements are named as the wrapped style names them.
    fn is_wrapped(&self) -> bool {
        self.contract.operations.iter().all(|operation| {
            operation.request.element.local == operation.name
                && operation.reply.element.local == format!("{}Response", operation.name)
        })
    }

    fn fault_comment(&self, out: &mut String) {
        let faults: BTreeSet<&String> =
            self.contract.operations.iter().flat_map(|operation| &operation.faults).collect();
        if !faults.is_empty() {
            let faults: Vec<&str> = faults.into_iter().map(String::as_str).collect();
            let says = format!(
                "the details {} of faults; a caller gets `fault` instead",
                faults.join(", ")
            );
            line(out, 0, &format!("# CANNOT SAY: {}", render::one_line(&says)));
        }
    }

    fn backend(&self, system: &str) -> String {
        let out = &mut String::new();
        self.head(system, out);
        if let Some(address) = &self.contract.address {
            let address = render::one_line(address);
            line(
                out,
                0,
                &format!("# The WSDL says that the provider is at {address}: the backend's `url`."),
            );
        }
        line(out, 0, "layout:\n  provider:\n    soap:");
        let version = self.contract.versions.first().copied().unwrap_or("1.1");
        line(out, 3, &format!("version: {}", quoted(version)));
        line(out, 3, &format!("namespace: {}", quoted(&self.contract.namespace)));
        if self.contract.rpc {
            line(out, 3, "style: rpc");
        }
        self.spaces.layout(true, 3, out);
        self.backend_headers(out);
        line(out, 0, "");
        render::tables(&self.contract.codes, out);
        line(out, 0, "operations:");
        for (operation, code) in self.operations() {
            line(out, 1, &format!("{}:", scalar(&operation.name)));
            line(out, 2, &format!("service: {}", scalar(&code)));
            line(out, 2, &format!("function: {}", scalar(&operation.request.element.local)));
            let mut call = vec![format!("action: {}", quoted(&operation.action))];
            call.push(format!("answer: {}", scalar(&operation.reply.element.local)));
            line(out, 2, &format!("call: {{ {} }}", call.join(", ")));
            render::notes(&operation.notes, 2, out);
            self.spaces.table("request", &operation.request.table, Way::Writes, 2, out);
            self.spaces.table("reply", &operation.reply.table, Way::Reads, 2, out);
        }
        self.refusals(out);
        std::mem::take(out)
    }

    fn backend_headers(&self, out: &mut String) {
        render::notes(&self.header_notes(), 3, out);
        let Some((element, request)) = self.header(0) else { return };
        line(out, 3, &format!("header-element: {}", scalar(element)));
        line(
            out,
            3,
            "# TO SAY: what each field holds, as `constant` or `from`; without it is left out.",
        );
        line(out, 3, "header:");
        for (name, kind) in request {
            line(out, 4, &format!("- {{ to: {}, type: {kind} }}", scalar(name)));
        }
        match self.header(1).filter(|(own, _)| *own == element) {
            Some((_, reply)) => {
                line(out, 3, "reply-header:");
                for (name, kind) in reply {
                    line(out, 4, &format!("- {{ from: {}, type: {kind} }}", scalar(name)));
                }
            }
            None => line(out, 3, "reply-header: []"),
        }
    }

    /// Faults by the elements of their details.
    fn refusals(&self, out: &mut String) {
        let faults: BTreeSet<&String> =
            self.contract.operations.iter().flat_map(|operation| &operation.faults).collect();
        line(
            out,
            0,
            "\n# TO SAY: what the provider's faults mean, by the element of the detail, or by code.",
        );
        if faults.is_empty() {
            line(
                out,
                0,
                "# refusals: { Client: { code: refused, says: the provider refused this } }",
            );
            return;
        }
        line(out, 0, "refusals:");
        for fault in faults {
            let code = refusal_code(fault);
            let says = quoted(&format!("the provider refused this: {fault}"));
            line(out, 1, &format!("{}: {{ code: {code}, says: {says} }}", scalar(fault)));
        }
    }

    fn services(&self) -> String {
        let out = &mut String::new();
        render::services_head("a WSDL", &self.wanted.sector, &self.contract.codes, out);
        for (operation, code) in self.operations() {
            line(out, 1, &format!("{}:", scalar(&code)));
            match self.wanted.submits.contains(&operation.name) {
                true => line(out, 2, "operation: submit"),
                false => {
                    line(out, 2, "operation: query  # TO SAY: `submit` where it changes something.")
                }
            }
            render::terms("request", &operation.request.table, 2, out);
            render::terms("reply", &operation.reply.table, 2, out);
        }
        std::mem::take(out)
    }

    /// Each operation with the code of its service.
    fn operations(&self) -> Vec<(&Operation, String)> {
        let mut named: Vec<(&Operation, String)> = Vec::new();
        for operation in &self.contract.operations {
            let free = |name: &str| named.iter().all(|(_, known)| known != name);
            let code = unique_of(&service_name(&operation.name), free);
            named.push((operation, code));
        }
        named
    }

    /// The header of requests (0) or replies (1), where a mapping can say it: one element of the
    /// target namespace with plain fields, the same for all operations.
    fn header(&self, side: usize) -> Option<(&str, Vec<(&str, &'static str)>)> {
        let first = self.headers(side).first().copied()?;
        let fields = self.header_fields(first)?;
        Some((&first.element.local, fields))
    }

    fn headers(&self, side: usize) -> Vec<&Message> {
        let operations = self.contract.operations.iter();
        operations.filter_map(|operation| operation.headers.get(side)?.as_ref()).collect()
    }

    fn header_fields<'m>(&self, message: &'m Message) -> Option<Vec<(&'m str, &'static str)>> {
        if message.element.space != self.contract.namespace || !self.spaces.qualified {
            return None;
        }
        let fields = message.table.fields.iter().map(|field| match (&field.wire, &field.shape) {
            (Wire::Element { space, name }, Shape::Value(value))
                if *space == self.contract.namespace =>
            {
                Some((name.as_str(), value.wire))
            }
            _ => None,
        });
        fields.collect::<Option<Vec<_>>>().filter(|fields| !fields.is_empty())
    }

    fn header_notes(&self) -> Vec<Note> {
        let mut notes: BTreeMap<String, Note> = BTreeMap::new();
        for side in [0, 1] {
            let first = self.header(side).map(|(element, _)| element);
            for message in self.headers(side) {
                let element = &message.element.local;
                let says = match first {
                    Some(carried) if carried == element => continue,
                    Some(_) => "another header than that of other operations is not carried",
                    None => {
                        "only a header of the bodies' namespace with plain, qualified fields is carried"
                    }
                };
                let note = Note { path: format!("header {element}"), says: says.to_owned() };
                notes.insert(element.clone(), note);
            }
        }
        notes.into_values().collect()
    }
}
