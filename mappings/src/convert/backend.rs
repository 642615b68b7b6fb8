//! One value between the service's terms and a backend's.

use gateway_core::Value;

use super::CodeMap;
use super::date::{day_number, day_of_number};
use crate::unfit::Unfit;

/// The type of an argument or result at a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackendType {
    Bool,
    Bytes32,
    /// An unsigned number of this many bits.
    Unsigned(u32),
}

impl BackendType {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "bool" => Some(Self::Bool),
            "bytes32" => Some(Self::Bytes32),
            "uint8" => Some(Self::Unsigned(8)),
            "uint32" => Some(Self::Unsigned(32)),
            "uint64" => Some(Self::Unsigned(64)),
            "uint256" => Some(Self::Unsigned(256)),
            _ => None,
        }
    }

    /// The largest number it holds, as far as the engine's numbers reach.
    pub(crate) fn largest(self) -> i128 {
        match self {
            Self::Unsigned(bits) if bits < 127 => (1 << bits) - 1,
            _ => i128::MAX,
        }
    }
}

/// How a value is said to a backend.
#[derive(Debug)]
pub(crate) enum BackendCodec {
    /// As it is.
    Same(BackendType),
    /// Text as 32 bytes: ASCII, left-aligned, zero-padded.
    Ascii,
    /// A day as the number `YYYYMMDD`.
    DayNumber,
    /// A name of a closed set as a number.
    Number(CodeMap),
}

const WIDTH: usize = 32;

impl BackendCodec {
    /// Service value → backend value.
    pub(crate) fn write(&self, value: &Value) -> Result<Value, Unfit> {
        match (self, value) {
            (Self::Same(BackendType::Bool), Value::Flag(_)) => Ok(value.clone()),
            (Self::Same(BackendType::Bytes32), Value::Bytes(bytes)) if bytes.len() == WIDTH => {
                Ok(value.clone())
            }
            (Self::Same(kind @ BackendType::Unsigned(_)), Value::Integer(number)) => {
                let max = kind.largest();
                match number {
                    0.. if *number <= max => Ok(value.clone()),
                    _ => Err(Unfit::OutOfRange { min: 0, max }),
                }
            }
            (Self::Ascii, Value::Text(text)) => ascii(text).map(Value::Bytes),
            (Self::DayNumber, Value::Date(date)) => day_number(*date).map(Value::Integer),
            (Self::Number(codes), Value::Text(name)) => {
                codes.write(name)?.parse().map(Value::Integer).map_err(|_| Unfit::UnknownCode)
            }
            _ => Err(Unfit::NotA("of the type that the backend takes")),
        }
    }

    /// Backend value → service value.
    pub(crate) fn read(&self, value: &Value) -> Result<Value, Unfit> {
        match (self, value) {
            (Self::Same(_), _) => self.write(value),
            (Self::Ascii, Value::Bytes(bytes)) => text_of(bytes).map(Value::Text),
            (Self::DayNumber, Value::Integer(number)) => day_of_number(*number),
            (Self::Number(codes), Value::Integer(number)) => {
                codes.read(&number.to_string()).map(|name| Value::Text(name.to_owned()))
            }
            _ => Err(Unfit::NotA("of the type that the backend promises")),
        }
    }
}

/// Text as 32 bytes.
pub(crate) fn ascii(text: &str) -> Result<Vec<u8>, Unfit> {
    if !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(Unfit::Unencodable);
    }
    if text.len() > WIDTH {
        return Err(Unfit::TooLong { max: WIDTH, unit: "bytes" });
    }
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(WIDTH, 0);
    Ok(bytes)
}

/// 32 bytes as the text they were.
pub(crate) fn text_of(bytes: &[u8]) -> Result<String, Unfit> {
    let refused = Unfit::NotA("zero-padded ASCII in 32 bytes");
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, padding) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let sound = bytes.len() == WIDTH
        && text.iter().all(|byte| (0x20..0x7f).contains(byte))
        && padding.iter().all(|byte| *byte == 0);
    match String::from_utf8(text.to_vec()) {
        Ok(text) if sound => Ok(text),
        _ => Err(refused),
    }
}

/// What stands for an absent value where the mapping says `zeros: none`.
pub(crate) fn zeros() -> Value {
    Value::Bytes(vec![0; WIDTH])
}

pub(crate) fn is_zeros(value: &Value) -> bool {
    matches!(value, Value::Bytes(bytes) if bytes.iter().all(|byte| *byte == 0))
}
