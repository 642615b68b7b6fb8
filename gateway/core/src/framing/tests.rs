//! Every framing both ways, and every lie about a length.

use proptest::prelude::*;

use super::format::{ByteOrder, FramingFormat, Newline, StxEtx};
use super::*;

fn digits(count: u8) -> FramingFormat {
    FramingFormat { length_digits: Some(count), max: 100, ..FramingFormat::default() }
}

fn binary(bytes: u8) -> FramingFormat {
    FramingFormat { length_bytes: Some(bytes), max: 100, ..FramingFormat::default() }
}

fn framing(format: &FramingFormat) -> Framing {
    format.check().unwrap()
}

fn stx_etx(kind: StxEtx) -> Framing {
    framing(&FramingFormat { stx_etx: Some(kind), max: 100, ..FramingFormat::default() })
}

fn newline(kind: Newline) -> Framing {
    framing(&FramingFormat { newline: Some(kind), max: 100, ..FramingFormat::default() })
}

/// Everything that comes of the bytes, fed one by one.
fn taken(framing: Framing, wire: &[u8]) -> (Vec<Bytes>, Option<FramingError>) {
    let mut deframer = Deframer::new(framing);
    let mut telegrams = Vec::new();
    for byte in wire {
        deframer.buffer().extend_from_slice(&[*byte]);
        loop {
            match deframer.take() {
                Ok(Some(telegram)) => telegrams.push(telegram),
                Ok(None) => break,
                Err(error) => return (telegrams, Some(error)),
            }
        }
    }
    let cut = deframer.has_begun().then_some(FramingError::Truncated);
    (telegrams, cut)
}

fn error_of(framing: Framing, wire: &[u8]) -> FramingError {
    taken(framing, wire).1.unwrap()
}

#[test]
fn each_framing_has_its_exact_bytes() {
    let telegram = b"HELLO";
    let encode = |format: &FramingFormat| framing(format).encode(telegram).unwrap();
    assert_eq!(encode(&digits(4)), b"0005HELLO");
    assert_eq!(encode(&digits(6)), b"000005HELLO");
    assert_eq!(encode(&digits(8)), b"00000005HELLO");
    assert_eq!(encode(&FramingFormat { inclusive: true, ..digits(4) }), b"0009HELLO");
    assert_eq!(encode(&FramingFormat { ebcdic: true, ..digits(2) }), b"\xf0\xf5HELLO");
    assert_eq!(encode(&binary(2)), b"\0\x05HELLO");
    assert_eq!(encode(&binary(4)), b"\0\0\0\x05HELLO");
    let little = FramingFormat { byte_order: Some(ByteOrder::Little), ..binary(2) };
    assert_eq!(encode(&little), b"\x05\0HELLO");
    assert_eq!(encode(&FramingFormat { inclusive: true, ..little }), b"\x07\0HELLO");
    assert_eq!(stx_etx(StxEtx::Plain).encode(telegram).unwrap(), b"\x02HELLO\x03");
    // H^E^L^L^O is 0x42, and 0x42 ^ ETX is 0x41.
    assert_eq!(stx_etx(StxEtx::Lrc).encode(telegram).unwrap(), b"\x02HELLO\x03A");
    assert_eq!(newline(Newline::Lf).encode(telegram).unwrap(), b"HELLO\n");
    assert_eq!(newline(Newline::Crlf).encode(telegram).unwrap(), b"HELLO\r\n");
}

#[test]
fn a_length_within_the_telegram_counts_what_it_says() {
    let within = FramingFormat { offset: Some(3), ..digits(4) };
    let encode = |format: &FramingFormat| framing(format).encode(b"TRX....body").unwrap();
    assert_eq!(encode(&within), b"TRX0004body");
    let inclusive = FramingFormat { inclusive: true, ..within.clone() };
    assert_eq!(encode(&inclusive), b"TRX0008body");
    assert_eq!(encode(&FramingFormat { counts_before: true, ..inclusive }), b"TRX0011body");
    let before = FramingFormat { counts_before: true, ..within.clone() };
    assert_eq!(encode(&before), b"TRX0007body");
    assert_eq!(framing(&within).encode(b"TRX..."), Err(FramingError::TooShort));
    let at_its_start = FramingFormat { offset: Some(0), inclusive: true, ..digits(4) };
    assert_eq!(framing(&at_its_start).encode(b"....body").unwrap(), b"0008body");
    let (telegrams, rest) = taken(framing(&at_its_start), b"0008body0004");
    assert_eq!((telegrams, rest), (vec![Bytes::from_static(b"0008body"), "0004".into()], None));
}

