//! Callers without evidence, with evidence nobody registered, and one without the right.

use serde_json::{Value, json};

use super::grants::HOUSING;
use super::{StepError, Tour};
use crate::callers::city_a::{CityA, Telegram};
use crate::callers::{CallError, Identity};

const WRONG_KEY: &str = "bm90LWEta2V5LW9mLWFueWJvZHktaW4tdGhpcy13b3JsZA";

/// Each is told so in its own format.
pub(super) async fn step(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let key = tour.world.api_keys().portal.expose();
    rest(tour, "without an API key", None, 401).await?;
    rest(tour, "with an unknown API key", Some(WRONG_KEY), 401).await?;
    rest(tour, "by the portal, which may only check", Some(key), 403).await?;
    unregistered(tour).await?;
    stranger(tour).await?;
    telegram(tour).await
}

async fn rest(
    tour: &mut Tour<'_>,
    who: &str,
    key: Option<&str>,
    status: u16,
) -> Result<(), StepError> {
    let request = grant();
    tour.report.sent(&format!("REST benefitGrant {who}"))?;
    let key_of_request = format!("TOUR-REFUSED-{}", who.len());
    let portal = tour.world.portal()?;
    let reply = portal.call("benefitGrant", &request, key, Some(&key_of_request)).await?;
    let what = format!("{} {}", reply.status, reply.text("detail"));
    tour.received(&what, reply.receipt.as_deref())?;
    tour.report.check(reply.status == status, &format!("refused: {status}"))?;
    Ok(())
}

async fn unregistered(tour: &mut Tour<'_>) -> Result<(), StepError> {
    tour.report
        .sent("SOAP overlapCheck with a certificate of the right authority, unregistered")?;
    let ministry = tour.world.ministry(Identity::Unregistered)?;
    let reply = ministry.call("overlapCheck", &check()).await?;
    let what = format!("resultCode {} {}", reply.code, reply.message);
    tour.received(&what, reply.receipt.as_deref())?;
    tour.report.check(reply.code == "1003", "refused: 1003")?;
    Ok(())
}

async fn stranger(tour: &mut Tour<'_>) -> Result<(), StepError> {
    tour.report.sent("SOAP overlapCheck with a certificate of another authority")?;
    let ministry = tour.world.ministry(Identity::Stranger)?;
    let refused = match ministry.call("overlapCheck", &check()).await {
        Err(CallError::Http(error)) => {
            tour.report.received("no TLS connection")?;
            error.is_connect() || error.is_request()
        }
        Err(error) => return Err(error.into()),
        Ok(reply) => {
            tour.received(&format!("resultCode {}", reply.code), reply.receipt.as_deref())?;
            false
        }
    };
    tour.report.check(refused, "refused in the TLS handshake")?;
    Ok(())
}

async fn telegram(tour: &mut Tour<'_>) -> Result<(), StepError> {
    tour.report.sent("WLF003 telegram with an unknown key")?;
    let telegram = Telegram::benefit_grant(WRONG_KEY, 200, &HOUSING)?;
    let reply = CityA::connect(tour.world.ports().telegram).await?.call(&telegram).await?;
    let what = format!("responseCode {} {}", reply.code, reply.message);
    tour.received(&what, reply.receipt.as_deref())?;
    tour.report.check(reply.code == "9101", "refused: 9101")?;
    Ok(())
}

/// A grant in a time that is still free, so that the ledger would take it.
fn grant() -> Value {
    json!({
        "residentNumber": HOUSING.person.hyphenated(),
        "name": HOUSING.person.name,
        "programme": HOUSING.programme.name(),
        "from": "2030-01-01",
        "to": "2030-12-31",
        "monthlyAmount": HOUSING.monthly_amount,
    })
}

fn check() -> [(&'static str, String); 4] {
    [
        ("residentNumber", HOUSING.person.resident_number.to_owned()),
        ("groupCode", "HOU".to_owned()),
        ("startDate", HOUSING.from.to_owned()),
        ("endDate", HOUSING.to.to_owned()),
    ]
}
