//! A field table → compiled rows, checked against the fields of a service.

use std::collections::BTreeSet;

use super::{Scope, codec};
use crate::convert::Codec;
use crate::format;
use crate::problem::Spot;
use crate::rows::{Form, Row, Rows};
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

/// Compiles field tables of one layout.
pub(crate) struct Compiler<'s, S> {
    pub(crate) direction: Direction,
    pub(crate) scope: &'s Scope<'s>,
    pub(crate) shape: &'s Shaper<'s, S>,
    /// Whether a group of fields stands a fixed number of times.
    pub(crate) fixed: bool,
}

impl<S> Compiler<'_, S> {
    /// Compiles the table and checks that it covers what `fields` requires.
    pub(crate) fn rows(
        &self,
        table: &[format::Row],
        fields: &Fields,
        spot: &mut Spot<'_>,
    ) -> Rows<S> {
        let mut rows = Vec::new();
        let (mut names, mut used) = (BTreeSet::new(), BTreeSet::new());
        for (index, row) in table.iter().enumerate() {
            let spot = &mut spot.entry(index);
            let (name, field) = match self.direction {
                Direction::Request => (&row.from, &row.to),
                Direction::Reply => (&row.to, &row.from),
            };
            let Some(name) = name else {
                spot.problem("the row names no field of the wire");
                continue;
            };
            if !names.insert(name) {
                spot.problem(format_args!("`{name}` stands there twice"));
            }
            if let Some(field) = field
                && !used.insert(field.as_str())
            {
                spot.problem(format_args!("`{field}` is mapped twice"));
            }
            rows.extend(self.row(name, field.as_deref(), row, fields, spot));
        }
        for (name, field) in fields {
            if field.required && !used.contains(name.as_str()) {
                spot.problem(format_args!("the service requires `{name}`, and no row maps it"));
            }
        }
        Rows(rows)
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
        let rows = self.rows(table, fields, &mut spot.key("fields"));
        Some(Form::List { rows, max })
    }

    fn value(
        &self,
        row: &format::Row,
        target: Option<&Field>,
        spot: &mut Spot<'_>,
    ) -> Option<Form<S>> {
        super::unused(row.fields.is_some(), "fields", spot);
        super::unused(row.occurs.is_some(), "occurs", spot);
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
