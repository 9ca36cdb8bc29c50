//! Calling another service: the traced client, an instance at its address, and JSON in both directions.

mod http;
mod instance;
mod message;

pub(super) use http::Http;
pub(super) use instance::Instance;
pub(super) use message::{Answer, Call, get, read, send};

use tower::util::BoxCloneSyncService;

/// A client with its resilience around it, behind a name that can be written down.
pub(super) type Client = BoxCloneSyncService<Call, Answer, super::Failure>;
