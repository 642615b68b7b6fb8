//! Mistakes in what only fixed-length fields have.

use super::{finds, finds_after};

const FILE: &str = "city-a/v1/mapping.yaml";
const AMOUNT: &str = "to: monthlyAmount, type: N, length: 12, required: true }\n    reply:";

/// The row of an amount with another shape.
fn amount(shape: &str) -> String {
    AMOUNT.replace("type: N, length: 12, required: true", shape)
}

#[test]
fn pictures_must_be_right_and_wide_enough() {
    for (shape, path, message) in [
        ("picture: 9(12, required: true", ".picture", "is no picture"),
        ("picture: 9(12), type: N, required: true", ".type", "means nothing"),
        ("type: N, length: 12, usage: comp, required: true", ".usage", "means nothing"),
        ("picture: 9(19), usage: comp, required: true", ".picture", "18 digits at most"),
        ("picture: S9(12), required: true", "", "must say `overpunch`"),
        ("picture: 9(11), required: true", "", "cannot hold `999999999999`"),
        ("picture: 9(12), sign: leading, required: true", ".sign", "means nothing"),
        ("picture: N(12), required: true", ".picture", "want `encoding: ebcdic-933`"),
        ("type: filler, length: 12, zeros: none", ".zeros", "means nothing"),
    ] {
        let path = format!("operations.WLF002.request[5]{path}");
        finds(FILE, AMOUNT, &amount(shape), &path, message);
    }
}

#[test]
fn what_has_no_blank_cannot_be_absent_in_silence() {
    let optional = "{ from: applicationId, to: application, type: AN, length: 64 }";
    let packed = optional.replace("type: AN, length: 64", "picture: 9(9), usage: comp-3");
    finds(FILE, optional, &packed, "operations.WLF003.request[6]", "spaces are no value here");
}

#[test]
fn the_bytes_of_numbers_are_not_those_of_the_framing() {
    let framing = "framing: { length-digits: 4, inclusive: false,";
    let packed = amount("picture: 9(12), usage: comp-3, required: true");
    let edits = [(FILE, AMOUNT, packed.as_str()), (FILE, framing, "framing: { stx-etx: plain,")];
    finds_after(&edits, "layout.telegram.framing", "may hold the bytes that frame");
    let lines = "encoding: ebcdic-037\n    framing: { newline: lf,";
    finds(FILE, framing, lines, "layout.telegram.framing.newline", "EBCDIC has no line feed");
}
