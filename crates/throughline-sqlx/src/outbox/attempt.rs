//! One attempt to hand an event on.

use std::{any::type_name, fmt, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use throughline_core::semconv::error::ERROR_TYPE_OTHER;

use super::{StoredEvent, resume::Resumed};

/// Why an attempt failed.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Error { kind: &'static str, message: String },
    Timeout,
    Panic,
}

impl Failure {
    /// Few, and for machines: the value of `error.type`, and what the row keeps.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Error { kind, .. } => kind,
            Self::Timeout => "timeout",
            Self::Panic => "panic",
        }
    }

    pub(crate) const fn end(&self) -> &'static str {
        match self {
            Self::Error { .. } | Self::Timeout => "error",
            Self::Panic => "panic",
        }
    }

    /// What a person should read.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Error { message, .. } => message,
            Self::Timeout => "no answer within the publish timeout",
            Self::Panic => "",
        }
    }
}

/// Hands `event` to `publish`, inside `resumed`.
///
/// A panic of the application's code is a failure like others: the relay has other events, and the process other work.
pub(crate) async fn attempt<F, E>(
    publish: &F,
    event: &StoredEvent,
    resumed: &Resumed,
    timeout: Duration,
) -> Result<(), Failure>
where
    F: AsyncFn(&StoredEvent) -> Result<(), E>,
    E: fmt::Display,
{
    // Called inside, not only polled: a closure may do its work before the first poll, and its error when it is shown.
    let work = async { publish(event).await.map_err(|error| error.to_string()) };
    let work = AssertUnwindSafe(resumed.carry(work)).catch_unwind();
    match tokio::time::timeout(timeout, work).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(message))) => Err(Failure::Error { kind: kind::<E>(), message }),
        Ok(Err(_)) => Err(Failure::Panic),
        Err(_) => Err(Failure::Timeout),
    }
}

/// The name of the error's type, where that says something and fits into the row.
fn kind<E>() -> &'static str {
    let name = type_name::<E>();
    let says_nothing = name.contains("dyn ") || matches!(name, "alloc::string::String" | "&str");
    if says_nothing || name.len() > KIND_BYTES_MAX { ERROR_TYPE_OTHER } else { name }
}

/// Longer names are those of deeply generic types, and tell nobody anything.
const KIND_BYTES_MAX: usize = 255;
