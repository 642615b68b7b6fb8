//! A contract's ABI as the gateway uses it: which functions it has, what they are called with, and
//! what its answers, events and refusals say. Pure; the chain is asked in [`client`](super::client).

use std::collections::{BTreeMap, HashMap};

use alloy::dyn_abi::{DynSolCall, DynSolType, DynSolValue, ErrorExt, EventExt, Specifier};
use alloy::json_abi::{self, JsonAbi, StateMutability};
use alloy::primitives::{Address, B256, Bytes, Selector};
use alloy::rpc::types::Log;
use alloy::sol_types::{Revert, SolError};
use gateway_core::{Fault, Kind, Message, Operation, Value, adapter};
use serde::Deserialize;

use super::codec::{self, CodecError};

/// The longest text of a contract that goes into a fault.
const REASON_LIMIT: usize = 200;

/// What of a contract can be used.
pub(super) struct Interface {
    methods: BTreeMap<String, Method>,
    errors: HashMap<Selector, json_abi::Error>,
    events: HashMap<B256, json_abi::Event>,
}

/// One function that can be used.
pub(super) struct Method {
    pub(super) operation: Operation,
    /// Selector and types, resolved once: to do it for each call costs more than the call's bytes.
    call: DynSolCall,
    inputs: Vec<(String, DynSolType)>,
    outputs: Vec<json_abi::Param>,
}

/// What is read of an artifact; compilers write more into it.
#[derive(Deserialize)]
struct Artifact {
    abi: JsonAbi,
}

impl Interface {
    /// Reads a compiler's artifact. Functions that cannot be used are left out: those that want
    /// money, overloads (a call names a function, not a signature), and those with types that no
    /// gateway value has.
    pub(super) fn parse(artifact: &str) -> Result<Self, serde_json::Error> {
        let Artifact { abi } = serde_json::from_str(artifact)?;
        let errors = abi.errors().map(|error| (error.selector(), error.clone())).collect();
        let events = abi.events().map(|event| (event.selector(), event.clone())).collect();
        let methods = abi.functions.into_iter().filter_map(|(name, mut overloads)| {
            let function = overloads.pop().filter(|_| overloads.is_empty())?;
            Some((name, Method::new(function)?))
        });
        Ok(Self { methods: methods.collect(), errors, events })
    }

    /// The functions that can be used, by name.
    pub(super) fn functions(&self) -> Vec<adapter::Function> {
        let function = |(name, method): (&String, &Method)| adapter::Function {
            name: name.clone(),
            operation: method.operation,
            arguments: method.arguments().map(str::to_owned).collect(),
        };
        self.methods.iter().map(function).collect()
    }

    pub(super) fn method(&self, name: &str) -> Option<&Method> {
        self.methods.get(name)
    }

    /// What the contract's own events among `logs` say, by the names of their parameters; where
    /// two say something of one name, the later one holds. An indexed parameter of dynamic size is
    /// not on the ledger, only its hash is, so it is left out.
    pub(super) fn events(&self, contract: Address, logs: &[Log]) -> Message {
        let mut said = Message::new();
        for log in logs.iter().filter(|log| log.address() == contract) {
            let event = log.topic0().and_then(|topic| self.events.get(topic));
            let fields = event.map(|event| fields(event, log)).unwrap_or_default();
            fields.into_iter().for_each(|(name, value)| said.set(name, value));
        }
        said
    }

    /// The refusal that a revert's data says, with the contract's own name for it as code.
    pub(super) fn refusal(&self, data: &[u8]) -> Fault {
        let selector = data.first_chunk().map(Selector::from);
        if let Some(error) = selector.and_then(|selector| self.errors.get(&selector))
            && let Ok(decoded) = error.decode_error(data)
        {
            let arguments = error.inputs.iter().zip(&decoded.body);
            let arguments: Vec<_> =
                arguments.map(|(input, value)| format!("{} {}", input.name, show(value))).collect();
            return refused(error.name.clone()).context(arguments.join(", "));
        }
        let reason = Revert::abi_decode(data).map(|revert| revert.reason).unwrap_or_default();
        refused("revert".to_owned()).context(reason.chars().take(REASON_LIMIT).collect::<String>())
    }
}

impl Method {
    fn new(function: json_abi::Function) -> Option<Self> {
        let operation = match function.state_mutability {
            StateMutability::Pure | StateMutability::View => Operation::Query,
            StateMutability::NonPayable => Operation::Submit,
            StateMutability::Payable => return None,
        };
        let inputs: Vec<_> = function
            .inputs
            .iter()
            .enumerate()
            .map(|(index, input)| Some((codec::name(index, &input.name), input.resolve().ok()?)))
            .collect::<Option<_>>()?;
        let decodable =
            |output: &json_abi::Param| output.resolve().is_ok_and(|kind| codec::can_decode(&kind));
        let usable = inputs.iter().all(|(_, kind)| codec::can_encode(kind))
            && function.outputs.iter().all(decodable);
        let call = function.resolve().ok()?;
        usable.then_some(Self { operation, call, inputs, outputs: function.outputs })
    }

    /// The names of its arguments, in order.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|(name, _)| name.as_str())
    }

    /// The bytes that call it with `arguments`, which are taken by name.
    pub(super) fn encode(&self, arguments: &[(String, Value)]) -> Result<Bytes, CodecError> {
        let named = |name: &str| arguments.iter().find(|(argument, _)| argument == name);
        let surplus =
            arguments.iter().find(|(name, _)| !self.inputs.iter().any(|(input, _)| input == name));
        if let Some((name, _)) = surplus {
            return Err(CodecError::Unknown(name.clone()));
        }
        let encoded: Vec<DynSolValue> = self
            .inputs
            .iter()
            .map(|(name, kind)| {
                let (_, value) = named(name).ok_or_else(|| CodecError::Missing(name.clone()))?;
                codec::encode(name, value, kind)
            })
            .collect::<Result<_, _>>()?;
        Ok(self.call.abi_encode_input(&encoded)?.into())
    }

    /// What it returned.
    pub(super) fn decode(&self, output: &[u8]) -> Result<Message, CodecError> {
        codec::decode_all(&self.outputs, self.call.abi_decode_output(output)?)
    }
}

/// What one event says: nothing, where the log is not as the interface has it.
fn fields(event: &json_abi::Event, log: &Log) -> Vec<(String, Value)> {
    let Ok(decoded) = event.decode_log(log.data()) else {
        return Vec::new();
    };
    let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
    let field = |parameter: &json_abi::EventParam| {
        let value = if parameter.indexed { indexed.next() } else { body.next() }?;
        let is_hash = parameter.indexed && matches!(&*parameter.ty, "string" | "bytes");
        let value = codec::decode_scalar(&parameter.name, value).ok()?;
        (!is_hash).then(|| (parameter.name.clone(), value))
    };
    event.inputs.iter().filter_map(field).collect()
}

fn refused(code: String) -> Fault {
    Fault::new(Kind::BackendRefused, code, "the ledger refused it")
}

fn show(value: &DynSolValue) -> String {
    match value {
        DynSolValue::FixedBytes(word, size) => {
            alloy::hex::encode_prefixed(word.get(..*size).unwrap_or_default())
        }
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::Address(address) => address.to_string(),
        other => other.sol_type_name().unwrap_or_default().into_owned(),
    }
}
