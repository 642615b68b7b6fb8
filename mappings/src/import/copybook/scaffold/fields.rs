//! The items of a record → fields, in the order of their bytes: groups are opened, tables stay
//! tables, alternatives stand beside one another.

use std::collections::BTreeSet;

use super::{CopybookScaffold, ScaffoldError, Shared};
use crate::import::copybook::item::{Content, Item, Occurs, Usage};
use crate::import::names::{kebab, unique};
use crate::layout::fixed::{Picture, SignPlace};

/// One field, table or choice.
pub(super) enum Field {
    Filler { length: usize },
    Value { name: String, shape: Shape, table: Option<String> },
    List { name: String, occurs: Occurs, count: Option<String>, fields: Vec<Field> },
    Choice { by: String, alternatives: Vec<(Vec<String>, Vec<Field>)> },
}

/// How a value is written.
pub(super) struct Shape {
    pub(super) picture: Picture,
    pub(super) text: String,
    pub(super) usage: Usage,
    pub(super) sign: SignPlace,
}

/// Walks the items of one record.
pub(super) struct Walk<'a> {
    pub(super) wanted: &'a CopybookScaffold,
    pub(super) shared: &'a mut Shared,
    /// The items' own names and what they became, in order.
    pub(super) known: Vec<(String, String)>,
    pub(super) taken: BTreeSet<String>,
}

impl Walk<'_> {
    /// The fields of some items that stand in `groups`.
    pub(super) fn fields(
        &mut self,
        items: &[Item],
        groups: &[String],
    ) -> Result<Vec<Field>, ScaffoldError> {
        let mut fields = Vec::new();
        for item in items.iter().filter(|item| item.redefines.is_none()) {
            let over = |other: &&Item| other.redefines.is_some() && other.redefines == item.name;
            let others: Vec<&Item> = items.iter().filter(over).collect();
            match others.is_empty() {
                true => self.item(item, groups, &mut fields)?,
                false => fields.push(self.choice(item, &others, groups)?),
            }
        }
        Ok(fields)
    }

    fn item(
        &mut self,
        item: &Item,
        groups: &[String],
        fields: &mut Vec<Field>,
    ) -> Result<(), ScaffoldError> {
        if let Some(occurs) = &item.occurs {
            let name = self.name(item, groups);
            let count = occurs.depending_on.as_ref().map(|count| self.known(count)).transpose()?;
            let outside = std::mem::take(&mut self.taken);
            let mut inner = Vec::new();
            let entry = Item { occurs: None, ..item.clone() };
            let walked = self.item(&entry, &[], &mut inner);
            self.taken = outside;
            walked?;
            fields.push(Field::List { name, occurs: occurs.clone(), count, fields: inner });
            return Ok(());
        }
        match &item.content {
            Content::Group(items) => {
                let mut inside = groups.to_vec();
                inside.extend(item.name.clone());
                fields.extend(self.fields(items, &inside)?);
            }
            Content::Field { .. } if item.name.is_none() => {
                fields.push(Field::Filler { length: item.width() });
            }
            Content::Field { picture, text, usage, sign } => {
                let name = self.name(item, groups);
                let table = self.table(item, &name);
                let shape =
                    Shape { picture: *picture, text: text.clone(), usage: *usage, sign: *sign };
                fields.push(Field::Value { name, shape, table });
            }
        }
        Ok(())
    }

    /// An item and those that lie over it.
    fn choice(
        &mut self,
        first: &Item,
        others: &[&Item],
        groups: &[String],
    ) -> Result<Field, ScaffoldError> {
        let mut by = None;
        let mut alternatives = Vec::new();
        for item in std::iter::once(first).chain(others.iter().copied()) {
            let own = item.name.clone().unwrap_or_else(|| "FILLER".to_owned());
            let said = self.wanted.alternatives.iter().find(|(name, ..)| *name == own);
            let Some((_, decides, codes)) = said else {
                return Err(ScaffoldError::Alternatives { line: item.line, name: own });
            };
            by = Some(self.known(decides)?);
            let mut fields = Vec::new();
            self.item(item, groups, &mut fields)?;
            // An alternative that is shorter than the others is filled up to their length.
            alternatives.push((codes.clone(), fields));
        }
        Ok(Field::Choice { by: by.unwrap_or_default(), alternatives })
    }

    fn name(&mut self, item: &Item, groups: &[String]) -> String {
        let own = item.name.clone().unwrap_or_else(|| "ITEM".to_owned());
        let name = unique(&own, groups, &mut self.taken);
        self.known.push((own, name.clone()));
        name
    }

    /// What an item that stands before became.
    fn known(&self, item: &str) -> Result<String, ScaffoldError> {
        let found = self.known.iter().rev().find(|(own, _)| own == item);
        found.map(|(_, name)| name.clone()).ok_or_else(|| ScaffoldError::NoItem(item.to_owned()))
    }

    /// The code table of an item whose values all have names. A name of several values, or of a
    /// range, makes no table.
    fn table(&mut self, item: &Item, name: &str) -> Option<String> {
        if item.conditions.is_empty() {
            return None;
        }
        let pair = |condition: &crate::import::copybook::item::Condition| match condition
            .values
            .as_deref()?
        {
            [code] => Some((digits_of(item, code), kebab(&condition.name))),
            _ => None,
        };
        let pairs: Option<Vec<_>> = item.conditions.iter().map(pair).collect();
        let pairs = pairs?;
        let members = pairs.iter().map(|(_, member)| member.clone()).collect();
        self.shared.codes.insert(name.to_owned(), members);
        self.shared.tables.insert(name.to_owned(), pairs.into_iter().collect());
        Some(name.to_owned())
    }
}

/// A code as it stands in the field: a number has all its digits.
fn digits_of(item: &Item, code: &str) -> String {
    match &item.content {
        Content::Field { picture: Picture::Number { digits, scale: 0, signed: false }, .. } => {
            format!("{code:0>width$}", width = usize::from(*digits))
        }
        _ => code.to_owned(),
    }
}
