//! The faults of this adapter, in one place. Those of kind `BackendUnavailable` say that nothing
//! was done; refusals of the contract are made in [`interface`](super::interface).

use std::fmt;

use gateway_core::{Fault, Kind};

use super::client::NodeError;
use super::codec::CodecError;
use super::ticket::TicketError;

pub(super) fn unavailable(error: NodeError) -> Fault {
    let fault =
        Fault::new(Kind::BackendUnavailable, "node-unavailable", "the ledger cannot be reached");
    fault.source(error)
}

pub(super) fn no_time() -> Fault {
    let fault = Fault::new(Kind::BackendUnavailable, "busy", "the ledger did not answer in time");
    fault.context("the deadline passed before anything was sent")
}

pub(super) fn rejected(reason: &str) -> Fault {
    let fault = Fault::new(
        Kind::BackendUnavailable,
        "transaction-rejected",
        "the ledger takes nothing now",
    );
    fault.context(format_args!("the node will not have the transaction: {reason}"))
}

pub(super) fn nonce_contended() -> Fault {
    let fault =
        Fault::new(Kind::BackendUnavailable, "nonce-contended", "the ledger takes nothing now");
    fault.context("another sender uses the same account faster than this one can")
}

pub(super) fn not_ready(what: impl fmt::Display) -> Fault {
    let fault = Fault::new(Kind::BackendUnavailable, "not-ready", "the ledger takes nothing now");
    fault.context(what)
}

pub(super) fn unreadable(error: CodecError) -> Fault {
    let public = "the ledger answered something unexpected";
    Fault::new(Kind::BackendUnavailable, "answer-unreadable", public).source(error)
}

pub(super) fn unmappable(error: CodecError) -> Fault {
    Fault::new(Kind::Unmappable, "argument", "the ledger cannot hold this value").source(error)
}

pub(super) fn unsupported(function: &str) -> Fault {
    let fault = Fault::new(Kind::Unsupported, "no-such-function", "the ledger cannot do this");
    fault.context(format_args!("the contract has no usable function {function} of this operation"))
}

pub(super) fn outcome_unknown() -> Fault {
    let public = "it was sent and its outcome is not known yet; ask again under the same key";
    Fault::new(Kind::OutcomeUnknown, "outcome-unknown", public)
}

pub(super) fn interrupted(error: &tokio::task::JoinError) -> Fault {
    outcome_unknown().context(format_args!("sending was interrupted: {error}"))
}

pub(super) fn ticket(error: TicketError) -> Fault {
    internal("ticket-unreadable").source(error)
}

pub(super) fn ticket_foreign(chain_id: u64) -> Fault {
    internal("ticket-foreign").context(format_args!("the ticket is of chain {chain_id}"))
}

pub(super) fn unsigned(error: alloy::signers::Error) -> Fault {
    internal("unsigned").source(error)
}

pub(super) fn keyless() -> Fault {
    internal("key-missing").context("a submit without a key")
}

fn internal(code: &'static str) -> Fault {
    Fault::new(Kind::Internal, code, "the gateway failed; it was recorded")
}
