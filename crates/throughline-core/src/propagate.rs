//! Reading what a caller sent, and writing what the next hop gets.

use std::{
    error, fmt, iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    Baggage, Carrier, Context, CorrelationId, EdgePolicy, SpanContext, TraceparentError, baggage,
    edge::Stance, octets, traceparent, tracestate,
};

/// The usual name of the correlation id's header.
pub const CORRELATION_HEADER: &str = "x-correlation-id";

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

/// Reads and writes context on any [`Carrier`]: `traceparent`, `tracestate`, `baggage` and the correlation id.
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
    names: Option<Arc<CorrelationNames>>,
    counters: Arc<Counters>,
}

#[derive(Clone, Debug)]
struct CorrelationNames {
    own: Box<str>,
    also_accepted: Vec<Box<str>>,
}

#[derive(Debug, Default)]
struct Counters {
    traceparent_invalid: AtomicU64,
    tracestate_invalid: AtomicU64,
    baggage_members_dropped: AtomicU64,
    correlation_replaced: AtomicU64,
}

/// What a [`Propagator`] has refused so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropagationCounters {
    /// `traceparent` headers that were ignored, so that a trace started anew.
    pub traceparent_invalid: u64,
    /// `tracestate` lists that were dropped beside a valid `traceparent`.
    pub tracestate_invalid: u64,
    /// Members of `baggage` that were dropped, malformed or above the limits.
    pub baggage_members_dropped: u64,
    /// Carriers whose correlation id was malformed, and was passed over for another or a fresh one.
    pub correlation_replaced: u64,
}

impl Default for Propagator {
    fn default() -> Self {
        let names = CorrelationNames { own: CORRELATION_HEADER.into(), also_accepted: Vec::new() };
        Self { names: Some(Arc::new(names)), counters: Arc::default() }
    }
}

impl Propagator {
    /// Reads and writes nothing; every extracted context has a fresh correlation id all the same.
    #[must_use]
    pub fn off() -> Self {
        Self { names: None, counters: Arc::default() }
    }

    /// Reads and writes the correlation id under another name.
    ///
    /// # Errors
    ///
    /// If `name` is not a valid header name, or is the name of another field.
    pub fn correlation_header(mut self, name: &str) -> Result<Self, HeaderNameError> {
        let name = header_name(name)?;
        if let Some(names) = &mut self.names {
            Arc::make_mut(names).own = name;
        }
        Ok(self)
    }

    /// Also reads the correlation id from this header, where the ones before it hold none that is valid.
    ///
    /// # Errors
    ///
    /// If `name` is not a valid header name, or is the name of another field.
    pub fn accept_correlation_from(mut self, name: &str) -> Result<Self, HeaderNameError> {
        let name = header_name(name)?;
        if let Some(names) = &mut self.names {
            Arc::make_mut(names).also_accepted.push(name);
        }
        Ok(self)
    }

    /// The name under which the correlation id is written.
    #[must_use]
    pub fn correlation_header_name(&self) -> &str {
        self.names.as_ref().map_or(CORRELATION_HEADER, |names| &names.own)
    }

