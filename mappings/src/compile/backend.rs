//! A backend's mapping.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::stage::{CONSENT_DOMAIN, DIGEST_DOMAIN, SUBMISSION_DOMAIN};
use gateway_core::{Operation, Pseudonymize, Value};

use super::{Scope, codec, unused};
use crate::backend::{Argument, Backend, Function, ResultForm, ResultRow, Source};
use crate::convert::CodeMap;
use crate::convert::backend::{BackendCodec, BackendType, ascii};
use crate::format::{Domain, MappingFile, Operation as OperationFormat, Row};
use crate::problem::Spot;
use crate::terms::{Class, Fields, Terms, Type};

const KEY: &str = "$key";
const CALLER: &str = "$caller";
pub(super) const REQUEST: &str = "$request.";

pub(crate) fn compile(
    id: Arc<str>,
    file: &MappingFile,
    scope: &Scope<'_>,
    pseudonyms: Arc<dyn Pseudonymize>,
    spot: &mut Spot<'_>,
) -> Option<Arc<Backend>> {
    unused(file.zone.is_some(), "zone", spot);
    unused(!file.organizations.is_empty(), "organizations", spot);
    unused(!file.idempotency_key.is_empty(), "idempotency-key", spot);
    unused(file.success.is_some(), "success", spot);
    unused(!file.faults.is_empty(), "faults", spot);
    let mut functions = BTreeMap::new();
    for (name, format) in &file.operations {
        let spot = &mut spot.key(format_args!("operations.{name}"));
        if let Some(function) = function(name, format, scope, spot) {
            functions.insert(function.service.id.code.clone(), function);
        }
    }
    Some(Arc::new(Backend {
        id: id.to_string(),
        functions,
        refusals: file.refusals.clone(),
        pseudonyms,
    }))
}

fn function(
    name: &str,
    format: &OperationFormat,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Function> {
    let service = format.service.as_deref().unwrap_or(name);
    let Some(terms) = scope.sector.services.get(service) else {
        spot.problem(format_args!("the sector has no service `{service}`"));
        return None;
    };
    unused(format.call.is_some(), "call", spot);
    let Some(function) = &format.function else {
        spot.key("function").problem("is missing");
        return None;
    };
    let mut arguments = Vec::new();
    for (index, row) in format.request.iter().enumerate() {
        let spot = &mut spot.key(format_args!("request[{index}]"));
        let source = source(row, terms, scope, spot);
        let Some(name) = &row.to else {
            spot.problem("the row names no argument");
            continue;
        };
        if let Some(source) = source {
            arguments.push(Argument { name: name.clone(), source });
        }
    }
    let reply = Results { terms, scope };
    Some(Function {
        name: function.clone(),
        service: terms.service.clone(),
        arguments,
        reply: reply.rows(&format.reply, &terms.reply, &mut spot.key("reply")),
    })
}

fn source(row: &Row, terms: &Terms, scope: &Scope<'_>, spot: &mut Spot<'_>) -> Option<Source> {
    let kind = backend_type(row, spot)?;
    let wants = |wanted: BackendType, spot: &mut Spot<'_>| {
        if kind != wanted {
            spot.key("type").problem("must be `bytes32`");
        }
    };
    match (row.from.as_deref(), row.convert.as_deref()) {
        (Some(KEY), _) => {
            wants(BackendType::Bytes32, spot);
            if terms.service.operation == Operation::Query {
                spot.problem("a query has no submission key");
            }
            Some(Source::Key)
        }
        (Some(CALLER), _) => {
            wants(BackendType::Bytes32, spot);
            Some(Source::Caller)
        }
        (None, _) => constant(row, kind, spot).map(Source::Constant),
        (Some(person), Some("pseudonym")) => {
            wants(BackendType::Bytes32, spot);
            pseudonym(person, row.domain.as_ref(), terms, scope, spot)
        }
        (Some(name), _) => field(name, row, kind, terms, scope, spot),
    }
}

