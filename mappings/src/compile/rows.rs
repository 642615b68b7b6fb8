//! A field table → compiled rows, checked against the fields of a service.

use std::collections::BTreeSet;

use super::coverage::{Coverage, Mapped};
use super::{Scope, codec, composed};
use crate::convert::Codec;
use crate::format;
use crate::path::Path;
use crate::problem::Spot;
use crate::rows::{Choice, Count, Derived, Form, Row, Rows};
use crate::terms::{Field, Fields, Type, field_at};

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

/// Compiles field tables of one layout.
pub(crate) struct Compiler<'s, S> {
    pub(crate) direction: Direction,
    pub(crate) scope: &'s Scope<'s>,
    pub(crate) shape: &'s Shaper<'s, S>,
    /// Whether a group of fields stands a fixed number of times.
    pub(crate) fixed: bool,
    /// Whether the table is of the records of a list.
    pub(crate) within_list: bool,
}

/// Where a row is: in the table itself, or in a group that may be absent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Table,
    Group { optional: bool },
}

impl<S> Compiler<'_, S> {
    /// Compiles the table and checks that it covers what `fields` requires.
    pub(crate) fn rows(
        &self,
        table: &[format::Row],
        fields: &Fields,
        spot: &mut Spot<'_>,
    ) -> Rows<S> {
        let mut coverage = Coverage::default();
        let mut rows = self.table(table, fields, Within::Table, &mut coverage, spot);
        rows.1.wholes = coverage.check(fields, spot);
        rows
    }

    /// Compiles groups of rows that lie over one another. A field of the service may stand in each
    /// of them, and counts as mapped when it stands in all.
    fn choice(
        &self,
        row: &format::Row,
        alternatives: &[format::Alternative],
        fields: &Fields,
        coverage: &mut Coverage,
        rows: &mut Rows<S>,
        spot: &mut Spot<'_>,
    ) {
        super::unused(!self.fixed, "alternatives", spot);
        let by = row.chosen_by.as_deref();
        let Some(by) = by.and_then(|by| rows.position(by)) else {
            spot.key("chosen-by").problem("must name a field before this one");
            return;
        };
        let first = rows.0.len();
        let mut codes = BTreeSet::new();
        coverage.in_all(alternatives.iter().enumerate(), |coverage, (index, alternative)| {
            let spot = &mut spot.key("alternatives").into_entry(index);
            if alternative.when.is_empty()
                || !alternative.when.iter().all(|code| codes.insert(code))
            {
                spot.key("when").problem("must name codes, each of one alternative");
            }
            let choice = Choice { by, codes: alternative.when.clone().into(), first };
            for (index, row) in alternative.fields.iter().enumerate() {
                let spot = &mut spot.key("fields").into_entry(index);
                let choice = Some(choice.clone());
                self.add(row, choice, fields, Within::Table, coverage, rows, spot);
            }
        });
    }

    /// Compiles one row behind those found so far.
    #[expect(clippy::too_many_arguments, reason = "a row stands between all of these")]
    fn add(
        &self,
        row: &format::Row,
        choice: Option<Choice>,
        fields: &Fields,
        within: Within,
        coverage: &mut Coverage,
        rows: &mut Rows<S>,
        spot: &mut Spot<'_>,
    ) {
        let (Some(name), field) = self.names(row) else {
            spot.problem("the row names no field of the wire");
            return;
        };
        super::unused(row.chosen_by.is_some(), "chosen-by", spot);
        if rows.position(name).is_some() && row.kind.as_deref() != Some("filler") {
            spot.problem(format_args!("`{name}` stands there twice"));
        }
        let compiled = self.row(name, field, row, fields, within, coverage, spot);
        let Some(mut compiled) = compiled else { return };
        if let Form::List { count, .. } = &mut compiled.form {
            *count = self.count(row, choice.is_some(), rows, spot);
        }
        compiled.choice = choice;
        rows.0.push(compiled);
    }

    /// Which row before a list says how many records it has.
    fn count(
        &self,
        row: &format::Row,
        in_choice: bool,
        rows: &Rows<S>,
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
        let at = rows.0.iter().position(|row| *row.name == **name);
        if at.is_none() {
            spot.problem(format_args!("no field `{name}` stands before the list"));
        }
        at.map(|at| Count { at, varies })
    }

    /// The names of a row on the wire and in the service.
    fn names<'r>(&self, row: &'r format::Row) -> (Option<&'r str>, Option<&'r str>) {
        match self.direction {
            Direction::Request => (row.from.as_deref(), row.to.as_deref()),
            Direction::Reply => (row.to.as_deref(), row.from.as_deref()),
        }
    }

    fn table(
        &self,
        table: &[format::Row],
        fields: &Fields,
        within: Within,
        coverage: &mut Coverage,
        spot: &mut Spot<'_>,
    ) -> Rows<S> {
        let mut rows = Rows::new(Vec::new());
        let mut beyond = Vec::new();
        for (index, row) in table.iter().enumerate() {
            let spot = &mut spot.entry(index);
            if let Some(alternatives) = &row.alternatives {
                self.choice(row, alternatives, fields, coverage, &mut rows, spot);
                continue;
            }
            match self.names(row) {
                (None, Some(field)) if row.join.is_some() || row.constant.is_some() => {
                    beyond.push((index, field));
                }
                _ => self.add(row, None, fields, within, coverage, &mut rows, spot),
            }
        }
        for (index, field) in beyond {
            if let Some(row) = table.get(index) {
                let spot = &mut spot.entry(index);
                self.beyond(field, row, fields, &mut rows, coverage, spot);
            }
        }
        rows.1.conditional = rows.0.iter().any(|row| row.when.is_some());
        rows.1.lossy = rows.0.iter().any(Row::is_lossy);
        rows
    }

    /// A row without a place of its own on the wire.
    fn beyond(
        &self,
        field: &str,
        row: &format::Row,
        fields: &Fields,
        rows: &mut Rows<S>,
        coverage: &mut Coverage,
        spot: &mut Spot<'_>,
    ) {
        backend_only(row, spot);
        let Some(target) = known(fields, field, spot) else {
            return;
        };
        coverage.map(field, Mapped { conditional: false, grouped: false }, spot);
        if row.join.is_some() {
            let join = composed::join(field, row, target, rows, self.scope, spot);
            rows.1.joins.extend(join);
        } else if self.direction == Direction::Reply {
            spot.problem("the row names no field of the wire");
        } else if let Some(value) = composed::constant(row, target, self.scope, spot) {
            rows.1.constants.push((field.into(), value));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a row stands between all of these")]
    fn row(
        &self,
        name: &str,
        field: Option<&str>,
        row: &format::Row,
        fields: &Fields,
        within: Within,
        coverage: &mut Coverage,
        spot: &mut Spot<'_>,
    ) -> Option<Row<S>> {
        backend_only(row, spot);
        super::unused(row.join.is_some(), "join", spot);
        let target = match field {
            Some(field) => Some(known(fields, field, spot)?),
            None => None,
        };
        let grouped = within == Within::Group { optional: true };
        if let (Some(field), Some(target)) = (field, target) {
            let conditional = row.when.is_some();
            coverage.map(field, Mapped { conditional, grouped }, spot);
            let optional = !row.required && row.default.is_none();
            if target.required && optional && !conditional && is_always(fields, field) {
                let says = "the service requires this field, so the row must say `required: true`";
                spot.problem(says);
            }
        }
        let when = match &row.when {
            Some(_) if within != Within::Table => {
                spot.key("when").problem("belongs on the group, not in it");
                None
            }
            Some(when) => {
                coverage.ask(&when.field, spot);
                Some(composed::condition(when, fields, self.scope, &mut spot.key("when"))?)
            }
            None => None,
        };
        let form = self.form(row, field, target, fields, coverage, spot)?;
        if matches!(row.loss, Some(loss) if !composed::may_lose(&form, field.is_some(), row, loss))
        {
            spot.key("loss").problem("is not something that this row can lose");
        }
        Some(Row {
            name: name.into(),
            field: field.map(Path::from),
            required: row.required,
            default: row.default.clone(),
            choice: None,
            when,
            loss: row.loss,
            form,
        })
    }

    fn form(
        &self,
        row: &format::Row,
        field: Option<&str>,
        target: Option<&Field>,
        fields: &Fields,
        coverage: &mut Coverage,
        spot: &mut Spot<'_>,
    ) -> Option<Form<S>> {
        let table = row.fields.as_deref();
        match (target.map(|target| &target.kind), table, row.kind.as_deref()) {
            (None, Some(table), Some("group")) => {
                let within = Within::Group { optional: !row.required };
                let spot = &mut spot.key("fields");
                Some(Form::Record { rows: self.table(table, fields, within, coverage, spot) })
            }
            (Some(Type::Record { fields }), Some(table), kind) => {
                if kind != Some("record") {
                    spot.key("type").problem("must be `record` where the field is one");
                }
                Some(Form::Record { rows: self.rows(table, fields, &mut spot.key("fields")) })
            }
            (Some(Type::List { fields, max }), Some(_), _) => self.list(row, fields, *max, spot),
            _ => self.value(row, field, target, fields, coverage, spot),
        }
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
        field: Option<&str>,
        target: Option<&Field>,
        fields: &Fields,
        coverage: &mut Coverage,
        spot: &mut Spot<'_>,
    ) -> Option<Form<S>> {
        super::unused(row.fields.is_some(), "fields", spot);
        super::unused(row.occurs.is_some(), "occurs", spot);
        super::unused(row.counted_by.is_some(), "counted-by", spot);
        super::unused(row.depending_on.is_some(), "depending-on", spot);
        let codec = match (target, &row.parts, &row.constant) {
            (None, Some(parts), None) => {
                Codec::Parts(composed::parts(parts, row, fields, self.scope, coverage, spot)?)
            }
            (None, None, Some(text)) => Codec::Constant(text.clone()),
            (Some(target), None, None) => codec::choose(row, &target.kind, self.scope, spot)?,
            (None, None, None) => codec::plain(row),
            (Some(_), Some(_), _) => {
                spot.key("parts").problem("name their fields, so the row names none");
                return None;
            }
            (_, _, Some(_)) => {
                let other = field.unwrap_or("parts");
                spot.key("constant").problem(format_args!("stands there instead of `{other}`"));
                return None;
            }
        };
        let written = self.direction == Direction::Reply;
        match &codec {
            Codec::Code(codes) if written && !codes.is_reversible() => {
                spot.problem("two codes stand for one name, so it cannot be written");
            }
            Codec::Masked(_) if !written => {
                spot.key("convert").problem("a masked value cannot be read");
            }
            Codec::Constant(_) | Codec::Parts(_) => {
                super::unused(row.default.is_some(), "default", spot);
            }
            codec if row.default.as_ref().is_some_and(|text| codec.read(text).is_err()) => {
                spot.key("default").problem("is not a value that this field can hold");
            }
            _ => {}
        }
        let shape = (self.shape)(row, &codec, spot)?;
        Some(Form::Value { codec, shape })
    }
}

impl<S> Row<S> {
    fn is_lossy(&self) -> bool {
        match &self.form {
            Form::Value { .. } => self.loss.is_some(),
            Form::Record { rows } | Form::List { rows, .. } => {
                let Derived { lossy, .. } = &rows.1;
                *lossy
            }
        }
    }
}

/// Whether every record on the way to the field is required.
fn is_always(fields: &Fields, path: &str) -> bool {
    let records = path.match_indices('.').filter_map(|(at, _)| path.get(..at));
    records.into_iter().all(|record| field_at(fields, record).is_some_and(|field| field.required))
}

fn known<'f>(fields: &'f Fields, path: &str, spot: &mut Spot<'_>) -> Option<&'f Field> {
    let found = field_at(fields, path);
    if found.is_none() {
        spot.problem(format_args!("the service has no field `{path}`"));
    }
    found
}

fn backend_only(row: &format::Row, spot: &mut Spot<'_>) {
    super::unused(row.domain.is_some(), "domain", spot);
}
