//! What ends by itself: consents whose time is over, and records whose own retention is. Each end is
//! in the evidence log. Whatever a crash left unrecorded is recorded here too.

use std::time::Duration;

use gateway_core::{Consent, Fault};
use gateway_store::{Changed, RegistryError};

use super::{Desk, purpose, registry_fault};

/// Records looked at between two looks at the clock.
const BATCH: u32 = 200;
/// A revision without receipt is another request's work for this long.
const UNRECORDED: Duration = Duration::from_secs(60);
/// When a record is looked at again whose purpose is not registered any more: it is kept until
/// somebody says for how long.
const UNREGISTERED: Duration = Duration::from_secs(24 * 60 * 60);

impl Desk {
    /// Ends and removes what is over.
    ///
    /// # Errors
    /// When the store or the log cannot be used; the next sweep goes on there.
    pub async fn sweep(&self) -> Result<(), Fault> {
        self.resources.journal.writable()?;
        let store = &self.resources.consents;
        let now = self.resources.clock.now();
        for kept in store.unrecorded(now - UNRECORDED, BATCH).await? {
            let consent = self.consent(kept.revision.consent).await?;
            self.record(None, &Changed { consent, kept }).await?;
        }
        loop {
            let due = store.due(BATCH).await?;
            for consent in &due {
                self.end(consent).await?;
            }
            if due.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// The next step for a consent that is due.
    async fn end(&self, consent: &Consent) -> Result<(), Fault> {
        let (store, now) = (&self.resources.consents, self.resources.clock.now());
        let Some(ended) = consent.ended else {
            return match store.expire(consent.id).await {
                Ok(changed) => self.record(None, &changed).await.map(drop),
                // Withdrawn in this moment, or ended by another gateway on the same file.
                Err(RegistryError::Refused(_) | RegistryError::Unknown(_)) => Ok(()),
                Err(error) => Err(registry_fault(error)),
            };
        };
        let deployment = self.gateway.current();
        let registered = purpose(&deployment, &consent.grant.sector, &consent.grant.purpose);
        let over = match registered {
            Some(purpose) => purpose.keep_record.after(ended.at).unwrap_or(jiff::Timestamp::MAX),
            None => now.checked_add(UNREGISTERED).unwrap_or(now),
        };
        if now < over {
            return Ok(store.look_again(consent.id, over).await?);
        }
        self.journal(None, "consent/remove", consent, &[]).await?;
        store.remove(consent.id).await?;
        Ok(())
    }
}
