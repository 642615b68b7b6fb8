//! Whether what the configuration names is there.

use std::sync::Arc;

use gateway_core::Service;
use mappings::Catalog;

use super::Check;
use crate::authenticate::Members;
use crate::config::Config;

/// Every name in the configuration must be of something that is there.
pub(super) fn check_names(
    config: &Config,
    catalog: Option<&Catalog>,
    members: Option<&Members>,
    check: &mut Check,
) {
    let is_service = |name: &str| {
        catalog.is_none_or(|all| all.services().any(|service| service.id.to_string() == name))
    };
    let is_purpose = |code: &str| {
        let has = |service: &Arc<Service>| {
            service.purpose.as_ref().is_some_and(|purpose| *purpose.code == *code)
        };
        catalog.is_none_or(|all| all.services().any(has))
    };
    let is_member =
        |name: &str| members.is_none_or(|all| all.ids().iter().any(|id| *id.0 == *name));
    for (index, quota) in config.quotas.iter().enumerate() {
        let at = |key: &str| format!("quota[{index}].{key}");
        let members = quota.members.iter().all(|member| is_member(member));
        check.that(at("members"), members, "names a member that there is not");
        let services = quota.services.iter().all(|service| is_service(service));
        check.that(at("services"), services, "names a service that the catalog has not");
        let purposes = quota.purposes.iter().all(|purpose| is_purpose(purpose));
        check.that(at("purposes"), purposes, "names a purpose that no service has");
    }
    let alarms = config.alarms.iter().map(|alarm| ("alarm", &alarm.members, &alarm.services));
    let first = config.priorities.iter().map(|rule| ("priority", &rule.members, &rule.services));
    for (list, rules) in [alarms.enumerate().collect::<Vec<_>>(), first.enumerate().collect()]
        .into_iter()
        .flatten()
        .map(|(index, (table, members, services))| {
            (format!("{table}[{index}]"), (members, services))
        })
    {
        let (members, services) = rules;
        let says = "names a member that there is not";
        check.that(format!("{list}.members"), members.iter().all(|one| is_member(one)), says);
        let says = "names a service that the catalog has not";
        check.that(format!("{list}.services"), services.iter().all(|one| is_service(one)), says);
    }
    for (index, exemption) in config.exemptions.iter().enumerate() {
        for (place, member) in exemption.members.iter().enumerate() {
            let at = format!("exemption[{index}].members[{place}]");
            check.that(at, is_member(member), "no such member");
        }
        for (place, service) in exemption.services.iter().enumerate() {
            let at = format!("exemption[{index}].services[{place}]");
            check.that(at, is_service(service), "no such service in the catalog");
        }
    }
    if let Some(people) = &config.listen.people {
        let says = "must be https://host (http:// on the loopback address alone) and no path";
        check.that("listen.people.url", people.is_origin(), says);
    }
    for (index, listener) in config.listen.batch.iter().enumerate() {
        let at = |key: &str| format!("listen.batch[{index}].{key}");
        check.that(at("member"), is_member(&listener.member), "no such member");
        let folder = config.path(&listener.folder);
        let is_there = listener.sftp.is_some() || folder.is_dir();
        check.that(at("folder"), is_there, format!("{} is no folder", folder.display()));
    }
}
