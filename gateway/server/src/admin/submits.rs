//! Submits whose outcome is not known, for operators: which are open, and what an operator has found
//! out about one. What was asked is personal and shown to nobody.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, Path, ServiceConfig, get, post};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::outbox::Submission;
use gateway_core::pipeline::{Established, Finding};
use gateway_core::{ExchangeId, Fault, Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Administration, answer, operator};

/// One that is open.
#[derive(Serialize)]
struct Open {
    exchange: ExchangeId,
    key: String,
    service: String,
    backend: String,
    mapping: String,
}

/// What an operator has found out.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Found {
    /// It was done; fields of the reply, in the service's terms.
    Done(BTreeMap<String, Value>),
    /// The provider's name for its refusal.
    Refused(String),
    NotDone,
}

/// That it is settled, and proof that who said so is on record.
#[derive(Serialize)]
struct Settled {
    exchange: Uuid,
    receipt: String,
}

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/submits", get().to(list))
        .route("/admin/submits/{exchange}", post().to(settle));
}

async fn list(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    answer(admin.open_submits(&request).await, StatusCode::OK)
}

async fn settle(
    request: HttpRequest,
    exchange: Path<Uuid>,
    body: Bytes,
    admin: Data<Administration>,
) -> HttpResponse {
    answer(admin.settle_submit(&request, *exchange, &body).await, StatusCode::OK)
}

impl Administration {
    async fn open_submits(&self, request: &HttpRequest) -> Result<Vec<Open>, Fault> {
        let deployment = self.gateway.current();
        operator(&deployment, request)?;
        let open = deployment.pipeline.outbox.unsettled().await?;
        Ok(open.into_iter().map(Open::of).collect())
    }

    async fn settle_submit(
        &self,
        request: &HttpRequest,
        exchange: Uuid,
        said: &[u8],
    ) -> Result<Settled, Fault> {
        let deployment = self.gateway.current();
        let by = operator(&deployment, request)?;
        let found: Found = serde_json::from_slice(said).map_err(|_| {
            malformed("say {\"done\": {…}}, {\"refused\": \"NAME\"} or \"not-done\"")
        })?;
        let id = ExchangeId(exchange);
        let found = match found {
            Found::Done(fields) => {
                let service = deployment.pipeline.open_submit(id).await?.service;
                let fields = serde_json::to_vec(&fields).unwrap_or_default();
                Established::Done(deployment.grpc.reply_fields(&service, &fields)?)
            }
            Found::Refused(name) if is_name(&name) => Established::Refused(name),
            Found::Refused(_) => return Err(malformed("a refusal has a name of a word")),
            Found::NotDone => Established::NotDone,
        };
        let finding = Finding { found: &found, by, said };
        let receipt = deployment.pipeline.establish(id, finding).await?;
        Ok(Settled { exchange, receipt: receipt.0 })
    }
}

impl Open {
    fn of(submission: Submission) -> Self {
        Self {
            exchange: submission.exchange,
            key: format!("{:?}", submission.key),
            service: submission.service.to_string(),
            backend: submission.backend.to_string(),
            mapping: submission.mapping.to_string(),
        }
    }
}

/// It goes into the log, where nothing personal may stand.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

fn malformed(says: &str) -> Fault {
    Fault::new(Kind::Malformed, "not-a-finding", says)
}
