//! Amounts and other decimals as wire formats write them.

use std::borrow::Cow;

use gateway_core::{Decimal, Value};

use crate::unfit::Unfit;

/// How a decimal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalForm {
    /// `-1234.50`
    Plain,
    /// `-1,234.50`
    Grouped,
    /// `-123450`: the point is where the mapping says and not written.
    Implied,
}

/// A decimal between the service's scale and the wire's.
#[derive(Debug)]
pub(crate) struct DecimalCodec {
    pub(crate) form: DecimalForm,
    /// Digits after the point in the service.
    pub(crate) scale: u8,
    /// Digits after the point on the wire.
    pub(crate) wire: u8,
    /// In the service's smallest unit.
    pub(crate) min: i128,
    pub(crate) max: i128,
    /// Whether digits that the other side lacks are cut off.
    pub(crate) truncate: bool,
}

impl DecimalCodec {
    pub(crate) fn read(&self, text: &str) -> Result<Value, Unfit> {
        let number = self.parse(text)?;
        self.fit(number, self.scale).and_then(|number| self.in_range(number)).map(Value::Decimal)
    }

    pub(crate) fn write(&self, number: Decimal) -> Result<Cow<'static, str>, Unfit> {
        let number = self.fit(self.in_range(number)?, self.wire)?;
        Ok(Cow::Owned(match self.form {
            DecimalForm::Plain => number.to_string(),
            DecimalForm::Grouped => grouped(&number.to_string()),
            DecimalForm::Implied => number.units().to_string(),
        }))
    }

    /// Whether reading this text cuts digits off.
    pub(crate) fn loses(&self, text: &str) -> bool {
        self.truncate && self.parse(text).is_ok_and(|number| number.rescale(self.scale).is_none())
    }

    /// Whether writing this number cuts digits off.
    pub(crate) fn loses_writing(&self, number: Decimal) -> bool {
        self.truncate && number.rescale(self.wire).is_none()
    }

    /// The longest texts.
    pub(crate) fn extremes(&self) -> Vec<String> {
        let text = |units| {
            let number = Decimal::new(units, self.scale).truncate(self.wire);
            self.write(number.rescale(self.scale).unwrap_or(number)).map(Cow::into_owned)
        };
        [self.min, self.max].into_iter().filter_map(|units| text(units).ok()).collect()
    }

    fn parse(&self, text: &str) -> Result<Decimal, Unfit> {
        let number = match self.form {
            DecimalForm::Plain => Decimal::parse(text),
            DecimalForm::Grouped => ungrouped(text).and_then(|text| Decimal::parse(&text)),
            DecimalForm::Implied => {
                super::parse_integer(text).map(|units| Decimal::new(units, self.wire))
            }
        };
        let number = number.ok_or(Unfit::NotA("a decimal number in the field's format"))?;
        match number.rescale(self.wire) {
            None if !self.truncate => Err(Unfit::Imprecise { scale: self.wire }),
            _ => Ok(number),
        }
    }

    fn fit(&self, number: Decimal, scale: u8) -> Result<Decimal, Unfit> {
        match number.rescale(scale) {
            Some(number) => Ok(number),
            None if self.truncate => Ok(number.truncate(scale)),
            None => Err(Unfit::Imprecise { scale }),
        }
    }

    fn in_range(&self, number: Decimal) -> Result<Decimal, Unfit> {
        match (self.min..=self.max).contains(&number.units()) && number.scale() == self.scale {
            true => Ok(number),
            false => {
                let whole = |units| Decimal::new(units, self.scale).truncate(0).units();
                Err(Unfit::OutOfRange { min: whole(self.min), max: whole(self.max) })
            }
        }
    }
}

fn grouped(plain: &str) -> String {
    let (whole, fraction) = match plain.find('.') {
        Some(point) => plain.split_at(point),
        None => (plain, ""),
    };
    let digits = whole.trim_start_matches('-').len();
    let mut out = String::with_capacity(plain.len().saturating_add(digits / 3));
    let mut left = digits;
    for character in whole.chars() {
        out.push(character);
        if character != '-' {
            left = left.saturating_sub(1);
            if left > 0 && left % 3 == 0 {
                out.push(',');
            }
        }
    }
    out.push_str(fraction);
    out
}

/// Without its commas, when they stand where they belong or nowhere.
fn ungrouped(text: &str) -> Option<String> {
    let plain = text.replace(',', "");
    (plain.len() == text.len() || grouped(&plain) == text).then_some(plain)
}
