//! One line of a CSV file, quoted as in RFC 4180. A record is one line: a quoted field holds no
//! line break, so that one bad quote cannot swallow the records after it.

use std::borrow::Cow;

use thiserror::Error;

/// Why a line is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum CsvError {
    #[error("a quoted field is not closed")]
    Unclosed,
    #[error("a quote stands inside a field")]
    StrayQuote,
}

/// The fields of a line without its line end.
pub(crate) fn split(line: &str) -> Result<Vec<Cow<'_, str>>, CsvError> {
    let mut fields = Vec::with_capacity(10);
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(rest)?,
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

type Split<'a> = (Cow<'a, str>, Option<&'a str>);

fn plain_field(rest: &str) -> Result<Split<'_>, CsvError> {
    let (field, after) = match rest.split_once(',') {
        Some((field, after)) => (field, Some(after)),
        None => (rest, None),
    };
    match field.contains('"') {
        true => Err(CsvError::StrayQuote),
        false => Ok((Cow::Borrowed(field), after)),
    }
}

/// What follows an opening quote.
fn quoted_field(rest: &str) -> Result<Split<'_>, CsvError> {
    let mut field = Cow::Borrowed("");
    let mut rest = rest;
    loop {
        let (part, after) = rest.split_once('"').ok_or(CsvError::Unclosed)?;
        field += part;
        match after.strip_prefix('"') {
            Some(after) => {
                field += "\"";
                rest = after;
            }
            None => {
                return match (after, after.strip_prefix(',')) {
                    ("", _) => Ok((field, None)),
                    (_, Some(after)) => Ok((field, Some(after))),
                    _ => Err(CsvError::StrayQuote),
                };
            }
        }
    }
}

/// Appends a field to a result line, quoted where needed, and guarded so that no spreadsheet runs
/// it as a formula.
pub(crate) fn push_field(out: &mut String, field: &str) {
    let guarded = is_formula(field);
    let quoted = field.contains(['"', ',', '\n', '\r']);
    if quoted {
        out.push('"');
    }
    if guarded {
        out.push('\'');
    }
    for (index, part) in field.split('"').enumerate() {
        if index > 0 {
            out.push_str("\"\"");
        }
        out.push_str(part);
    }
    if quoted {
        out.push('"');
    }
}

/// Whether a spreadsheet could take the text for a formula. A plain number is none, and stays as it
/// is byte for byte: negative amounts are legitimate.
fn is_formula(field: &str) -> bool {
    let number = field.strip_prefix('-').unwrap_or(field);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    field.starts_with(begins) && !(digits(whole) && digits(decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_and_unquoted() {
        assert_eq!(split("a,,\"b,\"\"c\"\"\"").unwrap(), ["a", "", "b,\"c\""]);
        assert_eq!(split("").unwrap(), [""]);
        assert_eq!(split("\"\",").unwrap(), ["", ""]);
    }

    #[test]
    fn a_bad_quote_is_an_error() {
        assert_eq!(split("a,\"b"), Err(CsvError::Unclosed));
        assert_eq!(split("a\"b"), Err(CsvError::StrayQuote));
        assert_eq!(split("\"a\"b,c"), Err(CsvError::StrayQuote));
    }

    #[test]
    fn what_is_written_reads_back_and_no_formula_runs() {
        for field in ["", "a", "a,b", "say \"no\"", "홍길동"] {
            let mut line = String::new();
            push_field(&mut line, field);
            assert_eq!(split(&line).unwrap(), [field]);
        }
        for formula in ["=1+1", "+1", "-1-1", "-", "-.5", "@SUM(A1)", "\t=1", "＝1", "-2+3.1"] {
            let mut line = String::new();
            push_field(&mut line, formula);
            assert_eq!(line, format!("'{formula}"));
        }
        for number in ["-1", "-0.5", "-200000", "1", "1e3"] {
            let mut line = String::new();
            push_field(&mut line, number);
            assert_eq!(line, number);
        }
    }
}
