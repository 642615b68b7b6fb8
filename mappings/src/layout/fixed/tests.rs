//! Fixed-length fields and EUC-KR: nothing is cut, lost or shifted in silence.

use proptest::prelude::*;

use super::*;

fn field(kind: FixedKind, length: usize) -> Fixed {
    Fixed { kind, length, cut: false }
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
    assert_eq!(shape.read(b"\xb0\xa1\xff\xff "), Err(Unfit::NotEucKr));
    assert_eq!(shape.read(b"     ").unwrap(), None);
    assert_eq!(shape.read(b"\xb0\xa1   ").unwrap().unwrap(), "가");
}

#[test]
fn declared_free_text_is_cut_between_characters() {
    let shape = Fixed { cut: true, ..field(FixedKind::Hangul, 5) };
    assert_eq!(written(shape, "가나다").unwrap(), b"\xb0\xa1\xb3\xaa ");
    assert_eq!(written(shape, "abcdefg").unwrap(), b"abcde");
}

#[test]
fn every_character_that_encodes_decodes_to_itself() {
    let mut encoded = 0;
    for character in '\u{80}'..='\u{ffff}' {
        let mut bytes = [0; 4];
        if let Ok(bytes) = encode_character(character, &mut bytes) {
            encoded += 1;
            assert_eq!(decode(bytes).unwrap(), character.to_string());
        }
    }
    // All 11,172 modern syllables, and KS X 1001's other characters.
    assert!(encoded > 17_000, "only {encoded}");
    assert!(('가'..='힣').all(|syllable| encode_character(syllable, &mut [0; 4]).is_ok()));
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
