//! The field tables of a front that speaks the services' own terms: one row for each field, named
//! and written as the service has it. Nothing is declared twice, so nothing can disagree.

use super::{Scope, codec, invert};
use crate::convert::Codec;
use crate::format;
use crate::layout::json::JsonKind;
use crate::layout::structure::SAFE_INTEGER;
use crate::operations::{Operation, Ways};
use crate::problem::Spot;
use crate::rows::{Form, Row, Rows};
use crate::terms::{Fields, Sector, Terms, Type};

/// Every service of a sector as an operation of its own name.
pub(crate) fn operations(sector: &Sector, spot: &mut Spot<'_>) -> Vec<Operation<JsonKind>> {
    let scope = Scope { sector, tables: Default::default(), zone: None };
    let mut spot = spot.key("services");
    let services = sector.services.values();
    services.map(|terms| operation(terms, &scope, &mut spot)).collect()
}

fn operation(terms: &Terms, scope: &Scope<'_>, spot: &mut Spot<'_>) -> Operation<JsonKind> {
    let code = &terms.service.id.code;
    let spot = &mut spot.key(code);
    let request = rows(&terms.request, scope, &mut spot.key("request"));
    let reply = rows(&terms.reply, scope, &mut spot.key("reply"));
    Operation {
        name: code.clone(),
        service: terms.service.clone(),
        one_way: Ways {
            request: invert::one_way(&request, &terms.request),
            reply: invert::one_way(&reply, &terms.reply),
        },
        request,
        reply,
        key: vec![],
    }
}

fn rows(fields: &Fields, scope: &Scope<'_>, spot: &mut Spot<'_>) -> Rows<JsonKind> {
    let mut rows = Vec::with_capacity(fields.len());
    for (name, field) in fields {
        let spot = &mut spot.key(name);
        let form = match &field.kind {
            Type::Record { fields } => Some(Form::Record { rows: self::rows(fields, scope, spot) }),
            Type::List { fields, max } => {
                Some(Form::List { rows: self::rows(fields, scope, spot), max: *max, count: None })
            }
            kind => codec::choose(&format::Row::default(), kind, scope, spot)
                .map(|codec| Form::Value { shape: shape(&codec), codec }),
        };
        rows.extend(form.map(|form| Row {
            name: name.as_str().into(),
            field: Some(name.as_str().into()),
            required: field.required,
            default: None,
            choice: None,
            when: None,
            loss: None,
            form,
        }));
    }
    Rows::new(rows)
}

/// A number where every value of the field is exact in a double: then each field has one type.
fn shape(codec: &Codec) -> JsonKind {
    match codec {
        Codec::Flag { .. } => JsonKind::Boolean,
        Codec::Integer { min, max } if *min >= -SAFE_INTEGER && *max <= SAFE_INTEGER => {
            JsonKind::Integer
        }
        _ => JsonKind::String,
    }
}
