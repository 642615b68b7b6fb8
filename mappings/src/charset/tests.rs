//! The encodings against `iconv`, a second opinion not written here, and against themselves.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

const ALL: [CharsetName; 6] = [
    CharsetName::Cp949,
    CharsetName::EucKr,
    CharsetName::Utf8,
    CharsetName::Ebcdic037,
    CharsetName::Ebcdic500,
    CharsetName::Ebcdic933,
];

fn charset(name: CharsetName) -> Charset {
    name.into()
}

fn encoded(charset: Charset, text: &str) -> Result<Vec<u8>, Unfit> {
    let mut out = Vec::new();
    charset.encode(text, None, &mut out).map(|()| out)
}

/// What `iconv` makes of bytes.
fn iconv(from: &str, to: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("iconv")
        .args(["-f", from, "-t", to])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("iconv is part of the C library");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "iconv -f {from} -t {to}");
    output.stdout
}

/// Characters that an encoding has and that are no controls, one a line.
fn characters(charset: Charset) -> String {
    let printable = ('\u{20}'..='\u{ffff}').filter(|character| !character.is_control());
    let held = printable.filter(|character| encoded(charset, &character.to_string()).is_ok());
    held.collect()
}

#[test]
fn iconv_agrees_on_every_character() {
    for (name, theirs, at_least) in [
        (CharsetName::Cp949, "UHC", 17_000),
        (CharsetName::EucKr, "EUC-KR", 8_000),
        (CharsetName::Ebcdic037, "IBM037", 190),
        (CharsetName::Ebcdic500, "IBM500", 190),
        (CharsetName::Ebcdic933, "IBM933", 8_500),
    ] {
        let charset = charset(name);
        let text = characters(charset);
        assert!(text.chars().count() > at_least, "{theirs}: {}", text.chars().count());
        let ours = encoded(charset, &text).unwrap();
        let wanted = iconv("UTF-8", theirs, text.as_bytes());
        assert!(ours == wanted, "{theirs}: not the same bytes");
        assert_eq!(charset.decode(&wanted).unwrap(), text, "{theirs}");
    }
}

#[test]
fn syllables_outside_ks_x_1001_are_in_cp949_alone() {
    let old = charset(CharsetName::EucKr);
    assert_eq!(encoded(old, "똠방각하"), Err(Unfit::Unencodable));
    let bytes = encoded(Charset::Cp949, "똠방각하").unwrap();
    assert_eq!(Charset::Cp949.decode(&bytes).unwrap(), "똠방각하");
    assert!(matches!(old.decode(&bytes), Err(Unfit::Undecodable(_))));
    assert!(('가'..='힣').all(|syllable| encoded(Charset::Cp949, &syllable.to_string()).is_ok()));
}

#[test]
fn a_character_cut_in_half_is_said() {
    let korean = charset(CharsetName::Ebcdic933);
    let whole = encoded(korean, "A가B").unwrap();
    assert_eq!(whole, [0xc1, 0x0e, 0x88, 0x61, 0x0f, 0xc2]);
    assert_eq!(korean.decode(&whole[..3]), Err(Unfit::CutCharacter));
    assert_eq!(korean.decode(&whole[..4]), Err(Unfit::CutCharacter), "the shift-in is missing");
    assert_eq!(korean.decode(&[0x0e, 0x88, 0x0f]), Err(Unfit::CutCharacter));
    for stray in [&[0x0f][..], &[0x0e, 0x0e], &[0x0e, 0x41, 0xff, 0x0f]] {
        assert!(matches!(korean.decode(stray), Err(Unfit::Undecodable(_))), "{stray:x?}");
    }
    assert!(matches!(charset(CharsetName::Ebcdic037).decode(&whole), Err(Unfit::Undecodable(_))));
    assert_eq!(
        Charset::Utf8.decode("가".as_bytes().split_last().unwrap().1),
        Err(Unfit::CutCharacter)
    );
    assert_eq!(Charset::Cp949.decode(b"\xb0\xa1\xb0"), Err(Unfit::CutCharacter));
}

#[test]
fn graphic_text_has_no_shifts() {
    let Charset::Ebcdic(table) = charset(CharsetName::Ebcdic933) else { panic!() };
    let mut out = Vec::new();
    table.encode_graphic("가　", &mut out).unwrap();
    assert_eq!(out, [0x88, 0x61, 0x40, 0x40]);
    assert_eq!(table.decode_graphic(&out).unwrap(), "가　");
    assert_eq!(table.decode_graphic(&out[..3]), Err(Unfit::CutCharacter));
    assert!(table.encode_graphic("A", &mut out).is_err());
    assert!(table.decode_graphic(&[0x00, 0xc1]).is_err(), "no one-byte character in disguise");
}

proptest! {
    #[test]
    fn what_is_cut_is_the_longest_start_that_fits(text in "[가-힣a-zA-Z0-9]{0,20}", room in 0..40_usize) {
        for name in ALL {
            let charset = charset(name);
            let Ok(whole) = encoded(charset, &text) else { continue };
            let mut cut = Vec::new();
            charset.encode(&text, Some(room), &mut cut).unwrap();
            prop_assert!(cut.len() <= room);
            let kept = charset.decode(&cut).unwrap();
            prop_assert!(text.starts_with(&*kept));
            if whole.len() <= room {
                prop_assert_eq!(kept, text.as_str());
            } else {
                // One more character would not have fitted.
                let more: String = text.chars().take(kept.chars().count() + 1).collect();
                prop_assert!(encoded(charset, &more).unwrap().len() > room);
            }
        }
    }

    #[test]
    fn any_bytes_are_text_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        for name in ALL {
            let charset = charset(name);
            if let Ok(text) = charset.decode(&bytes) {
                let again = encoded(charset, &text).unwrap();
                prop_assert_eq!(charset.decode(&again).unwrap(), text);
            }
        }
        if let Charset::Ebcdic(table) = charset(CharsetName::Ebcdic933)
            && let Ok(text) = table.decode_graphic(&bytes)
        {
            let mut again = Vec::new();
            table.encode_graphic(&text, &mut again).unwrap();
            prop_assert_eq!(again, bytes);
        }
    }
}
