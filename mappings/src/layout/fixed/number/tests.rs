//! Numbers as COBOL stores them: exact bytes, both ways, and every half byte that is none.

use proptest::prelude::*;

use super::*;
use crate::charset::CharsetName;

fn number(storage: Storage, digits: u8, scale: u8, signed: bool) -> Number {
    Number { storage, digits, scale, signed }
}

fn charset(name: CharsetName) -> Charset {
    name.into()
}

const ZONED: Storage = Storage::Zoned(SignPlace::Trailing);
const BIG: Storage = Storage::Binary { order: ByteOrder::Big, full: false };
const FULL: Storage = Storage::Binary { order: ByteOrder::Little, full: true };

fn written(number: Number, text: &str, charset: Charset) -> Result<Vec<u8>, Unfit> {
    let mut out = Vec::new();
    number.write(text, charset, Some(Overpunch::Translated), &mut out)?;
    assert_eq!(out.len(), number.width());
    let read = number.read(&out, charset, Some(Overpunch::Translated)).unwrap();
    let again = number.parse(&read).unwrap();
    assert_eq!(number.text(&again), read, "what is read is written the same");
    Ok(out)
}

#[test]
fn each_storage_has_its_exact_bytes() {
    let ascii = Charset::Cp949;
    let host = charset(CharsetName::Ebcdic037);
    let bytes =
        |storage, text, charset| written(number(storage, 5, 2, true), text, charset).unwrap();
    assert_eq!(bytes(ZONED, "123.45", ascii), b"1234E");
    assert_eq!(bytes(ZONED, "-123.45", ascii), b"1234N");
    assert_eq!(bytes(ZONED, "-0.5", ascii), b"0005}");
    assert_eq!(bytes(ZONED, "123.45", host), [0xf1, 0xf2, 0xf3, 0xf4, 0xc5]);
    assert_eq!(bytes(ZONED, "-123.45", host), [0xf1, 0xf2, 0xf3, 0xf4, 0xd5]);
    assert_eq!(bytes(Storage::Zoned(SignPlace::Leading), "-1.2", ascii), b"}0120");
    assert_eq!(bytes(Storage::Zoned(SignPlace::LeadingSeparate), "-1.2", ascii), b"-00120");
    assert_eq!(bytes(Storage::Zoned(SignPlace::TrailingSeparate), "1.2", ascii), b"00120+");
    assert_eq!(bytes(Storage::Zoned(SignPlace::TrailingSeparate), "-1", host)[5], 0x60);
    assert_eq!(bytes(Storage::Packed, "123.45", ascii), [0x12, 0x34, 0x5c]);
    assert_eq!(bytes(Storage::Packed, "-123.45", host), [0x12, 0x34, 0x5d]);
    assert_eq!(bytes(BIG, "123.45", ascii), [0, 0, 0x30, 0x39]);
    assert_eq!(bytes(BIG, "-0.01", ascii), [0xff, 0xff, 0xff, 0xff]);
    assert_eq!(bytes(FULL, "123.45", ascii), [0x39, 0x30, 0, 0]);
    let unsigned = written(number(Storage::Packed, 4, 0, false), "42", ascii).unwrap();
    assert_eq!(unsigned, [0, 0x04, 0x2f]);
    let mut out = Vec::new();
    let zoned = number(ZONED, 3, 0, true);
    zoned.write("-120", ascii, Some(Overpunch::Ascii), &mut out).unwrap();
    assert_eq!(out, b"12p");
    assert_eq!(zoned.read(b"12p", ascii, Some(Overpunch::Ascii)).unwrap(), "-120");
}

#[test]
fn a_number_reads_as_people_write_it() {
    let read = |number: Number, bytes: &[u8]| {
        number.read(bytes, Charset::Cp949, Some(Overpunch::Translated))
    };
    assert_eq!(
        read(number(Storage::Packed, 8, 0, false), b"\x02\x02\x60\x10\x1f").unwrap(),
        "20260101"
    );
    assert_eq!(read(number(Storage::Packed, 5, 0, false), b"\x00\x04\x2f").unwrap(), "00042");
    assert_eq!(read(number(Storage::Packed, 5, 0, true), b"\x00\x04\x2c").unwrap(), "42");
    assert_eq!(read(number(Storage::Packed, 5, 0, true), b"\x00\x00\x0d").unwrap(), "0");
    assert_eq!(read(number(ZONED, 4, 2, false), b"0120").unwrap(), "1.2");
    assert_eq!(read(number(ZONED, 2, 2, true), b"0}").unwrap(), "0");
    assert_eq!(read(number(FULL, 4, 0, false), &[0xff, 0xff]).unwrap(), "65535");
}

