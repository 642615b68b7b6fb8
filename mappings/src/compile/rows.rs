//! A field table → compiled rows, checked against the fields of a service.

use std::collections::BTreeSet;

use super::{Scope, codec};
use crate::convert::Codec;
use crate::format;
use crate::problem::Spot;
use crate::rows::{Choice, Count, Form, Row, Rows};
use crate::terms::{Field, Fields, Type};

/// Which way a table is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Wire → service.
    Request,
    /// Service → wire.
    Reply,
}

/// Says what a layout must know of one field, or reports why it cannot hold it.
pub(crate) type Shaper<'s, S> = dyn Fn(&format::Row, &Codec, &mut Spot<'_>) -> Option<S> + 's;

/// The rows of one table so far.
struct Found<S> {
    rows: Vec<Row<S>>,
    names: BTreeSet<String>,
    /// Fields of the service.
    used: BTreeSet<String>,
}

impl<S> Default for Found<S> {
    fn default() -> Self {
        Self { rows: Vec::new(), names: BTreeSet::new(), used: BTreeSet::new() }
    }
}

/// Compiles field tables of one layout.
#[derive(Clone, Copy)]
pub(crate) struct Compiler<'s, S> {
    pub(crate) direction: Direction,
    pub(crate) scope: &'s Scope<'s>,
    pub(crate) shape: &'s Shaper<'s, S>,
    /// Whether a group of fields stands a fixed number of times.
    pub(crate) fixed: bool,
    /// Whether the table is of the records of a list.
    pub(crate) within_list: bool,
}

