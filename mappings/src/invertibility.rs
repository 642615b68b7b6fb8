//! Which field tables of a catalog lead back, and why the others do not.

use crate::catalog::{Catalog, FrontEntry};
use crate::format::Table;
use crate::operations::Operations;

/// One field table of a front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invertibility {
    /// The mapping, e.g. `welfare/mohw/v1`.
    pub mapping: String,
    /// The operation, by the wire's name.
    pub operation: String,
    /// `request` or `reply`.
    pub table: &'static str,
    /// Why a message that it wrote may read back as another; empty when it never does.
    pub reasons: Vec<String>,
}

impl Catalog {
    /// Every table of every front, in the order of the mappings.
    pub fn invertibility(&self) -> Vec<Invertibility> {
        self.fronts().flat_map(|(id, front)| of_front(id, front)).collect()
    }
}

fn of_front(id: &str, front: &FrontEntry) -> Vec<Invertibility> {
    match front {
        FrontEntry::Soap(front) => of_operations(id, &front.operations),
        FrontEntry::Telegram(front) => of_operations(id, &front.operations),
        FrontEntry::Batch(front) => of_operations(id, &front.operations),
        FrontEntry::Rest(front) => of_operations(id, &front.calls.operations),
        FrontEntry::Xml(front) => of_operations(id, &front.operations),
        FrontEntry::XRoadRest(front) => of_operations(id, &front.calls.operations),
    }
}

fn of_operations<S>(id: &str, operations: &Operations<S>) -> Vec<Invertibility> {
    let tables = operations
        .iter()
        .flat_map(|operation| [Table::Request, Table::Reply].map(|table| (operation, table)));
    let told = tables.map(|(operation, table)| Invertibility {
        mapping: id.to_owned(),
        operation: operation.name.to_string(),
        table: table.name(),
        reasons: operation.one_way.of(table).iter().map(ToString::to_string).collect(),
    });
    told.collect()
}
