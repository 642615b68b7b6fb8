//! Bodies that are kept, and their end: the vault as the configuration wants it, erasures that a crash
//! has cut off, and the sweep of what was kept for long enough.

use std::sync::Arc;

use gateway_core::caller::Means;
use gateway_core::journal::{RecordKind, Trail};
use gateway_core::keys::{Destroyed, Erasure, KeyStore};
use gateway_core::{Assurance, Caller, ExchangeId, Fault, Kind, MemberId, Receipt, Record};
use gateway_journal::{FileRoot, GivenRoot, Keeping, Part, RootKeys, Vault, VaultError};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::config::{Bodies, Config};
use crate::resources::Resources;
use crate::serve::{ServeError, opening};

/// Bodies removed in one sweep: few enough to hold nobody up.
const SWEPT_AT_ONCE: u32 = 1000;

/// Opens the vault, where the configuration has one.
pub(crate) async fn open(
    config: &Config,
    store: Arc<dyn KeyStore>,
) -> Result<Option<Arc<Vault>>, ServeError> {
    let Some(bodies) = &config.bodies else { return Ok(None) };
    let root = root(config, bodies)?;
    let keeping = Keeping {
        parts: bodies.keep.iter().filter_map(|name| Part::named(name)).collect(),
        otherwise: SignedDuration::from_hours(24 * i64::from(bodies.otherwise_days)),
    };
    let opened = Vault::open(keeping, root, store).await;
    opened.map(|vault| Some(Arc::new(vault))).map_err(opening("the keys of bodies"))
}

fn root(config: &Config, bodies: &Bodies) -> Result<Arc<dyn RootKeys>, ServeError> {
    match bodies.root.file(&config.base) {
        Some(file) => Ok(Arc::new(FileRoot::new(file))),
        None => {
            let key = bodies.root.resolve_key(&config.base).map_err(opening("bodies.root"))?;
            Ok(Arc::new(GivenRoot::new(key)))
        }
    }
}

/// What an erasure did.
#[derive(Debug)]
pub(crate) struct Erased {
    pub(crate) destroyed: Destroyed,
    /// Whether earlier backups are of no use now.
    pub(crate) backups: bool,
    pub(crate) receipt: Receipt,
}

/// Erases what is sealed for these pseudonyms, and puts it on record.
pub(crate) async fn erase(
    resources: &Resources,
    holders: Vec<[u8; 32]>,
    by: &Caller,
) -> Result<Erased, Fault> {
    let vault = vault(resources)?;
    // One at a time; one that was cut off comes first.
    let _turn = resources.erasing.lock().await;
    end(resources, &vault).await?;
    let erasure = Erasure {
        id: Uuid::now_v7(),
        holders,
        generation: 0,
        by: by.member.to_string(),
        destroyed: None,
    };
    let erasure = vault.erase(&resources.log, erasure).await.map_err(refused)?;
    let receipt = record(resources, &vault, &erasure).await?;
    Ok(Erased {
        destroyed: erasure.destroyed.unwrap_or_default(),
        backups: vault.erases_backups(),
        receipt,
    })
}

/// Ends an erasure that was cut off.
pub(crate) async fn resume(resources: &Resources) -> Result<(), Fault> {
    let Some(vault) = &resources.vault else { return Ok(()) };
    let _turn = resources.erasing.lock().await;
    end(resources, vault).await
}

async fn end(resources: &Resources, vault: &Vault) -> Result<(), Fault> {
    let Some(erasure) = vault.resume(&resources.log).await.map_err(refused)? else {
        return Ok(());
    };
    tracing::warn!(erasure.id = %erasure.id, "ended an erasure that was cut off");
    record(resources, vault, &erasure).await.map(drop)
}

async fn record(resources: &Resources, vault: &Vault, erasure: &Erasure) -> Result<Receipt, Fault> {
    let trail = Trail {
        caller: Some(operator(&erasure.by)),
        subject: erasure.holders.first().map(|holder| gateway_core::Pseudonym(*holder)),
        destroyed: erasure.destroyed,
        ..Trail::default()
    };
    let receipt =
        administration(resources, ExchangeId(erasure.id), "admin/erasure", &trail).await?;
    vault.finish(erasure).await.map_err(refused)?;
    Ok(receipt)
}

/// Removes what was kept for long enough, and puts the sum on record.
pub(crate) async fn sweep(resources: &Resources) -> Result<(), Fault> {
    let Some(vault) = &resources.vault else { return Ok(()) };
    let now: Timestamp = resources.clock.now();
    let swept = vault.store().sweep(now, SWEPT_AT_ONCE).await;
    let destroyed = swept.map_err(|error| refused(error.into()))?;
    if destroyed == Destroyed::default() {
        return Ok(());
    }
    vault.forget().await;
    let trail = Trail { destroyed: Some(destroyed), ..Trail::default() };
    administration(resources, ExchangeId(Uuid::now_v7()), "admin/retention", &trail).await.map(drop)
}

async fn administration(
    resources: &Resources,
    exchange: ExchangeId,
    front: &str,
    trail: &Trail,
) -> Result<Receipt, Fault> {
    let now = resources.clock.now();
    let record = Record {
        exchange,
        kind: RecordKind::Administration,
        received: now,
        finished: now,
        front,
        trail,
        request: &[],
        reply: &[],
        fault: None,
    };
    resources.journal.append(record).await
}

/// The vault, or why there is none.
pub(crate) fn vault(resources: &Resources) -> Result<Arc<Vault>, Fault> {
    resources.vault.clone().ok_or_else(|| {
        let says = "this gateway keeps no bodies; add [bodies] to its configuration";
        Fault::new(Kind::Unroutable, "no-bodies", says)
    })
}

/// A vault's refusal, as operators read it.
pub(crate) fn refused(error: VaultError) -> Fault {
    let (kind, code) = match &error {
        VaultError::Held => (Kind::Unsupported, "legal-hold"),
        VaultError::Unopened => (Kind::Unroutable, "not-opened"),
        _ => (Kind::Internal, "bodies-unavailable"),
    };
    Fault::new(kind, code, error.to_string()).source(error)
}

fn operator(name: &str) -> Caller {
    Caller { member: MemberId(name.into()), means: Means::ApiKey, assurance: Assurance::Low }
}

#[cfg(test)]
mod tests;
