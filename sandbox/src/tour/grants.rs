//! Three systems, three formats, one ledger operation.

use super::report::short;
use super::{StepError, Tour};
use crate::callers::Identity;
use crate::callers::city_a::{CityA, Telegram};
use crate::callers::city_b::grants;
use crate::callers::city_d;
use crate::callers::ministry::{Ministry, SoapReply, benefit_fields};
use crate::people::{BATCH, Benefit, HONG, Programme};

/// What the ministry grants.
pub(super) const HOUSING: Benefit = Benefit {
    person: HONG,
    programme: Programme::HousingBenefit,
    from: "2026-01-01",
    to: "2026-12-31",
    monthly_amount: 310_000,
};
/// What city A would grant: another programme of the same group, in part of the same time.
const RENT: Benefit = Benefit {
    programme: Programme::YouthRent,
    from: "2026-06-01",
    to: "2027-05-31",
    monthly_amount: 200_000,
    ..HOUSING
};
/// The record of city B that names a day which does not exist, counted from 1.
const BAD_RECORD: usize = 3;

/// The ministry applies, grants, and repeats the grant as after a lost reply.
pub(super) async fn ministry(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let ministry = tour.world.ministry(Identity::Mohw)?;
    let fields = benefit_fields("TOUR-APPLY-1", &HOUSING, None);
    let applied = soap(tour, &ministry, "benefitApply", &fields).await?;
    let application = applied.field("applicationId").unwrap_or_default();
    tour.report.check(applied.code == "0000" && application.len() == 64, "applied")?;

    let fields = benefit_fields("TOUR-GRANT-1", &HOUSING, Some(application));
    let granted = soap(tour, &ministry, "benefitGrant", &fields).await?;
    let benefit = granted.field("benefitId").unwrap_or_default();
    tour.report.check(granted.code == "0000" && benefit.len() == 64, "granted")?;
    tour.granted.push(benefit.to_owned());

    let repeated = soap(tour, &ministry, "benefitGrant", &fields).await?;
    let same = repeated.code == "0000" && repeated.field("benefitId") == Some(benefit);
    tour.report.check(same, "sent again under the same requestNumber, it answers the same")?;
    Ok(())
}

async fn soap(
    tour: &mut Tour<'_>,
    ministry: &Ministry,
    operation: &str,
    fields: &[(&str, String)],
) -> Result<SoapReply, StepError> {
    tour.report.sent(&format!("{operation}: {}", HOUSING.summary()))?;
    let reply = ministry.call(operation, fields).await?;
    let what = match reply.fields.first() {
        Some((field, id)) => format!("resultCode {}, {field} {}", reply.code, short(id)),
        None => format!("resultCode {} {}", reply.code, reply.message),
    };
    tour.received(&what, reply.receipt.as_deref())?;
    Ok(reply)
}

/// City A, which does not know of the ministry's grant, is refused by the contract itself.
pub(super) async fn city_a(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let telegram = Telegram::benefit_grant(tour.world.api_keys().city_a.expose(), 1, &RENT)?;
    let bytes = telegram.framed().len();
    tour.report.sent(&format!("WLF003, {bytes} bytes: {}", RENT.summary()))?;
    let reply = CityA::connect(tour.world.ports().telegram).await?.call(&telegram).await?;
    let what = format!("responseCode {} {}", reply.code, reply.message);
    tour.received(&what, reply.receipt.as_deref())?;
    let refused = reply.code == "2001" && reply.body.is_empty();
    tour.report.check(refused, "refused by the contract: it would overlap (2001)")?;
    Ok(())
}

/// City B's file: the bad record is refused, the others are granted.
pub(super) async fn city_b(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let benefits = batch();
    tour.report.sent(&format!("WELFARE_TOUR-1.csv, {} records:", benefits.len()))?;
    for (index, benefit) in benefits.iter().enumerate() {
        tour.report.sent(&format!("  {}  {}", index + 1, benefit.summary()))?;
    }
    let content = grants("TOUR-1", &benefits)?;
    let result = tour.world.city_b().hand_over("TOUR-1", &content).await?;
    let mut right = result.lines.len() == benefits.len();
    for (index, line) in result.lines.iter().enumerate() {
        let outcome = match line.code.as_str() {
            "0000" => format!("benefitId {}", short(&line.benefit)),
            _ => line.message.clone(),
        };
        let what = format!("record {}: {} {outcome}", line.record, line.code);
        tour.received(&what, line.receipt.as_deref())?;
        let granted = line.code == "0000" && line.benefit.len() == 64;
        right &= granted == (index + 1 != BAD_RECORD);
        tour.granted.extend(granted.then(|| line.benefit.clone()));
    }
    let what = format!("record {BAD_RECORD} refused for its date, the others granted");
    tour.report.check(right, &what)?;
    let trailer = result.trailer == ["4", "3", "1"];
    tour.report.check(trailer, "the trailer counts 4 records, 3 succeeded, 1 failed")?;
    Ok(())
}

/// City D's file: fixed-length records in EUC-KR, compressed.
pub(super) async fn city_d(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let benefits = [BATCH[0], BATCH[1]].map(|person| Benefit { person, ..RENT });
    tour.report.sent(&format!("WLFDTOUR.dat.gz, {} records", benefits.len()))?;
    let content = city_d::grants("TOUR-D", &benefits)?;
    let result = tour.world.city_d().hand_over("TOUR", &content).await?;
    let mut right = result.lines.len() == benefits.len();
    for line in &result.lines {
        let what = format!("record {}: {} {}", line.record, line.code, short(&line.benefit));
        tour.received(&what, line.receipt.as_deref())?;
        right &= line.code == "0000" && line.benefit.len() == 64;
        tour.granted.push(line.benefit.clone());
    }
    tour.report.check(right, "both granted, answered in fixed-length records")?;
    Ok(())
}

fn batch() -> [Benefit; 4] {
    let mut number = 0;
    BATCH.map(|person| {
        number += 1;
        Benefit {
            person,
            programme: Programme::ChildAllowance,
            from: "2026-01-01",
            to: if number == BAD_RECORD { "2026-02-30" } else { "2026-12-31" },
            monthly_amount: 100_000,
        }
    })
}
