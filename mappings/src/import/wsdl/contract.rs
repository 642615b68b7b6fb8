//! One service of a WSDL as it stands on the wire: the ports of one port type, its operations, and
//! the fields of their messages.

use std::sync::Arc;

use super::definitions::{Definitions, Found, Kind};
use super::{SOAP, WSDL};
use crate::import::ImportError;
use crate::import::fields::{Codes, Note, Table};
use crate::import::tree::{Element, Name};
use crate::import::xsd::{Header, Walk};

/// A service, read.
pub(super) struct Contract {
    pub(super) rpc: bool,
    /// The namespace of the bodies.
    pub(super) namespace: Arc<str>,
    /// Versions of SOAP, in the order of the ports.
    pub(super) versions: Vec<&'static str>,
    pub(super) operations: Vec<Operation>,
    pub(super) codes: Codes,
    /// What was left out.
    pub(super) notes: Vec<Note>,
    /// Where the provider is, as the WSDL says.
    pub(super) address: Option<String>,
}

/// One operation.
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) action: String,
    pub(super) request: Message,
    pub(super) reply: Message,
    /// The header block of a request, and of a reply.
    pub(super) headers: [Option<Message>; 2],
    /// The elements of faults' details.
    pub(super) faults: Vec<String>,
    pub(super) notes: Vec<Note>,
}

/// The element of a body, or of a header, with its fields.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) element: Name,
    pub(super) table: Table,
}

/// A port: its name, version of SOAP, binding and address.
struct Port<'d> {
    name: String,
    version: &'static str,
    soap: &'static str,
    binding: Found<'d>,
    port_type: Name,
    address: Option<String>,
}

/// Reads the service, or the port of the name that was said.
pub(super) fn read(all: &Definitions, wanted: Option<&str>) -> Result<Contract, ImportError> {
    let ports = chosen(ports(all)?, wanted)?;
    let Some(port) = ports.first() else {
        return Err(ImportError::Nothing {
            why: vec!["it has no port with a SOAP binding".into()],
        });
    };
    let mut versions = Vec::new();
    for port in &ports {
        if !versions.contains(&port.version) {
            versions.push(port.version);
        }
    }
    let mut reader = Reader {
        all,
        port,
        walk: Walk::new(&all.schemas),
        rpc: false,
        namespace: None,
        notes: vec![],
    };
    let operations = reader.operations()?;
    let left_out = || reader.notes.iter().map(crate::import::render::sentence).collect();
    let Some(namespace) = reader.namespace.clone().filter(|_| !operations.is_empty()) else {
        return Err(ImportError::Nothing { why: left_out() });
    };
    Ok(Contract {
        rpc: reader.rpc,
        namespace,
        versions,
        operations,
        codes: reader.walk.codes,
        notes: reader.notes,
        address: port.address.clone(),
    })
}

fn ports(all: &Definitions) -> Result<Vec<Port<'_>>, ImportError> {
    let mut ports = Vec::new();
    for service in all.all(Kind::Service) {
        for port in service.element.all(WSDL, "port") {
            let name = port.attribute("name").unwrap_or_default().to_owned();
            let binding = port.attribute("binding").unwrap_or_default();
            let binding = service.resolve(port, binding)?;
            let binding = all.find(Kind::Binding, &binding, service.at(port))?;
            let soap = SOAP
                .into_iter()
                .find(|(space, _)| binding.element.first(space, "binding").is_some());
            // Bindings of HTTP GET and POST, and of what else there may be, are no SOAP.
            let Some((soap, version)) = soap else { continue };
            let port_type = binding.element.attribute("type").unwrap_or_default();
            let port_type = binding.resolve(binding.element, port_type)?;
            let address = port.first(soap, "address").and_then(|one| one.attribute("location"));
            let address = address.map(str::to_owned);
            ports.push(Port { name, version, soap, binding, port_type, address });
        }
    }
    Ok(ports)
}

/// The port that was said, or all where they are of one port type.
fn chosen<'d>(ports: Vec<Port<'d>>, wanted: Option<&str>) -> Result<Vec<Port<'d>>, ImportError> {
    let choices: Vec<String> = ports.iter().map(|port| port.name.clone()).collect();
    let chosen: Vec<Port<'d>> = match wanted {
        Some(name) => ports.into_iter().filter(|port| port.name == name).collect(),
        None => ports,
    };
    let one_type = chosen.windows(2).all(|pair| match pair {
        [first, second] => first.port_type == second.port_type,
        _ => true,
    });
    match (chosen.is_empty() && wanted.is_some()) || !one_type {
        true => Err(ImportError::Choose { option: "--port", choices }),
        false => Ok(chosen),
    }
}

struct Reader<'d> {
    all: &'d Definitions,
    port: &'d Port<'d>,
    walk: Walk<'d>,
    rpc: bool,
    namespace: Option<Arc<str>>,
    notes: Vec<Note>,
}

