//! A contract → the mappings that serve it and that call it, and the services between them.

use gateway_core::Kind;

use super::Document;
use super::operations::{self, Contract, Operation};
use crate::import::names::{quoted, scalar};
use crate::import::render::{self, Spaces, Way, line};
use crate::import::{ImportError, NewMapping, Scaffold, Side};

/// What the person who imports an OpenAPI document knows and it does not say.
#[derive(Clone, Debug)]
pub struct OpenApiScaffold {
    /// The sector, e.g. `welfare`.
    pub sector: String,
    /// The system. The backend's mapping is of the system with `-provider` after its name.
    pub system: String,
    /// The one mapping that is wanted; both when absent.
    pub only: Option<Side>,
}

impl OpenApiScaffold {
    /// Makes the files of the new mappings.
    ///
    /// # Errors
    /// When it is no OpenAPI document, or no operation can be made of it.
    pub fn write(&self, file: &str, bytes: &[u8]) -> Result<Scaffold, ImportError> {
        let document = Document::read(file, bytes)?;
        let contract = operations::read(&document)?;
        let mut unsaid: Vec<String> = contract.notes.iter().map(render::sentence).collect();
        if contract.operations.is_empty() {
            return Err(ImportError::Nothing { why: unsaid });
        }
        for operation in &contract.operations {
            let tables = [&operation.request, &operation.reply].into_iter();
            unsaid.extend(tables.flat_map(|table| table.all_notes()).map(render::sentence));
        }
        let mut mappings = Vec::new();
        if self.only != Some(Side::Backend) {
            let text = self.mapping(&contract, Side::Front, &self.system);
            mappings.push(NewMapping { system: self.system.clone(), text });
        }
        if self.only != Some(Side::Front) {
            let system = format!("{}-provider", self.system);
            let text = self.mapping(&contract, Side::Backend, &system);
            mappings.push(NewMapping { system, text });
        }
        Ok(Scaffold { services: self.services(&contract), mappings, unsaid })
    }

    fn mapping(&self, contract: &Contract, side: Side, system: &str) -> String {
        let out = &mut String::new();
        line(
            out,
            0,
            "# Made from OpenAPI by `naru mapping new`. What it does not say is marked TO SAY, and",
        );
        line(out, 0, "# what this mapping does not carry CANNOT SAY.");
        line(out, 0, "naru: mapping/v1");
        line(out, 0, &format!("sector: {}", scalar(&self.sector)));
        line(out, 0, &format!("system: {}", scalar(system)));
        line(out, 0, "version: 1\n");
        render::notes(&contract.notes, 0, out);
        match side {
            Side::Front => line(out, 0, "layout: { rest: { key-max: 128 } }\n"),
            Side::Backend => {
                if let Some(server) = &contract.server {
                    let server = render::one_line(server);
                    line(
                        out,
                        0,
                        &format!(
                            "# The document says that the provider is at {server}: the backend's `url`."
                        ),
                    );
                }
                line(out, 0, "layout: { provider: { json: {} } }\n");
            }
        }
        render::tables(&contract.codes, out);
        line(out, 0, "operations:");
        for operation in &contract.operations {
            self.operation(operation, side, out);
        }
        match side {
            Side::Front => faults(out),
            Side::Backend => {
                line(
                    out,
                    0,
                    "\n# TO SAY: what the provider's refusals mean, by the code in the body, or the status.",
                );
                line(
                    out,
                    0,
                    "# refusals: { http-404: { code: not-there, says: there is no such thing } }",
                );
            }
        }
        std::mem::take(out)
    }

    fn operation(&self, operation: &Operation, side: Side, out: &mut String) {
        let Operation { name, method, path, request, reply } = operation;
        line(out, 1, &format!("{}:", scalar(name)));
        let ways = match side {
            Side::Front => {
                line(out, 2, &format!("http: [{}]", quoted(&format!("{method} {path}"))));
                (Way::Reads, Way::Writes)
            }
            Side::Backend => {
                line(out, 2, &format!("function: {}", scalar(name)));
                let path = quoted(path);
                line(out, 2, &format!("call: {{ method: {method}, path: {path} }}"));
                (Way::Writes, Way::Reads)
            }
        };
        let spaces = Spaces { qualified: false, prefixes: Default::default() };
        spaces.table("request", request, ways.0, 2, out);
        spaces.table("reply", reply, ways.1, 2, out);
    }

    fn services(&self, contract: &Contract) -> String {
        let out = &mut String::new();
        render::services_head("OpenAPI", &self.sector, &contract.codes, out);
        for operation in &contract.operations {
            line(out, 1, &format!("{}:", scalar(&operation.name)));
            match operation.method {
                "GET" => line(out, 2, "operation: query"),
                _ => line(out, 2, "operation: submit  # TO SAY: `query` where it changes nothing."),
            }
            render::terms("request", &operation.request, 2, out);
            render::terms("reply", &operation.reply, 2, out);
        }
        std::mem::take(out)
    }
}

fn faults(out: &mut String) {
    line(out, 0, "\n# TO SAY: the statuses that callers know.");
    line(out, 0, "faults:");
    for kind in Kind::ALL {
        let status = match kind {
            Kind::Malformed => 400,
            Kind::Unauthenticated => 401,
            Kind::Forbidden | Kind::ConsentMissing | Kind::ConsentExpired => 403,
            Kind::RateLimited => 429,
            Kind::Unroutable => 404,
            Kind::Unmappable => 422,
            Kind::Unsupported => 501,
            Kind::BackendRefused => 409,
            Kind::BackendUnavailable => 503,
            Kind::OutcomeUnknown => 504,
            Kind::Internal => 500,
        };
        line(out, 1, &format!("{kind}: \"{status}\""));
    }
}
