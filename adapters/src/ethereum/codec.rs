//! Gateway values ↔ Solidity values, one at a time. Which value is which argument is said in
//! [`interface`](super::interface).
//!
//! Text that goes into `bytesN` is printable ASCII, left-aligned and zero-padded, as Solidity itself
//! converts a string literal; a calendar day is the number `YYYYMMDD`.

use alloy::dyn_abi::{DynSolType, DynSolValue, Word};
use alloy::json_abi::Param;
use alloy::primitives::{Address, I256, U256};
use gateway_core::{Message, Value};
use jiff::civil::Date;

/// Why a value cannot be said on the other side. It names the field and never repeats the value.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(super) enum CodecError {
    #[error("argument {0} is missing")]
    Missing(String),
    #[error("there is no argument {0}")]
    Unknown(String),
    #[error("{field} is not of a kind that {wanted} holds")]
    Kind { field: String, wanted: String },
    #[error("{field} does not fit into {wanted}")]
    Range { field: String, wanted: String },
    #[error("{field} is personal and does not go on a ledger")]
    Personal { field: String },
    #[error("the bytes are not what the contract's interface says: {0}")]
    Abi(#[from] alloy::dyn_abi::Error),
}

/// Whether [`encode`] has a value for this type.
pub(super) fn can_encode(kind: &DynSolType) -> bool {
    use DynSolType as T;
    matches!(
        kind,
        T::Bool | T::Int(_) | T::Uint(_) | T::FixedBytes(_) | T::Address | T::Bytes | T::String
    )
}

/// Whether [`decode`] has a value for this type: what can be encoded, and lists of records of it.
pub(super) fn can_decode(kind: &DynSolType) -> bool {
    match kind {
        DynSolType::Array(element) | DynSolType::FixedArray(element, _) => {
            matches!(&**element, DynSolType::Tuple(fields) if fields.iter().all(can_encode))
        }
        scalar => can_encode(scalar),
    }
}

/// Value → Solidity value of type `kind`.
pub(super) fn encode(
    field: &str,
    value: &Value,
    kind: &DynSolType,
) -> Result<DynSolValue, CodecError> {
    let wanted = || kind.to_string();
    let field = || field.to_owned();
    let misfit = || CodecError::Range { field: field(), wanted: wanted() };
    match (value, kind) {
        (Value::Flag(flag), DynSolType::Bool) => Ok(DynSolValue::Bool(*flag)),
        (Value::Integer(number), DynSolType::Uint(bits)) => {
            let number = U256::try_from(*number).map_err(|_| misfit())?;
            uint(number, *bits).ok_or_else(misfit)
        }
        (Value::Integer(number), DynSolType::Int(bits)) => {
            let number = I256::try_from(*number).map_err(|_| misfit())?;
            let fits = number.bits() as usize <= *bits;
            fits.then_some(DynSolValue::Int(number, *bits)).ok_or_else(misfit)
        }
        (Value::Date(date), DynSolType::Uint(bits)) => {
            day(*date).and_then(|day| uint(U256::from(day), *bits)).ok_or_else(misfit)
        }
        (Value::Text(text), DynSolType::FixedBytes(size)) => {
            let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            let word = (printable && text.len() <= *size)
                .then(|| Word::right_padding_from(text.as_bytes()));
            word.map(|word| DynSolValue::FixedBytes(word, *size)).ok_or_else(misfit)
        }
        (Value::Text(text), DynSolType::String) => Ok(DynSolValue::String(text.clone())),
        (Value::Bytes(bytes), DynSolType::FixedBytes(size)) => {
            let word = (bytes.len() == *size).then(|| Word::right_padding_from(bytes));
            word.map(|word| DynSolValue::FixedBytes(word, *size)).ok_or_else(misfit)
        }
        (Value::Bytes(bytes), DynSolType::Bytes) => Ok(DynSolValue::Bytes(bytes.clone())),
        (Value::Bytes(bytes), DynSolType::Address) => {
            Address::try_from(bytes.as_slice()).map(DynSolValue::Address).map_err(|_| misfit())
        }
        (Value::Resident(_) | Value::Personal(_), _) => {
            Err(CodecError::Personal { field: field() })
        }
        _ => Err(CodecError::Kind { field: field(), wanted: wanted() }),
    }
}

fn uint(number: U256, bits: usize) -> Option<DynSolValue> {
    (number.bit_len() <= bits).then_some(DynSolValue::Uint(number, bits))
}

fn day(date: Date) -> Option<u32> {
    let year = u32::try_from(date.year()).ok()?;
    Some(
        year * 10_000 + date.month().unsigned_abs() as u32 * 100 + date.day().unsigned_abs() as u32,
    )
}

/// Solidity value → value. `parameter` names the fields of records.
pub(super) fn decode(parameter: &Param, value: DynSolValue) -> Result<Value, CodecError> {
    match value {
        DynSolValue::Array(records) | DynSolValue::FixedArray(records) => records
            .into_iter()
            .map(|record| match record {
                DynSolValue::Tuple(fields) => decode_all(&parameter.components, fields),
                other => Err(kind(&parameter.name, &other)),
            })
            .collect::<Result<_, _>>()
            .map(Value::List),
        scalar => decode_scalar(&parameter.name, scalar),
    }
}

