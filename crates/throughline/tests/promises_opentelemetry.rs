//! What the front door promises, kept by the layer over the OpenTelemetry SDK as well.

#[path = "promises.rs"]
mod promises;