fn constant(row: &Row, kind: BackendType, spot: &mut Spot<'_>) -> Option<Value> {
    let Some(text) = &row.constant else {
        spot.problem("the row says neither `from` nor `constant`");
        return None;
    };
    let value = match kind {
        BackendType::Bytes32 => ascii(text).ok().map(Value::Bytes),
        BackendType::Bool => text.parse().ok().map(Value::Flag),
        BackendType::Unsigned(_) => {
            let number = text.parse::<u64>().ok().map(i128::from);
            number.filter(|number| *number <= kind.largest()).map(Value::Integer)
        }
    };
    if value.is_none() {
        spot.key("constant").problem("is not of this type");
    }
    value
}

fn pseudonym(
    person: &str,
    domain: Option<&Domain>,
    terms: &Terms,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Source> {
    let person_field = terms.request.get(person).filter(|field| field.required);
    if !person_field.is_some_and(|field| matches!(field.kind, Type::Resident(_))) {
        spot.key("from").problem("must be a `resident-number` of the request that is required");
    }
    let Some(domain) = domain else {
        spot.problem("a pseudonym wants a `domain`");
        return None;
    };
    let spot = &mut spot.key("domain");
    let field = terms.request.get(&domain.from).filter(|field| field.required);
    let Some(Type::Code(set)) = field.map(|field| &field.kind) else {
        spot.key("from").problem("must be a `code` of the request that is required");
        return None;
    };
    let table = CodeMap::identity(set);
    let table = match &domain.via {
        Some(via) => table.via(codec::shared(via, scope, &mut spot.key("via"))?),
        None => table,
    };
    for name in [CONSENT_DOMAIN, SUBMISSION_DOMAIN, DIGEST_DOMAIN] {
        if table.names().any(|domain| domain == name) {
            spot.problem(format_args!("`{name}` is a domain of the gateway's own"));
        }
    }
    Some(Source::Pseudonym { person: person.into(), domain: domain.from.as_str().into(), table })
}

fn field(
    name: &str,
    row: &Row,
    kind: BackendType,
    terms: &Terms,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<Source> {
    let Some(field) = terms.request.get(name) else {
        spot.key("from").problem(format_args!("the service has no request field `{name}`"));
        return None;
    };
    if field.required == row.zeros.is_some() {
        spot.problem("`zeros: none` is for a field that may be absent, and for no other");
    }
    if row.zeros.is_some() && kind != BackendType::Bytes32 {
        spot.key("zeros").problem("only a `bytes32` has zeros that mean nothing");
    }
    let (via, target) = match (&row.via, &field.kind) {
        (Some(via), Type::Code(set)) => {
            let shared = codec::shared(via, scope, &mut spot.key("via"))?;
            if shared.from.name != set.name {
                spot.key("via").problem(format_args!("is not from {}", set.name));
            }
            let target = Type::Code(shared.to.clone());
            (Some(CodeMap::identity(set).via(shared)), Some(target))
        }
        (Some(_), _) => {
            spot.key("via").problem("applies to a `code`");
            return None;
        }
        (None, _) => (None, None),
    };
    if field.class != Class::Public {
        spot.problem("is not public, and reaches a ledger only as a pseudonym");
    }
    let codec = backend_codec(row, target.as_ref().unwrap_or(&field.kind), kind, scope, spot)?;
    Some(Source::Field { field: name.into(), via, codec, zeros: row.zeros.is_some() })
}

fn backend_type(row: &Row, spot: &mut Spot<'_>) -> Option<BackendType> {
    let wanted = "`bool`, `bytes32`, `uint8`, `uint32`, `uint64` or `uint256`";
    super::shape::parse(row.kind.as_deref(), BackendType::parse, wanted, spot)
}

fn backend_codec(
    row: &Row,
    service: &Type,
    backend: BackendType,
    scope: &Scope<'_>,
    spot: &mut Spot<'_>,
) -> Option<BackendCodec> {
    use BackendType::{Bool, Bytes32, Unsigned};
    let codec = match (service, backend, row.convert.as_deref()) {
        (Type::Flag, Bool, None) | (Type::Bytes { length: 32 }, Bytes32, None) => {
            BackendCodec::Same(backend)
        }
        (Type::Integer { min, max }, Unsigned(_), None) => {
            if *min < 0 || *max > backend.largest() {
                spot.key("type").problem(format_args!("does not hold {min} to {max}"));
            }
            BackendCodec::Same(backend)
        }
        (Type::Text { max }, Bytes32, Some("ascii")) => {
            if *max > 32 {
                spot.problem(format_args!("32 bytes do not hold {max} characters"));
            }
            BackendCodec::Ascii
        }
        (Type::Code(set), Bytes32, Some("ascii")) => {
            for name in set.members.iter().filter(|name| ascii(name).is_err()) {
                spot.problem(format_args!("32 bytes of ASCII do not hold `{name}`"));
            }
            BackendCodec::Ascii
        }
        (Type::Date, Unsigned(bits), Some("day-number")) if bits >= 32 => BackendCodec::DayNumber,
        (Type::Code(set), Unsigned(_), None) if row.table.is_some() => {
            let codes = codec::codes(row, set, scope, spot)?;
            let holds =
                |code: &str| code.parse().is_ok_and(|number: i128| number <= backend.largest());
            for code in codes.texts().filter(|code| !holds(code)) {
                spot.key("table").problem(format_args!("`{code}` is not a number of this type"));
            }
            if !codes.is_reversible() {
                spot.key("table").problem("two codes stand for one name");
            }
            BackendCodec::Number(codes)
        }
        _ => {
            let message = format_args!("no way from a {} to this type", service.name());
            spot.problem(message);
            return None;
        }
    };
    Some(codec)
}

/// Compiles the table of a reply.
struct Results<'s> {
    terms: &'s Terms,
    scope: &'s Scope<'s>,
}

impl Results<'_> {
    fn rows(&self, table: &[Row], fields: &Fields, spot: &mut Spot<'_>) -> Vec<ResultRow> {
        let mut rows: Vec<ResultRow> = Vec::new();
        for (index, row) in table.iter().enumerate() {
            let spot = &mut spot.entry(index);
            if let Some(compiled) = self.row(row, fields, spot) {
                if rows.iter().any(|earlier| earlier.field == compiled.field) {
                    spot.problem(format_args!("`{}` is mapped twice", compiled.field));
                }
                rows.push(compiled);
            }
        }
        for (name, field) in fields {
            let mapped = table.iter().any(|row| row.to.as_ref() == Some(name));
            if field.required && !mapped {
                spot.problem(format_args!("the service requires `{name}`, and no row maps it"));
            }
        }
        rows
    }

    fn row(&self, row: &Row, fields: &Fields, spot: &mut Spot<'_>) -> Option<ResultRow> {
        let (Some(from), Some(to)) = (&row.from, &row.to) else {
            spot.problem("the row wants `from` and `to`");
            return None;
        };
        let Some(field) = fields.get(to) else {
            spot.key("to").problem(format_args!("the service has no field `{to}`"));
            return None;
        };
        if field.required && !row.required {
            spot.problem("the service requires this field, so the row must say `required: true`");
        }
        let name = from.strip_prefix(REQUEST);
        let form = match (name, &field.kind, &row.fields) {
            (Some(name), kind, _) => {
                let asked = self.terms.request.get(name);
                if asked.is_none_or(|asked| !asked.kind.is_like(kind)) {
                    spot.key("from").problem("is not a request field of the same type");
                }
                ResultForm::Request
            }
            (None, Type::List { fields, max }, Some(table)) => ResultForm::List {
                rows: self.rows(table, fields, &mut spot.key("fields")),
                max: *max,
            },
            (None, kind, _) => {
                let backend = backend_type(row, spot)?;
                if row.zeros.is_some() && row.required {
                    spot.key("zeros").problem("a required field cannot be zeros");
                }
                ResultForm::Value {
                    codec: backend_codec(row, kind, backend, self.scope, spot)?,
                    zeros: row.zeros.is_some(),
                }
            }
        };
        Some(ResultRow {
            name: name.unwrap_or(from).to_owned(),
            field: to.as_str().into(),
            required: row.required,
            form,
        })
    }
}
