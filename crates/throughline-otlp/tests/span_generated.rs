//! Any span, decoded by another protobuf implementation, is the span that was meant.
//!
//! Spans are made up from numbered seeds, written through the public API, and compared whole with a model of what the
//! limits leave of them. A failure names its seed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod contract;

use std::{
    borrow::Cow,
    sync::{Arc, atomic::AtomicU64},
};

use contract::{Exemption, Kept, Settings, Under, contract};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Any},
    trace::v1::{Span, Status as OtlpStatus, span::Event, span::Link},
};
use prost::Message;
use throughline_core::{
    Clock, Context, CorrelationId, Pipeline, SpanContext, SpanExt, SpanId, Status, TraceFlags, TraceId,
    Tracestate, Value, with_remote,
};
use throughline_otlp::{Envelope, SpanLimits};
use tracing::{dispatcher::with_default, info_span};

const SEEDS: u64 = 600;
const NOW: u64 = 1_000;
/// The largest number that OTLP has.
const I64_MAX: u64 = i64::MAX as u64;

contract! {
    any_span_decodes_to_what_was_written,
}

fn any_span_decodes_to_what_was_written(under: Under) {
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let limits = dice.limits();
        let wishes = Wishes::roll(&mut dice, limits);
        let written = wishes.write(under, limits);
        let expected = wishes.expected(under, limits, &written);
        // Bytes, because a NaN differs from itself.
        assert!(
            written.encode_to_vec() == expected.encode_to_vec(),
            "seed {seed}, {limits:?}\nwritten {written:?}\nexpected {expected:?}"
        );
    }
}

#[test]
fn a_request_around_any_number_of_spans_decodes() {
    for spans in [0, 1, 2, 70, 8_000] {
        // `spans`, two bytes: an empty parent id.
        let request =
            Envelope::new([("service.name", "test".into())]).around(&[0x12, 2, 0x22, 0].repeat(spans));
        let request = ExportTraceServiceRequest::decode(request.as_slice()).unwrap();
        let [resource] = request.resource_spans.as_slice() else { panic!("{request:?}") };
        let [scope] = resource.scope_spans.as_slice() else { panic!("{resource:?}") };
        assert_eq!((scope.spans.len(), scope.scope.as_ref().unwrap().name.as_str()), (spans, "throughline"));
    }
}

#[test]
fn a_resource_of_any_size_decodes() {
    for seed in 0..SEEDS {
        let pairs = Dice(seed).pairs();
        let borrowed = pairs.iter().map(|(key, value)| (key.as_str(), value.lent()));
        let request = Envelope::new(borrowed).around(&[]);
        let mut request = ExportTraceServiceRequest::decode(request.as_slice()).unwrap();
        let resource = request.resource_spans.pop().unwrap().resource.unwrap();
        let expected: Vec<_> = pairs.iter().map(|(key, value)| value.under(key, None)).collect();
        assert_eq!(format!("{:?}", resource.attributes), format!("{expected:?}"), "seed {seed}");
    }
}

/// One span, before anybody encodes it.
struct Wishes {
    parent: Context,
    name: String,
    status: Option<String>,
    attributes: Vec<(String, Held)>,
    events: Vec<(String, Vec<(String, Held)>)>,
    links: Vec<(SpanContext, Vec<(String, Held)>)>,
}

impl Wishes {
    fn roll(dice: &mut Dice, limits: Limits) -> Self {
        let correlation = format!("c-{}", dice.next());
        let correlation = CorrelationId::parse(correlation.as_bytes()).unwrap();
        let failed = limits.value_chars.is_none() && dice.below(2) == 0;
        Self {
            parent: Context::default()
                .with_span(dice.context().remote(true))
                .with_correlation_id(correlation),
            name: dice.text(),
            status: failed.then(|| dice.text()),
            attributes: (0..4).flat_map(|_| dice.pairs()).collect(),
            events: dice.many(|dice| (dice.text(), dice.pairs())),
            links: dice.many(|dice| (dice.context(), dice.pairs())),
        }
    }

    fn write(&self, under: Under, limits: Limits) -> Span {
        let kept = Arc::<Kept>::default();
        let settings = Settings {
            pipeline: Pipeline::builder().sampler(throughline_core::AlwaysOn).build(),
            limits: limits.real(),
            clock: Clock::fixed(Arc::new(AtomicU64::new(NOW))),
            ..Settings::default()
        };
        with_default(&under.dispatch(&kept, settings), || {
            let span = with_remote(&self.parent, || info_span!("made up"));
            span.set_name(&self.name);
            for (key, value) in &self.attributes {
                span.set_attribute(key, value.lent());
            }
            span.edit(|record| {
                self.events.iter().for_each(|(name, pairs)| record.event(name, &lent(pairs)));
            });
            self.links.iter().for_each(|(to, pairs)| _ = span.add_link(to, &lent(pairs)));
            if let Some(description) = &self.status {
                span.set_status(Status::Error(description));
            }
        });
        let mut spans = kept.spans();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.pop().unwrap()
    }