/// An operation that cannot be one of a mapping, or an error of the whole.
enum Stop {
    LeftOut(&'static str),
    Failed(ImportError),
}

impl From<ImportError> for Stop {
    fn from(error: ImportError) -> Self {
        Self::Failed(error)
    }
}

impl<'d> Reader<'d> {
    fn operations(&mut self) -> Result<Vec<Operation>, ImportError> {
        let binding = self.port.binding;
        let port_type = binding.at(binding.element);
        let port_type = self.all.find(Kind::PortType, &self.port.port_type, port_type)?;
        let mut operations: Vec<Operation> = Vec::new();
        for bound in binding.element.all(WSDL, "operation") {
            let name = bound.name_of(binding.at(bound))?;
            let read = match port_type.element.all(WSDL, "operation").filter(named(&name)).count() {
                0 => Err(Stop::LeftOut("the port type has no operation of this name")),
                1 => self.operation(&name, bound, port_type),
                _ => Err(Stop::LeftOut("operations of one name are told apart by nothing here")),
            };
            let read = read.and_then(|read| match clash(&operations, &read) {
                Some(why) => Err(Stop::LeftOut(why)),
                None => Ok(read),
            });
            match read {
                Ok(operation) => operations.push(operation),
                Err(Stop::LeftOut(says)) => {
                    let says = format!("the operation is left out: {says}");
                    self.notes.push(Note { path: name, says });
                }
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Ok(operations)
    }

    fn operation(
        &mut self,
        name: &str,
        bound: &'d Element,
        port_type: Found<'d>,
    ) -> Result<Operation, Stop> {
        let declared = port_type.element.all(WSDL, "operation").find(named(name));
        let declared = declared.ok_or(Stop::LeftOut("the port type has no such operation"))?;
        let soap = self.port.soap;
        let own = bound.first(soap, "operation");
        let binding = self.port.binding.element.first(soap, "binding");
        let style = own.and_then(|own| own.attribute("style"));
        let style = style.or_else(|| binding.and_then(|binding| binding.attribute("style")));
        let rpc = style == Some("rpc");
        if self.namespace.is_some() && rpc != self.rpc {
            return Err(Stop::LeftOut("it is of another style than the first"));
        }
        let action = own.and_then(|own| own.attribute("soapAction")).unwrap_or_default();
        let (Some(input), Some(output)) =
            (declared.first(WSDL, "input"), declared.first(WSDL, "output"))
        else {
            return Err(Stop::LeftOut("it has no request or no reply, and a mapping has both"));
        };
        let mut notes = Vec::new();
        let request = self.message(name, "request", (input, port_type), bound, rpc, &mut notes)?;
        let reply = self.message(name, "reply", (output, port_type), bound, rpc, &mut notes)?;
        let namespace = self.namespace.get_or_insert_with(|| request.element.space.clone());
        if *namespace != request.element.space || *namespace != reply.element.space {
            return Err(Stop::LeftOut("its body is of another namespace than the first's"));
        }
        self.rpc = rpc;
        let headers = [
            self.header(name, "input", bound, &mut notes)?,
            self.header(name, "output", bound, &mut notes)?,
        ];
        let faults = self.faults(declared, port_type)?;
        let action = action.to_owned();
        let name = name.to_owned();
        Ok(Operation { name, action, request, reply, headers, faults, notes })
    }

    /// A message: its element in the body, and what that holds.
    fn message(
        &mut self,
        operation: &str,
        side: &str,
        (reference, port_type): (&Element, Found<'d>),
        bound: &'d Element,
        rpc: bool,
        notes: &mut Vec<Note>,
    ) -> Result<Message, Stop> {
        let message = reference.attribute("message").unwrap_or_default();
        let message = port_type.resolve(reference, message)?;
        let message = self.all.find(Kind::Message, &message, port_type.at(reference))?;
        let of_binding = if side == "request" { "input" } else { "output" };
        let body =
            bound.first(WSDL, of_binding).and_then(|side| side.first(self.port.soap, "body"));
        // With MIME the body is in the first part (WSDL 1.1, section 5.4); attachments are not said.
        let body = match body {
            Some(body) => body,
            None => return Err(Stop::LeftOut("its binding has no soap:body; MIME is not read")),
        };
        if body.attribute("use") == Some("encoded") {
            return Err(Stop::Failed(ImportError::Unsupported {
                at: self.port.binding.at(body),
                what: "use=\"encoded\"",
                why: "SOAP encoding is no schema's (WS-I Basic Profile 1.1, R2706); ask the \
                      provider for a literal WSDL, or name a literal port with --port",
            }));
        }
        let listed = body.attribute("parts").map(|parts| parts.split_ascii_whitespace());
        let listed: Option<Vec<&str>> = listed.map(Iterator::collect);
        let parts: Vec<&Element> = message
            .element
            .all(WSDL, "part")
            .filter(|part| {
                let name = part.attribute("name").unwrap_or_default();
                listed.as_ref().is_none_or(|listed| listed.contains(&name))
            })
            .collect();
        let path = format!("{operation}.{side}");
        match rpc {
            true => self.rpc_message(operation, side, &path, body, (&parts, message), notes),
            false => self.document_message(&path, (&parts, message)),
        }
    }

    fn document_message(
        &mut self,
        path: &str,
        (parts, message): (&[&Element], Found<'_>),
    ) -> Result<Message, Stop> {
        let [part] = parts else {
            return Err(Stop::LeftOut("a body of the document style has one part in a mapping"));
        };
        let Some(element) = part.attribute("element") else {
            return Err(Stop::LeftOut("a part of the document style names no element"));
        };
        let element = message.resolve(part, element)?;
        let table = self.walk.message(&element, path, message.at(part))?;
        Ok(Message { element, table })
    }

    /// The element of the operation's name, with a child for each part (WSDL 1.1, section 3.5).
    fn rpc_message(
        &mut self,
        operation: &str,
        side: &str,
        path: &str,
        body: &Element,
        (parts, message): (&[&Element], Found<'_>),
        notes: &mut Vec<Note>,
    ) -> Result<Message, Stop> {
        let space = body.attribute("namespace").unwrap_or_default().into();
        let header = Header::outside(message.file);
        let mut table = Table::default();
        for part in parts {
            let name = &part.name_of(message.at(part))?;
            let Some(kind) = part.attribute("type") else {
                let says = "a part of the rpc style names no type and is refused".to_owned();
                notes.push(Note { path: format!("{path}.{name}"), says });
                continue;
            };
            let kind = message.resolve(part, kind)?;
            table.add(self.walk.part(name, &kind, path, (&header, part))?);
        }
        let suffix = if side == "request" { "" } else { "Response" };
        let element = Name { space, local: format!("{operation}{suffix}") };
        Ok(Message { element, table })
    }

    /// The header block of one side: the first that the binding names.
    fn header(
        &mut self,
        operation: &str,
        side: &str,
        bound: &'d Element,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Message>, ImportError> {
        let Some(side_element) = bound.first(WSDL, side) else { return Ok(None) };
        let path = format!("{operation}.{side}.header");
        let mut found = None;
        for header in side_element.all(self.port.soap, "header") {
            let binding = self.port.binding;
            let name = header.attribute("message").unwrap_or_default();
            let name = binding.resolve(header, name)?;
            let message = self.all.find(Kind::Message, &name, binding.at(header))?;
            let part = header.attribute("part").unwrap_or_default();
            let part = message.element.all(WSDL, "part").find(named(part));
            let element = part.and_then(|part| Some((part, part.attribute("element")?)));
            let Some((part, element)) = element else {
                let says = "a header without an element is not sent".to_owned();
                notes.push(Note { path: path.clone(), says });
                continue;
            };
            let element = message.resolve(part, element)?;
            if found.is_some() {
                let says = format!("a second header, {}, is not sent", element.local);
                notes.push(Note { path: path.clone(), says });
                continue;
            }
            let table = self.walk.message(&element, &path, message.at(part))?;
            found = Some(Message { element, table });
        }
        Ok(found)
    }

    /// The elements of the details of its faults.
    fn faults(&self, declared: &Element, port_type: Found<'_>) -> Result<Vec<String>, ImportError> {
        let mut faults = Vec::new();
        for fault in declared.all(WSDL, "fault") {
            let name = port_type.resolve(fault, fault.attribute("message").unwrap_or_default())?;
            let message = self.all.find(Kind::Message, &name, port_type.at(fault))?;
            for part in message.element.all(WSDL, "part") {
                if let Some(element) = part.attribute("element") {
                    faults.push(message.resolve(part, element)?.local);
                }
            }
        }
        Ok(faults)
    }
}

/// Why an operation cannot stand beside those before it.
fn clash(operations: &[Operation], next: &Operation) -> Option<&'static str> {
    let same = |one: &Operation| one.name == next.name;
    let crossed = |one: &Operation| {
        one.request.element == next.reply.element || one.reply.element == next.request.element
    };
    let element = |one: &Operation| one.request.element == next.request.element;
    let own = |message: &Message| {
        ["header", "fault", "receipt"].contains(&message.element.local.as_str())
    };
    match operations {
        _ if own(&next.request) || own(&next.reply) => {
            Some("its element has the name of one of the gateway's own")
        }
        _ if next.request.element == next.reply.element => {
            Some("its request and its reply have the same element")
        }
        all if all.iter().any(crossed) => Some("its reply has the element of another's request"),
        all if all.iter().any(same) => Some("another operation has its name"),
        all if all.iter().any(element) => Some("another operation's request has the same element"),
        _ => None,
    }
}

fn named(name: &str) -> impl FnMut(&&Element) -> bool {
    move |element| element.attribute("name") == Some(name)
}
