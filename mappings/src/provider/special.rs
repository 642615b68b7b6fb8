//! Values that a request to a provider may hold and that no caller gives: who calls, in which
//! exchange, when, under which key. In a mapping their names begin with `$`.

use gateway_core::{Message, Occasion, Value};
use jiff::tz::Offset;

use crate::backend::Asked;
use crate::convert::write_date_time;
use crate::terms::{Class, Field, Fields, Type};

/// The submission key in hex digits, and so many of them that no two keys meet (80 bits).
pub(crate) const KEY: &str = "$key";
pub(crate) const SHORT_KEY: &str = "$key-short";
const SHORT_KEY_DIGITS: usize = 20;
/// The member that calls.
const CALLER: &str = "$caller";
/// The exchange, as a UUID.
const EXCHANGE: &str = "$exchange";
/// `2026-11-22T10:00:00.250+09:00`, `20261122`, `100000`.
const NOW: &str = "$now";
const DATE: &str = "$date";
const TIME: &str = "$time";
/// The provider's name for what is called.
const FUNCTION: &str = "$function";
/// Filled in by the adapter of telegrams.
pub(crate) const SERIAL: &str = "$serial";
pub(crate) const ORIGINAL: &str = "$original";

/// The names of those that state a time.
pub(crate) const TIMES: [&str; 3] = [NOW, DATE, TIME];

/// What a table may name besides a service's own fields, with their lengths.
const ALL: [(&str, usize); 10] = [
    (KEY, 64),
    (SHORT_KEY, SHORT_KEY_DIGITS),
    (CALLER, 100),
    (EXCHANGE, 36),
    (NOW, 29),
    (DATE, 8),
    (TIME, 6),
    (FUNCTION, 100),
    (SERIAL, 1),
    (ORIGINAL, 1),
];

/// As fields that tables are checked against.
pub(crate) fn fields() -> Fields {
    let field =
        |max: usize| Field { kind: Type::Text { max }, required: false, class: Class::Public };
    ALL.iter().map(|(name, max)| ((*name).to_owned(), field(*max))).collect()
}

/// The message with the name of the function in it.
pub(crate) fn calling(function: &str, mut message: Message) -> Message {
    message.set(FUNCTION, Value::Text(function.to_owned()));
    message
}

/// Their values in one exchange.
pub(crate) fn values(asked: &Asked<'_>, occasion: Occasion, offset: Offset) -> Message {
    let mut values = Message::new();
    let mut set = |name: &str, text: String| values.set(name, Value::Text(text));
    if let Some(key) = asked.key {
        let digits = format!("{key:?}");
        set(SHORT_KEY, digits.chars().take(SHORT_KEY_DIGITS).collect());
        set(KEY, digits);
    }
    let mut now = String::with_capacity(29);
    write_date_time(&mut now, occasion.now, offset);
    let local = offset.to_datetime(occasion.now);
    set(CALLER, asked.caller.0.to_string());
    set(EXCHANGE, occasion.exchange.to_string());
    set(NOW, now);
    set(DATE, format!("{:04}{:02}{:02}", local.year(), local.month(), local.day()));
    set(TIME, format!("{:02}{:02}{:02}", local.hour(), local.minute(), local.second()));
    // Blank until the adapter knows them, and a number even then.
    set(SERIAL, "0".to_owned());
    set(ORIGINAL, "0".to_owned());
    values
}