impl<S> Compiler<'_, S> {
    /// Compiles the table and checks that it covers what `fields` requires.
    pub(crate) fn rows(
        &self,
        table: &[format::Row],
        fields: &Fields,
        spot: &mut Spot<'_>,
    ) -> Rows<S> {
        let mut found = Found::default();
        for (index, row) in table.iter().enumerate() {
            let spot = &mut spot.entry(index);
            match &row.alternatives {
                Some(alternatives) => self.choice(row, alternatives, fields, &mut found, spot),
                None => self.add(row, None, fields, &mut found, spot),
            }
        }
        for (name, field) in fields {
            if field.required && !found.used.contains(name.as_str()) {
                spot.problem(format_args!("the service requires `{name}`, and no row maps it"));
            }
        }
        Rows(found.rows)
    }

    /// Compiles one row behind those found so far.
    fn add(
        &self,
        row: &format::Row,
        choice: Option<Choice>,
        fields: &Fields,
        found: &mut Found<S>,
        spot: &mut Spot<'_>,
    ) {
        let (name, field) = match self.direction {
            Direction::Request => (&row.from, &row.to),
            Direction::Reply => (&row.to, &row.from),
        };
        let Some(name) = name else {
            spot.problem("the row names no field of the wire");
            return;
        };
        super::unused(row.chosen_by.is_some(), "chosen-by", spot);
        let is_filler = row.kind.as_deref() == Some("filler");
        if !found.names.insert(name.clone()) && !is_filler {
            spot.problem(format_args!("`{name}` stands there twice"));
        }
        if let Some(field) = field
            && !found.used.insert(field.clone())
        {
            spot.problem(format_args!("`{field}` is mapped twice"));
        }
        let Some(mut compiled) = self.row(name, field.as_deref(), row, fields, spot) else {
            return;
        };
        if let Form::List { count, .. } = &mut compiled.form {
            *count = self.count(row, choice.is_some(), found, spot);
        }
        compiled.choice = choice;
        found.rows.push(compiled);
    }

    /// Compiles groups of rows that lie over one another. A field of the service may stand in each
    /// of them, and counts as mapped when it stands in all.
    fn choice(
        &self,
        row: &format::Row,
        alternatives: &[format::Alternative],
        fields: &Fields,
        found: &mut Found<S>,
        spot: &mut Spot<'_>,
    ) {
        super::unused(!self.fixed, "alternatives", spot);
        let by = row.chosen_by.as_deref();
        let Some(by) = by.and_then(|by| found.rows.iter().position(|row| *row.name == *by)) else {
            spot.key("chosen-by").problem("must name a field before this one");
            return;
        };
        let first = found.rows.len();
        let outside = found.used.clone();
        let (mut in_all, mut codes) = (None::<BTreeSet<String>>, BTreeSet::new());
        for (index, alternative) in alternatives.iter().enumerate() {
            let spot = &mut spot.key("alternatives").into_entry(index);
            if alternative.when.is_empty()
                || !alternative.when.iter().all(|code| codes.insert(code))
            {
                spot.key("when").problem("must name codes, each of one alternative");
            }
            found.used = outside.clone();
            let choice = Choice { by, codes: alternative.when.clone().into(), first };
            for (index, row) in alternative.fields.iter().enumerate() {
                let spot = &mut spot.key("fields").into_entry(index);
                self.add(row, Some(choice.clone()), fields, found, spot);
            }
            in_all = Some(match in_all {
                Some(all) => all.intersection(&found.used).cloned().collect(),
                None => found.used.clone(),
            });
        }
        found.used = in_all.unwrap_or(outside);
    }

    /// Which row before a list says how many records it has.
    fn count(
        &self,
        row: &format::Row,
        in_choice: bool,
        found: &Found<S>,
        spot: &mut Spot<'_>,
    ) -> Option<Count> {
        let (name, varies) = match (&row.counted_by, &row.depending_on) {
            (None, None) => return None,
            (Some(name), None) => (name, false),
            (None, Some(name)) => (name, true),
            (Some(_), Some(_)) => {
                spot.problem("say `counted-by` or `depending-on`, not both");
                return None;
            }
        };
        if varies && (in_choice || self.within_list) {
            spot.key("depending-on").problem("only a record itself may vary in length");
        }
        super::unused(!self.fixed, if varies { "depending-on" } else { "counted-by" }, spot);
        let at = found.rows.iter().position(|row| *row.name == **name);
        if at.is_none() {
            spot.problem(format_args!("no field `{name}` stands before the list"));
        }
        at.map(|at| Count { at, varies })
    }

    fn row(
        &self,
        name: &str,
        field: Option<&str>,
        row: &format::Row,
        fields: &Fields,
        spot: &mut Spot<'_>,
    ) -> Option<Row<S>> {
        backend_only(row, spot);
        let target = match field {
            Some(field) => Some(fields.get(field).or_else(|| {
                spot.problem(format_args!("the service has no field `{field}`"));
                None
            })?),
            None => None,
        };
        let optional = !row.required && row.default.is_none();
        if target.is_some_and(|target| target.required) && optional {
            spot.problem("the service requires this field, so the row must say `required: true`");
        }
        let form = match target {
            Some(Field { kind: Type::List { fields, max }, .. }) if row.fields.is_some() => {
                self.list(row, fields, *max, spot)
            }
            target => self.value(row, target, spot),
        }?;
        Some(Row {
            name: name.into(),
            field: field.map(Into::into),
            required: row.required,
            default: row.default.clone(),
            choice: None,
            form,
        })
    }

    fn list(
        &self,
        row: &format::Row,
        fields: &Fields,
        max: usize,
        spot: &mut Spot<'_>,
    ) -> Option<Form<S>> {
        if row.kind.as_deref() != Some("list") {
            spot.key("type").problem("must be `list` where there are `fields`");
        }
        let max = match (self.fixed, row.occurs) {
            (true, None) => {
                spot.problem("a list of fixed-length fields wants `occurs`");
                return None;
            }
            (true, Some(occurs)) if occurs < max => {
                let message = format_args!("the service allows {max} records");
                spot.key("occurs").problem(message);
                return None;
            }
            (true, Some(occurs)) => occurs,
            (false, occurs) => {
                super::unused(occurs.is_some(), "occurs", spot);
                max
            }
        };
        let table = row.fields.as_deref().unwrap_or_default();
        let inner = Compiler { within_list: true, ..*self };
        let rows = inner.rows(table, fields, &mut spot.key("fields"));
        Some(Form::List { rows, max, count: None })
    }

    fn value(
        &self,
        row: &format::Row,
        target: Option<&Field>,
        spot: &mut Spot<'_>,
    ) -> Option<Form<S>> {
        super::unused(row.fields.is_some(), "fields", spot);
        super::unused(row.occurs.is_some(), "occurs", spot);
        super::unused(row.counted_by.is_some(), "counted-by", spot);
        super::unused(row.depending_on.is_some(), "depending-on", spot);
        let codec = match target {
            Some(target) => codec::choose(row, &target.kind, self.scope, spot)?,
            None => codec::plain(row),
        };
        if let (Direction::Reply, Codec::Code(codes)) = (self.direction, &codec)
            && !codes.is_reversible()
        {
            spot.problem("two codes stand for one name, so it cannot be written");
        }
        if let Some(default) = &row.default
            && codec.read(default).is_err()
        {
            spot.key("default").problem("is not a value that this field can hold");
        }
        let shape = (self.shape)(row, &codec, spot)?;
        Some(Form::Value { codec, shape })
    }
}

fn backend_only(row: &format::Row, spot: &mut Spot<'_>) {
    super::unused(row.domain.is_some(), "domain", spot);
    super::unused(row.constant.is_some(), "constant", spot);
}
