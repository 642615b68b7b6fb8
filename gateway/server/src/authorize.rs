//! Access by Cedar policies, default deny.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, Policy, PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode,
    Validator,
};
use gateway_core::caller::Means;
use gateway_core::policy::{Authorize, Decision};
use gateway_core::{Assurance, Caller, Envelope, Fault, Kind, MemberId, Operation, ServiceId};

use crate::config::Problem;

/// The policies of a folder, validated against the schema, and the entities they speak of.
pub struct Policies {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    names: Names,
    allowed: RwLock<HashMap<Asked, Decision>>,
}

/// All that a decision depends on: the operation is the service's. There are only as many as the
/// configuration has members and services, so those that were allowed are remembered.
type Asked = (MemberId, ServiceId, Means, Assurance);

/// The entity types, parsed once.
struct Names {
    member: EntityTypeName,
    sector: EntityTypeName,
    service: EntityTypeName,
    query: EntityUid,
    submit: EntityUid,
}

/// The schema that policies are validated against.
pub const SCHEMA: &str = include_str!("policy.cedarschema");

impl Policies {
    /// Loads every `*.cedar` file of `folder`, in the order of their names.
    ///
    /// # Errors
    /// Every file that cannot be read, does not parse or does not validate, and every policy
    /// without an `@id` of its own.
    pub fn load<'a>(
        folder: &Path,
        services: impl Iterator<Item = &'a ServiceId>,
    ) -> Result<Self, Vec<Problem>> {
        let internal = |error: &dyn std::fmt::Display| vec![Problem::new("(schema)", error)];
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| internal(&e))?;
        let names = Names::new().map_err(|e| internal(&e))?;
        let policies = read_folder(folder, &schema)?;
        let entities = names.entities(services, &schema).map_err(|e| internal(&e))?;
        let allowed = RwLock::default();
        Ok(Self { authorizer: Authorizer::new(), policies, entities, names, allowed })
    }

    fn request(&self, caller: &Caller, envelope: &Envelope) -> Option<Request> {
        let assurance = match caller.assurance {
            Assurance::Low => 1,
            Assurance::Substantial => 2,
        };
        let means = serde_json::to_value(caller.means).ok()?;
        let means = RestrictedExpression::new_string(means.as_str()?.to_owned());
        let context = Context::from_pairs([
            ("means".to_owned(), means),
            ("assurance".to_owned(), RestrictedExpression::new_long(assurance)),
        ]);
        let action = match envelope.service.operation {
            Operation::Query => self.names.query.clone(),
            Operation::Submit => self.names.submit.clone(),
        };
        let principal = uid(&self.names.member, &caller.member.0);
        let resource = uid(&self.names.service, &envelope.service.id.to_string());
        Request::new(principal, action, resource, context.ok()?, None).ok()
    }
}

impl Authorize for Policies {
    fn authorize(&self, caller: &Caller, envelope: &Envelope) -> Result<Decision, Fault> {
        let Caller { member, means, assurance } = caller;
        let asked = (member.clone(), envelope.service.id.clone(), *means, *assurance);
        let known = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(decision) = known.get(&asked) {
            return Ok(decision.clone());
        }
        drop(known);
        let decision = self.decide(caller, envelope)?;
        let mut known = self.allowed.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(asked, decision.clone());
        Ok(decision)
    }
}

impl Policies {
    fn decide(&self, caller: &Caller, envelope: &Envelope) -> Result<Decision, Fault> {
        let request = self.request(caller, envelope).ok_or_else(|| {
            Fault::new(Kind::Internal, "policy-request", "the access decision failed")
        })?;
        let response = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
        for error in response.diagnostics().errors() {
            tracing::warn!("a policy could not be evaluated and does not count: {error}");
        }
        let mut policies: Vec<String> =
            response.diagnostics().reason().map(ToString::to_string).collect();
        policies.sort();
        match response.decision() {
            CedarDecision::Allow => Ok(Decision { policies }),
            CedarDecision::Deny if policies.is_empty() => Err(Fault::new(
                Kind::Forbidden,
                "no-policy-allows",
                "no policy allows this member to call this service",
            )),
            CedarDecision::Deny => {
                let public = "a policy forbids this member to call this service";
                Err(Fault::new(Kind::Forbidden, "policy-forbids", public)
                    .context(format_args!("forbidden by {}", policies.join(", "))))
            }
        }
    }
}

