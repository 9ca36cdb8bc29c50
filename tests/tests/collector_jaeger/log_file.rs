//! What the Collector's `file_log` receiver made of log lines, read back from its output file.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use tests::wait_until;

/// How long a line may take from its file into the Collector's.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);

/// A log record with its service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) service: Option<String>,
    pub(crate) record: Value,
}

/// Waits until the Collector has written `count` records, then gives all.
pub(crate) fn records(output: &Path, count: usize) -> Vec<Record> {
    wait_until("records in the Collector's log file", ARRIVAL_TIMEOUT, || {
        let records = read(&fs::read_to_string(output).unwrap_or_default());
        if records.len() >= count {
            Ok(records)
        } else {
            Err(format!("{} of {count}: {records:#?}", records.len()))
        }
    })
}

/// Each line is an OTLP export request; the last may be half written.
fn read(text: &str) -> Vec<Record> {
    let requests: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let groups = requests.iter().flat_map(|request| items(request, "/resourceLogs"));
    groups
        .flat_map(|group| {
            let service = attribute(group, "/resource/attributes", "service.name");
            items(group, "/scopeLogs")
                .flat_map(|scope| items(scope, "/logRecords"))
                .map(move |record| Record { service: service.clone(), record: record.clone() })
        })
        .collect()
}

impl Record {
    /// The text at a JSON pointer into the record.
    pub(crate) fn text(&self, pointer: &str) -> Option<String> {
        self.record.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    }

    /// A text attribute.
    pub(crate) fn attribute(&self, key: &str) -> Option<String> {
        attribute(&self.record, "/attributes", key)
    }

    /// The record without what is different in each run: when and from which file it was read; attributes by name.
    pub(crate) fn lasting(&self) -> Value {
        let mut record = self.record.clone();
        if let Some(fields) = record.as_object_mut() {
            fields.remove("observedTimeUnixNano");
        }
        if let Some(attributes) = record.pointer_mut("/attributes").and_then(Value::as_array_mut) {
            attributes.retain(|attribute| key(attribute) != "log.file.name");
            attributes.sort_by_key(key);
        }
        record
    }
}

fn attribute(value: &Value, attributes: &str, wanted: &str) -> Option<String> {
    let found = items(value, attributes).find(|attribute| key(attribute) == wanted)?;
    found.pointer("/value/stringValue").and_then(Value::as_str).map(str::to_owned)
}

fn key(attribute: &Value) -> String {
    attribute.pointer("/key").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
