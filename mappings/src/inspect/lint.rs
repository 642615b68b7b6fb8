//! What loads and is likely a slip all the same.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use gateway_core::{Kind, LossKind};

use super::{Files, SectorFiles, all_rows, inner_tables, parts};
use crate::cases;
use crate::faults::parse_name;
use crate::format::{Layout, MappingFile, Operation, Row};
use crate::problem::Problem;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The mapping or sector, e.g. `welfare/mohw/v1`.
    pub place: String,
    /// The key path within its file.
    pub path: String,
    /// What is noticed, and what to do about it.
    pub message: String,
    /// Whether it is as good as certainly a slip; notes are for a reader to weigh.
    pub is_warning: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = if self.is_warning { "warning" } else { "note" };
        write!(f, "{weight}  {}: {}: {}", self.place, self.path, self.message)
    }
}

/// Looks through a catalog that loads.
///
/// # Errors
/// What keeps the catalog or its cases from being read.
pub fn lint(root: &Path) -> Result<Vec<Finding>, Vec<Problem>> {
    let cases = cases::covered(root)?;
    let files = Files::read(root)?;
    let mut findings = Findings::default();
    for sector in &files.sectors {
        of_sector(sector, &mut findings);
        for (id, mapping) in &sector.mappings {
            findings.place.clone_from(id);
            of_mapping(sector, mapping, &mut findings);
            of_cases(sector, mapping, &cases, &mut findings);
        }
    }
    Ok(findings.all)
}

#[derive(Default)]
struct Findings {
    all: Vec<Finding>,
    place: String,
}

impl Findings {
    fn add(&mut self, is_warning: bool, path: impl fmt::Display, message: impl fmt::Display) {
        self.all.push(Finding {
            place: self.place.clone(),
            path: path.to_string(),
            message: message.to_string(),
            is_warning,
        });
    }

    fn warn(&mut self, path: impl fmt::Display, message: impl fmt::Display) {
        self.add(true, path, message);
    }

    fn note(&mut self, path: impl fmt::Display, message: impl fmt::Display) {
        self.add(false, path, message);
    }
}

/// Sets of codes and shared tables that nothing uses.
fn of_sector(sector: &SectorFiles, findings: &mut Findings) {
    findings.place.clone_from(&sector.services.sector);
    let rows: Vec<&Row> = sector.mappings.values().flat_map(rows_of).collect();
    let vias = rows.iter().flat_map(|row| {
        let domain = row.domain.as_ref().and_then(|domain| domain.via.as_ref());
        row.via.iter().chain(domain).chain(parts(row).iter().filter_map(|part| part.via.as_ref()))
    });
    let vias: BTreeSet<&String> = vias.collect();
    for name in sector.services.tables.keys().filter(|name| !vias.contains(name)) {
        findings.warn(format_args!("tables.{name}"), "no mapping goes by this table");
    }
    let mut sets = BTreeSet::new();
    for service in sector.services.services.values() {
        service.request.values().chain(service.reply.values()).for_each(|field| {
            field.collect_sets(&mut sets);
        });
    }
    for table in sector.services.tables.values() {
        sets.extend([table.from.as_str(), table.to.as_str()]);
    }
    for name in sector.services.codes.keys().filter(|name| !sets.contains(name.as_str())) {
        findings.warn(format_args!("codes.{name}"), "no field and no table is of this set");
    }
}

fn rows_of(mapping: &MappingFile) -> impl Iterator<Item = &Row> {
    let tables = mapping.operations.values().flat_map(|each| {
        let inquiry = each.call.as_ref().and_then(|call| call.inquiry.as_ref());
        let inquiry = inquiry.into_iter().flat_map(|inquiry| [&inquiry.request, &inquiry.reply]);
        [&each.request, &each.reply].into_iter().chain(inquiry)
    });
    tables.flat_map(|rows| all_rows(rows))
}