    /// Everything but the span's own id, which nobody can know before.
    fn expected(&self, under: Under, limits: Limits, written: &Span) -> Span {
        let parent = self.parent.span().unwrap();
        let (mut attributes, dropped_attributes_count) =
            limits.leave(under, &self.attributes, limits.attributes);
        let correlation = self.parent.correlation_id().unwrap().as_str().to_owned();
        attributes.push(Held::Str(correlation).under("correlation.id", None));
        let (events, dropped_events_count) = within(&self.events, limits.events);
        let (links, dropped_links_count) = within(&self.links, limits.links);
        Span {
            trace_id: parent.trace_id().to_bytes().to_vec(),
            span_id: written.span_id.clone(),
            trace_state: parent.tracestate().as_str().to_owned(),
            parent_span_id: parent.span_id().to_bytes().to_vec(),
            flags: 0x301 | u32::from(parent.flags().byte()),
            name: self.name.clone(),
            kind: 1,
            start_time_unix_nano: NOW,
            end_time_unix_nano: NOW,
            attributes,
            dropped_attributes_count,
            events: events.iter().map(|(name, pairs)| limits.event(under, name, pairs)).collect(),
            dropped_events_count,
            links: links.iter().map(|(to, pairs)| limits.link(under, to, pairs)).collect(),
            dropped_links_count,
            status: self.status.clone().map(|message| OtlpStatus { message, code: 2 }),
        }
    }
}

/// What a `SpanLimits` is made from.
#[derive(Clone, Copy, Debug)]
struct Limits {
    attributes: usize,
    events: usize,
    links: usize,
    event_attributes: usize,
    link_attributes: usize,
    value_chars: Option<usize>,
}

impl Limits {
    fn real(self) -> SpanLimits {
        SpanLimits::default()
            .attributes(self.attributes)
            .events(self.events)
            .links(self.links)
            .event_attributes(self.event_attributes)
            .link_attributes(self.link_attributes)
            .value_chars(self.value_chars)
    }

    /// What `max` leaves of `pairs`: each key once, where it was set last. The rest is counted.
    fn leave(self, under: Under, pairs: &[(String, Held)], max: usize) -> (Vec<KeyValue>, u32) {
        let (mut kept, mut dropped) = (Vec::<KeyValue>::new(), 0);
        for (key, value) in pairs {
            let place = kept.iter().position(|pair| pair.key == *key);
            if place.is_none() && kept.len() >= max {
                dropped += 1;
                continue;
            }
            place.map(|place| kept.remove(place));
            kept.push(value.seen(under).under(key, self.value_chars));
        }
        (kept, dropped)
    }

    fn event(self, under: Under, name: &str, pairs: &[(String, Held)]) -> Event {
        let (attributes, dropped_attributes_count) = self.leave(under, pairs, self.event_attributes);
        Event { time_unix_nano: NOW, name: name.to_owned(), attributes, dropped_attributes_count }
    }

    fn link(self, under: Under, to: &SpanContext, pairs: &[(String, Held)]) -> Link {
        let (attributes, dropped_attributes_count) = self.leave(under, pairs, self.link_attributes);
        let remote = if to.is_remote() { 0x200 } else { 0 };
        Link {
            trace_id: to.trace_id().to_bytes().to_vec(),
            span_id: to.span_id().to_bytes().to_vec(),
            trace_state: to.tracestate().as_str().to_owned(),
            attributes,
            dropped_attributes_count,
            flags: u32::from(to.flags().byte()) | 0x100 | remote,
        }
    }
}

fn within<T>(all: &[T], max: usize) -> (&[T], u32) {
    let (kept, dropped) = all.split_at(max.min(all.len()));
    (kept, u32::try_from(dropped.len()).unwrap())
}

/// A [`Value`] that owns what it holds.
#[derive(Clone)]
enum Held {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Str(String),
    Bytes(Vec<u8>),
    Bools(Vec<bool>),
    I64s(Vec<i64>),
    F64s(Vec<f64>),
    Strs(Vec<&'static str>),
}

fn lent(pairs: &[(String, Held)]) -> Vec<(&str, Value<'_>)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.lent())).collect()
}

impl Held {
    fn lent(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::I64(value) => Value::I64(*value),
            Self::U64(value) => Value::U64(*value),
            Self::F64(value) => Value::F64(*value),
            Self::Str(text) => Value::Str(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Bools(values) => Value::Bools(values),
            Self::I64s(values) => Value::I64s(values),
            Self::F64s(values) => Value::F64s(values),
            Self::Strs(texts) => Value::Strs(texts),
        }
    }

