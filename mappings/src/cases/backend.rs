//! Cases of backend mappings: request → call, and answer → reply.

use gateway_core::{Answer, Content, Mapping, MemberId, Message, Service, SubmissionKey};
use serde_json::{Value as Json, json};

use super::{Case, Explainable, json, read};
use crate::backend::{Asked, Backend};
use crate::convert::backend::ascii;

/// `service`, `caller`, `key` and `message` → the call, or the fault.
pub(super) fn request(backend: &Backend, input: &[u8]) -> Result<Vec<u8>, String> {
    let request = Request::read(input)?;
    let outcome = match backend.call(&request.asked(service(backend, &request)?)) {
        Err(fault) => json::fault(&fault),
        Ok(call) => {
            let Content::Arguments(arguments) = &call.content else {
                return Err("a contract is called with arguments".to_owned());
            };
            let arguments = arguments.iter().map(|(name, value)| json!([name, json::value(value)]));
            json!({
                "operation": call.operation,
                "function": call.function,
                "arguments": arguments.collect::<Vec<_>>(),
                "key": call.key.map(|key| json::value(&gateway_core::Value::Bytes(key.0.to_vec()))),
            })
        }
    };
    Ok(json::pretty(&outcome))
}

/// The backend's `answer` or `fault` to the request of another case → the reply, or the fault.
pub(super) fn reply(backend: &Backend, case: &Case, input: &[u8]) -> Result<Vec<u8>, String> {
    let input: Json = serde_json::from_slice(input).map_err(|error| error.to_string())?;
    if let Some(fault) = input.get("fault") {
        let fault = backend.refusal(json::read_fault(fault)?);
        return Ok(json::pretty(&json::fault(&fault)));
    }
    let to = input.get("to").and_then(Json::as_str).ok_or("`to` names the case replied to")?;
    let request = Request::read(&read(&case.folder.join(to))?)?;
    let answer = input.get("answer").ok_or("neither `answer` nor `fault` is given")?;
    let answer = Answer { values: json::read_message(answer)?, proof: None };
    let outcome = match backend.reply(&request.asked(service(backend, &request)?), &answer) {
        Err(fault) => json::fault(&fault),
        Ok(message) => json::message(&message),
    };
    Ok(json::pretty(&outcome))
}

/// The reply that an answer to a request becomes.
pub(super) fn explainable(
    backend: &Backend,
    case: &Case,
    input: &[u8],
) -> Result<Explainable, String> {
    let input: Json = serde_json::from_slice(input).map_err(|error| error.to_string())?;
    if let Some(fault) = input.get("fault") {
        return Ok(Explainable::Refused(backend.refusal(json::read_fault(fault)?)));
    }
    let to = input.get("to").and_then(Json::as_str).ok_or("`to` names the case replied to")?;
    let request = Request::read(&read(&case.folder.join(to))?)?;
    let answer = input.get("answer").ok_or("neither `answer` nor `fault` is given")?;
    let answer = Answer { values: json::read_message(answer)?, proof: None };
    let outcome = backend.reply(&request.asked(service(backend, &request)?), &answer);
    Ok(Explainable::reply(request.service, outcome))
}

fn service<'b>(backend: &'b Backend, request: &Request) -> Result<&'b Service, String> {
    let function = backend.functions.get(request.service.as_str());
    let function = function.ok_or_else(|| format!("no service `{}` here", request.service))?;
    Ok(&function.service)
}

/// What a request case holds.
pub(super) struct Request {
    pub(super) service: String,
    caller: MemberId,
    key: Option<SubmissionKey>,
    pub(super) message: Message,
}

impl Request {
    pub(super) fn read(input: &[u8]) -> Result<Self, String> {
        let input: Json = serde_json::from_slice(input).map_err(|error| error.to_string())?;
        let text = |name: &str| input.get(name).and_then(Json::as_str);
        let key = match text("key") {
            None => None,
            Some(key) => {
                let key = ascii(key).map_err(|why| format!("`key` {why}"))?;
                key.try_into().ok().map(SubmissionKey)
            }
        };
        Ok(Self {
            service: text("service").ok_or("`service` is missing")?.to_owned(),
            caller: MemberId(text("caller").ok_or("`caller` is missing")?.into()),
            key,
            message: json::read_message(input.get("message").ok_or("`message` is missing")?)?,
        })
    }

    pub(super) fn asked<'a>(&'a self, service: &'a Service) -> Asked<'a> {
        Asked { service, message: &self.message, caller: &self.caller, key: self.key }
    }
}
