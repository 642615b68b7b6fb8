//! X-Road's REST protocol in front of a sector's services.

use std::sync::Arc;

use super::{Scope, front, resources, shape, unused};
use crate::catalog::FrontEntry;
use crate::faults::parse_name;
use crate::format::{MappingFile, XRoadRestLayout};
use crate::front::{ErrorType, ErrorTypes, JsonCalls, METASERVICES, XRoadFront, service_code};
use crate::operations::Operations;
use crate::problem::Spot;
use crate::resources::Resources;
use crate::rows::Rows;
use crate::xroad::{ClientId, Clients};

pub(crate) fn compile(
    id: Arc<str>,
    file: &MappingFile,
    layout: &XRoadRestLayout,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<FrontEntry> {
    unused(!file.idempotency_key.is_empty(), "idempotency-key", spot);
    unused(file.success.is_some(), "success", spot);
    unused(!file.refusals.is_empty(), "refusals", spot);
    let provider = provider(layout, &mut spot.key("layout.xroad-rest.provider"));
    let (clients, refused) = Clients::new(&file.organizations);
    for (client, error) in refused {
        let spot = &mut spot.key("organizations");
        spot.key(client).problem(format_args!("the identifier of the client {error}"));
    }
    let operations = front::operations(file, &Rows::new(vec![]), scope, &shape::json, false, spot);
    let operations = Operations::new(operations);
    let resources = resources::compile(file, &operations, spot);
    check_codes(&resources, spot);
    let errors = errors(file, &mut spot.key("faults"));
    Some(FrontEntry::XRoadRest(Arc::new(XRoadFront {
        id,
        provider: provider?,
        name: layout.name.clone(),
        clients,
        calls: JsonCalls { operations, resources },
        errors,
    })))
}

fn provider(layout: &XRoadRestLayout, spot: &mut Spot<'_>) -> Option<ClientId> {
    match layout.provider.parse::<ClientId>() {
        Ok(provider) if provider.subsystem_code.is_some() => return Some(provider),
        Ok(_) => spot.problem("must name a subsystem: instance/class/member/subsystem"),
        Err(error) => spot.problem(format_args!("the identifier {error}")),
    }
    None
}

/// The first segment of a path is the service code.
fn check_codes(resources: &Resources, spot: &mut Spot<'_>) {
    for resource in resources.iter() {
        let spot = &mut spot.key(format_args!("operations.{}", resource.operation));
        match service_code(resource) {
            None => spot.problem("the path must begin with a service code"),
            Some(code) if METASERVICES.contains(&code) => {
                spot.problem(format_args!("`{code}` is a metaservice of X-Road's own"));
            }
            Some(_) => {}
        }
    }
}

fn errors(file: &MappingFile, spot: &mut Spot<'_>) -> ErrorTypes {
    let mut types = ErrorTypes::default();
    for (name, text) in &file.faults {
        let spot = &mut spot.key(name);
        match (parse_name(name), ErrorType::parse(text)) {
            (None, _) => spot.problem("must be a kind of fault, or `Kind/code`"),
            (_, Err(wanted)) => spot.problem(wanted),
            (Some((kind, code)), Ok(error)) => {
                types.0.insert((kind, code.map(str::to_owned)), error);
            }
        }
    }
    types
}
