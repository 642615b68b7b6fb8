//! The end of bodies, by operators: erasing a person, and legal holds that stop it.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path, ServiceConfig, delete, get, post};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::keys::{Covers, Hold};
use gateway_core::stage::CONSENT_DOMAIN;
use gateway_core::{Caller, Fault, Kind, Pseudonymize, ResidentNumber};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroize;

use super::act::{Act, Acted};
use super::acts::acted;
use super::{Administration, answer, operator};
use crate::bodies::{self, Erased};

/// A person, named for as long as it takes to make pseudonyms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    resident: String,
}

/// What is to be held.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    resident: Option<String>,
    purpose: Option<String>,
    exchange: Option<Uuid>,
    reason: String,
}

/// A hold as operators see it: never whom it is about.
#[derive(Serialize)]
struct Shown {
    id: Uuid,
    exchange: Option<Uuid>,
    purpose: Option<String>,
    reason: String,
    by: String,
    since: jiff::Timestamp,
}

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/erasures", post().to(erase))
        .route("/admin/holds", post().to(hold))
        .route("/admin/holds", get().to(list))
        .route("/admin/holds/{id}", delete().to(lift));
}

async fn erase(request: HttpRequest, body: Bytes, admin: Data<Administration>) -> HttpResponse {
    acted(admin.erase_person(&request, &body).await, StatusCode::OK)
}

async fn hold(request: HttpRequest, body: Bytes, admin: Data<Administration>) -> HttpResponse {
    acted(admin.order_hold(&request, &body).await, StatusCode::CREATED)
}

async fn list(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    answer(admin.list_holds(&request).await, StatusCode::OK)
}

async fn lift(request: HttpRequest, id: Path<Uuid>, admin: Data<Administration>) -> HttpResponse {
    acted(admin.order_lift(&request, *id).await, StatusCode::OK)
}

impl Administration {
    async fn erase_person(&self, request: &HttpRequest, body: &[u8]) -> Result<Acted, Fault> {
        let by = operator(&self.gateway.current(), request)?;
        let mut person: Person = serde_json::from_slice(body).map_err(|_| not_a_person())?;
        let holders = self.holders(&person.resident);
        person.resident.zeroize();
        // Nothing of the number itself is on record, not even as a commitment.
        self.act(&by, &Act::PersonErase { by: by.member.to_string(), holders: holders? }, &[]).await
    }

    async fn order_hold(&self, request: &HttpRequest, body: &[u8]) -> Result<Acted, Fault> {
        let by = operator(&self.gateway.current(), request)?;
        let order: Order = serde_json::from_slice(body).map_err(|_| not_an_order())?;
        let covers = match (order.exchange, order.resident, order.purpose) {
            (Some(exchange), None, None) => Covers::Exchange(exchange),
            (None, Some(mut resident), purpose) => {
                let holders = self.holders(&resident);
                resident.zeroize();
                Covers::Person { holders: holders?, purpose }
            }
            _ => return Err(not_an_order()),
        };
        let hold = Hold {
            id: Uuid::now_v7(),
            covers,
            reason: order.reason,
            by: by.member.to_string(),
            since: self.resources.clock.now(),
        };
        self.act(&by, &Act::HoldPlace(Box::new(hold)), &[]).await
    }

    async fn order_lift(&self, request: &HttpRequest, id: Uuid) -> Result<Acted, Fault> {
        let by: Caller = operator(&self.gateway.current(), request)?;
        self.act(&by, &Act::HoldLift(id), &[]).await
    }

    async fn list_holds(&self, request: &HttpRequest) -> Result<Vec<Shown>, Fault> {
        operator(&self.gateway.current(), request)?;
        let holds = bodies::vault(&self.resources)?.store().holds().await;
        let holds = holds.map_err(|error| bodies::refused(error.into()))?;
        Ok(holds.into_iter().map(Shown::from).collect())
    }

    /// The pseudonyms of a person in all sectors.
    fn holders(&self, resident: &str) -> Result<Vec<[u8; 32]>, Fault> {
        let number = ResidentNumber::parse(resident.trim()).map_err(|_| not_a_person())?;
        let deployment = self.gateway.current();
        let sectors: BTreeSet<&str> =
            deployment.services.iter().map(|service| &*service.id.sector).collect();
        let number = number.expose().as_bytes();
        let of = |sector| deployment.pseudonyms.pseudonym(sector, CONSENT_DOMAIN, number).0;
        Ok(sectors.into_iter().map(of).collect())
    }

    pub(super) async fn check_erasure(&self, holders: &[[u8; 32]]) -> Result<(), Fault> {
        let held = bodies::vault(&self.resources)?.store().held(holders).await;
        match held.map_err(|error| bodies::refused(error.into()))? {
            true => Err(bodies::refused(gateway_journal::VaultError::Held)),
            false => Ok(()),
        }
    }

    pub(super) async fn do_erase(&self, by: &str, holders: &[[u8; 32]]) -> Result<Value, Fault> {
        let by = super::act::operator_named(by);
        let Erased { destroyed, backups, receipt } =
            bodies::erase(&self.resources, holders.to_vec(), &by).await?;
        Ok(json!({
            "keys": destroyed.keys,
            "bodies": destroyed.bodies,
            "backupsErased": backups,
            "erasure": receipt.0,
        }))
    }

    pub(super) fn check_bodies(&self) -> Result<(), Fault> {
        bodies::vault(&self.resources).map(drop)
    }

    pub(super) async fn place_hold(&self, hold: &Hold) -> Result<Value, Fault> {
        let kept = bodies::vault(&self.resources)?.store().hold(hold).await;
        kept.map_err(|error| bodies::refused(error.into()))?;
        Ok(json!({ "id": hold.id }))
    }

    pub(super) async fn lift_hold(&self, id: Uuid) -> Result<Value, Fault> {
        let lifted = bodies::vault(&self.resources)?.store().lift(id).await;
        match lifted.map_err(|error| bodies::refused(error.into()))? {
            true => Ok(json!({ "id": id })),
            false => Err(Fault::new(Kind::Unroutable, "no-such-hold", "there is no such hold")),
        }
    }
}

impl From<Hold> for Shown {
    fn from(hold: Hold) -> Self {
        let Hold { id, covers, reason, by, since } = hold;
        let (exchange, purpose) = match covers {
            Covers::Exchange(exchange) => (Some(exchange), None),
            Covers::Person { purpose, .. } => (None, purpose),
        };
        Self { id, exchange, purpose, reason, by, since }
    }
}

fn not_a_person() -> Fault {
    let says = "wanted: a JSON object with the resident number as `resident`";
    Fault::new(Kind::Malformed, "not-a-person", says)
}

fn not_an_order() -> Fault {
    let says = "wanted: `reason`, and either `exchange` or `resident` with perhaps a `purpose`";
    Fault::new(Kind::Malformed, "not-a-hold", says)
}