    /// The names under which the correlation id is read, in order; none when propagation is off.
    pub fn correlation_names(&self) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .flat_map(|names| iter::once(&names.own).chain(&names.also_accepted))
            .map(|name| &**name)
    }

    /// The names of the fields that [`inject`](Self::inject) writes or removes; none when propagation is off.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flat_map(|names| [TRACEPARENT, TRACESTATE, BAGGAGE, &names.own])
    }

    /// What was refused so far, by this propagator and its clones.
    #[must_use]
    pub fn counters(&self) -> PropagationCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PropagationCounters {
            traceparent_invalid: read(&self.counters.traceparent_invalid),
            tracestate_invalid: read(&self.counters.tracestate_invalid),
            baggage_members_dropped: read(&self.counters.baggage_members_dropped),
            correlation_replaced: read(&self.counters.correlation_replaced),
        }
    }

    /// What a caller sent, as far as `edge` believes it.
    ///
    /// The context always has a correlation id: the first valid one that came in, else a fresh one.
    pub fn extract(&self, carrier: &dyn Carrier, edge: &EdgePolicy) -> Context {
        let Some(names) = self.names.as_deref().filter(|_| edge.stance() == Stance::Trust) else {
            return Context::default().with_correlation_id(CorrelationId::generate());
        };
        let context = Context::default()
            .with_correlation_id(self.correlation_id(carrier, names))
            .with_baggage(self.baggage(carrier));
        match self.span(carrier) {
            Some(span) => context.with_span(span),
            None => context,
        }
    }

    /// Writes what the next hop is to get.
    ///
    /// Fields of ours that the carrier already has are replaced, or removed where the context has nothing to put there.
    pub fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        let Some(names) = self.names.as_deref() else {
            return;
        };
        let span = context.span();
        let traceparent = span.map(traceparent::format);
        let traceparent = traceparent.as_ref().and_then(|value| str::from_utf8(value).ok());
        put(carrier, TRACEPARENT, traceparent.unwrap_or_default());
        put(carrier, TRACESTATE, span.map_or("", |span| span.tracestate().as_str()));
        put(carrier, BAGGAGE, context.baggage().wire());
        put(carrier, &names.own, context.correlation_id().map_or("", CorrelationId::as_str));
    }

    fn span(&self, carrier: &dyn Carrier) -> Option<SpanContext> {
        let mut read = None;
        carrier.get_all(TRACEPARENT, &mut |value| {
            read = Some(match read {
                None => traceparent::parse(value),
                Some(_) => Err(TraceparentError::Repeated),
            });
        });
        match read? {
            Ok(span) => Some(self.with_tracestate(span, carrier)),
            Err(_) => {
                count(&self.counters.traceparent_invalid, 1);
                None
            }
        }
    }

    fn with_tracestate(&self, span: SpanContext, carrier: &dyn Carrier) -> SpanContext {
        let mut reader = tracestate::Reader::default();
        carrier.get_all(TRACESTATE, &mut |value| reader.read(value));
        match reader.finish() {
            Ok(tracestate) => span.with_tracestate(tracestate),
            Err(_) => {
                count(&self.counters.tracestate_invalid, 1);
                span
            }
        }
    }

    fn baggage(&self, carrier: &dyn Carrier) -> Baggage {
        let mut reader = baggage::Reader::default();
        carrier.get_all(BAGGAGE, &mut |value| reader.read(value));
        let (baggage, dropped) = reader.finish();
        count(&self.counters.baggage_members_dropped, dropped);
        baggage
    }

    fn correlation_id(&self, carrier: &dyn Carrier, names: &CorrelationNames) -> CorrelationId {
        let (mut found, mut malformed) = (None, false);
        for name in iter::once(&names.own).chain(&names.also_accepted) {
            carrier.get_all(name, &mut |value| {
                if found.is_none() {
                    found = CorrelationId::parse(octets::trim(value));
                    malformed |= found.is_none();
                }
            });
        }
        count(&self.counters.correlation_replaced, usize::from(malformed));
        found.unwrap_or_else(CorrelationId::generate)
    }
}

/// Sets a field, or removes it where there is nothing to say: a header without a value is never sent.
fn put(carrier: &mut dyn Carrier, name: &str, value: &str) {
    if value.is_empty() {
        carrier.remove(name);
    } else {
        carrier.set(name, value);
    }
}

fn count(counter: &AtomicU64, by: usize) {
    if by > 0 {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }
}

fn header_name(name: &str) -> Result<Box<str>, HeaderNameError> {
    let lower = name.to_ascii_lowercase();
    if !octets::is_token(lower.as_bytes()) || [TRACEPARENT, TRACESTATE, BAGGAGE].contains(&&*lower) {
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
    fn an_edge_that_ignores_reads_nothing_and_counts_nothing() {
        let propagator = Propagator::default();
        let read = fields(&[("traceparent", PARENT), ("baggage", "a=1,bad"), ("x-correlation-id", "abc")]);
        let context = propagator.extract(&read, &EdgePolicy::ignore());
        assert!(context.span().is_none() && context.baggage().is_empty());
        assert_eq!(context.correlation_id().unwrap().as_str().len(), 36);
        assert_eq!(propagator.counters(), PropagationCounters::default());
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
