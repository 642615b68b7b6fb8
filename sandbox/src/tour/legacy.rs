//! Two systems of another age at both ends: a mainframe that asks, and a register that is asked.

use serde_json::{Value, json};

use super::{StepError, Tour};
use crate::callers::city_c;
use crate::people::HONG;

/// City C asks for the overlap that the ministry's grant makes.
pub(super) async fn mainframe(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let key = tour.world.api_keys().city_c.expose();
    let telegram = city_c::overlap_check(key, 1, HONG, 'H', ("2026-06-01", "2026-06-30"))?;
    tour.report.sent(&format!("OVLP, {} bytes of EBCDIC: {}", telegram.len(), HONG.masked()))?;
    let reply = city_c::call(tour.world.ports().city_c, &telegram).await?;
    let provider = reply.field(65, 16);
    let what = format!("result {}, overlapping {}, at {provider}", reply.code, reply.field(0, 1));
    tour.received(&what, reply.receipt.as_deref())?;
    let right = reply.code == "000" && reply.field(0, 1) == "Y" && provider == "mohw";
    tour.report.check(right, "the mainframe is told of the ministry's grant")?;
    Ok(())
}

/// The portal checks a name and reports a move; the register is a telegram server.
pub(super) async fn register(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let portal = tour.world.portal()?;
    let key = tour.world.api_keys().portal.expose();
    let person = json!({ "residentNumber": HONG.resident_number, "name": HONG.name });
    tour.report.sent(&format!("REST realNameCheck: {}", HONG.masked()))?;
    let reply = portal.population("realNameCheck", &person, key, None).await?;
    let matches = reply.body.get("matches").and_then(Value::as_bool);
    tour.received(&format!("{}, matches {matches:?}", reply.status), reply.receipt.as_deref())?;
    tour.report.check(matches == Some(true), "the register, asked by telegram, knows the name")?;

    let moving = json!({
        "residentNumber": HONG.resident_number,
        "name": HONG.name,
        "address": "서울특별시 중구 세종대로 110",
        "from": "2026-03-02",
    });
    let mut receipts = Vec::new();
    for _ in 0..2 {
        tour.report.sent(&format!("REST moveReport: {}", HONG.masked()))?;
        let reply = portal.population("moveReport", &moving, key, Some("TOUR-MOVE-1")).await?;
        let number = reply.text("receiptNumber").to_owned();
        tour.received(&format!("{}, {number}", reply.status), reply.receipt.as_deref())?;
        receipts.push(number);
    }
    let once = receipts == ["MOVE-1", "MOVE-1"] && tour.world.register().moves() == 1;
    tour.report.check(once, "reported twice under one key, it was done once")?;
    Ok(())
}
