//! An access request in Cedar's terms: entities, scope and context.

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
    Schema,
};
use gateway_core::{AccessRequest, Operation};

use super::Undecided;
use super::facts::Facts;

/// The schema that policies are validated against.
pub const SCHEMA: &str = include_str!("policy.cedarschema");

/// The names of the schema, parsed once.
pub(super) struct Vocabulary {
    pub(super) schema: Schema,
    member: EntityTypeName,
    sector: EntityTypeName,
    service: EntityTypeName,
    query: EntityUid,
    submit: EntityUid,
}

/// What a request is about, as the scope of a policy names it.
pub(super) struct Scope {
    pub(super) member: EntityUid,
    pub(super) action: EntityUid,
    pub(super) service: EntityUid,
    pub(super) sector: EntityUid,
}

impl Vocabulary {
    pub(super) fn new() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA)?;
        let action: EntityTypeName = "Naru::Action".parse()?;
        Ok(Self {
            schema,
            member: "Naru::Member".parse()?,
            sector: "Naru::Sector".parse()?,
            service: "Naru::Service".parse()?,
            query: uid(&action, "query"),
            submit: uid(&action, "submit"),
        })
    }

    pub(super) fn scope(&self, request: &AccessRequest) -> Scope {
        Scope {
            member: uid(&self.member, &request.member.0),
            action: match request.operation {
                Operation::Query => self.query.clone(),
                Operation::Submit => self.submit.clone(),
            },
            service: uid(&self.service, &request.service.to_string()),
            sector: uid(&self.sector, &request.service.sector),
        }
    }

    /// The member, the service and its sector: no policy can speak of more.
    pub(super) fn entities(&self, request: &AccessRequest) -> Result<Entities, Undecided> {
        let Scope { member, service, sector, .. } = self.scope(request);
        let undecided =
            |error: Box<dyn std::error::Error + Send + Sync>| Undecided::Entities(error);
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let class = request.class.as_deref().map(|class| ("class".to_owned(), text(class)));
        let tags = request.attributes.iter().map(|(name, value)| (name.clone(), text(value)));
        let member = Entity::new_with_tags(member, class, [], tags);
        let entities = [
            member.map_err(|error| undecided(error.into()))?,
            Entity::new_no_attrs(service, [sector.clone()].into()),
            Entity::with_uid(sector),
        ];
        Entities::from_entities(entities, Some(&self.schema)).map_err(|e| undecided(e.into()))
    }

    /// The request with those facts of its context that anybody reads.
    pub(super) fn request(
        &self,
        request: &AccessRequest,
        facts: Facts,
    ) -> Result<Request, Undecided> {
        let undecided = |error: Box<dyn std::error::Error + Send + Sync>| Undecided::Request(error);
        let Scope { member, action, service, .. } = self.scope(request);
        let context = Context::from_pairs(facts.of(request)).map_err(|e| undecided(e.into()))?;
        Request::new(member, action, service, context, None).map_err(|e| undecided(e.into()))
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}
