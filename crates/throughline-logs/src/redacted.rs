//! Fields that are not shown as they are.

use std::{error::Error, fmt};

use throughline_core::redact::{REDACTED, Redactor, Verdict};

use crate::{fields::FieldSink, foreign, limits::ERROR_CHAIN_LEN_MAX, value::Raw};

/// Hands to `sink` what `verdict` leaves of a field.
#[cold]
pub(crate) fn field(
    sink: &mut impl FieldSink,
    redactor: &Redactor,
    verdict: Verdict,
    name: &'static str,
    value: Raw<'_>,
) {
    redactor.count(verdict);
    match (verdict, value) {
        (Verdict::Drop, _) => {}
        (Verdict::Replace, _) => sink.field(name, Raw::Str(REDACTED)),
        (Verdict::Inspect, Raw::Str(text)) => sink.field(name, Raw::Str(&redactor.text(text))),
        (Verdict::Inspect, Raw::Debug(value)) => {
            sink.field(name, Raw::Str(&redactor.text(&foreign::plain(format_args!("{value:?}")))));
        }
        (Verdict::Inspect, Raw::Error(error)) => sink.field(name, Raw::Error(&Shown::of(redactor, error))),
        (_, value) => sink.field(name, value),
    }
}

/// What is shown of an error and its causes.
#[derive(Debug)]
struct Shown {
    message: String,
    cause: Option<Box<Self>>,
}

impl Shown {
    fn of(redactor: &Redactor, error: &(dyn Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| foreign::source(*error));
        let messages: Vec<_> = causes
            .take(ERROR_CHAIN_LEN_MAX + 1)
            .map(|error| redactor.text(&foreign::plain(format_args!("{error}"))).into_owned())
            .collect();
        let innermost_first = messages.into_iter().rev();
        let shown = innermost_first.fold(None, |cause, message| Some(Box::new(Self { message, cause })));
        shown.map_or_else(|| Self { message: String::new(), cause: None }, |shown| *shown)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Shown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
