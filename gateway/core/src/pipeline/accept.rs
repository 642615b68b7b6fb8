//! Taking a request that is handled later: who calls and whether they may is asked at once, so that no
//! stranger fills the queue. [`Pipeline::handle`] asks everything again when its time comes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;

use crate::journal::{RecordKind, Trail};
use crate::stage::{self, Deferral};
use crate::{ExchangeId, Fault, Inbound, Receipt, Record, Reply};

use super::{Pipeline, defect};

/// Keeps requests that are to be handled later.
#[async_trait]
pub trait Defer: Send + Sync {
    /// Keeps one; answers with the exchange that it is, an earlier one for a repeated key.
    ///
    /// # Errors
    /// `Malformed` for a key of another request, `RateLimited` when too many are waiting.
    async fn defer(&self, inbound: &Inbound, deferral: &Deferral) -> Result<ExchangeId, Fault>;
}

/// That a request was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The exchange whose reply may be asked for.
    pub exchange: ExchangeId,
    /// Proof that it was taken.
    pub receipt: Receipt,
}

impl Pipeline {
    /// Takes a request that is to be handled later.
    ///
    /// # Errors
    /// The reply to one that is not taken, journaled as any other.
    pub async fn accept(&self, inbound: Inbound, later: &dyn Defer) -> Result<Accepted, Reply> {
        let mut trail = self.trail();
        let deferred = AssertUnwindSafe(self.defer(&inbound, later, &mut trail)).catch_unwind();
        let fault = match deferred.await.unwrap_or_else(|_| Err(defect())) {
            Ok(exchange) => {
                let record = self.record(&inbound, &trail, &[], None);
                let record = Record { kind: RecordKind::Acceptance, exchange, ..record };
                return match self.journal.append(record).await {
                    Ok(receipt) => Ok(Accepted { exchange, receipt }),
                    Err(broken) => Err(self.unrecorded(&inbound, &trail, broken).await),
                };
            }
            Err(fault) => fault,
        };
        let draft = inbound.front.refuse(&self.reply_to(&inbound, &trail), &fault);
        let record = self.record(&inbound, &trail, &draft.body, Some(&fault));
        Err(match self.journal.append(record).await {
            Ok(receipt) => draft.seal(Some(&receipt)).retry(Some(&fault)),
            Err(broken) => self.unrecorded(&inbound, &trail, broken).await,
        })
    }

    async fn defer(
        &self,
        inbound: &Inbound,
        later: &dyn Defer,
        trail: &mut Trail,
    ) -> Result<ExchangeId, Fault> {
        self.journal.writable()?;
        let envelope = Arc::new(inbound.front.decode(inbound)?);
        trail.envelope = Some(envelope.clone());
        let auth = &*self.authenticator;
        let identified = stage::authenticate(envelope, &inbound.evidence, auth, trail).await?;
        let (access, now) = (&*self.authorizer, self.clock.now());
        let authorized = stage::authorize(identified, &inbound.evidence, access, now, trail)?;
        later.defer(inbound, &stage::defer(authorized, &*self.pseudonyms)?).await
    }
}
