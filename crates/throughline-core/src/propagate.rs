//! Reading what a caller sent, and writing what the next hop gets.

use std::{error, fmt, iter, sync::Arc};

use crate::{
    CallerCorrelation, CallerSampled, Carrier, Context, CorrelationId, EdgePolicy, Format,
    PropagationCounters,
    counters::Counters,
    edge::Stance,
    env::{EnvWarning, Environment},
    format::{self, Choice, Formats, Said, put},
    octets,
    origin::Origin,
};

/// The usual name of the correlation id's header.
pub const CORRELATION_HEADER: &str = "x-correlation-id";

/// Reads and writes context on any [`Carrier`]: `traceparent`, `tracestate`, `baggage` and the correlation id, or other
/// [formats](Self::formats) beside the correlation id.
///
/// Neither direction ever fails: what is malformed counts as absent, and is counted. Clones share their counters.
///
/// ```
/// use throughline_core::{EdgePolicy, Propagator};
/// # fn main() -> Result<(), throughline_core::HeaderNameError> {
/// let propagator = Propagator::default().correlation_header("X-Order-Id")?.accept_correlation_from("x-request-id")?;
/// let request = vec![("X-Request-Id".to_string(), "r-17".to_string())];
/// let context = propagator.extract(&request, &EdgePolicy::trust());
///
/// let mut message: Vec<(String, String)> = Vec::new();
/// propagator.inject(&context, &mut message);
/// assert_eq!(message, [("x-order-id".to_string(), "r-17".to_string())]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Propagator {
    /// `None` when propagation is off.
    settings: Option<Arc<Settings>>,
    counters: Arc<Counters>,
}

#[derive(Clone, Debug)]
struct Settings {
    correlation: CorrelationNames,
    formats: Formats,
    chosen_by: ChosenBy,
}

#[derive(Clone, Debug)]
struct CorrelationNames {
    own: Box<str>,
    also_accepted: Vec<Box<str>>,
}

impl CorrelationNames {
    fn iter(&self) -> impl Iterator<Item = &str> {
        iter::once(&self.own).chain(&self.also_accepted).map(|name| &**name)
    }
}

/// Who said which formats to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChosenBy {
    Nobody,
    Code,
}

impl Default for Propagator {
    fn default() -> Self {
        let correlation = CorrelationNames { own: CORRELATION_HEADER.into(), also_accepted: Vec::new() };
        let settings = Settings { correlation, formats: Formats::DEFAULT, chosen_by: ChosenBy::Nobody };
        Self { settings: Some(Arc::new(settings)), counters: Arc::default() }
    }
}

impl Propagator {
    /// Reads and writes nothing; every extracted context has a fresh correlation id all the same.
    #[must_use]
    pub fn off() -> Self {
        Self { settings: None, counters: Arc::default() }
    }

    /// Reads and writes these formats in place of `tracecontext` and `baggage` (`OTEL_PROPAGATORS`); duplicates go.
    ///
    /// The order is that of precedence: the trace is the one of the first format that has a valid one, and so is the
    /// baggage. All of them are written. The correlation id travels whatever the formats are.
    ///
    /// ```
    /// use throughline_core::{Format, Propagator};
    /// let propagator = Propagator::default().formats([Format::TraceContext, Format::Baggage]);
    /// assert!(propagator.fields().eq(["traceparent", "tracestate", "baggage", "x-correlation-id"]));
    /// ```
    #[must_use]
    pub fn formats(self, formats: impl IntoIterator<Item = Format>) -> Self {
        self.change(|settings| {
            settings.formats = Formats::new(formats);
            settings.chosen_by = ChosenBy::Code;
        })
    }

    /// Does what `OTEL_PROPAGATORS` says, unless [`formats`](Self::formats) has said otherwise before.
    ///
    /// A name that is unknown, or whose feature isn't built in, is left out with a warning; where no name is left, the
    /// formats stay as they are. `none` turns propagation off.
    #[must_use]
    pub fn environment(self, environment: &Environment, warnings: &mut Vec<EnvWarning>) -> Self {
        if self.settings.as_ref().is_none_or(|settings| settings.chosen_by == ChosenBy::Code) {
            return self;
        }
        match format::choice(environment, warnings) {
            Some(Choice::Formats(formats)) => self.change(|settings| settings.formats = formats),
            Some(Choice::Off) => Self { settings: None, ..self },
            None => self,
        }
    }