#[test]
fn every_length_lie_is_said() {
    let four = framing(&digits(4));
    for letters in [&b"ABCD"[..], b"00 5", b"+005", b"-005", b"0x05", b"\xa1\xb0\xa1\xb0"] {
        assert_eq!(error_of(four, letters), FramingError::LengthNotANumber);
    }
    assert_eq!(error_of(four, b"0101"), FramingError::TooLarge { max: 100 });
    assert_eq!(error_of(four, b"9999"), FramingError::TooLarge { max: 100 });
    assert_eq!(error_of(four, b"0006HELLO"), FramingError::Truncated);
    assert_eq!(error_of(four, b"00"), FramingError::Truncated);
    // Too short a length leaves bytes that are no length.
    let (telegrams, error) = taken(four, b"0004HELLO123");
    assert_eq!(telegrams, ["HELL"]);
    assert_eq!(error, Some(FramingError::LengthNotANumber));

    let inclusive = framing(&FramingFormat { inclusive: true, ..digits(4) });
    for less in [b"0000", b"0003"] {
        assert_eq!(error_of(inclusive, less), FramingError::LengthTooSmall);
    }
    assert_eq!(taken(inclusive, b"0004"), (vec![Bytes::new()], None));
    assert_eq!(error_of(inclusive, b"0105"), FramingError::TooLarge { max: 100 });

    let within = FramingFormat { offset: Some(3), counts_before: true, ..digits(4) };
    assert_eq!(error_of(framing(&within), b"TRX0002"), FramingError::LengthTooSmall);
    assert_eq!(error_of(framing(&within), b"TRX0097"), FramingError::TooLarge { max: 100 });

    let huge = b"\xff\xff\xff\xff";
    for order in [ByteOrder::Big, ByteOrder::Little] {
        let format = FramingFormat { byte_order: Some(order), ..binary(4) };
        assert_eq!(error_of(framing(&format), huge), FramingError::TooLarge { max: 100 });
    }
    let swapped = b"\x05\0HELLO";
    assert_eq!(error_of(framing(&binary(2)), swapped), FramingError::TooLarge { max: 100 });
    let ebcdic = framing(&FramingFormat { ebcdic: true, ..digits(4) });
    assert_eq!(error_of(ebcdic, b"0005"), FramingError::LengthNotANumber);
    assert_eq!(error_of(four, b"\xf0\xf0\xf0\xf5"), FramingError::LengthNotANumber);
}

#[test]
fn every_lie_about_marks_is_said() {
    let plain = stx_etx(StxEtx::Plain);
    assert_eq!(error_of(plain, b"HELLO\x03"), FramingError::StartMissing);
    assert_eq!(error_of(plain, b"\x02HEL\x02LO\x03"), FramingError::StartRepeated);
    assert_eq!(error_of(plain, b"\x02HELLO"), FramingError::Truncated);
    assert_eq!(error_of(plain, &[[2].as_slice(), &[b'x'; 101]].concat()), too_large());
    let checked = stx_etx(StxEtx::Lrc);
    assert_eq!(error_of(checked, b"\x02HELLO\x03B"), FramingError::CheckMismatch);
    assert_eq!(error_of(checked, b"\x02HELLO\x03"), FramingError::Truncated);
    assert_eq!(plain.encode(b"A\x03B"), Err(FramingError::HoldsMark));
    assert_eq!(plain.encode(b"A\x02B"), Err(FramingError::HoldsMark));
    let lines = newline(Newline::Lf);
    assert_eq!(error_of(lines, b"HELLO"), FramingError::Truncated);
    assert_eq!(error_of(lines, &[b'x'; 102]), too_large());
    assert_eq!(error_of(lines, &[[b'x'; 101].as_slice(), b"\n"].concat()), too_large());
    assert_eq!(lines.encode(b"A\nB"), Err(FramingError::HoldsMark));
    assert_eq!(lines.encode(b"A\r"), Err(FramingError::HoldsMark));
    let (telegrams, rest) = taken(lines, b"one\r\ntwo\n\n");
    assert_eq!((telegrams, rest), (vec!["one".into(), "two".into(), Bytes::new()], None));
}

