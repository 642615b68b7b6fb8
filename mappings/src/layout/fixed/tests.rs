//! Fixed-length fields and EUC-KR: nothing is cut, lost or shifted in silence.

use proptest::prelude::*;

use super::*;

fn field(kind: FixedKind, length: usize) -> Fixed {
    Fixed::new(kind, length)
}

fn written(shape: Fixed, text: &str) -> Result<Vec<u8>, Unfit> {
    let mut out = b"before".to_vec();
    let result = shape.write(Some(text), &mut out);
    assert_eq!(&out[..6], b"before");
    assert!(result.is_ok() || out.len() == 6, "a failed write leaves nothing behind");
    result.map(|()| out.split_off(6))
}

#[test]
fn fields_are_padded_as_their_type_says() {
    assert_eq!(written(field(FixedKind::Ascii, 4), "ab").unwrap(), b"ab  ");
    assert_eq!(written(field(FixedKind::Digits, 4), "12").unwrap(), b"0012");
    assert_eq!(written(field(FixedKind::Hangul, 6), "가").unwrap(), b"\xb0\xa1    ");
    let mut nothing = Vec::new();
    field(FixedKind::Digits, 3).write(None, &mut nothing).unwrap();
    assert_eq!(nothing, b"   ");
}

#[test]
fn what_does_not_fit_is_refused() {
    let too_long = Unfit::TooLong { max: 3, unit: "bytes" };
    assert_eq!(written(field(FixedKind::Hangul, 3), "가나"), Err(too_long.clone()));
    assert_eq!(written(field(FixedKind::Digits, 3), "1234"), Err(too_long));
    assert_eq!(written(field(FixedKind::Digits, 3), "-1"), Err(Unfit::NotA("digits alone")));
    assert_eq!(written(field(FixedKind::Ascii, 9), "가"), Err(Unfit::NotA("ASCII")));
    assert_eq!(written(field(FixedKind::Hangul, 9), "\u{1f600}"), Err(Unfit::Unencodable));
    assert_eq!(written(field(FixedKind::Hangul, 9), "a\nb"), Err(Unfit::ControlCharacter));
}

#[test]
fn a_syllable_cut_at_the_end_of_a_field_is_said() {
    let shape = field(FixedKind::Hangul, 5);
    assert_eq!(shape.read(b"\xb0\xa1\xb0\xa1\xb0"), Err(Unfit::CutCharacter));
    assert_eq!(shape.read(b"\xb0\xa1\xff\xff "), Err(Unfit::Undecodable("EUC-KR (CP949)")));
    assert_eq!(shape.read(b"     ").unwrap(), None);
    assert_eq!(shape.read(b"\xb0\xa1   ").unwrap().unwrap(), "가");
}

#[test]
fn declared_free_text_is_cut_between_characters() {
    let shape = Fixed { cut: true, ..field(FixedKind::Hangul, 5) };
    assert_eq!(written(shape, "가나다").unwrap(), b"\xb0\xa1\xb3\xaa ");
    assert_eq!(written(shape, "abcdefg").unwrap(), b"abcde");
}

fn host(kind: FixedKind, length: usize) -> Fixed {
    let charset = crate::charset::CharsetName::Ebcdic933.into();
    Fixed { code: Code { charset, overpunch: None }, ..field(kind, length) }
}

#[test]
fn a_host_has_its_own_spaces_digits_and_shifts() {
    assert_eq!(written(host(FixedKind::Ascii, 3), "A").unwrap(), [0xc1, 0x40, 0x40]);
    assert_eq!(written(host(FixedKind::Digits, 3), "7").unwrap(), [0xf0, 0xf0, 0xf7]);
    let name = host(FixedKind::Hangul, 8);
    let bytes = written(name, "홍길동").unwrap();
    assert_eq!((bytes[0], bytes[7]), (0x0e, 0x0f), "the shifts count");
    assert_eq!(name.read(&bytes).unwrap().unwrap(), "홍길동");
    let too_long = Unfit::TooLong { max: 7, unit: "bytes" };
    assert_eq!(written(host(FixedKind::Hangul, 7), "홍길동"), Err(too_long));
    assert_eq!(host(FixedKind::Hangul, 7).read(&bytes[..7]), Err(Unfit::CutCharacter));
    assert_eq!(host(FixedKind::Digits, 3).read(b"007"), Err(Unfit::NotA("digits alone")));
    assert_eq!(host(FixedKind::Hangul, 3).read(&[0x40; 3]).unwrap(), None);
    let graphic = host(FixedKind::Graphic, 6);
    let bytes = written(graphic, "홍").unwrap();
    assert_eq!(bytes[2..], [0x40; 4]);
    assert_eq!(graphic.read(&bytes).unwrap().unwrap(), "홍");
}

fn packed(signed: bool) -> FixedKind {
    FixedKind::Number(Number { storage: Storage::Packed, digits: 8, scale: 0, signed })
}

#[test]
fn a_packed_field_has_no_blank() {
    let plain = field(packed(false), 5);
    assert!(plain.read(b"     ").is_err());
    let mut zero = Vec::new();
    plain.write(None, &mut zero).unwrap();
    assert_eq!(zero, [0, 0, 0, 0, 0x0f]);
    assert_eq!(plain.read(&zero).unwrap().unwrap(), "00000000");
    let absent = Fixed { zero_is_absent: true, ..plain };
    assert_eq!(absent.read(&zero).unwrap(), None);
    assert_eq!(written(absent, "20260101").unwrap(), [0x02, 0x02, 0x60, 0x10, 0x1f]);
}

#[test]
fn filler_is_anything_and_written_as_spaces() {
    let filler = field(FixedKind::Filler, 3);
    assert_eq!(filler.read(&[0xff, 0x00, 0x03]).unwrap(), None);
    assert_eq!(written(filler, "text").unwrap(), b"   ");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(text in "[가-힣a-zA-Z0-9 ㄱ-ㅎ「」·]{0,30}", length in 1..64_usize) {
        let shape = field(FixedKind::Hangul, length);
        if let Ok(bytes) = written(shape, &text) {
            prop_assert_eq!(bytes.len(), length);
            let read = shape.read(&bytes).unwrap().unwrap_or_default().into_owned();
            prop_assert_eq!(read, text.trim_end_matches(' '));
        } else {
            let width = |character: char| if character.is_ascii() { 1 } else { 2 };
            prop_assert!(text.chars().map(width).sum::<usize>() > length);
        }
    }

    #[test]
    fn what_is_cut_is_the_longest_start_that_fits(text in "[가-힣a-z]{0,30}", length in 1..32_usize) {
        let shape = Fixed { cut: true, ..field(FixedKind::Hangul, length) };
        let bytes = written(shape, &text).unwrap();
        prop_assert_eq!(bytes.len(), length);
        let read = shape.read(&bytes).unwrap().unwrap_or_default().into_owned();
        prop_assert!(text.starts_with(&read));
        prop_assert!(read == text || bytes.iter().filter(|byte| **byte == b' ').count() <= 1);
    }

    #[test]
    fn any_bytes_give_a_text_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        for kind in [FixedKind::Ascii, FixedKind::Hangul, FixedKind::Digits] {
            let shape = field(kind, bytes.len());
            if let Ok(Some(text)) = shape.read(&bytes) {
                // What was read is written the same but for its alignment.
                let again = written(shape, &text).unwrap();
                prop_assert_eq!(shape.read(&again).unwrap(), Some(text));
            }
        }
    }
}
