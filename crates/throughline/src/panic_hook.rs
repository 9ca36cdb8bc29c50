//! A panic is told like everything else: as a log line and on its span, with the ids of the work that panicked.

use std::panic::{self, PanicHookInfo};

use throughline_core::{
    PANIC_TARGET,
    semconv::{
        code::{CODE_FILE_PATH, CODE_LINE_NUMBER},
        error::{EXCEPTION_MESSAGE, EXCEPTION_TYPE},
    },
};

/// Puts our hook before the one that is there, which still runs: what it prints is printed.
pub(crate) fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tell(info);
        before(info);
    }));
}

/// Runs on the thread that panics, before anything is unwound, and so inside the spans that it is in.
fn tell(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let location = info.location();
    tracing::error!(
        target: PANIC_TARGET,
        {
            { EXCEPTION_TYPE } = "panic",
            { EXCEPTION_MESSAGE } = message,
            { CODE_FILE_PATH } = location.map(panic::Location::file),
            { CODE_LINE_NUMBER } = location.map(panic::Location::line)
        },
        "panicked"
    );
}