    /// Reads and writes the correlation id under another name.
    ///
    /// # Errors
    ///
    /// If `name` is not a valid header name, or is the name of another field.
    pub fn correlation_header(self, name: &str) -> Result<Self, HeaderNameError> {
        let name = header_name(name)?;
        Ok(self.change(|settings| settings.correlation.own = name))
    }

    /// Also reads the correlation id from this header, where the ones before it hold none that is valid.
    ///
    /// # Errors
    ///
    /// If `name` is not a valid header name, or is the name of another field.
    pub fn accept_correlation_from(self, name: &str) -> Result<Self, HeaderNameError> {
        let name = header_name(name)?;
        Ok(self.change(|settings| settings.correlation.also_accepted.push(name)))
    }

    fn change(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        if let Some(settings) = &mut self.settings {
            change(Arc::make_mut(settings));
        }
        self
    }

    /// The name under which the correlation id is written.
    #[must_use]
    pub fn correlation_header_name(&self) -> &str {
        self.settings.as_ref().map_or(CORRELATION_HEADER, |settings| &settings.correlation.own)
    }

    /// The names under which the correlation id is read, in order; none when propagation is off.
    pub fn correlation_names(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().flat_map(|settings| settings.correlation.iter())
    }

    /// The names of the fields that [`inject`](Self::inject) writes or removes; none when propagation is off.
    ///
    /// The baggage of Jaeger's format has fields of its own, `uberctx-` and the key, which are not among them.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().flat_map(|settings| {
            settings.formats.fields().chain(iter::once::<&str>(&settings.correlation.own))
        })
    }

    /// Whether the carrier has any field that [`extract`](Self::extract) would read: cheaper than reading it.
    pub fn is_present(&self, carrier: &dyn Carrier) -> bool {
        let Some(settings) = self.settings.as_deref() else {
            return false;
        };
        let mut found = false;
        for name in settings.formats.fields_read().chain(settings.correlation.iter()) {
            carrier.get_all(name, &mut |_| found = true);
        }
        found
    }

    /// What was refused so far, by this propagator and its clones.
    #[must_use]
    pub fn counters(&self) -> PropagationCounters {
        self.counters.read()
    }

    /// What a caller sent, as far as `edge` believes it.
    ///
    /// The context always has a correlation id: the first valid one that came in and that the edge keeps, else a fresh one.
    pub fn extract(&self, carrier: &dyn Carrier, edge: &EdgePolicy) -> Context {
        let believed = self.settings.as_deref().filter(|_| edge.stance() != Stance::Ignore);
        let Some(settings) = believed else {
            self.counters.callers_ignored.add(usize::from(self.is_present(carrier)));
            return Context::default().with_correlation_id(CorrelationId::generate());
        };
        let context = Context::default()
            .with_correlation_id(self.correlation_id(carrier, &settings.correlation, edge))
            .with_baggage(settings.formats.baggage(carrier, edge.baggage(), &self.counters));
        match settings.formats.caller(carrier, &self.counters) {
            Some(said) => self.admit(context, said, edge),
            None => context,
        }
    }

    /// Writes what the next hop is to get.
    ///
    /// Fields of ours that the carrier already has are replaced, or removed where the context has nothing to put there.
    pub fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        let Some(settings) = self.settings.as_deref() else {
            return;
        };
        settings.formats.inject(context, carrier);
        let correlation_id = context.correlation_id().map_or("", CorrelationId::as_str);
        put(carrier, &settings.correlation.own, correlation_id);
    }

    /// Takes every field of ours out of a carrier, for one that is used again or goes to somebody who is told nothing.
    ///
    /// Among them are those that are read and never written, but for other names of the correlation id, which somebody else
    /// may have put there. Nothing is removed when propagation is off.
    pub fn clear(&self, carrier: &mut dyn Carrier) {
        self.inject(&Context::default(), carrier);
    }

    fn admit(&self, context: Context, said: Said, edge: &EdgePolicy) -> Context {
        let caller = match &said {
            Said::Span(span) => span,
            Said::Decision(origin) => origin.caller(),
        };
        let sampled = edge.sampled_of(caller);
        self.counters.sampled_overruled.add(usize::from(edge.overrules(caller)));
        match (said, edge.stance()) {
            (Said::Decision(_), _) if sampled == CallerSampled::DecideAnew => context,
            (Said::Decision(origin), _) => context.with_origin(origin.sampled_counts(sampled)),
            (Said::Span(span), Stance::Restart) => {
                self.counters.traces_restarted.add(1);
                context.with_origin(Origin::restart(span.sampled_counts(sampled)))
            }
            (Said::Span(span), Stance::Trust | Stance::Ignore) => {
                context.with_span(span.sampled_counts(sampled))
            }
        }
    }

    fn correlation_id(
        &self,
        carrier: &dyn Carrier,
        names: &CorrelationNames,
        edge: &EdgePolicy,
    ) -> CorrelationId {
        let (mut found, mut malformed) = (None, false);
        for name in names.iter() {
            carrier.get_all(name, &mut |value| {
                if found.is_none() {
                    found = CorrelationId::parse(octets::trim(value));
                    malformed |= found.is_none();
                }
            });
        }
        self.counters.correlation_replaced.add(usize::from(malformed));
        if edge.correlation_of_callers() == CallerCorrelation::Replace {
            self.counters.correlation_refused.add(usize::from(found.is_some()));
            found = None;
        }
        found.unwrap_or_else(CorrelationId::generate)
    }
}

