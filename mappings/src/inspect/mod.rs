//! Looking at a catalog as its author does: [`lint`] finds what loads and is likely a slip,
//! [`diff`](mod@diff) says what a new version breaks for whom, [`explain`](mod@explain) shows where
//! each field of one message comes from.

mod diff;
mod explain;
mod lint;

use std::collections::BTreeMap;
use std::path::Path;

use crate::catalog::Folder;
use crate::format::{MappingFile, Part, Row, ServicesFile};
use crate::problem::Problem;

pub use diff::{Change, diff};
pub use explain::{Explained, Line, explain};
pub use lint::{Finding, lint};

/// The files of a catalog as they are written.
struct Files {
    sectors: Vec<SectorFiles>,
}

struct SectorFiles {
    services: ServicesFile,
    /// By id, e.g. `welfare/mohw/v1`.
    mappings: BTreeMap<String, MappingFile>,
}

impl Files {
    /// Reads a catalog that loads.
    fn read(root: &Path) -> Result<Self, Vec<Problem>> {
        let mut found = Vec::new();
        let mut folder = Folder::new(root, &mut found);
        let mut sectors = Vec::new();
        for sector in folder.subfolders(root) {
            let Some(services) = folder.parse(&sector.join("services.yaml")) else {
                continue;
            };
            let mut mappings = BTreeMap::new();
            for system in folder.subfolders(&sector) {
                for version in folder.subfolders(&system) {
                    if let Some(file) = folder.parse(&version.join("mapping.yaml")) {
                        mappings.insert(folder.name(&version), file);
                    }
                }
            }
            sectors.push(SectorFiles { services, mappings });
        }
        match found.is_empty() {
            true => Ok(Self { sectors }),
            false => Err(found),
        }
    }
}

/// A file as editors read it. No type says here what a scalar is, so the words of YAML 1.2 alone are
/// booleans, and `N` is a text.
pub(crate) fn untyped(text: &str) -> Result<serde_json::Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
}

/// Every row of a table, nested ones too.
fn all_rows(rows: &[Row]) -> Vec<&Row> {
    let nested = |row| {
        let inner = inner_tables(row).flat_map(all_rows);
        std::iter::once(row).chain(inner).collect::<Vec<&Row>>()
    };
    rows.iter().flat_map(nested).collect()
}

/// The tables within a row: of a record, a list, a group, or of each alternative.
fn inner_tables(row: &Row) -> impl Iterator<Item = &[Row]> {
    let alternatives = row.alternatives.iter().flatten().map(|each| &*each.fields);
    row.fields.as_deref().into_iter().chain(alternatives)
}

fn parts(row: &Row) -> &[Part] {
    row.parts.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests;
