//! Places for connections: so many at once, and so many of one address, so that one peer cannot
//! take all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ConnectionLimits;

/// The places of one listener.
pub(super) struct Places {
    all: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    of_address: usize,
}

/// One connection's place; given back when dropped.
pub(super) struct Place {
    _any: Option<OwnedSemaphorePermit>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Places {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.all)),
            taken: Arc::default(),
            of_address: limits.of_address,
        }
    }

    /// Waits for a place.
    pub(super) async fn any(&self) -> Option<OwnedSemaphorePermit> {
        self.all.clone().acquire_owned().await.ok()
    }

    /// The place of a connection from `address`, if it has not taken all of its own.
    pub(super) fn of(&self, address: IpAddr, any: Option<OwnedSemaphorePermit>) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= self.of_address {
            return None;
        }
        *count += 1;
        Some(Place { _any: any, taken: self.taken.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let places = Places::new(ConnectionLimits { all: 8, of_address: 2 });
        let (one, other) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let first = places.of(one, None).unwrap();
        let _second = places.of(one, None).unwrap();
        assert!(places.of(one, None).is_none());
        assert!(places.of(other, None).is_some());
        drop(first);
        assert!(places.of(one, None).is_some());
        assert_eq!(places.taken.lock().unwrap().len(), 1, "addresses without places are forgotten");
    }
}
