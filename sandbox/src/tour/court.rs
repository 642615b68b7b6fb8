//! From a consent to a court: a person consents on paper, an office reads only what that covers, the
//! person withdraws while a request waits, the evidence of one exchange is taken out, everything kept of
//! the person is destroyed, and a regulator's mirror still verifies.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{StepError, Tour};
use crate::callers::office::{Office, OfficeReply};
use crate::people::HONG;

/// How often what is about to happen is looked at, and how many times.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const LOOKS: usize = 200;

/// A consent on paper, and what it lets an office read.
pub(super) async fn consent(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let keys = tour.world.api_keys();
    let city = tour.world.office(keys.city_a.expose())?;
    let ministry = tour.world.office(keys.mohw.expose())?;
    let items = ["resident-name", "resident-address"];
    tour.report.sent(&format!("city A hands in the paper of {}: {items:?}", HONG.masked()))?;
    let consent = city.take_consent(HONG, "mohw", &items).await?;
    let id = consent.text("id").to_owned();
    tour.received(&format!("{}, consent {id}", consent.status), receipt(&consent))?;
    let signed = city.consent_receipt(&id).await?;
    let parts = signed.text("receipt").split('.').count();
    tour.report.check(parts == 3, "the person keeps a signed receipt (JWS)")?;

    tour.report.sent(&format!("the ministry asks for the record of {}", HONG.masked()))?;
    let record = ministry.record(HONG, true).await?;
    let fields = fields(&record.body);
    tour.received(&format!("{} {fields:?}", record.status), receipt(&record))?;
    let right = fields == ["address", "name", "since"];
    tour.report.check(right, "only what the items cover: not the state of the registration")?;
    tour.court.read = record.exchange.unwrap_or_default();

    withdrawn(tour, &city, &ministry, &id).await
}