/// Solidity values → message, by their names in the interface.
pub(super) fn decode_all(
    parameters: &[Param],
    values: Vec<DynSolValue>,
) -> Result<Message, CodecError> {
    parameters
        .iter()
        .zip(values)
        .enumerate()
        .map(|(index, (parameter, value))| {
            Ok((name(index, &parameter.name), decode(parameter, value)?))
        })
        .collect()
}

/// Solidity value → value, where it is neither an array nor a tuple.
pub(super) fn decode_scalar(field: &str, value: DynSolValue) -> Result<Value, CodecError> {
    let misfit =
        |wanted: &str| CodecError::Range { field: field.to_owned(), wanted: wanted.into() };
    Ok(match value {
        DynSolValue::Bool(flag) => Value::Flag(flag),
        DynSolValue::Uint(number, _) => {
            Value::Integer(i128::try_from(number).map_err(|_| misfit("128 bits"))?)
        }
        DynSolValue::Int(number, _) => {
            Value::Integer(i128::try_from(number).map_err(|_| misfit("128 bits"))?)
        }
        DynSolValue::FixedBytes(word, size) => {
            Value::Bytes(word.iter().copied().take(size).collect())
        }
        DynSolValue::Address(address) => Value::Bytes(address.to_vec()),
        DynSolValue::Bytes(bytes) => Value::Bytes(bytes),
        DynSolValue::String(text) => Value::Text(text),
        other => return Err(kind(field, &other)),
    })
}

/// What a parameter is called: its name, or its position where it has none.
pub(super) fn name(index: usize, name: &str) -> String {
    if name.is_empty() { index.to_string() } else { name.to_owned() }
}

fn kind(field: &str, value: &DynSolValue) -> CodecError {
    let wanted = value.sol_type_name().unwrap_or_default().into_owned();
    CodecError::Kind { field: field.to_owned(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    use gateway_core::{Personal, ResidentNumber};
    use proptest::prelude::*;

    fn encoded(value: Value, kind: &str) -> Result<DynSolValue, CodecError> {
        encode("field", &value, &kind.parse().unwrap())
    }

    fn fits(value: Value, kind: &str) -> bool {
        encoded(value, kind).is_ok()
    }

    #[test]
    fn numbers_are_held_to_their_width() {
        for (number, kind, good) in [
            (u64::MAX.into(), "uint64", true),
            (i128::from(u64::MAX) + 1, "uint64", false),
            (-1, "uint256", false),
            (i128::MAX, "uint256", true),
            (127, "int8", true),
            (128, "int8", false),
            (-128, "int8", true),
            (-129, "int8", false),
            (i128::MIN, "int128", true),
        ] {
            assert_eq!(fits(Value::Integer(number), kind), good, "{number} as {kind}");
        }
    }

    #[test]
    fn a_day_is_its_digits() {
        let day = Value::Date(jiff::civil::date(2026, 2, 9));
        let number = DynSolValue::Uint(U256::from(20_260_209), 32);
        assert_eq!(encoded(day.clone(), "uint32"), Ok(number));
        assert!(!fits(day, "uint16"));
        assert!(!fits(Value::Date(jiff::civil::date(-1, 1, 1)), "uint32"));
    }

    #[test]
    fn text_is_ascii_and_left_aligned() {
        let Ok(DynSolValue::FixedBytes(word, 32)) = encoded(Value::Text("mohw".into()), "bytes32")
        else {
            panic!("a bytes32");
        };
        assert_eq!(&word[..5], b"mohw\0");
        assert!(fits(Value::Text("x".repeat(32)), "bytes32"));
        for bad in ["복지부", "a\0b", &"x".repeat(33)] {
            assert!(!fits(Value::Text(bad.into()), "bytes32"), "{bad:?}");
        }
        assert!(fits(Value::Text("복지부".into()), "string"));
    }

    #[test]
    fn bytes_have_the_exact_size() {
        assert!(fits(Value::Bytes(vec![1; 32]), "bytes32"));
        assert!(!fits(Value::Bytes(vec![1; 31]), "bytes32"));
        assert!(fits(Value::Bytes(vec![1; 20]), "address"));
        assert!(!fits(Value::Bytes(vec![1; 32]), "address"));
        assert!(fits(Value::Bytes(vec![]), "bytes"));
    }

    #[test]
    fn personal_values_do_not_reach_a_ledger() {
        let resident = ResidentNumber::parse("900101-1234567").unwrap();
        for value in [Value::Resident(resident), Value::Personal(Personal::new("홍길동".into()))]
        {
            for kind in ["string", "bytes32", "bytes", "uint64"] {
                let refused = encoded(value.clone(), kind);
                assert_eq!(refused, Err(CodecError::Personal { field: "field".into() }));
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_what_is_decoded(number: i128, bytes: [u8; 32], text: String, flag: bool) {
            for (value, kind) in [
                (Value::Integer(number), "int128"),
                (Value::Bytes(bytes.to_vec()), "bytes32"),
                (Value::Bytes(bytes.to_vec()), "bytes"),
                (Value::Text(text), "string"),
                (Value::Flag(flag), "bool"),
            ] {
                let there = encoded(value.clone(), kind).unwrap();
                prop_assert_eq!(decode_scalar("field", there).unwrap(), value);
            }
        }
    }
}
