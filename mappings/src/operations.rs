//! The operations of a front: its own names for the sector's services, with their field tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_core::{Fault, Kind, Service};

use crate::compile::OneWay;
use crate::format::Table;
use crate::rows::{Record, Rows, Wire};

/// One operation, compiled.
pub(crate) struct Operation<S> {
    /// The wire's name.
    pub(crate) name: Arc<str>,
    pub(crate) service: Arc<Service>,
    pub(crate) request: Rows<S>,
    pub(crate) reply: Rows<S>,
    /// What keeps its tables from being invertible.
    pub(crate) one_way: Ways,
    /// What names one request of it, when the wire carries that.
    pub(crate) key: Vec<KeyPart>,
}

/// Why the tables of an operation do not lead back.
pub(crate) struct Ways {
    pub(crate) request: Vec<OneWay>,
    pub(crate) reply: Vec<OneWay>,
}

impl Ways {
    pub(crate) fn of(&self, table: Table) -> &[OneWay] {
        match table {
            Table::Request => &self.request,
            Table::Reply => &self.reply,
        }
    }
}

/// Where a part of the idempotency key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyPart {
    Header(usize),
    Body(usize),
}

impl<S> Operation<S> {
    /// The idempotency key, of the wire's own texts.
    pub(crate) fn key(&self, header: &Record<'_>, body: &Record<'_>) -> Option<String> {
        let text = |part: &KeyPart| {
            let wire = match part {
                KeyPart::Header(at) => header.get(*at),
                KeyPart::Body(at) => body.get(*at),
            };
            match wire? {
                Some(Wire::Text(text)) => Some(&**text),
                _ => None,
            }
        };
        let parts: Option<Vec<&str>> = self.key.iter().map(text).collect();
        parts.filter(|parts| !parts.is_empty()).map(|parts| join_key(&parts))
    }
}

/// Parts of a key as one text. No two lists of parts give the same.
pub(crate) fn join_key(parts: &[&str]) -> String {
    match parts {
        [one] => (*one).to_owned(),
        parts => {
            let escaped = parts.iter().map(|part| part.replace('%', "%25").replace('/', "%2F"));
            escaped.collect::<Vec<_>>().join("/")
        }
    }
}

/// All operations of one front.
pub(crate) struct Operations<S> {
    by_name: BTreeMap<Arc<str>, Operation<S>>,
    names: BTreeMap<Arc<str>, Arc<str>>,
}

impl<S> Operations<S> {
    pub(crate) fn new(operations: Vec<Operation<S>>) -> Self {
        let names = operations.iter().map(|each| (each.service.id.code.clone(), each.name.clone()));
        Self {
            names: names.collect(),
            by_name: operations.into_iter().map(|each| (each.name.clone(), each)).collect(),
        }
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Operation<S>> {
        self.by_name.get(name)
    }

    /// # Errors
    /// `Unroutable`.
    pub(crate) fn find(&self, name: &str) -> Result<&Operation<S>, Fault> {
        self.named(name).ok_or_else(|| {
            Fault::new(Kind::Unroutable, "unknown-service", "there is no such service here")
        })
    }

    /// The operation that an envelope of this front came from.
    ///
    /// # Errors
    /// `Internal` for a service of another front.
    pub(crate) fn of(&self, service: &Service) -> Result<&Operation<S>, Fault> {
        let name = self.names.get(&service.id.code);
        name.and_then(|name| self.named(name)).ok_or_else(|| {
            Fault::new(Kind::Internal, "defect", "the gateway failed; it was recorded")
                .context(format_args!("{} is not a service of this front", service.id))
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Operation<S>> {
        self.by_name.values()
    }
}
