//! The same read, refused without consent, allowed with it, refused after its withdrawal.

use super::grants::HOUSING;
use super::{StepError, Tour};
use crate::callers::Identity;
use crate::callers::ministry::{Ministry, SoapReply};

/// Asks three times.
pub(super) async fn step(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let ministry = tour.world.ministry(Identity::Mohw)?;
    let operator = tour.world.operator()?;
    let before = history(tour, &ministry).await?;
    let refused = |reply: &SoapReply| reply.code == "1000" && reply.fields.is_empty();
    tour.report.check(refused(&before), "refused: nobody consented (1000)")?;

    tour.report.sent(&format!("consent of {} to the ministry", HOUSING.person.masked()))?;
    let consent = operator.grant_consent(HOUSING.person, "mohw").await?;
    let id = consent.id.clone().unwrap_or_default();
    tour.received(&format!("{}, consent {id}", consent.status), consent.receipt.as_deref())?;
    tour.report.check(consent.status == 201, "consent recorded")?;

    let with = history(tour, &ministry).await?;
    let granted = tour.granted.first().map(String::as_str);
    let rows = with.code == "0000"
        && with.field("count") == Some("1")
        && with.count("benefitId") == 1
        && with.field("benefitId") == granted;
    tour.report.check(rows, "allowed: one benefit, the one granted in step 1")?;

    tour.report.sent(&format!("withdrawal of consent {id}"))?;
    let withdrawn = operator.withdraw_consent(&id).await?;
    tour.received(&withdrawn.status.to_string(), withdrawn.receipt.as_deref())?;
    tour.report.check(withdrawn.status == 200, "withdrawal recorded")?;

    let after = history(tour, &ministry).await?;
    tour.report.check(refused(&after), "refused again, at once (1000)")?;
    Ok(())
}

async fn history(tour: &mut Tour<'_>, ministry: &Ministry) -> Result<SoapReply, StepError> {
    let person = HOUSING.person;
    tour.report.sent(&format!("history: {}, housing", person.masked()))?;
    let fields =
        [("residentNumber", person.resident_number.to_owned()), ("groupCode", "HOU".to_owned())];
    let reply = ministry.call("history", &fields).await?;
    let rows = match reply.field("count") {
        Some(count) => format!(
            "count {count}: {} {}..{} {}",
            reply.field("programmeCode").unwrap_or_default(),
            reply.field("startDate").unwrap_or_default(),
            reply.field("endDate").unwrap_or_default(),
            reply.field("status").unwrap_or_default(),
        ),
        None => reply.message.clone(),
    };
    tour.received(&format!("resultCode {} {rows}", reply.code), reply.receipt.as_deref())?;
    Ok(reply)
}
