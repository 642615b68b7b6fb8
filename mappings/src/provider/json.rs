//! REST: an object in the body, or values in the path and the query; an object back, or a status
//! whose body, perhaps problem+json (RFC 9457), names the refusal. X-Road over REST is this with the
//! service in the path and the client in a header.

use gateway_core::adapter::Format;
use gateway_core::{Encoded, Message, Received};

use super::http::{self, is_success};
use super::verdict::{Refused, Said, Standing, Unreadable};
use super::{Saying, Wire};
use crate::format::ResultFormat;
use crate::layout::json::JsonKind;
use crate::rows::Rows;
use crate::unfit::FieldError;

pub(crate) struct JsonWire {
    pub(crate) headers: Rows<JsonKind>,
    pub(crate) result: Option<ResultFormat>,
    pub(crate) refusal: Vec<String>,
}

impl Wire for JsonWire {
    type Shape = JsonKind;

    const FORMAT: Format = Format::Json;

    fn write(&self, saying: &Saying<JsonKind>, message: &Message) -> Result<Encoded, FieldError> {
        let mut headers = http::headers(&self.headers, message)?;
        headers.push(("accept".into(), "application/json, application/problem+json".into()));
        let mut record = saying.request.write(message)?;
        let path = saying.http.path(&saying.request, &mut record)?;
        let mut body = Vec::new();
        if !saying.http.has_query() {
            headers.push(("content-type".into(), "application/json".into()));
            saying.request.print(&record, &mut body);
        }
        Ok(saying.http.request(path, headers, body))
    }

    fn read(&self, saying: &Saying<JsonKind>, received: &Received) -> Result<Said, Unreadable> {
        if !is_success(received) {
            let status = received.status.unwrap_or_default();
            let named = self.refusal.iter().filter_map(|member| text_at(received, member));
            return Ok(Said::Refusal(Refused::by_status(status, named)));
        }
        if let Some(result) = &self.result {
            let code = text_at(received, &result.field);
            let code = code.ok_or(Unreadable::Form("the answer has no result code"))?;
            if !result.success.contains(&code) {
                return Ok(Said::Refusal(Refused::new([code], Standing::Unclear)));
            }
        }
        let record = saying.reply.parse(&received.body)?;
        Ok(Said::Answer(saying.reply.read(&record)?))
    }
}

/// The text or number at `a.b` of a body that may be anything.
fn text_at(received: &Received, path: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&received.body).ok()?;
    let found = path.split('.').try_fold(&body, |value, member| value.get(member))?;
    match found {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
