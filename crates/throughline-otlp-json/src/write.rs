//! Protobuf to OTLP-JSON, by the schema.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Buf as _;
use prost::encoding::decode_varint;
use serde::Serialize;

use crate::schema::{Field, Kind, Message};

/// Turns a message's protobuf bytes into one line of OTLP-JSON, without a line feed at its end.
///
/// Ids are lower-case hexadecimal digits, 64-bit whole numbers are strings, enums are numbers; what isn't set isn't
/// written. The bytes must come from an encoder that writes each field once and repeated ones together, as prost does;
/// `None` if they aren't a message of this kind.
#[must_use]
pub fn from_protobuf(bytes: &[u8], message: &'static Message) -> Option<String> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    write_message(bytes, message, &mut out)?;
    String::from_utf8(out).ok()
}

/// A field's content as it is on the wire.
enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

fn write_message(mut bytes: &[u8], message: &'static Message, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'{');
    let mut array: Option<u32> = None;
    let mut first = true;
    while !bytes.is_empty() {
        let key = decode_varint(&mut bytes).ok()?;
        let tag = u32::try_from(key >> 3).ok()?;
        let payload = take_payload(key & 7, &mut bytes)?;
        let Some(field) = message.field(tag) else { continue };
        if array == Some(tag) {
            out.push(b',');
        } else {
            if array.take().is_some() {
                out.push(b']');
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            string(field.name, out)?;
            out.push(b':');
            if field.repeated {
                out.push(b'[');
                array = Some(tag);
            }
        }
        write_payload(payload, field, out)?;
    }
    if array.is_some() {
        out.push(b']');
    }
    out.push(b'}');
    Some(())
}

fn take_payload<'a>(wire_type: u64, bytes: &mut &'a [u8]) -> Option<Payload<'a>> {
    match wire_type {
        0 => decode_varint(bytes).ok().map(Payload::Varint),
        1 => bytes.try_get_u64_le().ok().map(Payload::Fixed64),
        2 => {
            let len = usize::try_from(decode_varint(bytes).ok()?).ok()?;
            let (payload, rest) = bytes.split_at_checked(len)?;
            *bytes = rest;
            Some(Payload::Bytes(payload))
        }
        5 => bytes.try_get_u32_le().ok().map(Payload::Fixed32),
        _ => None,
    }
}

fn write_payload(payload: Payload<'_>, field: &Field, out: &mut Vec<u8>) -> Option<()> {
    match (field.kind, payload) {
        (Kind::Text, Payload::Bytes(bytes)) => string(std::str::from_utf8(bytes).ok()?, out),
        (Kind::Hex, Payload::Bytes(bytes)) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            string(&digits, out)
        }
        (Kind::Base64, Payload::Bytes(bytes)) => string(&STANDARD.encode(bytes), out),
        (Kind::Message(message), Payload::Bytes(bytes)) => write_message(bytes, message, out),
        (_, Payload::Bytes(packed)) => write_packed(packed, field, out),
        (kind, payload) => write_number(kind, &payload, out),
    }
}

/// Repeated numbers share one length-delimited payload.
fn write_packed(mut packed: &[u8], field: &Field, out: &mut Vec<u8>) -> Option<()> {
    let wire_type = match field.kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => 1,
        Kind::Fixed32 => 5,
        _ => 0,
    };
    let mut first = true;
    while !packed.is_empty() {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_number(field.kind, &take_payload(wire_type, &mut packed)?, out)?;
    }
    Some(())
}

fn write_number(kind: Kind, payload: &Payload<'_>, out: &mut Vec<u8>) -> Option<()> {
    match (kind, payload) {
        (Kind::Bool, Payload::Varint(number)) => json(&(*number != 0), out),
        (Kind::Double, Payload::Fixed64(bits)) => double(f64::from_bits(*bits), out),
        (Kind::Int64, Payload::Varint(number)) | (Kind::Sfixed64, Payload::Fixed64(number)) => {
            string(&number.cast_signed().to_string(), out)
        }
        (Kind::Uint64, Payload::Varint(number)) | (Kind::Fixed64, Payload::Fixed64(number)) => {
            string(&number.to_string(), out)
        }
        (Kind::Int32, Payload::Varint(number)) => json(&number.cast_signed(), out),
        (Kind::Sint32, Payload::Varint(number)) => {
            let number = u32::try_from(*number).ok()?;
            json(&((number >> 1).cast_signed() ^ -(number & 1).cast_signed()), out)
        }
        (Kind::Uint32, Payload::Varint(number)) => json(number, out),
        (Kind::Fixed32, Payload::Fixed32(number)) => json(number, out),
        _ => None,
    }
}

/// JSON has no numbers for the three special values; protobuf's JSON rules name them.
fn double(number: f64, out: &mut Vec<u8>) -> Option<()> {
    if number.is_nan() {
        string("NaN", out)
    } else if number.is_infinite() {
        string(if number > 0.0 { "Infinity" } else { "-Infinity" }, out)
    } else {
        json(&number, out)
    }
}

fn string(text: &str, out: &mut Vec<u8>) -> Option<()> {
    json(text, out)
}

fn json(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) -> Option<()> {
    serde_json::to_writer(out, value).ok()
}
