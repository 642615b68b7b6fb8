//! Which fields of a service a table maps, and whether that is all it must.

use std::collections::BTreeMap;

use crate::path::Path;
use crate::problem::Spot;
use crate::rows::Whole;
use crate::terms::{Fields, Type};

/// How a field is mapped.
#[derive(Clone, Copy)]
pub(crate) struct Mapped {
    /// Only when a condition holds.
    pub(crate) conditional: bool,
    /// Within a group that may be absent.
    pub(crate) grouped: bool,
}

#[derive(Default)]
pub(crate) struct Coverage {
    mapped: BTreeMap<String, Mapped>,
    /// The fields that conditions ask, and where.
    asked: Vec<String>,
}

impl Coverage {
    pub(crate) fn map(&mut self, field: &str, mapped: Mapped, spot: &mut Spot<'_>) {
        let earlier = self.mapped.insert(field.to_owned(), mapped);
        if earlier.is_some_and(|earlier| !earlier.conditional || !mapped.conditional) {
            spot.problem(format_args!("`{field}` is mapped twice"));
        }
    }

    /// Runs `one` for each of several groups of which one stands there. What each maps counts as
    /// mapped.
    pub(crate) fn in_all<T>(
        &mut self,
        groups: impl Iterator<Item = T>,
        mut one: impl FnMut(&mut Self, T),
    ) {
        let outside = self.mapped.clone();
        let mut in_all: Option<BTreeMap<String, Mapped>> = None;
        for group in groups {
            self.mapped.clone_from(&outside);
            one(self, group);
            in_all = Some(match in_all {
                Some(mut all) => {
                    all.retain(|field, _| self.mapped.contains_key(field));
                    all
                }
                None => self.mapped.clone(),
            });
        }
        self.mapped = in_all.unwrap_or(outside);
    }

    /// Notes that a condition asks this field.
    pub(crate) fn ask(&mut self, field: &str, spot: &mut Spot<'_>) {
        if self.asked.iter().any(|asked| asked == field) {
            return;
        }
        self.asked.push(field.to_owned());
        if self.mapped.get(field).is_some_and(|mapped| mapped.conditional) {
            let says = format_args!("`{field}` depends on a condition itself");
            spot.key("when.field").problem(says);
        }
    }

    /// Reports what is missing; answers with what must be looked after while reading.
    pub(crate) fn check(&self, fields: &Fields, spot: &mut Spot<'_>) -> Vec<Whole> {
        for field in &self.asked {
            if self.mapped.get(field).is_none_or(|mapped| mapped.conditional) {
                let says = format_args!("a condition asks `{field}`, which no row always maps");
                spot.problem(says);
            }
        }
        let mut wholes = Vec::new();
        self.check_fields(fields, None, &mut wholes, spot);
        wholes
    }

    fn check_fields(
        &self,
        fields: &Fields,
        record: Option<(&str, bool)>,
        wholes: &mut Vec<Whole>,
        spot: &mut Spot<'_>,
    ) {
        let always = record.is_none_or(|(_, always)| always);
        // A member of a record that is always there must always be there itself.
        let within = record.filter(|_| !always).map(|(path, _)| Path::from(path));
        for (name, field) in fields {
            let path = match record {
                Some((record, _)) => format!("{record}.{name}"),
                None => name.clone(),
            };
            let whole = || Whole { record: within.clone(), field: path.as_str().into() };
            match (self.mapped.get(&path), &field.kind) {
                (Some(mapped), _) if field.required => {
                    if mapped.conditional || mapped.grouped || !always {
                        wholes.push(whole());
                    }
                }
                (Some(_), _) => {}
                (None, Type::Record { fields }) if self.maps_within(&path) => {
                    let record = Some((path.as_str(), always && field.required));
                    self.check_fields(fields, record, wholes, spot);
                    if field.required {
                        wholes.push(whole());
                    }
                }
                (None, _) if field.required => {
                    let says = format_args!("the service requires `{path}`, and no row maps it");
                    spot.problem(says);
                }
                (None, _) => {}
            }
        }
    }

    fn maps_within(&self, record: &str) -> bool {
        let within =
            |path: &String| path.strip_prefix(record).is_some_and(|rest| rest.starts_with('.'));
        self.mapped.keys().any(within)
    }
}
