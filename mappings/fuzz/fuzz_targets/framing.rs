#![no_main]

use gateway_core::framing::Deframer;
use gateway_core::framing::format::{ByteOrder, FramingFormat, Newline, StxEtx};

/// Each way of framing, chosen by the first byte.
fn format(choice: u8) -> FramingFormat {
    let format =
        FramingFormat { max: 4096, inclusive: choice & 8 != 0, ..FramingFormat::default() };
    let offset = (choice & 16 != 0).then_some(6);
    let counts_before = offset.is_some() && choice & 32 != 0;
    let counted = FramingFormat { offset, counts_before, ..format.clone() };
    let unmarked = FramingFormat { inclusive: false, ..format };
    match choice % 8 {
        0 => FramingFormat { length_digits: Some(4), ..counted },
        1 => FramingFormat { length_digits: Some(8), ebcdic: true, ..counted },
        2 => FramingFormat { length_bytes: Some(2), ..counted },
        3 => {
            FramingFormat { length_bytes: Some(4), byte_order: Some(ByteOrder::Little), ..counted }
        }
        4 => FramingFormat { stx_etx: Some(StxEtx::Plain), ..unmarked },
        5 => FramingFormat { stx_etx: Some(StxEtx::Lrc), ..unmarked },
        6 => FramingFormat { newline: Some(Newline::Lf), ..unmarked },
        _ => FramingFormat { newline: Some(Newline::Crlf), ..unmarked },
    }
}

// How it is framed, where what arrives is cut in two, then what arrives.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [choice, cut, bytes @ ..] = input else { return };
    let framing = format(*choice).check().expect("each is a framing");
    let (first, second) = bytes.split_at(bytes.len().min(usize::from(*cut)));
    let mut deframer = Deframer::new(framing);
    for part in [first, second] {
        deframer.buffer().extend_from_slice(part);
        while let Ok(Some(telegram)) = deframer.take() {
            assert!(telegram.len() <= framing.max);
        }
    }
});
