//! `traceparent`: what is accepted is passed on with the same ids, and reads the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::{Carrier, Context, EdgePolicy, Propagator, SpanContext};

fuzz_target!(|value: &[u8]| {
    let propagator = Propagator::default();
    let context = propagator.extract(&Header(value), &EdgePolicy::trust());
    let Some(span) = context.span() else { return };
    // A later version may go on with anything.
    let text = String::from_utf8_lossy(value);
    let hex = text.trim_matches([' ', '\t']);
    assert_eq!(hex.get(3..35), Some(&*span.trace_id().to_string()));
    assert_eq!(hex.get(36..52), Some(&*span.span_id().to_string()));

    let mut outgoing: Vec<(String, String)> = Vec::new();
    propagator.inject(&context, &mut outgoing);
    let again: Context = propagator.extract(&outgoing, &EdgePolicy::trust());
    let ids = |span: &SpanContext| (span.trace_id(), span.span_id(), span.flags());
    assert_eq!(again.span().map(ids), Some(ids(span)));
});

struct Header<'a>(&'a [u8]);

impl Carrier for Header<'_> {
    fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        if name == "traceparent" {
            visit(self.0);
        }
    }

    fn set(&mut self, _: &str, _: &str) {}

    fn remove(&mut self, _: &str) {}
}