/// The register is away, so a request waits; meanwhile the person withdraws.
async fn withdrawn(
    tour: &mut Tour<'_>,
    city: &Office,
    ministry: &Office,
    id: &str,
) -> Result<(), StepError> {
    tour.world.register().pause(true);
    tour.report.sent("the register is away; the ministry asks and does not wait")?;
    let waiting = ministry.record(HONG, false).await?;
    tour.received(&format!("{}: taken, to be handled later", waiting.status), receipt(&waiting))?;
    tour.report.sent("the person withdraws; city A hands in the paper")?;
    let withdrawn = city.withdraw_consent(id).await?;
    tour.received(&withdrawn.status.to_string(), receipt(&withdrawn))?;
    tour.world.register().pause(false);

    let exchange = waiting.exchange.unwrap_or_default();
    let mut reply = ministry.collect(&exchange).await?;
    for _ in 0..LOOKS {
        if reply.status != 202 {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        reply = ministry.collect(&exchange).await?;
    }
    let what = format!("{} {}", reply.status, reply.text("type"));
    tour.received(&what, receipt(&reply))?;
    let refused = reply.status == 403 && reply.text("type").ends_with("consent-withdrawn");
    tour.report
        .check(refused, "what waited is refused: the consent was withdrawn meanwhile")
        .map_err(Into::into)
}

/// The evidence of one exchange in a file, the end of all that is kept of the person, and the log after it.
pub(super) async fn evidence(tour: &mut Tour<'_>) -> Result<(), StepError> {
    let folder = tour.world.layout().path("court");
    fs::create_dir_all(&folder)?;
    let bundle = folder.join("bundle.json");
    let log = format!("{}/log", tour.world.http_url());
    let mirror = folder.join("mirror").display().to_string();
    mirrored(tour, &log, &mirror).await?;

    tour.report.sent("naru exchange bundle: what the ministry read, its reply opened")?;
    let taken = bundle_of(tour).await?;
    fs::write(&bundle, &taken.stdout)?;
    let verified = verify(tour, &bundle).await?;
    let said = String::from_utf8_lossy(&verified.stdout);
    let opened = verified.status.success() && said.contains(HONG.name);
    tour.report.received(&format!("{} bytes", taken.stdout.len()))?;
    tour.report.check(opened, "`naru verify` needs only the file and the log's public key")?;
    let changed = folder.join("changed.json");
    fs::write(
        &changed,
        String::from_utf8_lossy(&taken.stdout).replacen("\"receipt\":\"", "\"receipt\":\"A", 1),
    )?;
    let refused = !verify(tour, &changed).await?.status.success();
    fs::remove_file(&changed)?;
    tour.report.check(refused, "changed, it is refused")?;

    tour.report.sent(&format!("naru erase person: {}", HONG.masked()))?;
    let erased = erase(tour).await?;
    let answer: Value = serde_json::from_slice(&erased.stdout).unwrap_or_default();
    let receipt = answer.get("receipt").and_then(Value::as_str).map(str::to_owned);
    tour.received("the keys of what was kept are destroyed", receipt.as_deref())?;
    let closed = bundle_of(tour).await?;
    tour.report.check(
        erased.status.success() && !closed.status.success(),
        "what was kept cannot be opened any more, in no copy of the archive",
    )?;
    mirrored(tour, &log, &mirror).await?;
    let key = tour.world.layout().path("keys/log.key.pub").display().to_string();
    tour.report.sent("naru journal verify: the regulator re-checks its mirror")?;
    let checked = naru(tour, &["journal", "verify", &mirror, "--key", &key]).await?;
    let said = String::from_utf8_lossy(&checked.stdout);
    tour.report.received(said.lines().next().unwrap_or_default())?;
    tour.report.check(checked.status.success(), "every entry still leads to the signed root")?;
    // The court has its file; nothing of the person stays in the world's folder.
    Ok(fs::remove_file(&bundle)?)
}

/// Lets the regulator's mirror follow until it has all receipts given so far.
async fn mirrored(tour: &mut Tour<'_>, log: &str, mirror: &str) -> Result<(), StepError> {
    let key = tour.world.layout().path("keys/log.key.pub").display().to_string();
    tour.report.sent("naru journal mirror: the regulator follows the log")?;
    let wanted = tour.receipts.count();
    let mut said = String::new();
    for _ in 0..LOOKS {
        let output = naru(tour, &["journal", "mirror", log, "--key", &key, "--to", mirror]).await?;
        said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let entries = said.split_whitespace().nth(1).and_then(|count| count.parse().ok());
        if !output.status.success() || entries.is_some_and(|entries: usize| entries >= wanted) {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    tour.report.received(&said)?;
    Ok(tour.report.check(said.starts_with("mirrored:"), "the mirror follows")?)
}

async fn bundle_of(tour: &Tour<'_>) -> io::Result<Output> {
    let exchange = tour.court.read.clone();
    asked(tour, &["exchange", "bundle", &exchange, "--part", "reply"]).output().await
}

async fn verify(tour: &Tour<'_>, bundle: &Path) -> io::Result<Output> {
    let key = tour.world.layout().path("keys/log.key.pub");
    let (bundle, key) = (bundle.display().to_string(), key.display().to_string());
    naru(tour, &["verify", "--bundle", &bundle, "--key", &key]).await
}

async fn erase(tour: &Tour<'_>) -> io::Result<Output> {
    let mut child = asked(tour, &["erase", "person"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(HONG.resident_number.as_bytes()).await?;
    }
    child.wait_with_output().await
}

/// A command that asks the running gateway as its operator.
fn asked(tour: &Tour<'_>, arguments: &[&str]) -> Command {
    let mut command = Command::new(tour.world.naru());
    let key = tour.world.layout().path("keys/operator.api-key");
    command.args(arguments).args(["--admin", &tour.world.admin_url(), "--key"]).arg(key);
    command
}

async fn naru(tour: &Tour<'_>, arguments: &[&str]) -> io::Result<Output> {
    Command::new(tour.world.naru()).args(arguments).output().await
}

fn receipt(reply: &OfficeReply) -> Option<&str> {
    let of_body = reply.body.get("receipt").and_then(Value::as_str);
    reply.receipt.as_deref().or(of_body)
}

/// The names of the fields of a reply.
fn fields(body: &Value) -> Vec<&str> {
    let members = body.as_object().into_iter().flatten();
    let mut names: Vec<&str> = members.map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}
