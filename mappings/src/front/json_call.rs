//! A call in JSON over HTTP, as REST and X-Road's REST protocol have it: where it stands, and its
//! message in the body or in the query.

use std::sync::Arc;

use gateway_core::front::Exchange;
use gateway_core::{Endpoint, Fault, Inbound, Kind, Message, Service};

use super::losses;
use crate::layout::json::{JsonError, JsonKind};
use crate::operations::{Operation, Operations};
use crate::resources::{Missed, QueryError, Resources, read_query};

/// The operations of a front whose messages are JSON, and where they stand.
pub(crate) struct JsonCalls {
    pub(crate) operations: Operations<JsonKind>,
    pub(crate) resources: Resources,
}

/// A request that was read.
pub(crate) struct Call<'c> {
    pub(crate) operation: &'c Operation<JsonKind>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) message: Message,
}

impl JsonCalls {
    /// What a request asks for by its method and by `path`, which is what follows the front's own
    /// part of the path.
    ///
    /// # Errors
    /// `Unroutable` for a path or method that is none here; `Malformed` and `Unmappable` for the
    /// message, naming the field.
    pub(crate) fn read(&self, inbound: &Inbound, path: &str) -> Result<Call<'_>, Fault> {
        let method = inbound.attributes.get(":method").map_or("POST", String::as_str);
        let mut found = self.resources.find(method, path).map_err(missed)?;
        let operation = self.operations.find(&found.resource.operation)?;
        let query = inbound.attributes.get(":query").map_or("", String::as_str);
        let mut record = if found.resource.method.has_body() {
            check_media_type(inbound)?;
            if !query.is_empty() {
                return Err(query_fault(QueryError::Unknown));
            }
            operation.request.parse(&inbound.body).map_err(json_fault)?
        } else {
            if !inbound.body.is_empty() {
                let says = "a request by this method has no body";
                return Err(Fault::new(Kind::Malformed, "body-unexpected", says));
            }
            read_query(&operation.request, query).map_err(query_fault)?
        };
        let filled = found.fill(&operation.request, &mut record);
        filled.map_err(|error| error.in_request())?;
        let message = operation.request.read(&record).map_err(|error| error.in_request())?;
        Ok(Call { operation, endpoint: found.resource.endpoint.clone(), message })
    }

    /// The body of a reply; among its `headers` the losses that the mapping declares.
    ///
    /// # Errors
    /// `Unmappable` when the format cannot hold the answer.
    pub(crate) fn write(
        &self,
        exchange: &Exchange<'_>,
        service: &Service,
        answer: &Message,
        headers: &mut Vec<(&'static str, String)>,
    ) -> Result<Vec<u8>, Fault> {
        let operation = self.operations.of(service)?;
        let record = operation.reply.write(answer).map_err(|error| error.in_reply())?;
        let mut body = Vec::with_capacity(256);
        operation.reply.print(&record, &mut body);
        losses::report(&losses::gather(exchange, &operation.reply, answer), headers);
        Ok(body)
    }
}

pub(crate) fn missed(missed: Missed) -> Fault {
    match missed {
        Missed::Path => {
            Fault::new(Kind::Unroutable, "unknown-service", "there is no such service here")
        }
        Missed::Method => {
            let says = "this service is not called by this method";
            Fault::new(Kind::Unroutable, "method-not-allowed", says)
        }
    }
}

/// JSON is UTF-8 (RFC 8259, section 8.1), whatever else a `charset` says.
fn check_media_type(inbound: &Inbound) -> Result<(), Fault> {
    let given = inbound.attributes.get("content-type").map_or("", String::as_str);
    let mut parts = given.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let mut charsets = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    if is_json && charsets.all(|charset| charset.eq_ignore_ascii_case("utf-8")) {
        return Ok(());
    }
    let says = "the body must be application/json in UTF-8";
    Err(Fault::new(Kind::Malformed, "unsupported-media-type", says))
}

fn json_fault(error: JsonError) -> Fault {
    let code = match error {
        JsonError::Field(error) => return error.in_request(),
        JsonError::NotUtf8 => "not-utf-8",
        JsonError::ByteOrderMark => "byte-order-mark",
        JsonError::Syntax { .. } | JsonError::NotAnObject => "malformed-json",
        JsonError::UnknownMember => "field-unknown",
    };
    Fault::new(Kind::Malformed, code, error.to_string())
}

pub(crate) fn query_fault(error: QueryError) -> Fault {
    let code = match error {
        QueryError::Field(error) => return error.in_request(),
        QueryError::Encoding => "not-utf-8",
        QueryError::Unknown => "field-unknown",
    };
    Fault::new(Kind::Malformed, code, error.to_string())
}
