//! YAML → compiled mapping. Everything that can be known to be wrong before the first request is
//! found here, and all of it is reported. [`rows`](self::rows) is the heart: one field table
//! checked against a service.

mod backend;
mod batch;
mod batch_form;
mod codec;
mod composed;
mod coverage;
mod derived;
mod faults;
mod fixed;
mod front;
mod header;
mod integrations;
mod invert;
mod provider;
mod purposes;
mod resources;
mod rows;
mod services;
mod shape;
mod soap;
mod telegram;
mod xml;
mod xroad;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::Pseudonymize;
use jiff::tz::Offset;

pub(crate) use derived::operations as derived_operations;
pub(crate) use invert::OneWay;
pub(crate) use purposes::{Purposes, compile as compile_purposes};
pub(crate) use services::compile as compile_services;
pub(crate) use soap::is_name;

use crate::catalog::{BackendEntry, FrontEntry};
use crate::format::{Layout, MappingFile, TableFormat};
use crate::problem::Spot;
use crate::terms::{CodeSet, Sector};

/// A compiled mapping of either kind.
pub(crate) enum Entry {
    Front(FrontEntry),
    Backend(BackendEntry),
}

/// What the tables of one mapping are checked against.
pub(crate) struct Scope<'a> {
    pub(crate) sector: &'a Sector,
    pub(crate) tables: BTreeMap<String, Table>,
    /// The offset of wire times that state none.
    pub(crate) zone: Option<Offset>,
}

/// A code table of a mapping.
pub(crate) struct Table {
    pub(crate) of: Arc<CodeSet>,
    pub(crate) rows: Vec<(Arc<str>, Arc<str>)>,
}

/// Compiles a mapping. Without a result there is at least one problem.
pub(crate) fn compile(
    id: &str,
    file: &MappingFile,
    sector: &Sector,
    pseudonyms: &Arc<dyn Pseudonymize>,
    spot: &mut Spot<'_>,
) -> Option<Entry> {
    let before = spot.count();
    let tables = tables(&file.tables, sector, &mut spot.key("tables"));
    let scope = Scope { sector, tables, zone: zone(file.zone.as_deref(), spot) };
    let id: Arc<str> = id.into();
    let is_soap = matches!(file.layout, Layout::Soap(_) | Layout::XroadSoap(_));
    for (name, operation) in file.operations.iter().filter(|_| !is_soap) {
        let spot = &mut spot.key(format_args!("operations.{name}"));
        unused(operation.soap.is_some(), "soap", spot);
        unused(operation.title.is_some(), "title", spot);
        unused(operation.notes.is_some(), "notes", spot);
    }
    let is_xml = matches!(file.layout, Layout::Xml(_));
    for (name, operation) in file.operations.iter().filter(|_| !is_xml) {
        unused(operation.xml.is_some(), "xml", &mut spot.key(format_args!("operations.{name}")));
    }
    let entry = match &file.layout {
        Layout::Soap(layout) => soap::compile(id, file, layout, &scope, spot).map(Entry::Front),
        Layout::XroadSoap(layout) => soap::xroad(id, file, layout, &scope, spot).map(Entry::Front),
        Layout::Telegram(layout) => {
            telegram::compile(id, file, layout, &scope, spot).map(Entry::Front)
        }
        Layout::Batch(layout) => batch::compile(id, file, layout, &scope, spot).map(Entry::Front),
        Layout::Rest(layout) => front::rest(id, file, layout, &scope, spot).map(Entry::Front),
        Layout::Xml(layout) => xml::compile(id, file, layout, &scope, spot).map(Entry::Front),
        Layout::XroadRest(layout) => {
            xroad::compile(id, file, layout, &scope, spot).map(Entry::Front)
        }
        Layout::Contract {} => {
            let backend = backend::compile(id, file, &scope, pseudonyms.clone(), spot);
            backend.map(BackendEntry::Contract).map(Entry::Backend)
        }
        Layout::Provider(layout) => {
            let provider = provider::compile(&id, file, layout, &scope, spot);
            provider.map(BackendEntry::Provider).map(Entry::Backend)
        }
    };
    entry.filter(|_| spot.count() == before)
}

fn tables(
    formats: &BTreeMap<String, TableFormat>,
    sector: &Sector,
    spot: &mut Spot<'_>,
) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for (name, format) in formats {
        let spot = &mut spot.key(name);
        let Some(of) = sector.codes.get(&format.of) else {
            spot.key("of")
                .problem(format_args!("`{}` is not a set of codes of the sector", format.of));
            continue;
        };
        for (code, target) in &format.rows {
            if !of.members.contains(target.as_str()) {
                spot.key("rows").key(code).problem(format_args!("`{target}` is not a {}", of.name));
            }
        }
        for member in &of.members {
            if !format.rows.values().any(|target| **target == **member) {
                spot.key("rows").problem(format_args!("no code for `{member}`"));
            }
        }
        let rows = format.rows.iter();
        let rows = rows.map(|(code, target)| (code.as_str().into(), target.as_str().into()));
        let table = Table { of: of.clone(), rows: rows.collect() };
        tables.insert(name.clone(), table);
    }
    tables
}

/// `+09:00`: the wire's times are Korean, which has had no other offset since 1988.
fn zone(zone: Option<&str>, spot: &mut Spot<'_>) -> Option<Offset> {
    let zone = zone?;
    let parse = || {
        let (sign, hours, minutes) = (zone.get(..1)?, zone.get(1..3)?, zone.get(4..)?);
        let is_form = zone.get(3..4) == Some(":") && minutes.len() == 2;
        let minutes = hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?;
        match sign {
            "+" if is_form => Offset::from_seconds(minutes * 60).ok(),
            "-" if is_form => Offset::from_seconds(minutes * -60).ok(),
            _ => None,
        }
    };
    let offset = parse();
    if offset.is_none() {
        spot.key("zone").problem("must be an offset such as +09:00");
    }
    offset
}

/// Reports what a kind of mapping has no use for.
fn unused(is_there: bool, key: &str, spot: &mut Spot<'_>) {
    if is_there {
        spot.key(key).problem("means nothing in this kind of mapping");
    }
}

#[cfg(test)]
mod tests;
