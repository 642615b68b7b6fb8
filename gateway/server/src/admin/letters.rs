//! Letters for operators: what waits, what is dead and why, replay and removal. What is in a letter is
//! personal and shown to nobody.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ServiceConfig, delete, get, post};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::letter::{Envelope, State};
use gateway_core::{Caller, Fault, Kind};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::act::{Act, Acted};
use super::acts::acted;
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
    acted(admin.act_on_letter(&request, Act::LetterReplay(*id)).await, StatusCode::OK)
}

async fn discard(
    request: HttpRequest,
    id: Path<Uuid>,
    admin: Data<Administration>,
) -> HttpResponse {
    acted(admin.act_on_letter(&request, Act::LetterDiscard(*id)).await, StatusCode::OK)
}

impl Administration {
    /// Who asks, and the queue.
    fn letters(&self, request: &HttpRequest) -> Result<(Caller, Arc<Later>), Fault> {
        let deployment = self.gateway.current();
        Ok((operator(&deployment, request)?, self.queue()?))
    }

    fn queue(&self) -> Result<Arc<Later>, Fault> {
        self.gateway.current().later.clone().ok_or_else(|| {
            let says = "this gateway has no queue; add [queue] to its configuration";
            Fault::new(Kind::Unroutable, "no-queue", says)
        })
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

    async fn act_on_letter(&self, request: &HttpRequest, act: Act) -> Result<Acted, Fault> {
        let (operator, _) = self.letters(request)?;
        self.act(&operator, &act, &[]).await
    }

    /// Whether a letter is dead, so that something can be done with it.
    pub(super) async fn check_letter(&self, id: Uuid) -> Result<(), Fault> {
        match self.queue()?.letter_box().look(id).await? {
            Some((Envelope { state: State::Dead, .. }, _)) => Ok(()),
            _ => Err(unknown()),
        }
    }

    pub(super) async fn replay_letter(&self, id: Uuid) -> Result<Value, Fault> {
        match self.queue()?.replay(id).await? {
            true => Ok(json!({ "id": id })),
            false => Err(unknown()),
        }
    }

    pub(super) async fn discard_letter(&self, id: Uuid) -> Result<Value, Fault> {
        match self.queue()?.letter_box().discard(id).await? {
            true => Ok(json!({ "id": id })),
            false => Err(unknown()),
        }
    }
}

fn unknown() -> Fault {
    let says = "there is no such letter, or it is not in a state for this";
    Fault::new(Kind::Unroutable, "no-such-letter", says)
}
