//! Members as they are registered at run time: those that were added, the states of all, their keys.
//!
//! Requests read a snapshot in memory; every change is in the store first and in the snapshot before
//! it is acknowledged, so a suspended member is refused from then on.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway_core::member::MemberState;
use gateway_core::{Clock, Fault, Kind, MemberId};
use gateway_store::{Broken, KeyKind, MemberRegistry, Store, StoredKey, StoredMember};

use crate::authenticate::{Profile, Sha256};

/// The members of the store, as requests see them.
pub struct Registry {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    roster: ArcSwap<Roster>,
}

#[derive(Default)]
struct Roster {
    members: HashMap<MemberId, Registered>,
    keys: HashMap<Sha256, StoredKey>,
}

/// A member that the store knows.
#[derive(Clone, Debug)]
pub struct Registered {
    /// As it is kept.
    pub member: StoredMember,
    /// What policies may ask of it; none where the configuration declares it.
    pub profile: Option<Profile>,
}

impl Registry {
    /// Reads what the store holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(store: Arc<Store>, clock: Arc<dyn Clock>) -> Result<Self, Broken> {
        let registry = Self { store, clock, roster: ArcSwap::default() };
        registry.refresh().await?;
        Ok(registry)
    }

    /// Where changes are kept; [`Registry::refresh`] comes after each.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Takes over what the store holds now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn refresh(&self) -> Result<(), Broken> {
        let (members, keys) = self.store.members().await?;
        let members = members.into_iter().map(|member| (member.id.clone(), Registered::of(member)));
        let keys = keys.into_iter().map(|key| (key.hash, key));
        self.roster.store(Arc::new(Roster { members: members.collect(), keys: keys.collect() }));
        Ok(())
    }

    /// A member, if the store knows it.
    pub fn member(&self, id: &MemberId) -> Option<Registered> {
        self.roster.load().members.get(id).cloned()
    }

    /// Every member that was added at run time or whose state was changed, by id.
    pub fn members(&self) -> Vec<Registered> {
        let mut members: Vec<_> = self.roster.load().members.values().cloned().collect();
        members.sort_by(|one, other| one.member.id.cmp(&other.member.id));
        members
    }

    /// The keys of a member.
    pub fn keys(&self, id: &MemberId) -> Vec<StoredKey> {
        let roster = self.roster.load();
        let mut keys: Vec<_> =
            roster.keys.values().filter(|key| key.member == *id).cloned().collect();
        keys.sort_by_key(|key| (key.valid_from, key.hash));
        keys
    }

    /// Whether a key is registered, of whichever member and whether or not it holds.
    pub fn has_key(&self, hash: &Sha256) -> bool {
        self.roster.load().keys.contains_key(hash)
    }

    /// Where in its life a member stands, if the store knows.
    pub fn state(&self, id: &MemberId) -> Option<MemberState> {
        self.roster.load().members.get(id).map(|registered| registered.member.state)
    }

    /// Whose key this is; nobody's when it is not registered.
    ///
    /// # Errors
    /// `Unauthenticated` when it is revoked, or does not hold now.
    pub fn holder(&self, hash: &Sha256, kind: KeyKind) -> Result<Option<MemberId>, Fault> {
        let roster = self.roster.load();
        let Some(key) = roster.keys.get(hash).filter(|key| key.kind == kind) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let refused = |code, says: &str| Err(Fault::new(Kind::Unauthenticated, code, says));
        if key.revoked.is_some() {
            return refused("credentials-revoked", "the credentials were revoked");
        }
        if now < key.valid_from || key.valid_until <= now {
            return refused("credentials-expired", "the credentials do not hold at this time");
        }
        Ok(Some(key.member.clone()))
    }
}

impl Registered {
    fn of(member: StoredMember) -> Self {
        let profile = member.content.as_ref().map(|content| Profile {
            name: content.name.clone(),
            class: content.class.as_deref().map(Arc::from),
            attributes: Arc::new(content.attributes.clone()),
            subsystems: content.subsystems.clone(),
        });
        Self { member, profile }
    }
}
