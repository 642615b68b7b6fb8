//! `services.yaml` → the sector's terms.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::service::ConsentRule;
use gateway_core::{Operation, Purpose, Service, ServiceId};

use crate::compile::Purposes;
use crate::convert::PersonRule;
use crate::format::{
    CheckPolicy, FieldFormat, ServiceFormat, ServicesFile, SharedTableFormat, TypeName,
};
use crate::problem::Spot;
use crate::terms::{Class, CodeSet, Field, Fields, Sector, SharedTable, Terms, Type};

pub(crate) const FORMAT: &str = "services/v1";

type Codes = BTreeMap<String, Arc<CodeSet>>;

/// Compiles a sector. What cannot be compiled is reported and left out.
pub(crate) fn compile(file: &ServicesFile, purposes: Purposes, spot: &mut Spot<'_>) -> Sector {
    if file.naru != FORMAT {
        spot.key("naru").problem(format_args!("must be `{FORMAT}`"));
    }
    let codes = codes(&file.codes, &mut spot.key("codes"));
    let tables = tables(&file.tables, &codes, &mut spot.key("tables"));
    let name: Arc<str> = file.sector.as_str().into();
    let mut services = BTreeMap::new();
    for (code, format) in &file.services {
        let id = ServiceId { sector: name.clone(), code: code.as_str().into() };
        let terms = service(id, format, (&codes, &purposes), &mut spot.key("services").key(code));
        services.insert(code.clone(), Arc::new(terms));
    }
    Sector { name, codes, tables, purposes, services }
}

fn codes(formats: &BTreeMap<String, Vec<String>>, spot: &mut Spot<'_>) -> Codes {
    let mut codes = Codes::new();
    for (name, members) in formats {
        let mut set = CodeSet { name: name.clone(), members: Default::default() };
        for member in members {
            if !set.members.insert(member.as_str().into()) {
                spot.key(name).problem(format_args!("`{member}` stands there twice"));
            }
        }
        codes.insert(name.clone(), Arc::new(set));
    }
    codes
}

fn tables(
    formats: &BTreeMap<String, SharedTableFormat>,
    codes: &Codes,
    spot: &mut Spot<'_>,
) -> BTreeMap<String, Arc<SharedTable>> {
    let mut tables = BTreeMap::new();
    for (name, format) in formats {
        let spot = &mut spot.key(name);
        let from = code_set(&format.from, codes, &mut spot.key("from"));
        let to = code_set(&format.to, codes, &mut spot.key("to"));
        let (Some(from), Some(to)) = (from, to) else {
            continue;
        };
        for (source, target) in &format.rows {
            let spot = &mut spot.key(format_args!("rows.{source}"));
            if !from.members.contains(source.as_str()) {
                spot.problem(format_args!("`{source}` is not a {}", from.name));
            }
            if !to.members.contains(target.as_str()) {
                spot.problem(format_args!("`{target}` is not a {}", to.name));
            }
        }
        for member in &from.members {
            if !format.rows.contains_key(&**member) {
                spot.key("rows").problem(format_args!("nothing for `{member}`"));
            }
        }
        let rows = format.rows.iter();
        let rows = rows.map(|(from, to)| (from.as_str().into(), to.as_str().into())).collect();
        tables.insert(name.clone(), Arc::new(SharedTable { from, to, rows }));
    }
    tables
}

fn code_set(name: &str, codes: &Codes, spot: &mut Spot<'_>) -> Option<Arc<CodeSet>> {
    let found = codes.get(name).cloned();
    if found.is_none() {
        spot.problem(format_args!("`{name}` is not a set of codes of the sector"));
    }
    found
}

fn service(
    id: ServiceId,
    format: &ServiceFormat,
    (codes, purposes): (&Codes, &Purposes),
    spot: &mut Spot<'_>,
) -> Terms {
    let request = fields(&format.request, codes, &mut spot.key("request"));
    let reply = fields(&format.reply, codes, &mut spot.key("reply"));
    if let Some(subject) = &format.subject {
        let field = request.get(subject);
        if !field.is_some_and(|field| matches!(field.kind, Type::Resident(_)) && field.required) {
            let wanted = "must be a request field of type `resident-number` that is required";
            spot.key("subject").problem(wanted);
        }
    }
    let purpose = format.purpose.as_deref().and_then(|code| {
        let found = purposes.get(code).cloned();
        if found.is_none() {
            spot.key("purpose").problem(format_args!("`{code}` is not in purposes.yaml"));
        }
        found
    });
    let consent = consent(format, purpose.as_ref(), &reply, spot);
    let (operation, subject) = (format.operation, format.subject.clone());
    let service = Service { id, operation, subject, purpose, consent };
    Terms { service: Arc::new(service), request, reply }
}

