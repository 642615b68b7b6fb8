//! Members for operators: who takes part, since when, by which keys; and the acts that change it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path, ServiceConfig, delete, get, post};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::member::MemberState;
use gateway_core::{Fault, Kind, MemberId};
use gateway_store::{KeyKind, MemberContent, MemberRegistry, StoredKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::act::{Act, Acted};
use super::acts::acted;
use super::{Administration, answer, operator};
use crate::authenticate::{is_code, parse_hash};

/// A member that applies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    id: String,
    name: String,
    class: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    subsystems: Vec<String>,
    contact: Option<String>,
}

/// A key that is added.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    kind: KeyKind,
    /// `sha256:` and 64 hex digits.
    hash: String,
    /// Now when absent.
    valid_from: Option<Timestamp>,
    valid_until: Timestamp,
}

/// A member with all that is registered of it.
#[derive(Serialize)]
struct Shown {
    id: MemberId,
    name: String,
    class: Option<String>,
    attributes: BTreeMap<String, String>,
    subsystems: Vec<String>,
    contact: Option<String>,
    state: MemberState,
    /// Since when it is in this state; none where the configuration has it so.
    changed: Option<Timestamp>,
    /// Whether the configuration declares it.
    configured: bool,
    /// Keys added at run time; those that the configuration lists are not here.
    keys: Vec<ShownKey>,
}

#[derive(Serialize)]
struct ShownKey {
    kind: KeyKind,
    hash: String,
    valid_from: Timestamp,
    valid_until: Timestamp,
    revoked: Option<Timestamp>,
}

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/members", get().to(list))
        .route("/admin/members", post().to(apply))
        .route("/admin/members/{id}", get().to(show))
        .route("/admin/members/{id}/keys", post().to(add_key))
        .route("/admin/members/{id}/keys/{hash}", delete().to(revoke_key))
        .route("/admin/members/{id}/{act}", post().to(change));
}

async fn list(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    let operator = operator(&admin.gateway.current(), &request);
    answer(operator.map(|_| admin.all_members()), StatusCode::OK)
}

async fn show(request: HttpRequest, id: Path<String>, admin: Data<Administration>) -> HttpResponse {
    let operator = operator(&admin.gateway.current(), &request);
    let id = MemberId(id.as_str().into());
    let found = operator.and_then(|_| admin.shown(&id).ok_or_else(unknown));
    answer(found, StatusCode::OK)
}

async fn apply(request: HttpRequest, body: Bytes, admin: Data<Administration>) -> HttpResponse {
    let act = read(&body).map(Act::MemberApply);
    acted(admin.act_on_member(&request, act, &body).await, StatusCode::CREATED)
}

async fn change(
    request: HttpRequest,
    path: Path<(String, String)>,
    admin: Data<Administration>,
) -> HttpResponse {
    let (id, act) = path.into_inner();
    let id = MemberId(id.into());
    let act = match act.as_str() {
        "activate" => Ok(Act::MemberActivate(id)),
        "suspend" => Ok(Act::MemberSuspend(id)),
        "resume" => Ok(Act::MemberResume(id)),
        "end" => Ok(Act::MemberEnd(id)),
        _ => Err(Fault::new(Kind::Unroutable, "no-such-act", "there is no such act on a member")),
    };
    acted(admin.act_on_member(&request, act, &[]).await, StatusCode::OK)
}

async fn add_key(
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
    admin: Data<Administration>,
) -> HttpResponse {
    let act = read(&body).map(|key| Act::MemberKeyAdd(MemberId(id.as_str().into()), key));
    acted(admin.act_on_member(&request, act, &body).await, StatusCode::CREATED)
}

async fn revoke_key(
    request: HttpRequest,
    path: Path<(String, String)>,
    admin: Data<Administration>,
) -> HttpResponse {
    let (id, hash) = path.into_inner();
    let act = Ok(Act::MemberKeyRevoke(MemberId(id.into()), hash));
    acted(admin.act_on_member(&request, act, &[]).await, StatusCode::OK)
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))
}

impl Administration {
    async fn act_on_member(
        &self,
        request: &HttpRequest,
        act: Result<Act, Fault>,
        said: &[u8],
    ) -> Result<Acted, Fault> {
        let operator = operator(&self.gateway.current(), request)?;
        self.act(&operator, &act?, said).await
    }

    fn all_members(&self) -> Vec<Shown> {
        let deployment = self.gateway.current();
        let configured = deployment.members.ids().iter().cloned();
        let added = self.resources.registry.members().into_iter().map(|added| added.member.id);
        let mut ids: Vec<MemberId> = configured.chain(added).collect();
        ids.sort();
        ids.dedup();
        ids.iter().filter_map(|id| self.shown(id)).collect()
    }

    fn shown(&self, id: &MemberId) -> Option<Shown> {
        let deployment = self.gateway.current();
        let configured = deployment.members.profile(id);
        let kept = self.resources.registry.member(id).map(|registered| registered.member);
        let content = kept.as_ref().and_then(|member| member.content.clone());
        if configured.is_none() && content.is_none() {
            return None;
        }
        let content = content.unwrap_or_default();
        let keys = self.resources.registry.keys(id);
        Some(Shown {
            id: id.clone(),
            name: configured.map_or(content.name, |profile| profile.name.clone()),
            class: match configured {
                Some(profile) => profile.class.as_deref().map(str::to_owned),
                None => content.class,
            },
            attributes: match configured {
                Some(profile) => (*profile.attributes).clone(),
                None => content.attributes,
            },
            subsystems: configured.map_or(content.subsystems, |own| own.subsystems.clone()),
            contact: content.contact,
            state: kept.as_ref().map_or(MemberState::Active, |member| member.state),
            changed: kept.map(|member| member.changed),
            configured: configured.is_some(),
            keys: keys.into_iter().map(ShownKey::of).collect(),
        })
    }

