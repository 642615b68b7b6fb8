//! Cases of providers' mappings: request → bytes, and bytes → reply.

use gateway_core::adapter::Settlement;
use gateway_core::wire::Around;
use gateway_core::{
    Answer, Content, Encoded, ExchangeId, Fault, Message, Occasion, Received, Response,
};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::backend::Request;
use super::front::RECEIVED;
use super::{Case, Explainable, json, read};
use crate::backend::Asked;
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
    let Said { to, is_report, received } = Said::read(input)?;
    let request = Request::read(&read(&case.folder.join(to))?)?;
    let service = service(provider, &request)?;
    let asked = request.asked(service);
    let outcome = if is_report {
        match provider.settlement(&service.id, received) {
            Ok(Settlement::Settled(outcome)) => {
                json!({ "settled": shown(translated(provider, &asked, outcome)) })
            }
            Ok(Settlement::Pending | Settlement::Reported(_)) => json!("pending"),
            Err(fault) => json::fault(&fault),
        }
    } else {
        let answer = provider.answer(&service.id, Response::Received(received));
        shown(translated(provider, &asked, answer))
    };
    Ok(json::pretty(&outcome))
}

/// The reply that a provider's bytes become.
pub(super) fn explainable(
    provider: &dyn Provide,
    case: &Case,
    input: &[u8],
) -> Result<Explainable, String> {
    let Said { to, is_report, received } = Said::read(input)?;
    let request = Request::read(&read(&case.folder.join(to))?)?;
    let service = service(provider, &request)?;
    let outcome = match is_report {
        true => match provider.settlement(&service.id, received) {
            Ok(Settlement::Settled(outcome)) => outcome,
            Ok(_) => return Err("the report says that nothing is settled yet".to_owned()),
            Err(fault) => Err(fault),
        },
        false => provider.answer(&service.id, Response::Received(received)),
    };
    let outcome = translated(provider, &request.asked(service), outcome);
    Ok(Explainable::reply(request.service, outcome))
}

/// The case that a `.reply.in` replies to.
pub(super) fn replied_to(input: &[u8]) -> Option<&str> {
    Said::read(input).ok().map(|said| said.to)
}

/// What a provider says in a case.
struct Said<'i> {
    to: &'i str,
    /// Whether it answers an inquiry.
    is_report: bool,
    received: Received,
}

impl<'i> Said<'i> {
    fn read(input: &'i [u8]) -> Result<Self, String> {
        let end = input.windows(2).position(|pair| pair == b"\n\n").ok_or("no empty line")?;
        let (head, body) = input.split_at_checked(end).ok_or("no empty line")?;
        let head = std::str::from_utf8(head).map_err(|error| error.to_string())?;
        let line =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let status = line("status").map(str::parse).transpose();
        let body = body.strip_prefix(b"\n\n").unwrap_or(body).to_vec();
        Ok(Self {
            to: line("to").ok_or("`to` names the case replied to")?,
            is_report: line("report").is_some(),
            received: Received {
                status: status.map_err(|_| "`status` is a number")?,
                headers: Default::default(),
                body: body.into(),
            },
        })
    }
}

fn translated(
    provider: &dyn Provide,
    asked: &Asked<'_>,
    outcome: Result<Answer, Fault>,
) -> Result<Message, Fault> {
    let reply = outcome.map_err(|fault| provider.refusal(fault));
    reply.and_then(|answer| provider.reply(asked, &answer))
}

fn shown(outcome: Result<Message, Fault>) -> Json {
    match outcome {
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
