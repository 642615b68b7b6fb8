//! X-Road's metaservices (PR-META, PR-MREST): who is here, and which services each provides. They
//! describe; they are no exchange, and nothing personal is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::front::{Draft, Exchange, Slot};
use gateway_core::{Endpoint, Envelope, Fault, Inbound, Kind, Message, Service};
use serde_json::{Map, Value, json};

use super::{METASERVICES, XRoadFront, XRoadRest, head};
use crate::front::JsonCalls;
use crate::resources::{Resource, Segment};
use crate::xroad::{ClientId, ServiceId, percent_decode};

/// A request for metadata about one provider.
pub struct Metadata<'r> {
    front: &'r Arc<XRoadFront>,
    service: ServiceId,
    echo: Message,
    member: String,
    subsystem: Option<String>,
}

impl XRoadRest {
    /// `listClients`: every consumer and provider known here, in JSON or XML as `accept` says, with
    /// its media type. `instance` is the one asked for, all when none is.
    pub fn list_clients(&self, accept: &str, instance: Option<&str>) -> (&'static str, String) {
        let clients = self.clients();
        let asked = |client: &ClientId| instance.is_none_or(|instance| client.instance == instance);
        let clients = clients.iter().filter(|(client, _)| asked(client));
        if !accept.split(',').any(|range| range.trim().starts_with("application/json")) {
            return ("text/xml;charset=utf-8", client_list(clients));
        }
        let member = |(client, name)| json!({ "id": identifier(client), "name": name });
        let members: Vec<Value> = clients.map(member).collect();
        ("application/json;charset=utf-8", json!({ "member": members }).to_string())
    }

    /// Every client and the member it is a subsystem of, each with the member's name.
    fn clients(&self) -> BTreeMap<ClientId, String> {
        let mut all = BTreeMap::new();
        for front in self.iter() {
            let name = |member: &str| self.names.get(member).cloned().unwrap_or_default();
            let known = front.clients.iter().map(|(client, member)| (client, name(member)));
            for (client, name) in known.chain([(&front.provider, front.name.clone())]) {
                let member = ClientId { subsystem_code: None, ..client.clone() };
                all.entry(member).or_insert_with(|| name.clone());
                all.entry(client.clone()).or_insert(name);
            }
        }
        all
    }

    /// The metaservice that a request asks for; nothing when it asks for a service.
    ///
    /// # Errors
    /// As decoding: a consumer that is not known is told nothing.
    pub fn metadata(&self, inbound: &Inbound) -> Option<Result<Metadata<'_>, Fault>> {
        let (service, _) = head::service(inbound).ok()?;
        let is_meta = METASERVICES.contains(&service.service_code.as_str());
        let is_get = inbound.attributes.get(":method").is_some_and(|method| method == "GET");
        (is_meta && is_get).then(|| {
            let head = head::Head::read(inbound)?;
            let front = self.provider(&service)?;
            let member = front.client(&head)?;
            let subsystem = head.client.subsystem_code.clone();
            Ok(Metadata { front, service, echo: head.echo(), member, subsystem })
        })
    }
}

