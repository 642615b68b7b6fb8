//! What a reply tells of losses that its mappings declare: of the request on its way in, of the
//! answer, and of the reply itself.

use gateway_core::front::{Exchange, LOSS_HEADER};
use gateway_core::{Loss, Message};

use crate::rows::Rows;

/// Every loss of an exchange that is answered, each field and kind once.
pub(crate) fn gather<S>(exchange: &Exchange<'_>, reply: &Rows<S>, answer: &Message) -> Vec<Loss> {
    let asked = exchange.envelope.map_or(&[][..], |envelope| envelope.message.losses());
    let mut losses = reply.losses(answer);
    for loss in asked.iter().chain(answer.losses()) {
        if !losses.contains(loss) {
            losses.push(loss.clone());
        }
    }
    losses
}

/// Adds the header that tells them, if there are any: `field;kind` with commas between.
pub(crate) fn report(losses: &[Loss], headers: &mut Vec<(&'static str, String)>) {
    if losses.is_empty() {
        return;
    }
    let told: Vec<String> = losses.iter().map(|loss| escaped(&loss.to_string())).collect();
    headers.push((LOSS_HEADER, told.join(", ")));
}

/// A header holds ASCII; other characters of a field's name are percent-encoded (RFC 3986, 2.1).
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'%' && byte != b',' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}
