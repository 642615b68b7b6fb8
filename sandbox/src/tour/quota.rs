//! Two callers that ask more often than they may, each told so in its own format.

use serde_json::{Value, json};

use super::{StepError, Tour};
use crate::callers::city_a::{CityA, Telegram};
use crate::people::HONG;
use crate::world::configuration::{CITY_A_QUOTA, PORTAL_QUOTA};

const PERIOD: (&str, &str) = ("2026-06-01", "2026-06-30");

/// Asks until refused.
pub(super) async fn step(tour: &mut Tour<'_>) -> Result<(), StepError> {
    portal(tour).await?;
    city_a(tour).await
}

async fn portal(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let portal = tour.world.portal()?;
    let key = tour.world.api_keys().portal.expose();
    let (from, to) = PERIOD;
    let request = json!({
        "residentNumber": HONG.hyphenated(), "group": "housing", "from": from, "to": to,
    });
    tour.report.sent("REST overlapCheck, again and again")?;
    let mut allowed = 0;
    // A unit comes back every twelve seconds, so on a slow machine one more may pass.
    let refused = loop {
        let reply = portal.call("overlapCheck", &request, Some(key), None).await?;
        let limit = reply.rate_limit.as_deref().unwrap_or("no RateLimit");
        let overlapping = reply.body.get("overlapping").and_then(Value::as_bool);
        let told = overlapping.map(|overlapping| format!("overlapping {overlapping}, "));
        let what = format!("{}, {}RateLimit: {limit}", reply.status, told.unwrap_or_default());
        tour.received(&what, reply.receipt.as_deref())?;
        if reply.status != 200 || allowed > PORTAL_QUOTA {
            break reply;
        }
        allowed += 1;
    };
    let what = format!("{PORTAL_QUOTA} allowed, the next refused: 429 with Retry-After");
    let told = refused.status == 429 && refused.retry_after.is_some();
    tour.report.check(told && allowed >= PORTAL_QUOTA, &what)?;
    let names =
        |header: &Option<String>| header.as_ref().is_some_and(|h| h.contains("\"rest-demo\""));
    let named = names(&refused.rate_limit) && names(&refused.rate_limit_policy);
    tour.report.check(named, "RateLimit and RateLimit-Policy name the quota")?;
    let problem = refused.text("type").ends_with("#quota-exceeded");
    tour.report.check(problem, "the body is the problem type quota-exceeded")?;
    Ok(())
}

async fn city_a(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let mut city_a = CityA::connect(tour.world.ports().telegram).await?;
    let key = tour.world.api_keys().city_a.expose();
    tour.report.sent("WLF001 overlapCheck telegrams on one connection, again and again")?;
    let mut allowed = 0;
    let refused = loop {
        let telegram = Telegram::overlap_check(key, 100 + allowed, HONG, "20", PERIOD)?;
        let reply = city_a.call(&telegram).await?;
        let told = match reply.code.as_str() {
            "0000" => format!("overlapping {}, by {}", reply.field(0, 1), reply.field(65, 16)),
            _ => reply.message.clone(),
        };
        let what = format!("responseCode {} {told}", reply.code);
        tour.received(&what, reply.receipt.as_deref())?;
        if reply.code != "0000" || allowed > CITY_A_QUOTA {
            break reply;
        }
        allowed += 1;
    };
    let what = format!("{CITY_A_QUOTA} allowed, the next refused: 9302");
    tour.report.check(refused.code == "9302" && allowed >= CITY_A_QUOTA, &what)?;
    Ok(())
}