fn header_name(name: &str) -> Result<Box<str>, HeaderNameError> {
    let lower = name.to_ascii_lowercase();
    if !octets::is_token(lower.as_bytes()) || format::is_field(&lower) {
        return Err(HeaderNameError(name.to_owned()));
    }
    Ok(lower.into())
}

/// A name that the header of the correlation id cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNameError(String);

impl fmt::Display for HeaderNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.0;
        if octets::is_token(name.as_bytes()) {
            write!(f, "correlation header {name:?} is the name of another field")
        } else {
            write!(f, "correlation header {name:?} is not a valid header name")
        }
    }
}

impl error::Error for HeaderNameError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::traceparent;

    type Fields = Vec<(String, String)>;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    /// What goes out when `read` comes in and no span is opened in between, without the correlation id.
    fn passed_on(propagator: &Propagator, read: &[(&str, &str)]) -> Fields {
        let mut written = Fields::new();
        propagator.inject(&propagator.extract(&fields(read), &EdgePolicy::trust()), &mut written);
        written.retain(|(name, _)| name != CORRELATION_HEADER);
        written
    }

    fn counted(count: impl FnOnce(&mut PropagationCounters)) -> PropagationCounters {
        let mut counters = PropagationCounters::default();
        count(&mut counters);
        counters
    }

    #[test]
    fn headers_in_headers_out() {
        let with_state = [("traceparent", PARENT), ("tracestate", "a=1,b=2")];
        for (read, written, counters) in [
            (&[][..], &[][..], counted(|_| ())),
            (&[("traceparent", PARENT)], &[("traceparent", PARENT)], counted(|_| ())),
            (&[("TraceParent", &*format!(" {PARENT}\t"))], &[("traceparent", PARENT)], counted(|_| ())),
            // Several tracestate headers are one, and stray commas go.
            (
                &[("traceparent", PARENT), ("tracestate", "a=1 ,"), ("Tracestate", " b=2")],
                &with_state,
                counted(|_| ()),
            ),
            // An empty tracestate is accepted and never sent.
            (&[("traceparent", PARENT), ("tracestate", "")], &[("traceparent", PARENT)], counted(|_| ())),
            // An invalid tracestate goes alone.
            (
                &[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b")],
                &[("traceparent", PARENT)],
                counted(|seen| seen.tracestate_invalid = 1),
            ),
            // A traceparent that is absent, invalid or repeated takes tracestate with it, unread.
            (&[("tracestate", "a=1")], &[], counted(|_| ())),
            (&[("tracestate", "?")], &[], counted(|_| ())),
            (
                &[("traceparent", ""), ("tracestate", "a=1")],
                &[],
                counted(|seen| seen.traceparent_invalid = 1),
            ),
            (
                &[("traceparent", PARENT), ("traceparent", PARENT), ("tracestate", "?")],
                &[],
                counted(|seen| seen.traceparent_invalid = 1),
            ),
            (
                &[("traceparent", "x"), ("traceparent", "x"), ("traceparent", PARENT)],
                &[],
                counted(|seen| seen.traceparent_invalid = 1),
            ),
            // A later version goes on as version 00.
            (
                &[("traceparent", &PARENT.replacen("00", "cc", 1)), ("tracestate", "a=1,b=2")],
                &with_state,
                counted(|_| ()),
            ),
            // Baggage stands on its own, and several headers are one.
            (
                &[("baggage", "a=1"), ("Baggage", "b=%20, bad"), ("baggage", "")],
                &[("baggage", "a=1,b=%20")],
                counted(|seen| seen.baggage_members_dropped = 1),
            ),
        ] {
            let propagator = Propagator::default();
            assert_eq!(passed_on(&propagator, read), fields(written), "{read:?}");
            assert_eq!(propagator.counters(), counters, "{read:?}");
        }
    }

    #[test]
    fn the_limits_of_baggage_are_those_of_all_its_headers_together() {
        let propagator = Propagator::default();
        let header = (0..40).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",");
        let written = passed_on(&propagator, &[("baggage", &header), ("baggage", &header)]);
        assert_eq!(written[0].1.split(',').count(), 64);
        assert_eq!(propagator.counters().baggage_members_dropped, 16);
    }

    #[test]
    fn megabytes_of_headers_are_refused_and_counted() {
        let propagator = Propagator::default();
        let (noise, list) = ("x".repeat(1 << 20), "k=v,".repeat(1 << 18));
        let read = fields(&[("baggage", &list), ("x-correlation-id", &noise)]);
        let context = propagator.extract(&read, &EdgePolicy::trust());
        assert_eq!((context.baggage().len(), context.span()), (64, None));
        propagator.extract(&fields(&[("traceparent", &noise)]), &EdgePolicy::trust());
        propagator.extract(&fields(&[("traceparent", PARENT), ("tracestate", &list)]), &EdgePolicy::trust());
        let expected = PropagationCounters {
            traceparent_invalid: 1,
            tracestate_invalid: 1,
            baggage_members_dropped: (1 << 18) - 64,
            correlation_replaced: 1,
            ..PropagationCounters::default()
        };
        assert_eq!(propagator.counters(), expected);
    }

    #[test]
    fn the_first_valid_correlation_id_is_kept_and_malformed_ones_are_counted() {
        let propagator = Propagator::default().accept_correlation_from("X-Request-Id").unwrap();
        for (read, kept, replaced) in [
            (&[("x-correlation-id", " abc ")][..], Some("abc"), 0),
            (&[("X-Correlation-Id", "abc"), ("x-request-id", "def")], Some("abc"), 0),
            (&[("x-request-id", "def"), ("x-correlation-id", "abc")], Some("abc"), 0),
            (&[("x-request-id", "def")], Some("def"), 0),
            (&[("x-correlation-id", "a b"), ("x-request-id", "def")], Some("def"), 1),
            (&[("x-correlation-id", "a\"b")], None, 1),
            (&[("x-correlation-id", "a\\b"), ("x-correlation-id", "a\nb")], None, 1),
            (&[("x-correlation-id", "")], None, 1),
            (&[], None, 0),
        ] {
            let before = propagator.counters().correlation_replaced;
            let context = propagator.extract(&fields(read), &EdgePolicy::trust());
            let id = context.correlation_id().unwrap().as_str();
            match kept {
                Some(kept) => assert_eq!(id, kept, "{read:?}"),
                None => assert_eq!(id.len(), 36, "{read:?}: a fresh UUID"),
            }
            assert_eq!(propagator.counters().correlation_replaced - before, replaced, "{read:?}");
        }
    }

    #[test]
    fn an_edge_that_ignores_reads_nothing_and_counts_the_caller() {
        let propagator = Propagator::default();
        let read = fields(&[("traceparent", PARENT), ("baggage", "a=1,bad"), ("x-correlation-id", "abc")]);
        let context = propagator.extract(&read, &EdgePolicy::ignore());
        assert!(context.span().is_none() && context.baggage().is_empty());
        assert_eq!(context.correlation_id().unwrap().as_str().len(), 36);
        propagator.extract(&Fields::new(), &EdgePolicy::ignore());
        assert_eq!(propagator.counters(), counted(|seen| seen.callers_ignored = 1));
    }

    #[test]
    fn what_was_read_is_remote() {
        let context =
            Propagator::default().extract(&fields(&[("traceparent", PARENT)]), &EdgePolicy::default());
        assert!(context.span().unwrap().is_remote());
    }

    #[test]
    fn injecting_replaces_what_a_reused_carrier_has() {
        let propagator = Propagator::default();
        let stale = fields(&[
            ("Traceparent", PARENT),
            ("traceparent", PARENT),
            ("tracestate", "stale=1"),
            ("BAGGAGE", "stale=1"),
            ("X-Correlation-Id", "stale"),
            ("content-type", "text/plain"),
        ]);
        let mut carrier = stale.clone();
        propagator.inject(&Context::default(), &mut carrier);
        assert_eq!(carrier, fields(&[("content-type", "text/plain")]));

        let context = Context::default()
            .with_span(traceparent::parse(PARENT.as_bytes()).unwrap())
            .with_correlation_id(CorrelationId::parse(b"abc").unwrap());
        let mut carrier = stale;
        propagator.inject(&context, &mut carrier);
        let expected = [("content-type", "text/plain"), ("traceparent", PARENT), ("x-correlation-id", "abc")];
        assert_eq!(carrier, fields(&expected));
    }

    #[test]
    fn the_fields_are_those_that_are_written() {
        let propagator = Propagator::default().correlation_header("X-Order-Id").unwrap();
        assert_eq!(propagator.correlation_header_name(), "x-order-id");
        let names: Vec<_> = propagator.fields().collect();
        assert_eq!(names, ["traceparent", "tracestate", "baggage", "x-order-id"]);
        let read = [("traceparent", PARENT), ("tracestate", "a=1"), ("baggage", "b=2"), ("x-order-id", "c")];
        let written = passed_on(&propagator, &read);
        assert_eq!(written.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    }

    #[test]
    fn when_off_nothing_is_read_written_or_removed() {
        let propagator = Propagator::off().correlation_header("x-other").unwrap();
        let mut carrier = fields(&[("traceparent", PARENT), ("x-other", "abc")]);
        let context = propagator.extract(&carrier, &EdgePolicy::trust());
        assert!(context.span().is_none());
        assert_eq!(context.correlation_id().unwrap().as_str().len(), 36);
        propagator.inject(&Context::default(), &mut carrier);
        assert_eq!(carrier.len(), 2);
        assert_eq!(propagator.fields().count(), 0);
    }

    #[test]
    fn a_correlation_header_is_a_token_and_not_the_name_of_another_field() {
        for (name, why) in [
            ("", "correlation header \"\" is not a valid header name"),
            ("x correlation", "correlation header \"x correlation\" is not a valid header name"),
            ("x:y", "correlation header \"x:y\" is not a valid header name"),
            ("h\u{e9}", "correlation header \"h\u{e9}\" is not a valid header name"),
            ("x\r\ny", "correlation header \"x\\r\\ny\" is not a valid header name"),
            ("TraceParent", "correlation header \"TraceParent\" is the name of another field"),
            ("tracestate", "correlation header \"tracestate\" is the name of another field"),
            ("Baggage", "correlation header \"Baggage\" is the name of another field"),
        ] {
            assert_eq!(Propagator::default().correlation_header(name).unwrap_err().to_string(), why);
            assert_eq!(Propagator::default().accept_correlation_from(name).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn clones_share_their_counters() {
        let propagator = Propagator::default();
        let clone = propagator.clone();
        clone.extract(&fields(&[("traceparent", "?")]), &EdgePolicy::trust());
        assert_eq!(propagator.counters().traceparent_invalid, 1);
    }

    proptest! {
        #[test]
        fn one_more_hop_changes_nothing(
            state in "[a-c@=, 1]{0,20}", baggage in "[a-c=;,% 0-9\u{e9}]{0,40}", id in "[ -~]{0,12}",
        ) {
            let propagator = Propagator::default();
            let hop = |read: &Fields| {
                let mut written = Fields::new();
                propagator.inject(&propagator.extract(read, &EdgePolicy::trust()), &mut written);
                written
            };
            let read = fields(&[
                ("traceparent", PARENT), ("tracestate", &state), ("baggage", &baggage), ("x-correlation-id", &id),
            ]);
            let once = hop(&read);
            prop_assert_eq!(hop(&once), once);
        }
    }
}