fn of_mapping(sector: &SectorFiles, mapping: &MappingFile, findings: &mut Findings) {
    let used: BTreeSet<&String> = rows_of(mapping)
        .flat_map(|row| {
            row.table.iter().chain(parts(row).iter().filter_map(|one| one.table.as_ref()))
        })
        .collect();
    for name in mapping.tables.keys().filter(|name| !used.contains(name)) {
        findings.warn(format_args!("tables.{name}"), "no row uses this table");
    }
    let is_backend = !mapping.is_front();
    for (name, operation) in &mapping.operations {
        let service = operation.service.as_ref().unwrap_or(name);
        let Some(service) = sector.services.services.get(service) else {
            continue;
        };
        let sides = [
            ("request", &operation.request, &service.request, is_backend),
            ("reply", &operation.reply, &service.reply, !is_backend),
        ];
        for (table, rows, fields, service_is_from) in sides {
            let path = format!("operations.{name}.{table}");
            let mapped = mapped_fields(rows, service_is_from);
            for field in fields.keys().filter(|field| !mapped.contains(field.as_str())) {
                findings.note(&path, format_args!("`{field}` of the service is not mapped"));
            }
        }
        if !is_backend {
            of_unmapped_wire(name, operation, mapping, findings);
        }
    }
    if !is_backend {
        of_faults(sector, mapping, findings);
    }
}

/// The first names of the service's fields that a table maps.
fn mapped_fields(rows: &[Row], service_is_from: bool) -> BTreeSet<&str> {
    let mut mapped = BTreeSet::new();
    for row in rows {
        let field = if service_is_from { &row.from } else { &row.to };
        let asked = row.domain.as_ref().map(|domain| &domain.from);
        let names = field.iter().chain(asked).chain(parts(row).iter().map(|part| &part.field));
        mapped.extend(names.filter_map(|name| name.split('.').next()));
        if field.is_none() {
            let inner = inner_tables(row);
            mapped.extend(inner.flat_map(|rows| mapped_fields(rows, service_is_from)));
        }
    }
    mapped
}

/// Fields of a request that are read and go nowhere.
fn of_unmapped_wire(
    name: &str,
    operation: &Operation,
    mapping: &MappingFile,
    findings: &mut Findings,
) {
    let joined: BTreeSet<&String> =
        operation.request.iter().flat_map(|row| row.join.iter().flatten()).collect();
    let counts = |row: &Row| [&row.counted_by, &row.depending_on, &row.chosen_by].map(Clone::clone);
    let counting: BTreeSet<String> = operation.request.iter().flat_map(counts).flatten().collect();
    for (index, row) in operation.request.iter().enumerate() {
        let Some(wire) = &row.from else { continue };
        let goes = row.to.is_some()
            || row.kind.as_deref() == Some("filler")
            || counting.contains(wire)
            || row.fields.is_some()
            || row.parts.is_some()
            || row.constant.is_some()
            || row.loss == Some(LossKind::Drop)
            || joined.contains(wire)
            || mapping.idempotency_key.contains(wire);
        if !goes {
            let path = format_args!("operations.{name}.request[{index}]");
            let says = "is read and goes nowhere; declare `loss: drop` if that is meant";
            findings.warn(path, format_args!("`{wire}` {says}"));
        }
    }
}

/// Refusals of the sector's backends that the front has no code of its own for.
fn of_faults(sector: &SectorFiles, mapping: &MappingFile, findings: &mut Findings) {
    let refusals = sector.mappings.values().flat_map(|backend| backend.refusals.values());
    let known: BTreeSet<(Kind, &str)> = mapping
        .faults
        .keys()
        .filter_map(|name| parse_name(name))
        .filter_map(|(kind, code)| Some((kind, code?)))
        .collect();
    let mut told = BTreeSet::new();
    for refusal in refusals {
        let kind = refusal.kind.unwrap_or(Kind::BackendRefused);
        let code = refusal.code.as_str();
        if !known.contains(&(kind, code)) && told.insert((kind, code)) {
            findings.note("faults", format_args!("{kind}/{code} has no code of its own"));
        }
    }
}

/// Operations without an example.
fn of_cases(
    sector: &SectorFiles,
    mapping: &MappingFile,
    cases: &cases::Covered,
    findings: &mut Findings,
) {
    for (name, operation) in &mapping.operations {
        let code = operation.service.as_ref().unwrap_or(name);
        let service = format!("{}/{code}", sector.services.sector);
        for (table, covered) in [("request", &cases.requests), ("reply", &cases.replies)] {
            let place = (findings.place.clone(), service.clone());
            if !covered.contains(&place) {
                let path = format!("operations.{name}.{table}");
                findings.warn(path, "no case shows it");
            }
        }
    }
}

impl MappingFile {
    /// Whether it is a caller's format.
    pub(crate) fn is_front(&self) -> bool {
        !matches!(self.layout, Layout::Contract {} | Layout::Provider(_))
    }
}
