//! OTLP-JSON to protobuf, by the schema.

use std::fmt;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Map, Value};

use crate::{
    hex_byte,
    schema::{Field, Kind, Message},
};

/// Turns OTLP-JSON into the protobuf bytes of the same message.
///
/// Unknown fields are ignored, `null` is the same as absent, 64-bit numbers may be strings or numbers, hexadecimal digits may
/// have either case. Nesting is bounded by what `serde_json` reads: 128 levels.
///
/// # Errors
/// [`ReadError`] says where there is something else than OTLP has there.
pub fn to_protobuf(json: &[u8], message: &'static Message) -> Result<Vec<u8>, ReadError> {
    let value: Value = serde_json::from_slice(json).map_err(|error| ReadError(Problem::Syntax(error)))?;
    let mut out = Vec::with_capacity(json.len() / 2);
    encode_message(&value, message, &mut out)?;
    Ok(out)
}

/// Why a text isn't OTLP-JSON.
#[derive(Debug)]
pub struct ReadError(Problem);

#[derive(Debug)]
enum Problem {
    /// It isn't JSON.
    Syntax(serde_json::Error),
    /// It is JSON, but there is something else at a place than OTLP has there.
    Shape { path: String, expected: &'static str },
}

impl ReadError {
    const fn expected(expected: &'static str) -> Self {
        Self(Problem::Shape { path: String::new(), expected })
    }

    /// The same error, seen from one level further out.
    fn below(self, outer: &str) -> Self {
        match self.0 {
            Problem::Syntax(_) => self,
            Problem::Shape { path, expected } => {
                let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
                Self(Problem::Shape { path: format!("{outer}{dot}{path}"), expected })
            }
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Syntax(error) => write!(f, "invalid JSON: {error}"),
            Problem::Shape { path, expected } if path.is_empty() => write!(f, "expected {expected}"),
            Problem::Shape { path, expected } => write!(f, "{path}: expected {expected}"),
        }
    }
}

impl std::error::Error for ReadError {}

fn encode_message(value: &Value, message: &'static Message, out: &mut Vec<u8>) -> Result<(), ReadError> {
    let object: &Map<String, Value> = value.as_object().ok_or(ReadError::expected("an object"))?;
    for (name, value) in object {
        if let Some(field) = message.field_named(name)
            && !value.is_null()
        {
            encode_field(value, field, out).map_err(|error| error.below(name))?;
        }
    }
    Ok(())
}

fn encode_field(value: &Value, field: &Field, out: &mut Vec<u8>) -> Result<(), ReadError> {
    if !field.repeated {
        return encode_value(value, field, out);
    }
    let values = value.as_array().ok_or(ReadError::expected("an array"))?;
    for (index, value) in values.iter().enumerate() {
        encode_value(value, field, out).map_err(|error| error.below(&format!("[{index}]")))?;
    }
    Ok(())
}

/// One value with its key. Repeated numbers aren't packed, which every protobuf decoder must accept.
fn encode_value(value: &Value, field: &Field, out: &mut Vec<u8>) -> Result<(), ReadError> {
    let tag = field.tag;
    match field.kind {
        Kind::Text => {
            bytes(tag, value.as_str().ok_or(ReadError::expected("a string"))?.as_bytes(), out);
        }
        Kind::Hex => bytes(tag, &hex(value).ok_or(ReadError::expected("hexadecimal digits"))?, out),
        Kind::Base64 => bytes(tag, &base64(value).ok_or(ReadError::expected("base64"))?, out),
        Kind::Bool => {
            varint(tag, u64::from(value.as_bool().ok_or(ReadError::expected("true or false"))?), out);
        }
        Kind::Double => {
            let number = double(value).ok_or(ReadError::expected("a number, NaN, Infinity or -Infinity"))?;
            fixed64(tag, number.to_bits(), out);
        }
        Kind::Int64 => varint(tag, signed(value)?.cast_unsigned(), out),
        Kind::Uint64 => varint(tag, unsigned(value)?, out),
        Kind::Fixed64 => fixed64(tag, unsigned(value)?, out),
        Kind::Sfixed64 => fixed64(tag, signed(value)?.cast_unsigned(), out),
        Kind::Int32 => varint(tag, i64::from(signed_32(value)?).cast_unsigned(), out),
        Kind::Sint32 => {
            let number = signed_32(value)?;
            varint(tag, u64::from(((number << 1) ^ (number >> 31)).cast_unsigned()), out);
        }
        Kind::Uint32 => varint(tag, u64::from(unsigned_32(value)?), out),
        Kind::Fixed32 => {
            encode_key(tag, WireType::ThirtyTwoBit, out);
            out.extend_from_slice(&unsigned_32(value)?.to_le_bytes());
        }
        Kind::Message(message) => {
            let mut inner = Vec::new();
            encode_message(value, message, &mut inner)?;
            bytes(tag, &inner, out);
        }
    }
    Ok(())
}

fn bytes(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(tag: u32, number: u64, out: &mut Vec<u8>) {
    encode_key(tag, WireType::Varint, out);
    encode_varint(number, out);
}

fn fixed64(tag: u32, number: u64, out: &mut Vec<u8>) {
    encode_key(tag, WireType::SixtyFourBit, out);
    out.extend_from_slice(&number.to_le_bytes());
}

fn hex(value: &Value) -> Option<Vec<u8>> {
    let digits = value.as_str()?.as_bytes();
    digits.chunks(2).map(hex_byte).collect()
}

/// Either alphabet, with or without padding, as protobuf's JSON rules want it.
fn base64(value: &Value) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = value.as_str()?;
    let alphabet = if text.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    GeneralPurpose::new(&alphabet, CONFIG).decode(text).ok()
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            // `parse` also knows "inf" and "nan", which aren't numbers in JSON.
            text => text.parse().ok().filter(|number: &f64| number.is_finite()),
        },
        _ => None,
    }
}

fn signed(value: &Value) -> Result<i64, ReadError> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .ok_or(ReadError::expected("a whole number of 64 bits, as a string or a number"))
}

fn unsigned(value: &Value) -> Result<u64, ReadError> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .ok_or(ReadError::expected("a whole number of 64 bits without sign, as a string or a number"))
}

fn signed_32(value: &Value) -> Result<i32, ReadError> {
    let number = signed(value).ok().and_then(|number| i32::try_from(number).ok());
    number.ok_or(ReadError::expected("a whole number of 32 bits"))
}

fn unsigned_32(value: &Value) -> Result<u32, ReadError> {
    let number = unsigned(value).ok().and_then(|number| u32::try_from(number).ok());
    number.ok_or(ReadError::expected("a whole number of 32 bits without sign"))
}
