//! One statement, from its beginning to its end, with its span and its measurements.

use std::{
    borrow::Cow,
    cell::LazyCell,
    ops::Deref,
    time::{Duration, Instant},
};

use sqlx::Error;
use throughline_core::{
    Pipeline, SpanContext, SpanExt, SpanRecord, Status,
    semconv::{db as attributes, error::ERROR_TYPE, http, own},
    sql,
};
use tracing::Span;

use super::{
    failure::Failure,
    measures::Measures,
    names::Names,
    settings::{Comments, QueryText, Rows, Settings},
    system::{Step, System},
};

/// What is known of a statement when it begins.
pub(crate) struct Subject<'a> {
    /// Empty where only the driver knows.
    pub(crate) sql: &'a str,
    pub(crate) is_parameterized: bool,
    pub(crate) names: &'a Names,
}

/// A statement under way. Dropped without an end, it was cancelled, or its task has panicked.
pub(crate) struct Call {
    span: Span,
    settings: Settings,
    measures: Option<Measures>,
    started: Instant,
    rows: u64,
    affected: Affected,
    ended: bool,
}

/// The rows that a statement has changed.
#[derive(Clone, Copy)]
enum Affected {
    /// It is none that changes rows: what a driver says then belongs to an earlier one (SQLite), or counts what was
    /// read (PostgreSQL).
    Never,
    Rows(u64),
}

/// How a statement ended, as the attribute `throughline.db.end` has it.
enum End {
    Complete,
    Error(Failure),
    Panic,
    Cancelled,
    Queued,
}

impl Call {
    pub(crate) fn begin(settings: &Settings, subject: &Subject<'_>) -> Self {
        let pipeline = Pipeline::current();
        // Read only where somebody wants to know.
        let summary = LazyCell::new(|| sql::summary(subject.sql));
        let span = open(settings, subject, &summary);
        span.edit(|record| describe(record, settings, subject));
        let is_watched = !span.is_disabled() || pipeline.has_recorder();
        let affected = if is_watched && changes_rows(&summary) { Affected::Rows(0) } else { Affected::Never };
        let measures = pipeline
            .has_recorder()
            .then(|| Measures::new(pipeline, settings.clone(), summary.clone(), subject.names.clone()));
        Self {
            span,
            settings: settings.clone(),
            measures,
            started: Instant::now(),
            rows: 0,
            affected,
            ended: false,
        }
    }

    /// The span that the driver is polled in.
    pub(crate) fn driver_span<DB: System>(&self) -> Span {
        DB::driver_span(&self.span)
    }

    /// What goes into a comment of the statement, where one is wanted and worth its price.
    pub(crate) fn comment(&self) -> Option<SpanContext> {
        let is_wanted = self.settings.get().comments == Comments::Traceparent && self.span.has_context();
        is_wanted.then(|| self.span.context().span().cloned()).flatten().filter(SpanContext::is_sampled)
    }

    pub(crate) fn waited(&self, time: Duration) {
        let milliseconds = time.as_secs_f64() * 1_000.0;
        self.span.edit(|record| record.attribute_static(own::DB_WAIT_TIME_MS, milliseconds.into()));
    }

    pub(crate) fn count<DB: System>(&mut self, step: &Step<DB>) {
        match (step, &mut self.affected) {
            (sqlx::Either::Right(_), _) => self.rows += 1,
            (sqlx::Either::Left(result), Affected::Rows(rows)) => *rows += DB::affected_rows(result),
            (sqlx::Either::Left(_), Affected::Never) => {}
        }
    }

    /// Counts the one row that was asked for. How many a statement has changed isn't told then.
    pub(crate) fn count_row(&mut self, is_there: bool) {
        self.rows = u64::from(is_there);
        self.affected = Affected::Never;
    }

    pub(crate) fn complete(mut self) {
        self.end(&End::Complete);
    }

    pub(crate) fn fail<DB: System>(mut self, error: &Error) {
        self.end(&Failure::of::<DB>(error).map_or(End::Complete, End::Error));
    }

    pub(crate) fn finish<DB: System, T>(self, result: &Result<T, Error>) {
        match result {
            Ok(_) => self.complete(),
            Err(error) => self.fail::<DB>(error),
        }
    }

    /// Ends what the driver will do later.
    pub(crate) fn queue(mut self) {
        self.end(&End::Queued);
    }

