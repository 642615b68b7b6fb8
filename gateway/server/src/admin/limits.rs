//! What is spent of quotas, and alarms, for operators.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse};

use super::{Administration, answer, operator};

/// Shares in one answer.
const PAGE: usize = 1_000;

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/admin/quotas", get().to(quotas)).route("/admin/alarms", get().to(alarms));
}

async fn quotas(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    let deployment = admin.gateway.current();
    let operator = operator(&deployment, &request);
    let now = admin.resources.clock.now();
    answer(operator.map(|_| deployment.quotas.spent(now, PAGE)), StatusCode::OK)
}

async fn alarms(request: HttpRequest, admin: Data<Administration>) -> HttpResponse {
    let operator = operator(&admin.gateway.current(), &request);
    answer(operator.map(|_| admin.resources.alarms.list()), StatusCode::OK)
}
