//! What needs no node: which functions of a contract can be used, and what its bytes say. The rest
//! is tested against a real node in the package's `tests`.

use alloy::dyn_abi::DynSolValue;
use alloy::json_abi::JsonAbi;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::rpc::types::Log;
use alloy::sol_types::{Revert, SolError};
use gateway_core::{Kind, Message, Operation, Value};
use proptest::prelude::*;
use serde_json::json;

use super::client::Broadcast;
use super::interface::Interface;

fn interface() -> Interface {
    let abi = JsonAbi::parse([
        "function look(bytes32 person, uint32) view returns (bool found, bytes32)",
        "function total() view returns (uint256 amount)",
        "function change(bytes32 request) returns (bytes32 made)",
        "function pay(bytes32 request) payable",
        "function twice(bytes32 one)",
        "function twice(bytes32 one, bytes32 two)",
        "function deep() view returns (uint64[] amounts)",
        "event Changed(bytes32 indexed request, string indexed note, uint64 amount)",
        "error Taken(bytes32 holder, uint64 amount)",
    ]);
    let record = |kind, name| {
        json!({ "name": name, "type": kind, "components": [
            { "name": "id", "type": "bytes32" },
            { "name": "amount", "type": "uint64" },
        ] })
    };
    let mut abi = serde_json::to_value(abi.unwrap()).unwrap();
    abi.as_array_mut().unwrap().extend([
        json!({ "type": "function", "name": "list", "stateMutability": "view", "inputs": [],
            "outputs": [record("tuple[]", "records")] }),
        json!({ "type": "function", "name": "nested", "stateMutability": "nonpayable",
            "inputs": [record("tuple", "record")], "outputs": [] }),
    ]);
    Interface::parse(&json!({ "abi": abi, "bytecode": "0x" }).to_string()).unwrap()
}

#[test]
fn the_profile_offers_what_can_be_called() {
    let functions = interface().functions();
    let named: Vec<_> =
        functions.iter().map(|function| (function.name.as_str(), function.operation)).collect();
    let (query, submit) = (Operation::Query, Operation::Submit);
    assert_eq!(named, [("change", submit), ("list", query), ("look", query), ("total", query)]);
    assert_eq!(functions[2].arguments, ["person", "1"]);
}

#[test]
fn an_artifact_without_an_abi_is_none() {
    assert!(Interface::parse("{}").is_err());
    assert!(Interface::parse("not JSON").is_err());
}

#[test]
fn records_are_read_by_the_names_of_their_fields() {
    let word = |byte| DynSolValue::FixedBytes(B256::repeat_byte(byte), 32);
    let amount = |amount: u64| DynSolValue::Uint(U256::from(amount), 64);
    let records =
        [(1, 10), (2, 20)].map(|(id, number)| DynSolValue::Tuple(vec![word(id), amount(number)]));
    let output = DynSolValue::Tuple(vec![DynSolValue::Array(records.to_vec())]).abi_encode_params();
    let expected = [(1, 10), (2, 20)].map(|(id, number)| {
        Message::from_iter([("id", Value::Bytes(vec![id; 32])), ("amount", Value::Integer(number))])
    });
    let read = interface().method("list").unwrap().decode(&output).unwrap();
    assert_eq!(read.get("records"), Some(&Value::List(expected.to_vec())));
}

#[test]
fn a_number_beyond_the_gateways_own_is_refused_and_not_cut() {
    let interface = interface();
    let total = interface.method("total").unwrap();
    let read = |amount: U256| total.decode(&amount.to_be_bytes::<32>());
    let largest = U256::from(i128::MAX);
    assert_eq!(read(largest).unwrap().get("amount"), Some(&Value::Integer(i128::MAX)));
    assert!(read(largest + U256::from(1)).is_err());
}

#[test]
fn only_the_contracts_own_events_count_and_hashes_are_no_values() {
    let contract = Address::repeat_byte(1);
    let log = |address, amount: u64| {
        let topics =
            [keccak256("Changed(bytes32,string,uint64)"), B256::repeat_byte(7), B256::ZERO];
        let data = U256::from(amount).to_be_bytes::<32>().into();
        let inner = alloy::primitives::Log::new_unchecked(address, topics.to_vec(), data);
        Log { inner, ..Log::default() }
    };
    let logs = [log(contract, 1), log(contract, 2), log(Address::repeat_byte(2), 3)];
    let said = interface().events(contract, &logs);
    let request = ("request", Value::Bytes(vec![7; 32]));
    assert_eq!(said, Message::from_iter([request, ("amount", Value::Integer(2))]));
}

#[test]
fn a_refusal_has_the_contracts_name_for_it() {
    let mut data = keccak256("Taken(bytes32,uint64)")[..4].to_vec();
    data.extend([[0xab; 32], U256::from(5).to_be_bytes()].concat());
    let fault = interface().refusal(&data);
    assert_eq!((fault.kind, &*fault.code), (Kind::BackendRefused, "Taken"));
    assert_eq!(fault.context, format!("holder 0x{}, amount 5", "ab".repeat(32)));

    let fault = interface().refusal(&Revert::from("x".repeat(500)).abi_encode());
    assert_eq!((&*fault.code, fault.context.len()), ("revert", 200));
    let cut = data.get(..20).unwrap_or_default();
    assert_eq!(interface().refusal(cut).code, "revert");
}

#[test]
fn what_nodes_say_of_a_transaction_is_told_apart() {
    for text in
        ["already known", "AlreadyKnown", "transaction already imported", "Known transaction"]
    {
        assert_eq!(Broadcast::from_refusal(text), Broadcast::Accepted, "{text}");
    }
    for text in [
        "nonce too low: next nonce 5, tx nonce 4",
        "OldNonce",
        "replacement transaction underpriced",
        "ReplacementNotAllowed",
    ] {
        assert_eq!(Broadcast::from_refusal(text), Broadcast::NonceTaken, "{text}");
    }
    for text in ["insufficient funds for gas * price + value", "unknown transaction type", ""] {
        assert!(matches!(Broadcast::from_refusal(text), Broadcast::Rejected(_)), "{text}");
    }
}

proptest! {
    #[test]
    fn no_answer_of_a_node_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let interface = interface();
        for function in ["list", "look", "change"] {
            let _ = interface.method(function).unwrap().decode(&bytes);
        }
        let named = [&keccak256("Taken(bytes32,uint64)")[..4], &bytes].concat();
        prop_assert_eq!(interface.refusal(&bytes).kind, Kind::BackendRefused);
        prop_assert_eq!(interface.refusal(&named).kind, Kind::BackendRefused);
        let topics = vec![keccak256("Changed(bytes32,string,uint64)")];
        let contract = Address::ZERO;
        let inner = alloy::primitives::Log::new_unchecked(contract, topics, Bytes::from(bytes));
        let log = Log { inner, ..Log::default() };
        prop_assert!(interface.events(contract, &[log]).is_empty());
    }
}
