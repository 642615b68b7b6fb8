//! What is kept of a submit before its first byte leaves: enough to finish it after any crash, and
//! enough to answer then what would have been answered before.

use alloy::consensus::TxEnvelope;
use alloy::consensus::transaction::Transaction;
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

/// The version written; another one is refused.
const VERSION: u8 = 1;

/// A signed transaction and what a receipt does not say about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ticket {
    version: u8,
    pub(super) chain_id: u64,
    /// The account that signed.
    pub(super) account: Address,
    pub(super) nonce: u64,
    pub(super) hash: B256,
    /// The signed transaction (EIP-2718), as it is sent.
    pub(super) raw: Bytes,
    /// The function called.
    pub(super) function: String,
    /// What the function returned when it was simulated. A receipt holds no return value.
    pub(super) output: Bytes,
}

/// Why bytes are not a ticket.
#[derive(Debug, thiserror::Error)]
pub(super) enum TicketError {
    #[error("the ticket cannot be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("the ticket is of version {0}")]
    Version(u8),
    #[error("the ticket's transaction cannot be read")]
    Transaction,
}

impl Ticket {
    pub(super) fn new(
        chain_id: u64,
        account: Address,
        signed: &TxEnvelope,
        function: &str,
        output: Bytes,
    ) -> Self {
        Self {
            version: VERSION,
            chain_id,
            account,
            nonce: signed.nonce(),
            hash: *signed.tx_hash(),
            raw: signed.encoded_2718().into(),
            function: function.to_owned(),
            output,
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, TicketError> {
        serde_json::to_vec(self).map_err(TicketError::Unreadable)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, TicketError> {
        let ticket: Self = serde_json::from_slice(bytes).map_err(TicketError::Unreadable)?;
        match ticket.version {
            VERSION => Ok(ticket),
            other => Err(TicketError::Version(other)),
        }
    }

    /// What the contract is called with.
    pub(super) fn input(&self) -> Result<Bytes, TicketError> {
        TxEnvelope::decode_2718(&mut self.raw.as_ref())
            .map(|transaction| transaction.input().clone())
            .map_err(|_| TicketError::Transaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use alloy::consensus::{SignableTransaction, TxEip1559};
    use alloy::primitives::Signature;
    use proptest::prelude::*;

    fn ticket() -> Ticket {
        let transaction = TxEip1559 {
            chain_id: 31337,
            nonce: 7,
            input: Bytes::from_static(b"called"),
            ..TxEip1559::default()
        };
        let signed = transaction.into_signed(Signature::test_signature()).into();
        Ticket::new(31337, Address::ZERO, &signed, "benefitGrant", Bytes::from_static(b"out"))
    }

    #[test]
    fn what_is_kept_is_what_is_read() {
        let kept = ticket();
        let read = Ticket::decode(&kept.encode().unwrap()).unwrap();
        assert_eq!(read, kept);
        assert_eq!((read.nonce, read.input().unwrap().as_ref()), (7, &b"called"[..]));
    }

    #[test]
    fn a_ticket_of_another_version_is_refused() {
        let mut other = ticket();
        other.version = 2;
        let refused = Ticket::decode(&other.encode().unwrap());
        assert!(matches!(refused, Err(TicketError::Version(2))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Ticket::decode(&bytes).is_err());
            let damaged = Ticket { raw: bytes.into(), ..ticket() };
            let _ = damaged.input();
        }
    }
}
