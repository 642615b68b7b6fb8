//! The test telegram: an ASCII text with a run of `#` where its serial number goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gateway_core::framing::Framing;

use super::connection::Test;
use super::{Mark, TelegramError, TestTelegram};

/// Checks it against the framing.
pub(super) fn compile(format: &TestTelegram, framing: &Framing) -> Result<Test, TelegramError> {
    let refused = |why: &str| TelegramError::Test(why.to_owned());
    let text = &format.telegram;
    if !text.is_ascii() {
        return Err(refused("must be ASCII"));
    }
    let offset = text.find('#').ok_or_else(|| refused("wants a run of `#`"))?;
    let length = text.bytes().skip(offset).take_while(|byte| *byte == b'#').count();
    if text.matches('#').count() != length {
        return Err(refused("has more than one run of `#`"));
    }
    if framing.encode(text.as_bytes()).is_err() {
        return Err(refused("cannot be framed"));
    }
    let text = text.clone().into_bytes();
    let count = AtomicU64::new(0);
    let telegram = move || {
        let number = format!("{:0length$}", count.fetch_add(1, Ordering::Relaxed));
        // Of a number that has grown too long its last digits are taken.
        let digits: Vec<u8> = number.bytes().skip(number.len() - length).collect();
        let mut telegram = text.clone();
        let places = telegram.iter_mut().skip(offset);
        places.zip(&digits).for_each(|(place, digit)| *place = *digit);
        (telegram, Mark { offset, digits })
    };
    let idle = Duration::from_secs(format.idle_seconds.get());
    Ok(Test { telegram: Arc::new(telegram), idle })
}