    /// The value as this layer gets to see it.
    fn seen(&self, under: Under) -> Cow<'_, Self> {
        match self {
            Self::Bytes(bytes) if under.is_exempt(Exemption::BytesAreText) => {
                Cow::Owned(Self::Str(format!("{bytes:?}")))
            }
            Self::U64(number) if under.is_exempt(Exemption::LargeNumbersAreText) && *number > I64_MAX => {
                Cow::Owned(Self::Str(number.to_string()))
            }
            other => Cow::Borrowed(other),
        }
    }

    fn under(&self, key: &str, chars: Option<usize>) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(self.otlp(chars)), ..KeyValue::default() }
    }

    fn otlp(&self, chars: Option<usize>) -> AnyValue {
        let max = chars.unwrap_or(usize::MAX);
        let text = |text: &str| Any::StringValue(text.chars().take(max).collect());
        AnyValue {
            value: Some(match self {
                Self::Bool(value) => Any::BoolValue(*value),
                Self::I64(value) => Any::IntValue(*value),
                Self::U64(value) => {
                    i64::try_from(*value).map_or_else(|_| Any::StringValue(value.to_string()), Any::IntValue)
                }
                Self::F64(value) => Any::DoubleValue(*value),
                Self::Str(value) => text(value),
                Self::Bytes(bytes) => Any::BytesValue(bytes.iter().copied().take(max).collect()),
                Self::Bools(values) => array(values, |value| Any::BoolValue(*value)),
                Self::I64s(values) => array(values, |value| Any::IntValue(*value)),
                Self::F64s(values) => array(values, |value| Any::DoubleValue(*value)),
                Self::Strs(texts) => array(texts, |value| text(value)),
            }),
        }
    }
}

fn array<T>(values: &[T], otlp: impl Fn(&T) -> Any) -> Any {
    Any::ArrayValue(ArrayValue {
        values: values.iter().map(|value| AnyValue { value: Some(otlp(value)) }).collect(),
    })
}

/// Numbers that look random and are the same in each run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.get(self.below(from.len())).unwrap()
    }

    /// Any number, but those around a power of two, where a varint grows, more often than others.
    fn number(&mut self) -> u64 {
        let power = 1_u64 << self.below(64);
        if self.coin() { power.wrapping_add(self.next() % 3).wrapping_sub(1) } else { self.next() }
    }

    /// Mostly short; sometimes around where a length takes one byte more.
    fn len(&mut self) -> usize {
        match self.below(60) {
            0 => 16_370 + self.below(30),
            1..6 => 100 + self.below(40),
            _ => self.below(12),
        }
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 10] = ['a', 'Z', '0', '"', '\n', '\0', 'ß', '€', '🦀', '\u{fffd}'];
        (0..self.len()).map(|_| self.pick(&LETTERS)).collect()
    }

    fn many<T>(&mut self, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(5)).map(|_| one(self)).collect()
    }

    /// Few keys, so that many are set twice.
    fn key(&mut self) -> String {
        match self.below(12) {
            0 => "k".repeat(self.len()),
            1 => self.text(),
            _ => format!("key.{}", self.below(6)),
        }
    }

    fn value(&mut self) -> Held {
        const TEXTS: [&str; 4] = ["", "a", "ß€🦀", "a text that is longer than a few letters"];
        match self.below(12) {
            0 => Held::Bool(self.coin()),
            1 => Held::I64(self.number().cast_signed()),
            2 => Held::U64(self.number()),
            3 => Held::F64(f64::from_bits(self.number())),
            4 => Held::Bytes((0..self.len()).map(|_| self.next().to_le_bytes()[0]).collect()),
            5 => Held::Bools(self.many(Self::coin)),
            6 => Held::I64s(self.many(|dice| dice.number().cast_signed())),
            7 => Held::F64s(self.many(|dice| f64::from_bits(dice.number()))),
            8 => Held::Strs(self.many(|dice| dice.pick(&TEXTS))),
            _ => Held::Str(self.text()),
        }
    }

    fn pairs(&mut self) -> Vec<(String, Held)> {
        self.many(|dice| (dice.key(), dice.value()))
    }

    fn context(&mut self) -> SpanContext {
        let trace = TraceId::from_bytes(((u128::from(self.next()) << 64) | 1).to_be_bytes()).unwrap();
        let span = SpanId::from_bytes((self.next() | 1).to_be_bytes()).unwrap();
        let state =
            if self.coin() { format!("v={}", "x".repeat(1 + self.below(200))) } else { String::new() };
        let flags = TraceFlags::NONE.with_sampled(self.coin()).with_random(self.coin());
        SpanContext::new(trace, span, flags)
            .with_tracestate(Tracestate::parse(state.as_bytes()).unwrap_or_default())
            .remote(self.coin())
    }

    fn limits(&mut self) -> Limits {
        let mut few = || if self.below(3) == 0 { self.below(6) } else { 128 };
        let [attributes, events, links, event_attributes, link_attributes] = [(); 5].map(|()| few());
        let value_chars = (self.below(3) == 0).then(|| self.below(140));
        Limits { attributes, events, links, event_attributes, link_attributes, value_chars }
    }
}