impl Names {
    fn new() -> Result<Self, Box<cedar_policy::ParseErrors>> {
        let action = EntityTypeName::from_str("Naru::Action")?;
        Ok(Self {
            member: EntityTypeName::from_str("Naru::Member")?,
            sector: EntityTypeName::from_str("Naru::Sector")?,
            service: EntityTypeName::from_str("Naru::Service")?,
            query: uid(&action, "query"),
            submit: uid(&action, "submit"),
        })
    }

    fn entities<'a>(
        &self,
        services: impl Iterator<Item = &'a ServiceId>,
        schema: &Schema,
    ) -> Result<Entities, Box<cedar_policy::entities_errors::EntitiesError>> {
        let services: Vec<Entity> = services
            .map(|id| {
                let sector = uid(&self.sector, &id.sector);
                let service = uid(&self.service, &id.to_string());
                Entity::new_no_attrs(service, [sector].into())
            })
            .collect();
        Entities::from_entities(services, Some(schema)).map_err(Box::new)
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn read_folder(folder: &Path, schema: &Schema) -> Result<PolicySet, Vec<Problem>> {
    let mut set = PolicySet::new();
    let mut problems = Vec::new();
    for file in cedar_files(folder)? {
        if let Err(found) = read_file(&file, &mut set) {
            problems.extend(found);
        }
    }
    let validated = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let at = || folder.display().to_string();
    problems.extend(validated.validation_errors().map(|error| Problem::new(at(), error)));
    if set.is_empty() && problems.is_empty() {
        problems.push(Problem::new(at(), "no policy here, so nothing would be allowed"));
    }
    if problems.is_empty() { Ok(set) } else { Err(problems) }
}

fn cedar_files(folder: &Path) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| vec![Problem::new(folder.display().to_string(), error)])?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "cedar"))
        .collect();
    files.sort();
    Ok(files)
}

fn read_file(file: &Path, set: &mut PolicySet) -> Result<(), Vec<Problem>> {
    let problem = |error: &dyn std::fmt::Display| Problem::new(file.display().to_string(), error);
    let text = std::fs::read_to_string(file).map_err(|error| vec![problem(&error)])?;
    let parsed = PolicySet::from_str(&text).map_err(|error| vec![problem(&error)])?;
    let mut problems = Vec::new();
    for policy in parsed.policies() {
        if let Err(error) = add(set, policy) {
            problems.push(problem(&error));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Policies are known by their `@id`: it stands in records and refusals.
fn add(set: &mut PolicySet, policy: &Policy) -> Result<(), String> {
    let id = policy.annotation("id").ok_or("every policy wants @id(\"…\") before it")?;
    set.add(policy.new_id(PolicyId::new(id))).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{caller, envelope};

    fn load(text: &str) -> Result<Policies, Vec<Problem>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.cedar"), text).unwrap();
        Policies::load(folder.path(), [envelope().service.id.clone()].iter())
    }

    fn decide(text: &str) -> Result<Vec<String>, String> {
        let decided = load(text).unwrap().authorize(&caller("mohw"), &envelope());
        decided.map(|decision| decision.policies).map_err(|fault| fault.code.into_owned())
    }

    const ALLOW: &str = r#"@id("allow") permit(principal == Naru::Member::"mohw", action,
        resource in Naru::Sector::"practice");"#;

    #[test]
    fn access_is_denied_unless_a_policy_allows_and_none_forbids() {
        assert_eq!(decide(ALLOW), Ok(vec!["allow".to_owned()]));
        let other = r#"@id("o") permit(principal == Naru::Member::"other", action, resource);"#;
        assert_eq!(decide(other), Err("no-policy-allows".to_owned()));
        let strict = r#"@id("strict") forbid(principal, action, resource)
            when { context.assurance < 2 };"#;
        assert_eq!(decide(&[ALLOW, strict].concat()), Err("policy-forbids".to_owned()));
    }

    #[test]
    fn a_policy_that_cannot_be_right_is_refused_at_load() {
        for (bad, why) in [
            ("permit(principal, action, resource);", "@id"),
            (
                r#"@id("x") permit(principal, action, resource) when { context.colour == 1 };"#,
                "colour",
            ),
            (r#"@id("x") permit(principal == Naru::Person::"p", action, resource);"#, "Person"),
            ("permit(", "unexpected"),
            ("// nothing", "no policy"),
        ] {
            let problems = load(bad).err().unwrap();
            assert!(problems.iter().any(|p| p.message.contains(why)), "{bad}: {problems:?}");
        }
    }
}
