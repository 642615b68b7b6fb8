//! Registered integrations of a SOAP front, checked against its header and operations.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::format::{
    HeaderFormat, IntegrationFormat, MappingFile, ReplyRole, RequestRole, SoapLayout,
};
use crate::front::soap::integration::{Integration, Integrations, Party};
use crate::header::{Header, Purpose};
use crate::problem::Spot;

/// Header fields that name an integration and its parties, and registrations, belong together.
pub(crate) fn compile(
    file: &MappingFile,
    layout: &SoapLayout,
    spot: &mut Spot<'_>,
) -> Option<Integrations> {
    let roles = [
        RequestRole::Integration,
        RequestRole::Organization,
        RequestRole::ConsumerSystem,
        RequestRole::ProviderOrganization,
        RequestRole::ProviderSystem,
    ];
    let has = |role: &RequestRole| layout.header.iter().any(|field| field.request == *role);
    if layout.integrations.is_empty() {
        let parties = roles.iter().filter(|role| **role != RequestRole::Organization);
        if parties.clone().any(has) {
            let says = "are missing, and the header has fields that name them";
            spot.key("integrations").problem(says);
        }
        return None;
    }
    if !roles.iter().all(has) {
        spot.key("header").problem(
            "lacks a field that names the integration, the organization or system of the \
             consumer, or those of the provider",
        );
    }
    let mut all = BTreeMap::new();
    for (id, format) in &layout.integrations {
        let spot = &mut spot.key(format_args!("integrations.{id}"));
        all.extend(integration(file, format, spot).map(|one| (id.clone(), one)));
    }
    let is_id = |field: &&HeaderFormat| field.request == RequestRole::Integration;
    let field = layout.header.iter().find(is_id)?;
    if field.reply != ReplyRole::Echo {
        spot.key("header").problem("the field that names the integration must be `reply: echo`");
    }
    Some(Integrations { field: field.name.clone(), all })
}

fn integration(
    file: &MappingFile,
    format: &IntegrationFormat,
    spot: &mut Spot<'_>,
) -> Option<Integration> {
    let party = |text: &str, key: &str, spot: &mut Spot<'_>| {
        let party = Party::parse(text);
        if party.is_none() {
            spot.key(key).problem("must be `organization/system`");
        }
        party
    };
    let consumer = party(&format.consumer, "consumer", spot);
    let provider = party(&format.provider, "provider", spot);
    let is_known = |party: &Party| file.organizations.contains_key(&party.organization);
    if consumer.as_ref().is_some_and(|consumer| !is_known(consumer)) {
        spot.key("consumer").problem("is of an organization that is not one of `organizations`");
    }
    for service in format.services.iter().filter(|name| !file.operations.contains_key(*name)) {
        spot.key("services").problem(format_args!("`{service}` is not an operation"));
    }
    if format.timeout_seconds == 0 {
        spot.key("timeout-seconds").problem("must be one second at least");
    }
    let mut time = |text: &Option<String>, key: &str| {
        let time = text.as_ref().map(|text| text.parse::<Timestamp>());
        if let Some(Err(_)) = &time {
            spot.key(key).problem("must be a time with its offset");
        }
        time.and_then(Result::ok)
    };
    let valid = (time(&format.from, "from"), time(&format.until, "until"));
    if let (Some(from), Some(until)) = valid
        && until <= from
    {
        spot.key("until").problem("must be after `from`");
    }
    Some(Integration {
        consumer: consumer?,
        provider: provider?,
        services: format.services.clone(),
        timeout: Duration::from_secs(format.timeout_seconds.into()),
        using: format.using,
        valid,
    })
}

/// Reports fields of a header that name parties where no integrations are registered.
pub(crate) fn unused<S>(header: &Header<S>, spot: &mut Spot<'_>) {
    if header.roles.iter().any(|role| matches!(role.request, Purpose::Party(_))) {
        spot.key("header").problem("integrations are registered for SOAP only");
    }
}
