//! Operational records for operators and for programs that watch: what passed, without personal data.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse};
use gateway_core::{Fault, Kind};
use gateway_store::{ExchangeFilter, ExchangeRecord};

use super::{Administration, answer, operator};

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/exchanges", get().to(list));
}

/// Records in the order of the log, a page at a time: the next begins behind `after`, the index of the
/// last. An unknown filter is an error, as it must not show everything.
async fn list(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    let filter = Query::<ExchangeFilter>::from_query(request.query_string());
    let filter = filter.map(Query::into_inner).map_err(|error| {
        Fault::new(Kind::Malformed, "not-a-filter", format!("no such filter: {error}"))
    });
    answer(admin.exchanges(&request, filter).await, StatusCode::OK)
}

impl Administration {
    async fn exchanges(
        &self,
        request: &HttpRequest,
        filter: Result<ExchangeFilter, Fault>,
    ) -> Result<Vec<ExchangeRecord>, Fault> {
        operator(&self.gateway.current(), request)?;
        Ok(self.resources.archive.exchanges(&filter?).await?)
    }
}