impl Metadata<'_> {
    /// Envelopes of every resource of the provider, to ask of each whether the consumer may call it.
    /// Empty unless the answer depends on that (`allowedMethods`).
    pub fn probes(&self) -> Vec<Envelope> {
        if self.service.service_code != "allowedMethods" {
            return vec![];
        }
        let JsonCalls { operations, resources } = &self.front.calls;
        let probe = |resource: &Resource| {
            let service = operations.named(&resource.operation)?.service.clone();
            Some(self.probe(service, resource.endpoint.clone()))
        };
        resources.iter().filter_map(probe).collect()
    }

    fn probe(&self, service: Arc<Service>, endpoint: Arc<Endpoint>) -> Envelope {
        Envelope {
            service,
            message: Message::new(),
            idempotency_key: None,
            credential: None,
            claimed_member: Some(self.member.clone()),
            claimed_subsystem: self.subsystem.clone(),
            endpoint: Some(endpoint),
            mapping: self.front.id.clone(),
            echo: Message::new(),
        }
    }

    /// The reply: status, headers and body. `is_allowed` is asked for `allowedMethods` alone.
    ///
    /// # Errors
    /// `Malformed` without a `serviceCode`, `Unroutable` for one that is none or has no description
    /// of the kind asked for.
    pub fn answer(
        &self,
        exchange: &Exchange<'_>,
        is_allowed: impl Fn(&Service) -> bool,
    ) -> Result<Draft, Fault> {
        let body = match self.service.service_code.as_str() {
            "listMethods" => self.methods(|_| true),
            "allowedMethods" => self.methods(is_allowed),
            "getOpenAPI" => self.open_api(exchange.inbound)?,
            // `getWsdl` describes services of the SOAP protocol, and is asked for over it.
            _ => return Err(no_description()),
        };
        let mut headers = vec![("content-type", "application/json;charset=utf-8".to_owned())];
        headers.extend(head::reply(exchange, &self.echo));
        Ok(Draft { status: 200, headers, body: body.into_bytes(), receipt: Slot::Header })
    }

    /// `listMethods` and `allowedMethods` (PR-MREST, annex B).
    fn methods(&self, is_listed: impl Fn(&Service) -> bool) -> String {
        let mut services: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for resource in self.front.calls.resources.iter() {
            let operation = self.front.calls.operations.named(&resource.operation);
            if let (Some(operation), Some(code)) = (operation, service_code(resource))
                && is_listed(&operation.service)
            {
                let path = match resource.template(1, false) {
                    path if path.is_empty() => "/".to_owned(),
                    path => path,
                };
                let endpoint = json!({ "method": resource.method.name(), "path": path });
                services.entry(code).or_default().push(endpoint);
            }
        }
        let service = |(code, endpoints): (&str, Vec<Value>)| {
            let mut service = identifier(&self.front.provider);
            service.insert("object_type".to_owned(), json!("SERVICE"));
            service.insert("service_code".to_owned(), json!(code));
            service.insert("service_type".to_owned(), json!("OPENAPI"));
            service.insert("endpoint_list".to_owned(), json!(endpoints));
            service
        };
        let services: Vec<Map<_, _>> = services.into_iter().map(service).collect();
        json!({ "service": services }).to_string()
    }

    fn open_api(&self, inbound: &Inbound) -> Result<String, Fault> {
        let code = asked_service(inbound)?;
        let document = crate::openapi::of_xroad(self.front, &code);
        document.map(|document| document.to_string()).ok_or_else(no_description)
    }
}

/// The first segment of a resource, which X-Road calls the service code.
pub(crate) fn service_code(resource: &Resource) -> Option<&str> {
    match resource.path.first()? {
        Segment::Literal(code) => Some(code),
        Segment::Field { .. } => None,
    }
}

fn asked_service(inbound: &Inbound) -> Result<String, Fault> {
    let query = inbound.attributes.get(":query").map_or("", String::as_str);
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let code = pairs.find(|(name, _)| name.eq_ignore_ascii_case("serviceCode"));
    let code = code.and_then(|(_, code)| percent_decode(code)).filter(|code| !code.is_empty());
    code.ok_or_else(|| {
        Fault::new(Kind::Malformed, "service-code-missing", "the parameter serviceCode is missing")
    })
}

fn no_description() -> Fault {
    let says = "there is no such service, or it has no description of this kind";
    Fault::new(Kind::Unroutable, "unknown-service", says)
}

/// An identifier as X-Road writes it in JSON.
fn identifier(client: &ClientId) -> Map<String, Value> {
    let parts = [
        ("object_type", Some(client.object_type())),
        ("xroad_instance", Some(&client.instance)),
        ("member_class", Some(&client.member_class)),
        ("member_code", Some(&client.member_code)),
        ("subsystem_code", client.subsystem_code.as_deref()),
    ];
    let parts = parts.into_iter();
    parts.filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))).collect()
}

/// `clientList` (PR-META, annex A).
fn client_list<'c>(clients: impl Iterator<Item = (&'c ClientId, &'c String)>) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <xrd:clientList xmlns:xrd=\"http://x-road.eu/xsd/xroad.xsd\" \
         xmlns:id=\"http://x-road.eu/xsd/identifiers\">",
    );
    let element = |out: &mut String, name: &str, text: &str| {
        let text = quick_xml::escape::escape(text);
        out.extend(["<", name, ">", &text, "</", name, ">"]);
    };
    for (client, name) in clients {
        out.extend(["<xrd:member><xrd:id id:objectType=\"", client.object_type(), "\">"]);
        element(&mut out, "id:xRoadInstance", &client.instance);
        element(&mut out, "id:memberClass", &client.member_class);
        element(&mut out, "id:memberCode", &client.member_code);
        if let Some(subsystem) = &client.subsystem_code {
            element(&mut out, "id:subsystemCode", subsystem);
        }
        out.push_str("</xrd:id>");
        element(&mut out, "xrd:name", name);
        out.push_str("</xrd:member>");
    }
    out.push_str("</xrd:clientList>");
    out
}
