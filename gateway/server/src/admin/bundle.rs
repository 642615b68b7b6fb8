//! Evidence bundles: one exchange in one file for a court, with the parts that are asked for opened. That
//! it was made, by whom and of what, is on record before it is handed out.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::journal::{RecordKind, Trail};
use gateway_core::{Caller, ExchangeId, Fault, Kind, Record};
use gateway_journal::bundle::{Bundle, BundledEntry, Opening, prove};
use gateway_journal::{Folder, Part};
use gateway_store::ArchivedEntry;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Administration, answer, operator};
use crate::bodies;

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/exchanges/{id}/bundle", get().to(bundle));
}

/// `?part=reply&part=request`; without parts, nothing is opened.
async fn bundle(request: HttpRequest, id: Path<Uuid>, admin: Data<Administration>) -> HttpResponse {
    let parts = Query::<Vec<(String, String)>>::from_query(request.query_string());
    let parts = parts.map(Query::into_inner).unwrap_or_default();
    answer(admin.bundle(&request, ExchangeId(*id), &parts).await, StatusCode::OK)
}

impl Administration {
    async fn bundle(
        &self,
        request: &HttpRequest,
        exchange: ExchangeId,
        query: &[(String, String)],
    ) -> Result<Bundle, Fault> {
        let by = operator(&self.gateway.current(), request)?;
        let wanted = wanted(query)?;
        self.resources.log.flush().await.map_err(|error| unavailable(&error))?;
        let entries = self.resources.archive.entries(exchange).await?;
        if entries.is_empty() {
            let says = "there is no such exchange in the archive";
            return Err(Fault::new(Kind::Unroutable, "no-such-exchange", says));
        }
        self.record_opening(&by, exchange, query).await?;
        let mut bundled = Vec::with_capacity(entries.len());
        for entry in &entries {
            let openings = self.openings(exchange, entry, &wanted).await?;
            bundled.push(BundledEntry { openings, receipt: self.proof(entry.index).await? });
        }
        let opened = bundled.iter().map(|entry| entry.openings.len()).sum::<usize>();
        if opened < wanted.len() {
            let says = "a part that was asked for is not kept of this exchange, or its key was \
                        destroyed; ask for others, see bodies.keep";
            return Err(Fault::new(Kind::Unroutable, "not-kept", says));
        }
        Ok(Bundle::new(bundled))
    }

    async fn openings(
        &self,
        exchange: ExchangeId,
        entry: &ArchivedEntry,
        wanted: &[Part],
    ) -> Result<Vec<Opening>, Fault> {
        let mut openings = Vec::new();
        for part in wanted {
            if let Some(bytes) = self.part(exchange, entry, *part).await? {
                let salt = match &entry.key {
                    Some(key) => bodies::vault(&self.resources)?
                        .salt(key, &exchange, &entry.kind, *part)
                        .await
                        .map_err(bodies::refused)?,
                    None => self.resources.log.salt(&exchange, &entry.kind, *part),
                };
                openings.push(Opening::new(*part, &salt, &bytes));
            }
        }
        Ok(openings)
    }

    async fn part(
        &self,
        exchange: ExchangeId,
        entry: &ArchivedEntry,
        part: Part,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        if let Some((_, bytes)) = entry.parts.iter().find(|(name, _)| *name == part.name()) {
            return Ok(Some(Zeroizing::new(bytes.clone())));
        }
        let sealed = entry.sealed.iter().find(|(name, _)| name == part.name());
        let (Some((_, sealed)), Some(key)) = (sealed, &entry.key) else { return Ok(None) };
        let vault = bodies::vault(&self.resources)?;
        let opened = vault.open_body(key, &exchange, &entry.kind, part, sealed).await;
        opened.map(Some).map_err(bodies::refused)
    }

    async fn proof(&self, index: u64) -> Result<String, Fault> {
        let directory = self.resources.log.directory().to_owned();
        let key = self.resources.log.verifier().clone();
        let proved = tokio::task::spawn_blocking(move || {
            let folder = Folder::open(&directory).map_err(|error| unavailable(&error))?;
            prove(&folder, &key, index).map_err(|error| unavailable(&error))
        });
        proved.await.unwrap_or_else(|gone| Err(unavailable(&gone)))
    }

    async fn record_opening(
        &self,
        by: &Caller,
        exchange: ExchangeId,
        query: &[(String, String)],
    ) -> Result<(), Fault> {
        let trail = Trail { caller: Some(by.clone()), about: Some(exchange), ..Trail::default() };
        let parts: Vec<&str> = query.iter().map(|(_, part)| part.as_str()).collect();
        let parts = parts.join(",");
        let now = self.resources.clock.now();
        let record = Record {
            exchange: ExchangeId(Uuid::now_v7()),
            kind: RecordKind::Administration,
            received: now,
            finished: now,
            front: "admin/exchange-bundle",
            trail: &trail,
            request: parts.as_bytes(),
            reply: &[],
            fault: None,
        };
        self.resources.journal.append(record).await.map(drop)
    }
}

fn wanted(query: &[(String, String)]) -> Result<Vec<Part>, Fault> {
    let part = |(name, value): &(String, String)| match (name.as_str(), Part::named(value)) {
        ("part", Some(part)) => Ok(part),
        _ => {
            let names = Part::ALL.map(Part::name).join(", ");
            let says = format!("wanted: part=, one of {names}");
            Err(Fault::new(Kind::Malformed, "no-such-part", says))
        }
    };
    let mut parts = query.iter().map(part).collect::<Result<Vec<_>, _>>()?;
    parts.sort_unstable();
    parts.dedup();
    Ok(parts)
}

fn unavailable(error: &dyn std::fmt::Display) -> Fault {
    let says = "the log cannot be read at the moment";
    Fault::new(Kind::Internal, "log-unavailable", says).context(error)
}