    pub(super) fn check_application(&self, application: &Application) -> Result<(), Fault> {
        let id = MemberId(application.id.as_str().into());
        if !is_code(&application.id) {
            let says = "an id has 1 to 16 lower-case letters, digits and hyphens";
            return Err(malformed(says));
        }
        if application.name.trim().is_empty() {
            return Err(malformed("a member has a name"));
        }
        match self.shown(&id) {
            Some(_) => Err(conflict("member-exists", "there is a member of this id")),
            None => Ok(()),
        }
    }

    /// Whether a member may go from its state to `next`, from one of `from`.
    pub(super) fn check_move(
        &self,
        id: &MemberId,
        from: &[MemberState],
        next: MemberState,
    ) -> Result<MemberState, Fault> {
        let state = self.shown(id).ok_or_else(unknown)?.state;
        if from.contains(&state) && state.may_become(next) {
            return Ok(state);
        }
        let says = format!("the member is {state}; this cannot be done then");
        Err(conflict("member-state", says))
    }

    pub(super) fn check_new_key(&self, id: &MemberId, key: &NewKey) -> Result<StoredKey, Fault> {
        let state = self.shown(id).ok_or_else(unknown)?.state;
        if state == MemberState::Ended {
            return Err(conflict("member-state", "the member has ended"));
        }
        let hash = parse_hash(&key.hash).map_err(malformed)?;
        let known = self.gateway.current().members.lists(&hash);
        if known || self.resources.registry.has_key(&hash) {
            let says = "this key is registered already; a member wants a key of its own";
            return Err(conflict("key-exists", says));
        }
        let valid_from = key.valid_from.unwrap_or_else(|| self.resources.clock.now());
        if key.valid_until <= valid_from {
            return Err(malformed("valid_until must be later than valid_from"));
        }
        let (kind, valid_until) = (key.kind, key.valid_until);
        Ok(StoredKey { hash, member: id.clone(), kind, valid_from, valid_until, revoked: None })
    }

    pub(super) fn check_key(&self, id: &MemberId, hash: &str) -> Result<[u8; 32], Fault> {
        let hash = parse_hash(hash).map_err(malformed)?;
        let keys = self.resources.registry.keys(id);
        match keys.iter().any(|key| key.hash == hash && key.revoked.is_none()) {
            true => Ok(hash),
            false => {
                let says = "this member has no such key that was added at run time and holds";
                Err(Fault::new(Kind::Unroutable, "no-such-key", says))
            }
        }
    }

    pub(super) async fn add_member(&self, application: &Application) -> Result<Value, Fault> {
        let id = MemberId(application.id.as_str().into());
        let registry = &self.resources.registry;
        let added = registry.store().add_member(&id, &application.content()).await?;
        self.changed(&id, added).await
    }

    pub(super) async fn move_member(
        &self,
        id: &MemberId,
        from: MemberState,
        to: MemberState,
    ) -> Result<Value, Fault> {
        let moved = self.resources.registry.store().move_member(id, from, to).await?;
        self.changed(id, moved).await
    }

    pub(super) async fn add_key(&self, key: &StoredKey) -> Result<Value, Fault> {
        let added = self.resources.registry.store().add_key(key).await?;
        self.changed(&key.member, added).await
    }

    pub(super) async fn revoke_key(&self, id: &MemberId, hash: &[u8; 32]) -> Result<Value, Fault> {
        let revoked = self.resources.registry.store().revoke_key(id, hash).await?;
        self.changed(id, revoked).await
    }

    /// The member as it is now. Where nothing was changed, another act came first.
    async fn changed(&self, id: &MemberId, was_changed: bool) -> Result<Value, Fault> {
        self.resources.registry.refresh().await?;
        match was_changed {
            true => Ok(json!(self.shown(id))),
            false => Err(conflict("member-state", "another act has changed this meanwhile")),
        }
    }
}

impl ShownKey {
    fn of(key: StoredKey) -> Self {
        let StoredKey { hash, kind, valid_from, valid_until, revoked, .. } = key;
        let hash = format!("sha256:{}", hex::encode(hash));
        Self { kind, hash, valid_from, valid_until, revoked }
    }
}

impl Application {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    fn content(&self) -> MemberContent {
        let Self { name, class, attributes, subsystems, contact, .. } = self.clone();
        MemberContent { name, class, attributes, subsystems, contact }
    }
}

fn unknown() -> Fault {
    Fault::new(Kind::Unroutable, "no-such-member", "there is no such member")
}

fn malformed(says: impl Into<String>) -> Fault {
    Fault::new(Kind::Malformed, "not-a-member", says)
}

fn conflict(code: &'static str, says: impl Into<String>) -> Fault {
    Fault::new(Kind::Unsupported, code, says)
}
