//! `formats`: what any of the formats reads reads the same after a hop in that format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::{Context, EdgePolicy, Format, Propagator, SpanContext};

// The first byte chooses the format; the lines after it are the values of its fields.
fuzz_target!(|input: &[u8]| {
    let Some((choice, lines)) = input.split_first() else { return };
    let formats = [Format::TraceContext, Format::B3, Format::B3Multi, Format::Jaeger, Format::XRay];
    let Some(format) = formats.get(usize::from(*choice) % formats.len()) else { return };
    let propagator = Propagator::default().formats([*format]);

    let text = String::from_utf8_lossy(lines);
    let names: Vec<String> = propagator.fields().map(str::to_owned).collect();
    let headers: Vec<_> = names.into_iter().zip(text.split('\n').map(str::to_owned)).collect();
    let context = propagator.extract(&headers, &EdgePolicy::trust());

    let mut next: Vec<(String, String)> = Vec::new();
    propagator.inject(&context, &mut next);
    assert!(
        next.iter().all(|(_, value)| value.bytes().all(|byte| (b' '..=b'~').contains(&byte))),
        "{next:?}"
    );
    let again = propagator.extract(&next, &EdgePolicy::trust());
    assert_eq!(seen(&again), seen(&context), "{headers:?} went on as {next:?}");
    assert_eq!(again.correlation_id(), context.correlation_id());
});

fn seen(context: &Context) -> Option<(String, String, bool)> {
    let ids =
        |span: &SpanContext| (span.trace_id().to_string(), span.span_id().to_string(), span.is_sampled());
    context.span().map(ids)
}
