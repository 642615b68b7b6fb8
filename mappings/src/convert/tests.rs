//! Codecs both ways: what is written reads back, and what cannot be read says why.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use proptest::prelude::*;

use super::backend::{BackendCodec, BackendType, ascii, text_of};
use super::*;

fn codes() -> CodeMap {
    let pair = |code: &str, name: &str| (Arc::from(code), Arc::from(name));
    CodeMap::from_pairs([pair("01", "moved"), pair("99", "other")].into_iter())
}

fn all() -> Vec<Codec> {
    vec![
        Codec::Text { max: 40 },
        Codec::Integer { min: -5, max: 999 },
        Codec::Flag { yes: "Y", no: "N" },
        Codec::Date(DateForm::Iso),
        Codec::Date(DateForm::Compact),
        Codec::Hex { length: 2 },
        Codec::Code(codes()),
        Codec::Resident(PersonRule::default()),
        Codec::Personal { max: 40 },
    ]
}

#[test]
fn what_a_codec_refuses() {
    let refused = |codec: &Codec, text: &str| codec.read(text).unwrap_err();
    let integer = Codec::Integer { min: 0, max: 999 };
    for text in ["", "+1", "1.0", " 1", "0x1", "١", "--1", "-"] {
        assert_eq!(refused(&integer, text), Unfit::NotA("a whole number"), "{text}");
    }
    assert_eq!(refused(&integer, "1000"), Unfit::OutOfRange { min: 0, max: 999 });
    for text in ["2026-1-01", "2026-02-30", "20260101", "2026-01-01Z", "+026-01-01", "-001-01-01"] {
        assert!(Codec::Date(DateForm::Iso).read(text).is_err(), "{text}");
    }
    for text in ["2026-01-01", "2026010", "202601011", "20261301", "가나010", "+0260101"] {
        assert!(Codec::Date(DateForm::Compact).read(text).is_err(), "{text}");
    }
    for text in ["", "abc", "abcdef", "ABCD", "abcg", "가a"] {
        assert!(Codec::Hex { length: 2 }.read(text).is_err(), "{text}");
    }
    assert_eq!(refused(&Codec::Code(codes()), "02"), Unfit::UnknownCode);
    assert_eq!(refused(&Codec::Text { max: 3 }, "a\tb"), Unfit::ControlCharacter);
    assert!(Codec::Text { max: 3 }.read("가나다").is_ok());
    assert!(Codec::Text { max: 3 }.read("가나다라").is_err());
}

#[test]
fn a_value_of_another_type_is_not_written() {
    for codec in all() {
        assert!(codec.write(&Value::List(vec![])).is_err(), "{codec:?}");
    }
}

#[test]
fn what_a_codec_says_is_its_longest_text_reads() {
    for codec in all() {
        for text in codec.extremes() {
            assert!(codec.read(&text).is_ok(), "{codec:?} {text}");
        }
    }
}

#[test]
fn times_carry_their_offset() {
    let mut text = String::new();
    let offset = Offset::from_seconds(9 * 3600).unwrap();
    write_date_time(&mut text, Timestamp::from_millisecond(1_500).unwrap(), offset);
    assert_eq!(text, "1970-01-01T09:00:01.500+09:00");
    for good in ["2026-01-01T00:00:00", "2026-01-01T00:00:00.5Z", "2026-01-01T23:59:59-05:30"] {
        assert!(is_date_time(good), "{good}");
    }
    for bad in
        ["", "2026-01-01", "T", "2026-01-01T", "2026-01-01T25:00:00", "2026-01-01T00:00:00가"]
    {
        assert!(!is_date_time(bad), "{bad}");
    }
}

#[test]
fn a_backend_gets_its_own_types() {
    let number = BackendCodec::Same(BackendType::Unsigned(8));
    assert!(number.write(&Value::Integer(255)).is_ok());
    assert!(number.write(&Value::Integer(256)).is_err());
    assert!(number.write(&Value::Integer(-1)).is_err());
    let day = Value::Date(Date::constant(2026, 12, 31));
    assert_eq!(BackendCodec::DayNumber.write(&day).unwrap(), Value::Integer(20_261_231));
    assert_eq!(BackendCodec::DayNumber.read(&Value::Integer(20_261_231)).unwrap(), day);
    for number in [0, -1, 20_260_231, 20_261_301, i128::MAX, i128::MIN] {
        assert!(BackendCodec::DayNumber.read(&Value::Integer(number)).is_err(), "{number}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_a_value_or_a_reason(text in ".{0,60}") {
        for codec in all() {
            if let Ok(value) = codec.read(&text) {
                let again = codec.write(&value).unwrap().into_owned();
                prop_assert_eq!(codec.read(&again).unwrap(), value);
            }
        }
    }

    #[test]
    fn days_and_identifiers_survive(days in 0..3_000_000_i32, bytes in any::<[u8; 2]>()) {
        let date = Date::constant(1, 1, 1).saturating_add(jiff::Span::new().days(days));
        for form in [DateForm::Iso, DateForm::Compact] {
            let codec = Codec::Date(form);
            let text = codec.write(&Value::Date(date)).unwrap().into_owned();
            prop_assert_eq!(codec.read(&text).unwrap(), Value::Date(date));
        }
        let hex = Codec::Hex { length: 2 };
        let value = Value::Bytes(bytes.to_vec());
        let text = hex.write(&value).unwrap().into_owned();
        prop_assert_eq!(hex.read(&text).unwrap(), value);
    }

    #[test]
    fn ascii_in_32_bytes_survives(text in "[ -~]{0,32}", bytes in any::<[u8; 32]>()) {
        prop_assert_eq!(text_of(&ascii(&text).unwrap()).unwrap(), text);
        if let Ok(text) = text_of(&bytes) {
            prop_assert_eq!(ascii(&text).unwrap(), bytes.to_vec());
        }
    }
}
