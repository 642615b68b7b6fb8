//! Letters for operators: what waits, what is dead and why, replay and removal. What is in a letter is
//! personal and shown to nobody.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ServiceConfig, delete, get, post};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::journal::{RecordKind, Trail};
use gateway_core::letter::{Envelope, State};
use gateway_core::{Caller, ExchangeId, Fault, Kind, Record};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Administration, answer, operator};
use crate::later::Later;

/// Letters in one answer.
const PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    #[serde(default = "dead")]
    state: State,
    /// The last id of the page before.
    after: Option<Uuid>,
}

fn dead() -> State {
    State::Dead
}

/// What was done with a letter, and proof that it is on record.
#[derive(Serialize)]
struct Done {
    id: Uuid,
    receipt: String,
}

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/letters", get().to(list))
        .route("/admin/letters/{id}", get().to(show))
        .route("/admin/letters/{id}", delete().to(discard))
        .route("/admin/letters/{id}/replay", post().to(replay));
}

async fn list(
    request: HttpRequest,
    listing: Query<Listing>,
    admin: Data<Administration>,
) -> HttpResponse {
    answer(admin.list_letters(&request, &listing).await, StatusCode::OK)
}

async fn show(request: HttpRequest, id: Path<Uuid>, admin: Data<Administration>) -> HttpResponse {
    answer(admin.show_letter(&request, *id).await, StatusCode::OK)
}

async fn replay(request: HttpRequest, id: Path<Uuid>, admin: Data<Administration>) -> HttpResponse {
    answer(admin.replay_letter(&request, *id).await, StatusCode::OK)
}

async fn discard(
    request: HttpRequest,
    id: Path<Uuid>,
    admin: Data<Administration>,
) -> HttpResponse {
    answer(admin.discard_letter(&request, *id).await, StatusCode::OK)
}

impl Administration {
    /// Who asks, and the queue.
    fn letters(&self, request: &HttpRequest) -> Result<(Caller, Arc<Later>), Fault> {
        let deployment = self.gateway.current();
        let operator = operator(&deployment, request)?;
        let later = deployment.later.clone().ok_or_else(|| {
            let says = "this gateway has no queue; add [queue] to its configuration";
            Fault::new(Kind::Unroutable, "no-queue", says)
        })?;
        Ok((operator, later))
    }

    async fn list_letters(
        &self,
        request: &HttpRequest,
        listing: &Listing,
    ) -> Result<Vec<Envelope>, Fault> {
        let (_, later) = self.letters(request)?;
        later.letter_box().list(listing.state, listing.after, PAGE).await
    }

    async fn show_letter(&self, request: &HttpRequest, id: Uuid) -> Result<Envelope, Fault> {
        let (_, later) = self.letters(request)?;
        let found = later.letter_box().look(id).await?;
        found.map(|(envelope, _)| envelope).ok_or_else(unknown)
    }

    async fn replay_letter(&self, request: &HttpRequest, id: Uuid) -> Result<Done, Fault> {
        let (operator, later) = self.letters(request)?;
        self.resources.journal.writable()?;
        match later.replay(id).await? {
            true => self.record_letter(&operator, "admin/letter-replay", id).await,
            false => Err(unknown()),
        }
    }

    async fn discard_letter(&self, request: &HttpRequest, id: Uuid) -> Result<Done, Fault> {
        let (operator, later) = self.letters(request)?;
        self.resources.journal.writable()?;
        match later.letter_box().discard(id).await? {
            true => self.record_letter(&operator, "admin/letter-discard", id).await,
            false => Err(unknown()),
        }
    }

    /// The entry has the letter's own id, which for an exchange is the exchange's.
    async fn record_letter(&self, by: &Caller, act: &str, id: Uuid) -> Result<Done, Fault> {
        let trail = Trail { caller: Some(by.clone()), ..Trail::default() };
        let now = self.resources.clock.now();
        let record = Record {
            exchange: ExchangeId(id),
            kind: RecordKind::Administration,
            received: now,
            finished: now,
            front: act,
            trail: &trail,
            request: &[],
            reply: &[],
            fault: None,
        };
        Ok(Done { id, receipt: self.resources.journal.append(record).await?.0 })
    }
}

fn unknown() -> Fault {
    let says = "there is no such letter, or it is not in a state for this";
    Fault::new(Kind::Unroutable, "no-such-letter", says)
}