#[test]
fn what_is_no_number_is_said() {
    let packed = Unfit::NotA("packed decimal");
    let read = |number: Number, bytes: &[u8]| {
        number.read(bytes, Charset::Cp949, Some(Overpunch::Translated)).unwrap_err()
    };
    let three = number(Storage::Packed, 3, 0, true);
    assert_eq!(read(three, b"\x1a\x2c"), packed, "a digit that is none");
    assert_eq!(read(three, b"\x12\x34"), packed, "a sign that is none");
    assert_eq!(read(three, b"  "), packed, "spaces, as an uninitialized field has");
    assert_eq!(read(number(Storage::Packed, 3, 0, false), b"\x12\x3d"), packed, "a minus");
    assert_eq!(read(number(Storage::Packed, 2, 0, true), b"\x12\x3c"), packed, "a digit too many");
    let zoned = Unfit::NotA("zoned digits");
    assert_eq!(read(number(ZONED, 3, 0, true), b"12p"), zoned, "a sign of another convention");
    assert_eq!(read(number(ZONED, 3, 0, true), b"1E2"), zoned);
    assert_eq!(read(number(ZONED, 3, 0, false), b"12E"), zoned);
    let separate = number(Storage::Zoned(SignPlace::LeadingSeparate), 2, 0, true);
    assert_eq!(read(separate, b" 12"), Unfit::NotA("a number with its sign"));
    assert_eq!(
        read(number(BIG, 4, 0, false), &[0xff, 0xff]),
        Unfit::TooLong { max: 4, unit: "digits" }
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |number, text| written(number, text, Charset::Cp949).unwrap_err();
    let money = number(Storage::Packed, 5, 2, true);
    assert_eq!(refused(money, "1000"), Unfit::TooLong { max: 5, unit: "digits" });
    assert_eq!(refused(money, "1.234"), Unfit::TooPrecise { digits: 2 });
    assert!(written(money, "1.230", Charset::Cp949).is_ok());
    for text in ["", "-", "1.2.3", "1e3", "+1", " 1", "0x1", ".5", "일"] {
        assert_eq!(refused(money, text), Unfit::NotA("a number"), "{text}");
    }
    let unsigned = number(ZONED, 5, 0, false);
    assert_eq!(refused(unsigned, "-1"), Unfit::NotA("a number without a sign"));
    assert!(written(unsigned, "-0", Charset::Cp949).is_ok());
    let word = number(FULL, 4, 0, true);
    assert!(written(word, "-32768", Charset::Cp949).is_ok());
    assert_eq!(refused(word, "32768"), Unfit::OutOfRange { min: -32768, max: 32767 });
    assert_eq!(refused(word, &"9".repeat(38)), Unfit::OutOfRange { min: -32768, max: 32767 });
}

fn any_number() -> impl Strategy<Value = Number> {
    let place = prop_oneof![
        Just(SignPlace::Trailing),
        Just(SignPlace::Leading),
        Just(SignPlace::TrailingSeparate),
        Just(SignPlace::LeadingSeparate),
    ];
    let order = prop_oneof![Just(ByteOrder::Big), Just(ByteOrder::Little)];
    let binary = (order, any::<bool>()).prop_map(|(order, full)| Storage::Binary { order, full });
    let storage = prop_oneof![place.prop_map(Storage::Zoned), Just(Storage::Packed), binary];
    (storage, 1..=31_u8, 0..=31_u8, any::<bool>()).prop_map(|(storage, digits, scale, signed)| {
        let most = if matches!(storage, Storage::Binary { .. }) { 18 } else { 31 };
        let digits = digits.min(most);
        Number { storage, digits, scale: scale.min(digits), signed }
    })
}

proptest! {
    #[test]
    fn every_number_that_fits_comes_back(
        number in any_number(),
        value in any::<i128>(),
        host in any::<bool>(),
        ascii_signs in any::<bool>(),
    ) {
        let charset = if host { charset(CharsetName::Ebcdic933) } else { Charset::Cp949 };
        let signs = Some(if ascii_signs { Overpunch::Ascii } else { Overpunch::Translated });
        let magnitude = value.unsigned_abs() % 10_u128.pow(number.digits.into());
        let sent = Digits { negative: number.signed && value < 0 && magnitude > 0, magnitude };
        let text = number.text(&sent);
        let mut bytes = Vec::new();
        number.write(&text, charset, signs, &mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), number.width());
        prop_assert_eq!(number.read(&bytes, charset, signs).unwrap(), text);
    }

    #[test]
    fn any_bytes_are_a_number_or_a_reason(
        number in any_number(),
        bytes in proptest::collection::vec(any::<u8>(), 32),
    ) {
        for charset in [Charset::Cp949, charset(CharsetName::Ebcdic037)] {
            let bytes = &bytes[..number.width()];
            if let Ok(text) = number.read(bytes, charset, Some(Overpunch::Ascii)) {
                let mut again = Vec::new();
                number.write(&text, charset, Some(Overpunch::Ascii), &mut again).unwrap();
                prop_assert_eq!(number.read(&again, charset, Some(Overpunch::Ascii)).unwrap(), text);
            }
        }
    }
}