fn consent(
    format: &ServiceFormat,
    purpose: Option<&Arc<Purpose>>,
    reply: &Fields,
    spot: &mut Spot<'_>,
) -> Option<ConsentRule> {
    let consent = format.consent.as_ref()?;
    if format.purpose.is_none() {
        spot.problem("a consent is for a purpose, so the service needs a `purpose`");
    }
    let spot = &mut spot.key("consent");
    if format.operation == Operation::Submit {
        spot.problem("only a query needs a consent");
    }
    if format.subject.is_none() {
        spot.problem("a consent is of a person, so the service needs a `subject`");
    }
    let mut items = spot.key("items");
    for (field, item) in &consent.items {
        let spot = &mut items.key(field);
        match reply.get(field) {
            None => spot.problem("is not a field of the reply"),
            Some(field) if field.required => {
                spot.problem("is required in the reply, so it could not be held back");
            }
            Some(_) => {}
        }
        if purpose.is_some_and(|purpose| !purpose.items.contains_key(item)) {
            spot.problem(format_args!("`{item}` is not an item of the purpose"));
        }
    }
    Some(ConsentRule { purpose: purpose?.clone(), items: consent.items.clone() })
}

fn fields(formats: &BTreeMap<String, FieldFormat>, codes: &Codes, spot: &mut Spot<'_>) -> Fields {
    let mut fields = Fields::new();
    for (name, format) in formats {
        let spot = &mut spot.key(name);
        if name.contains('.') {
            spot.problem("a field's name has no dot in it");
        }
        if let Some(kind) = kind(format, codes, spot) {
            let class = class(format, &kind, spot);
            // A secret text is of the type that neither prints nor serializes.
            let kind = match kind {
                Type::Text { max } if class != Class::Public => Type::Personal { max },
                kind => kind,
            };
            fields.insert(name.clone(), Field { kind, required: format.required, class });
        }
    }
    fields
}

/// As the field says, and by its type otherwise.
fn class(format: &FieldFormat, kind: &Type, spot: &mut Spot<'_>) -> Class {
    let own = match kind {
        Type::Resident(_) | Type::Personal { .. } => Class::Personal,
        _ => Class::Public,
    };
    match (kind, format.class) {
        (Type::Record { .. } | Type::List { .. }, Some(_)) => {
            spot.key("class").problem("is said of each of the `fields`");
            own
        }
        (_, Some(class)) if class < own => {
            spot.key("class").problem("is personal by its type");
            own
        }
        (_, class) => class.unwrap_or(own),
    }
}

fn kind(format: &FieldFormat, codes: &Codes, spot: &mut Spot<'_>) -> Option<Type> {
    let uses: &[&str] = match format.kind {
        TypeName::Text | TypeName::PersonalText | TypeName::Binary => &["max"],
        TypeName::Integer => &["min", "max"],
        TypeName::Bytes => &["length"],
        TypeName::Code => &["of"],
        TypeName::Decimal => &["scale", "min", "max"],
        TypeName::Record => &["fields"],
        TypeName::List => &["max", "fields"],
        TypeName::Flag
        | TypeName::Date
        | TypeName::Time
        | TypeName::DateTime
        | TypeName::BusinessNumber
        | TypeName::ResidentNumber
        | TypeName::ForeignerNumber => &[],
    };
    let given = [
        ("of", format.of.is_some()),
        ("length", format.length.is_some()),
        ("scale", format.scale.is_some()),
        ("min", format.min.is_some()),
        ("max", format.max.is_some()),
        ("fields", format.fields.is_some()),
    ];
    for (key, is_there) in given {
        match (is_there, uses.contains(&key)) {
            (true, false) => spot.key(key).problem("means nothing for this type"),
            (false, true) => spot.problem(format_args!("this type wants `{key}`")),
            _ => {}
        }
    }
    let names_person = matches!(format.kind, TypeName::ResidentNumber | TypeName::ForeignerNumber);
    if format.check.is_some() && !names_person {
        spot.key("check").problem("means nothing for this type");
    }
    let is_number = matches!(format.kind, TypeName::Integer | TypeName::Decimal);
    if !is_number && format.max.is_some_and(i64::is_negative) {
        spot.key("max").problem("must not be negative");
    }
    let count = |number: Option<i64>| usize::try_from(number?).ok();
    Some(match format.kind {
        TypeName::Text => Type::Text { max: count(format.max)? },
        TypeName::PersonalText => Type::Personal { max: count(format.max)? },
        TypeName::Integer => Type::Integer { min: format.min?.into(), max: format.max?.into() },
        TypeName::Flag => Type::Flag,
        TypeName::Date => Type::Date,
        TypeName::Bytes => Type::Bytes { length: format.length? },
        TypeName::Binary => Type::Binary { max: count(format.max)? },
        TypeName::Code => Type::Code(code_set(format.of.as_ref()?, codes, &mut spot.key("of"))?),
        TypeName::Decimal => {
            let decimal = Type::decimal(format.scale?, format.min?, format.max?);
            if decimal.is_none() {
                spot.key("scale").problem("must be from 0 to 18");
            }
            decimal?
        }
        TypeName::Time => Type::Time,
        TypeName::DateTime => Type::DateTime,
        TypeName::BusinessNumber => Type::Business,
        TypeName::ResidentNumber | TypeName::ForeignerNumber => Type::Resident(PersonRule {
            foreign: format.kind == TypeName::ForeignerNumber,
            check_digit: format.check == Some(CheckPolicy::Digit),
            hyphen: false,
        }),
        TypeName::Record => {
            Type::Record { fields: fields(format.fields.as_ref()?, codes, &mut spot.key("fields")) }
        }
        TypeName::List => Type::List {
            fields: fields(format.fields.as_ref()?, codes, &mut spot.key("fields")),
            max: count(format.max)?,
        },
    })
}
