//! Values, from our type into the OpenTelemetry API's.

use opentelemetry::{Array, StringValue, Value as SdkValue};
use throughline_core::Value;

/// The API's counterpart of a value: integers stay integers where they fit. Bytes have none and become the text of a
/// list of numbers.
pub(crate) fn sdk_value(value: Value<'_>) -> SdkValue {
    match value {
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::U64(value) => i64::try_from(value).map_or_else(|_| value.to_string().into(), SdkValue::from),
        Value::F64(value) => value.into(),
        Value::Str(text) => text.to_owned().into(),
        Value::Bytes(bytes) => format!("{bytes:?}").into(),
        Value::Bools(values) => SdkValue::Array(Array::Bool(values.to_vec())),
        Value::I64s(values) => SdkValue::Array(Array::I64(values.to_vec())),
        Value::F64s(values) => SdkValue::Array(Array::F64(values.to_vec())),
        Value::Strs(texts) => SdkValue::Array(Array::String(
            texts.iter().map(|text| StringValue::from((*text).to_owned())).collect(),
        )),
        other => format!("{other:?}").into(),
    }
}
