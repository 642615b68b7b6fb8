//! What administration needs of consents.

use async_trait::async_trait;
use gateway_core::consent::{ActedBy, Change, Grant};
use gateway_core::{Consent, MemberId, Proof, Pseudonym, Purpose};
use uuid::Uuid;

use crate::RegistryError;
use crate::consents::{Changed, Kept};

/// Grants and changes consents. Every change is durable and in force when it returns: no later
/// request sees what was before, in whatever process. It is to be written into the evidence log then,
/// and [`ConsentRegistry::recorded`] told.
#[async_trait]
pub trait ConsentRegistry: Send + Sync {
    /// Begins the consent `id`.
    ///
    /// # Errors
    /// [`RegistryError::Exists`]; [`RegistryError::Refused`] for what [`Grant::check`] refuses;
    /// [`RegistryError::OtherAct`].
    async fn grant(
        &self,
        id: Uuid,
        terms: Grant,
        by: (Proof, ActedBy),
        purpose: &Purpose,
    ) -> Result<Changed, RegistryError>;

    /// Narrows or withdraws a consent. A second withdrawal changes nothing: the first one stands.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`]; [`RegistryError::Refused`] for what [`Consent::check`] refuses;
    /// [`RegistryError::OtherAct`].
    async fn change(
        &self,
        id: Uuid,
        change: Change,
        by: (Proof, ActedBy),
    ) -> Result<Changed, RegistryError>;

    /// Keeps the receipt of a revision; the first one stands.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    async fn recorded(&self, id: Uuid, number: u32, receipt: &str) -> Result<(), RegistryError>;

    /// The consent of this id.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`].
    async fn get(&self, id: Uuid) -> Result<Consent, RegistryError>;

    /// The consent that its recipient knows by this reference.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`].
    async fn by_reference(&self, reference: Uuid) -> Result<Consent, RegistryError>;

    /// The chain of a consent, its hashes checked.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`]; [`RegistryError::Store`] for a chain that was tampered with.
    async fn history(&self, id: Uuid) -> Result<Vec<Kept>, RegistryError>;

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
