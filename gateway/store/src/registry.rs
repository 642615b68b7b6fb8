//! What administration needs of consents.

use async_trait::async_trait;
use gateway_core::{Consent, MemberId, Pseudonym};
use uuid::Uuid;

use crate::RegistryError;

/// Grants and withdraws consents. Every change is durable and in force when it returns: no later
/// request sees what was before.
#[async_trait]
pub trait ConsentRegistry: Send + Sync {
    /// Records a consent.
    ///
    /// # Errors
    /// [`RegistryError::Exists`]; [`RegistryError::Invalid`] when it covers no item, ends before it
    /// begins, or is withdrawn already.
    async fn grant(&self, consent: &Consent) -> Result<(), RegistryError>;

    /// Withdraws a consent as of now and answers it. A second time changes nothing: the first
    /// withdrawal stands.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`].
    async fn withdraw(&self, id: Uuid) -> Result<Consent, RegistryError>;

    /// All consents of one person, live or not, by id.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    async fn of_principal(&self, principal: &Pseudonym) -> Result<Vec<Consent>, RegistryError>;

    /// Consents for one recipient, live or not, by id: at most `limit`, from the first after
    /// `after` on.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    async fn of_recipient(
        &self,
        recipient: &MemberId,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Consent>, RegistryError>;
}