fn too_large() -> FramingError {
    FramingError::TooLarge { max: 100 }
}

#[test]
fn a_telegram_longer_than_its_framing_can_say_is_not_sent() {
    let two = framing(&digits(2));
    assert_eq!(two.largest(), 99);
    assert!(two.encode(&[b'x'; 99]).is_ok());
    assert_eq!(two.encode(&[b'x'; 100]), Err(FramingError::TooLong));
    let inclusive = framing(&FramingFormat { inclusive: true, ..digits(2) });
    assert_eq!(inclusive.largest(), 97);
    assert_eq!(inclusive.encode(&[b'x'; 98]), Err(FramingError::TooLong));
    let within = framing(&FramingFormat { offset: Some(3), ..digits(2) });
    assert_eq!(within.largest(), 104);
    let bytes = framing(&binary(2));
    assert_eq!(bytes.largest(), 65_535);
    assert_eq!(bytes.encode(&[0; 65_536]), Err(FramingError::TooLong));
}

#[test]
fn what_is_written_wrongly_is_reported_by_its_key() {
    let none = FramingFormat { max: 9, ..FramingFormat::default() };
    let keys = |format: FramingFormat| {
        let problems = format.check().unwrap_err();
        problems.iter().map(|problem| problem.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(none.clone()), [""]);
    assert_eq!(keys(FramingFormat::default()), ["max", ""]);
    assert_eq!(keys(FramingFormat { length_bytes: Some(2), ..digits(4) }), [""]);
    assert_eq!(keys(digits(9)), ["length-digits"]);
    assert_eq!(keys(binary(3)), ["length-bytes"]);
    let alone = FramingFormat { ebcdic: true, counts_before: true, ..binary(2) };
    assert_eq!(keys(alone), ["ebcdic", "counts-before"]);
    let line =
        FramingFormat { newline: Some(Newline::Lf), inclusive: true, offset: Some(1), ..none };
    assert_eq!(keys(line), ["inclusive", "offset"]);
}

fn any_framing() -> impl Strategy<Value = Framing> {
    let place = proptest::option::of(0_usize..8);
    let counted = (place, any::<bool>(), any::<bool>(), any::<bool>());
    let counted = counted.prop_map(|(offset, inclusive, counts_before, flip)| {
        let counts_before = counts_before && offset.is_some();
        FramingFormat { offset, inclusive, counts_before, ebcdic: flip, max: 400, ..digits(4) }
    });
    let binary = (counted.clone(), any::<bool>()).prop_map(|(format, four)| FramingFormat {
        length_digits: None,
        length_bytes: Some(if four { 4 } else { 2 }),
        byte_order: format.ebcdic.then_some(ByteOrder::Little),
        ebcdic: false,
        ..format
    });
    let marks = prop_oneof![
        Just(stx_etx(StxEtx::Plain)),
        Just(stx_etx(StxEtx::Lrc)),
        Just(newline(Newline::Lf)),
        Just(newline(Newline::Crlf)),
    ];
    let lengths = prop_oneof![counted, binary].prop_map(|format| framing(&format));
    prop_oneof![lengths, marks.prop_map(|framing| Framing { max: 400, ..framing })]
}

proptest! {
    #[test]
    fn what_is_framed_is_taken_whole(
        framing in any_framing(),
        telegrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 12..300), 0..4),
    ) {
        let framed: Vec<_> = telegrams.iter().filter_map(|one| framing.encode(one).ok()).collect();
        let (taken, rest) = taken(framing, &framed.concat());
        prop_assert_eq!(rest, None);
        prop_assert_eq!(taken.len(), framed.len());
        if framing.is_transparent() {
            prop_assert_eq!(framed.len(), telegrams.len());
        }
        for (telegram, framed) in taken.iter().zip(&framed) {
            prop_assert_eq!(&framing.encode(telegram).unwrap(), framed);
        }
    }

    #[test]
    fn any_bytes_are_telegrams_or_an_error(
        framing in any_framing(),
        wire in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let (telegrams, _) = taken(framing, &wire);
        prop_assert!(telegrams.iter().all(|telegram| telegram.len() <= framing.max));
    }
}
