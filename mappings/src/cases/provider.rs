//! Cases of providers' mappings: request → bytes, and bytes → reply.

use gateway_core::adapter::Settlement;
use gateway_core::wire::Around;
use gateway_core::{Answer, Content, Encoded, ExchangeId, Fault, Occasion, Received, Response};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::backend::Request;
use super::front::RECEIVED;
use super::{Case, json, read};
use crate::provider::Provide;

/// The exchange of every case, at 2026-11-22T10:00:00+09:00.
fn occasion() -> Occasion {
    let now = Timestamp::from_second(RECEIVED).unwrap_or_default();
    Occasion { exchange: ExchangeId(Uuid::nil()), now }
}

/// `service`, `caller`, `key` and `message` → the bytes, with those of the inquiry behind them where
/// the provider can be asked, or the fault.
pub(super) fn request(provider: &dyn Provide, input: &[u8]) -> Result<Vec<u8>, String> {
    let request = Request::read(input)?;
    let service = service(provider, &request)?;
    let call = match provider.call(&request.asked(service), occasion()) {
        Ok(call) => call,
        Err(fault) => return Ok(json::pretty(&json::fault(&fault))),
    };
    let Content::Message { message, inquiry } = &call.content else {
        return Err("a provider is sent a message".to_owned());
    };
    let mut out = written(message);
    if let Some(inquiry) = inquiry {
        out.extend_from_slice(b"\n--- inquiry\n");
        out.extend(written(inquiry));
    }
    Ok(out)
}

/// The bytes; before those of a telegram, what its adapter fills.
fn written(message: &Encoded) -> Vec<u8> {
    let mut out = Vec::new();
    if let Around::Telegram { places } = &message.around {
        for place in places {
            let line = format!("{:?}: {}+{}\n", place.holds, place.offset, place.length);
            out.extend(line.to_ascii_lowercase().into_bytes());
        }
        out.push(b'\n');
    }
    out.extend_from_slice(&message.canonical());
    out
}

/// `to: CASE.in`, over HTTP `status: NNN`, perhaps `report: yes`, an empty line, and the provider's
/// bytes → the reply, what became of the submit, or the fault.
pub(super) fn reply(provider: &dyn Provide, case: &Case, input: &[u8]) -> Result<Vec<u8>, String> {
    let end = input.windows(2).position(|pair| pair == b"\n\n").ok_or("no empty line")?;
    let (head, body) = input.split_at_checked(end).ok_or("no empty line")?;
    let head = std::str::from_utf8(head).map_err(|error| error.to_string())?;
    let line =
        |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let to = line("to").ok_or("`to` names the case replied to")?;
    let request = Request::read(&read(&case.folder.join(to))?)?;
    let service = service(provider, &request)?;
    let asked = request.asked(service);
    let status = line("status").map(str::parse).transpose().map_err(|_| "`status` is a number")?;
    let body = body.strip_prefix(b"\n\n").unwrap_or(body).to_vec();
    let received = Received { status, headers: Default::default(), body: body.into() };
    let outcome = if line("report").is_some() {
        match provider.settlement(&service.id, received) {
            Ok(Settlement::Settled(outcome)) => {
                json!({ "settled": said(provider, &asked, outcome) })
            }
            Ok(Settlement::Pending | Settlement::Reported(_)) => json!("pending"),
            Err(fault) => json::fault(&fault),
        }
    } else {
        let answer = provider.answer(&service.id, Response::Received(received));
        said(provider, &asked, answer)
    };
    Ok(json::pretty(&outcome))
}

fn said(
    provider: &dyn Provide,
    asked: &crate::backend::Asked<'_>,
    outcome: Result<Answer, Fault>,
) -> Json {
    let reply = outcome.map_err(|fault| provider.refusal(fault));
    match reply.and_then(|answer| provider.reply(asked, &answer)) {
        Ok(message) => json::message(&message),
        Err(fault) => json::fault(&fault),
    }
}

fn service<'p>(
    provider: &'p dyn Provide,
    request: &Request,
) -> Result<&'p gateway_core::Service, String> {
    let service = provider.service(&request.service).map(|service| &**service);
    service.ok_or_else(|| format!("no service `{}` here", request.service))
}