    fn end(&mut self, end: &End) {
        self.ended = true;
        let is_told = self.settings.get().rows == Rows::Told;
        // What is only queued has taken no time yet, and how long it will take nobody tells.
        let measures = self.measures.as_ref().filter(|_| !matches!(end, End::Queued));
        if let Some(measures) = measures {
            measures.duration(self.started.elapsed(), end.failure());
            if is_told {
                measures.returned_rows(self.rows, end.failure());
            }
        }
        self.span.edit(|record| {
            record.attribute_static(own::DB_END, end.name().into());
            if is_told {
                record.attribute_static(attributes::DB_RESPONSE_RETURNED_ROWS, self.rows.into());
            }
            if let (Affected::Rows(rows), End::Complete) = (self.affected, end) {
                record.attribute_static(own::DB_AFFECTED_ROWS, rows.into());
            }
            if let Some(failure) = end.failure() {
                fail(record, failure);
            }
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.end(if std::thread::panicking() { &End::Panic } else { &End::Cancelled });
        }
    }
}

impl End {
    const fn name(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error(_) => "error",
            Self::Panic => "panic",
            Self::Cancelled => "cancelled",
            Self::Queued => "queued",
        }
    }

    const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Error(failure) => Some(failure),
            Self::Complete | Self::Panic | Self::Cancelled | Self::Queued => None,
        }
    }
}

/// Asks for the summary only where the span is wanted.
fn open(settings: &Settings, subject: &Subject<'_>, summary: &impl Deref<Target = String>) -> Span {
    let place = &settings.get().place;
    tracing::info_span!(
        target: "throughline::sqlx",
        "statement",
        otel.name = name(settings, subject, summary),
        otel.kind = place.span_kind(),
        { attributes::DB_SYSTEM_NAME } = &*place.system,
        { attributes::DB_QUERY_SUMMARY } = Some(summary.as_str()).filter(|summary| !summary.is_empty()),
    )
}

/// By the conventions: the summary, else operation and target, else the target.
fn name(settings: &Settings, subject: &Subject<'_>, summary: &str) -> String {
    if !summary.is_empty() {
        return summary.to_owned();
    }
    let place = &settings.get().place;
    let Names { operation, collection } = subject.names;
    let target = collection.as_deref().map_or_else(|| place.name(), str::to_owned);
    operation.as_ref().map_or_else(|| target.clone(), |operation| format!("{operation} {target}"))
}

fn describe(record: &mut dyn SpanRecord, settings: &Settings, subject: &Subject<'_>) {
    let place = &settings.get().place;
    let text = shown(settings.get().text, subject);
    let texts = [
        (attributes::DB_NAMESPACE, place.namespace.as_deref()),
        (http::SERVER_ADDRESS, place.server.as_ref().map(|server| server.address.as_str())),
        (attributes::DB_QUERY_TEXT, text.as_deref()),
        (attributes::DB_OPERATION_NAME, subject.names.operation.as_deref()),
        (attributes::DB_COLLECTION_NAME, subject.names.collection.as_deref()),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            record.attribute_static(key, value.into());
        }
    }
    if let Some(port) = place.server.as_ref().and_then(|server| server.port) {
        record.attribute_static(http::SERVER_PORT, port.into());
    }
}

fn shown<'a>(setting: QueryText, subject: &Subject<'a>) -> Option<Cow<'a, str>> {
    let shown = match setting {
        QueryText::Off => return None,
        QueryText::Parameterized if subject.is_parameterized => cut(subject.sql),
        QueryText::Parameterized | QueryText::Sanitized => sql::sanitized(subject.sql).into(),
    };
    Some(shown).filter(|shown| !shown.is_empty())
}

fn cut(sql: &str) -> Cow<'_, str> {
    if sql.len() <= sql::TEXT_BYTES_MAX {
        return sql.into();
    }
    let end = sql.floor_char_boundary(sql::TEXT_BYTES_MAX);
    format!("{}…", sql.get(..end).unwrap_or_default()).into()
}

/// By the first words of the parts of a summary: a table of such a name only brings a number too many.
fn changes_rows(summary: &str) -> bool {
    let changes = ["DELETE", "INSERT", "MERGE", "REPLACE", "UPDATE"];
    summary.split(' ').any(|word| changes.iter().any(|change| word.eq_ignore_ascii_case(change)))
}

fn fail(record: &mut dyn SpanRecord, failure: &Failure) {
    record.status(Status::Error(&failure.description));
    record.attribute_static(ERROR_TYPE, (&*failure.error_type()).into());
    if let Some(code) = &failure.status_code {
        record.attribute_static(attributes::DB_RESPONSE_STATUS_CODE, code.into());
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    #[test]
    fn a_text_that_nobody_wants_is_not_read() {
        const BEGINNINGS: u32 = 1_000;
        const MOST: Duration = Duration::from_secs(1);
        let settings = Settings::new(&SqliteConnectOptions::new());
        let sql = "SELECT a FROM b WHERE c = 'd' OR ".repeat(100_000);
        let subject = Subject { sql: &sql, is_parameterized: false, names: &Names::default() };
        let start = Instant::now();
        for _ in 0..BEGINNINGS {
            Call::begin(&settings, &subject).complete();
        }
        // Reading it once takes milliseconds: a thousand times, far longer than this.
        assert!(start.elapsed() < MOST, "{:?}", start.elapsed());
    }
}
