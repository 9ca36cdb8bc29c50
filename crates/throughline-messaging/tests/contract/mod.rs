//! What every transport promises. One suite; a transport implements [`Broker`] and runs [`keeps`].

use std::{cell::Cell, collections::BTreeSet, convert::Infallible, future::pending};

use throughline_core::{
    AlwaysOff, Carry, Context, CorrelationId, EdgePolicy, Filters, Metric, ParentBased, Propagator,
    with_remote,
};
use throughline_messaging::{Processing, Relation};
use throughline_testing::{Capture, CaptureBuilder};
use tokio::task::JoinSet;
use tracing::{info, info_span};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// A connection to one transport, to send to one destination and to get what arrives there.
pub(crate) trait Broker {
    /// The value of `messaging.system`.
    const SYSTEM: &'static str;
    /// The transport's word for sending.
    const SEND: &'static str;
    /// Whether strangers can write text headers onto a message.
    const HAS_HEADERS: bool;

    /// A message that arrived.
    type Received;

    /// Sends through the adapter.
    async fn send(&self, body: &str);
    /// Sends past the adapter, as a stranger does: with exactly these headers.
    async fn send_raw(&self, headers: &[(&str, &str)], body: &str);
    /// Sends a message on through the adapter.
    async fn forward(&self, received: Self::Received);
    /// The next message.
    async fn receive(&mut self) -> Self::Received;
    /// The text headers of a message.
    fn headers(received: &Self::Received) -> Vec<(String, String)>;
    /// The content of a message.
    fn body(received: &Self::Received) -> String;
    /// Begins to handle a message.
    fn process(&self, received: Self::Received, relation: Relation, edge: EdgePolicy) -> Processing;
    /// Begins to handle several at once.
    fn process_batch(&self, received: Vec<Self::Received>) -> Processing;
}

/// Runs the suite under both span layers; `connect` is given the name of a destination that nobody else uses.
///
/// On a current-thread runtime, because a capture belongs to its thread.
pub(crate) async fn keeps<B: Broker>(connect: impl AsyncFn(&str) -> B) {
    for (layer, name) in [(SpanLayer::Native, "native"), (SpanLayer::OpenTelemetry, "opentelemetry")] {
        LAYER.set(layer);
        keeps_under_one(async |destination: &str| connect(&format!("{destination}/{name}")).await).await;
    }
}

/// Which of the two span layers the captures of this thread have.
#[derive(Clone, Copy)]
enum SpanLayer {
    Native,
    OpenTelemetry,
}

thread_local! {
    static LAYER: Cell<SpanLayer> = const { Cell::new(SpanLayer::Native) };
}

fn under_layer() -> CaptureBuilder {
    let capture = Capture::builder("shop");
    match LAYER.get() {
        SpanLayer::Native => capture,
        SpanLayer::OpenTelemetry => capture.opentelemetry(),
    }
}

async fn keeps_under_one<B: Broker>(connect: impl AsyncFn(&str) -> B) {
    everything_arrives(connect("contract/everything").await).await;
    a_current_span_is_the_parent_and_the_sender_a_link(connect("contract/current").await).await;
    the_story_is_the_messages_where_it_has_one(connect("contract/story").await).await;
    a_forced_child_also_links_the_current_span(connect("contract/child").await).await;
    a_forced_link_starts_a_new_trace(connect("contract/link").await).await;
    a_batch_links_to_each_sender(connect("contract/batch").await).await;
    a_message_sent_on_keeps_its_context(connect("contract/forward").await).await;
    what_nobody_started_gets_a_correlation_id(connect("contract/root").await).await;
    a_filtered_span_lets_the_context_through(connect("contract/filtered").await).await;
    what_is_not_sampled_stays_so(connect("contract/unsampled").await).await;
    how_a_handler_ends_is_told(connect("contract/end").await).await;
    each_operation_is_measured(connect("contract/metrics").await).await;
    handlers_at_the_same_time_keep_apart(connect("contract/concurrent").await).await;
    if B::HAS_HEADERS {
        the_wire_has_one_lower_case_field_each(connect("contract/wire").await).await;
        nonsense_in_headers_is_no_context(connect("contract/nonsense").await).await;
        a_stranger_may_be_ignored(connect("contract/edge").await).await;
        a_strangers_trace_may_end_in_a_link(connect("contract/restart").await).await;
    }
}

async fn everything_arrives<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    send_in_order_span(&broker).await;
    let received = broker.receive().await;
    assert_eq!(B::body(&received), BODY);
    let inside = context_of(trusting(&broker, received)).await;

    assert_eq!(inside.span().unwrap().trace_id().to_string(), TRACE);
    assert_eq!(inside.span().unwrap().tracestate().as_str(), "vendor=a,ot=th:8");
    assert!(inside.span().unwrap().flags().is_random());
    assert_eq!(inside.baggage().get("tenant"), Some("blue sky"));
    assert_eq!(correlation_id(&inside), CORRELATION);
    assert_eq!(
        tree(&capture),
        format!(
            "shop: order (internal) #1 remote parent\n\
             \x20 shop: {} DEST (producer) #2\n\
             \x20   shop: process DEST (consumer) #3",
            B::SEND
        )
    );
    let line = &capture.lines()[0];
    assert_eq!(line["correlation_id"], CORRELATION);
    assert_eq!(line["trace_id"], TRACE);

    for (operation, kind) in [(B::SEND, "send"), ("process", "process")] {
        let span = span_of(&capture, operation);
        let attribute = |key| span.attribute(key).and_then(|value| value.as_str());
        assert_eq!(attribute("messaging.system"), Some(B::SYSTEM));
        assert_eq!(attribute("messaging.operation.name"), Some(operation));
        assert_eq!(attribute("messaging.operation.type"), Some(kind));
        assert!(attribute("messaging.destination.name").is_some_and(|name| name.starts_with("contract/")));
        assert_eq!(attribute("messaging.message.conversation_id"), Some(CORRELATION));
        assert_eq!(attribute("throughline.messaging.end"), Some("complete"));
        assert_eq!(attribute("error.type"), None);
        assert!(!span.status.is_error());
    }
}

async fn a_current_span_is_the_parent_and_the_sender_a_link<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    send_in_order_span(&broker).await;
    let received = broker.receive().await;
    let inside = context_of(info_span!("worker").in_scope(|| trusting(&broker, received))).await;

    assert_ne!(inside.span().unwrap().trace_id().to_string(), TRACE);
    assert_eq!(correlation_id(&inside), CORRELATION, "the story goes on where the trace does not");
    assert_eq!(inside.baggage().get("tenant"), Some("blue sky"));
    assert_eq!(
        tree(&capture),
        format!(
            "shop: order (internal) #1 remote parent\n\
             \x20 shop: {} DEST (producer) #2\n\
             shop: worker (internal) #3\n\
             \x20 shop: process DEST (consumer) #4 links #2",
            B::SEND
        )
    );
}

async fn the_story_is_the_messages_where_it_has_one<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    let id = CorrelationId::parse(b"worker-1").unwrap();
    let at_work = Context::default().with_correlation_id(id);
    let worker = with_remote(&at_work, || info_span!("worker"));

    send_in_order_span(&broker).await;
    let received = broker.receive().await;
    let inside = context_of(worker.in_scope(|| trusting(&broker, received))).await;
    assert_eq!(correlation_id(&inside), CORRELATION);

    for _ in 0..2 {
        send_in_order_span(&broker).await;
    }
    let received = vec![broker.receive().await, broker.receive().await];
    let inside = context_of(worker.in_scope(|| broker.process_batch(received))).await;
    assert_eq!(correlation_id(&inside), CORRELATION, "a batch of one story");

    if B::HAS_HEADERS {
        broker.send_raw(&[], BODY).await;
        let received = broker.receive().await;
        let inside = context_of(worker.in_scope(|| trusting(&broker, received))).await;
        assert_eq!(correlation_id(&inside), "worker-1");

        broker.send_raw(&[], BODY).await;
        let received = vec![broker.receive().await];
        let inside = context_of(worker.in_scope(|| broker.process_batch(received))).await;
        assert_eq!(correlation_id(&inside), "worker-1");
    }
}

async fn a_forced_child_also_links_the_current_span<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    send_in_order_span(&broker).await;
    let received = broker.receive().await;
    let processing =
        info_span!("worker").in_scope(|| broker.process(received, Relation::Child, EdgePolicy::trust()));
    let inside = context_of(processing).await;

    assert_eq!(inside.span().unwrap().trace_id().to_string(), TRACE);
    let process = span_of(&capture, "process");
    assert_eq!(process.parent_span_id, Some(span_of(&capture, B::SEND).span_id));
    let linked: Vec<_> = process.links.iter().map(|link| link.span_id).collect();
    assert_eq!(linked, [span_of(&capture, B::SEND).span_id, capture.span("worker").span_id]);
}

async fn a_forced_link_starts_a_new_trace<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    send_in_order_span(&broker).await;
    let received = broker.receive().await;
    let inside = context_of(broker.process(received, Relation::Link, EdgePolicy::trust())).await;

    assert_ne!(inside.span().unwrap().trace_id().to_string(), TRACE);
    assert_eq!(correlation_id(&inside), CORRELATION);
    let process = span_of(&capture, "process");
    assert!(process.is_root());
    assert_eq!(process.links.len(), 1);
    assert_eq!(process.links[0].span_id, span_of(&capture, B::SEND).span_id);
}

async fn a_batch_links_to_each_sender<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    let mut received = Vec::new();
    for _ in 0..3 {
        broker.send(BODY).await;
        received.push(broker.receive().await);
    }
    let inside = context_of(broker.process_batch(received)).await;

    let senders: Vec<_> = capture
        .spans()
        .iter()
        .filter(|span| span.name.starts_with(B::SEND))
        .map(|span| span.span_id)
        .collect();
    let process = span_of(&capture, "process");
    assert!(process.is_root());
    assert_eq!(process.links.iter().map(|link| link.span_id).collect::<Vec<_>>(), senders);
    assert_eq!(process.attribute("messaging.batch.message_count").and_then(|count| count.as_i64()), Some(3));
    let stories: BTreeSet<_> = process
        .links
        .iter()
        .map(|link| {
            link.attributes.get("messaging.message.conversation_id").unwrap().as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(stories.len(), 3, "each sender is told by its link");
    assert!(inside.correlation_id().is_some());
}

async fn a_message_sent_on_keeps_its_context<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    send_in_order_span(&broker).await;
    let received = broker.receive().await;
    let before = B::headers(&received);
    let retry = info_span!("retry");
    retry.in_scope(|| broker.forward(received).carry()).await;
    drop(retry);
    let received = broker.receive().await;
    assert_eq!(B::headers(&received), before);
    let inside = context_of(trusting(&broker, received)).await;

    assert_eq!(correlation_id(&inside), CORRELATION);
    assert_eq!(
        tree(&capture),
        format!(
            "shop: order (internal) #1 remote parent\n\
             \x20 shop: {send} DEST (producer) #2\n\
             \x20   shop: process DEST (consumer) #3\n\
             shop: retry (internal) #4\n\
             \x20 shop: {send} DEST (client) #5 links #2",
            send = B::SEND
        )
    );
}

async fn what_nobody_started_gets_a_correlation_id<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    broker.send(BODY).await;
    let received = broker.receive().await;
    let inside = context_of(trusting(&broker, received)).await;
    let sent = span_of(&capture, B::SEND);
    let conversation = sent.attribute("messaging.message.conversation_id").unwrap();
    assert_eq!(conversation.as_str(), Some(correlation_id(&inside).as_str()));

    if B::HAS_HEADERS {
        let mut ids = BTreeSet::new();
        for _ in 0..2 {
            broker.send_raw(&[], BODY).await;
            let received = broker.receive().await;
            assert_eq!(B::headers(&received), []);
            let inside = context_of(trusting(&broker, received)).await;
            ids.insert((correlation_id(&inside), inside.span().unwrap().trace_id()));
        }
        assert_eq!(ids.len(), 2, "each is a story of its own");
    }
}

async fn a_filtered_span_lets_the_context_through<B: Broker>(mut broker: B) {
    let spans_off = Targets::new().with_default(LevelFilter::OFF);
    let logs = Targets::new().with_default(LevelFilter::INFO);
    let capture = under_layer().filters(Filters::new(logs, spans_off)).build();
    let _installed = capture.install();
    send_in_order_span(&broker).await;
    let received = broker.receive().await;
    let inside = context_of(trusting(&broker, received)).await;

    assert!(capture.spans().is_empty());
    assert_eq!(inside.span().unwrap().trace_id().to_string(), TRACE);
    assert_eq!(
        inside.span().unwrap().span_id().to_string(),
        CALLER,
        "the caller's own span is the parent beyond us"
    );
    assert_eq!(inside.span().unwrap().tracestate().as_str(), "vendor=a,ot=th:8");
    assert_eq!(correlation_id(&inside), CORRELATION);
    assert_eq!(capture.lines()[0]["correlation_id"], CORRELATION);
}

async fn what_is_not_sampled_stays_so<B: Broker>(mut broker: B) {
    let capture = under_layer().sampler(ParentBased::new(AlwaysOff)).build();
    let _installed = capture.install();
    broker.send(BODY).await;
    let received = broker.receive().await;
    let inside = context_of(trusting(&broker, received)).await;

    assert!(!inside.span().unwrap().is_sampled());
    assert!(inside.correlation_id().is_some());
    assert!(capture.spans().is_empty());
    assert_eq!(capture.lines()[0]["trace_id"], inside.span().unwrap().trace_id().to_string());
}

async fn how_a_handler_ends_is_told<B: Broker>(mut broker: B) {
    let mut messages = Vec::new();
    for _ in 0..3 {
        broker.send(BODY).await;
        messages.push(broker.receive().await);
    }
    let ends = |capture: &Capture| {
        let span = span_of(capture, "process");
        let text = |key| span.attribute(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        (text("throughline.messaging.end"), text("error.type"), span.status.is_error())
    };
    let expected = |end: &str, error_type: &str| (end.to_owned(), error_type.to_owned(), true);

    let capture = under_layer().build();
    let installed = capture.install();
    let failed = trusting(&broker, messages.pop().unwrap());
    failed.run(async { Err::<(), _>(std::fmt::Error) }).await.unwrap_err();
    assert_eq!(ends(&capture), expected("error", "core::fmt::Error"));
    drop(installed);

    let capture = under_layer().build();
    let installed = capture.install();
    let cancelled = trusting(&broker, messages.pop().unwrap());
    tokio::select! {
        biased;
        () = cancelled.run(pending::<()>()) => unreachable!(),
        () = async {} => {}
    }
    assert_eq!(ends(&capture), expected("cancelled", "cancelled"));
    drop(installed);

    let capture = under_layer().build();
    let _installed = capture.install();
    let panicking = trusting(&broker, messages.pop().unwrap());
    tokio::spawn(panicking.run(async { panic!("on purpose") as () })).await.unwrap_err();
    assert_eq!(ends(&capture), expected("panic", "panic"));
    let durations = capture.measurements(Metric::MessagingProcessDuration);
    assert_eq!(durations[0].attribute("error.type"), Some("panic"));
}

async fn each_operation_is_measured<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    broker.send(BODY).await;
    let received = broker.receive().await;
    context_of(trusting(&broker, received)).await;

    let sides = [
        (Metric::MessagingSent, B::SEND),
        (Metric::MessagingOperationDuration, B::SEND),
        (Metric::MessagingConsumed, "process"),
        (Metric::MessagingProcessDuration, "process"),
    ];
    for (metric, operation) in sides {
        let measurements = capture.measurements(metric);
        assert_eq!(measurements.len(), 1, "{metric:?}");
        assert_eq!(measurements[0].attribute("messaging.system"), Some(B::SYSTEM), "{metric:?}");
        assert_eq!(measurements[0].attribute("messaging.operation.name"), Some(operation), "{metric:?}");
        assert_eq!(measurements[0].attribute("error.type"), None, "{metric:?}");
    }
    assert_eq!(capture.total(Metric::MessagingSent), 1.0);
    assert_eq!(capture.total(Metric::MessagingConsumed), 1.0);
}

async fn handlers_at_the_same_time_keep_apart<B: Broker>(mut broker: B) {
    const ORDERS: usize = 20;
    let capture = under_layer().build();
    let _installed = capture.install();
    for number in 0..ORDERS {
        let context = Context::default()
            .with_correlation_id(CorrelationId::parse(format!("order-{number}").as_bytes()).unwrap());
        with_remote(&context, || broker.send("").carry()).await;
    }
    let mut handlers = JoinSet::new();
    for _ in 0..ORDERS {
        let received = broker.receive().await;
        let processing = trusting(&broker, received);
        let expected = processing.context().clone();
        handlers.spawn(processing.run(async move {
            for _ in 0..5 {
                tokio::task::yield_now().await;
                let now = Context::current();
                assert_eq!(now.span(), expected.span());
                assert_eq!(now.correlation_id(), expected.correlation_id());
            }
            Ok::<_, Infallible>(correlation_id(&expected))
        }));
    }
    let seen: BTreeSet<_> = handlers.join_all().await.into_iter().map(Result::unwrap).collect();
    assert_eq!(seen.len(), ORDERS);
    assert!(seen.contains("order-7"));
    let traces: BTreeSet<_> = capture.spans().iter().map(|span| span.trace_id.to_string()).collect();
    assert_eq!(traces.len(), ORDERS, "one trace an order");
}

async fn the_wire_has_one_lower_case_field_each<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    send_in_order_span(&broker).await;
    let headers = B::headers(&broker.receive().await);

    let sender = span_of(&capture, B::SEND).span_id;
    let expected = [
        ("traceparent".to_owned(), format!("00-{TRACE}-{sender}-03")),
        ("tracestate".to_owned(), "vendor=a,ot=th:8".to_owned()),
        ("baggage".to_owned(), "tenant=blue%20sky".to_owned()),
        ("x-correlation-id".to_owned(), CORRELATION.to_owned()),
    ];
    assert_eq!(headers, expected);
}

async fn nonsense_in_headers_is_no_context<B: Broker>(mut broker: B) {
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let huge = "x".repeat(8_000);
    let cases: [&[(&str, &str)]; 7] = [
        &[("traceparent", "")],
        &[("traceparent", "00-0-0-0")],
        &[("traceparent", &huge)],
        &[("traceparent", &parent), ("traceparent", &parent)],
        &[("traceparent", &parent), ("TRACEPARENT", &parent)],
        &[("traceparent", &parent.to_uppercase())],
        &[("traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01"), ("tracestate", &huge)],
    ];
    for headers in cases {
        let capture = under_layer().build();
        let _installed = capture.install();
        let mut headers = headers.to_vec();
        headers.extend([("x-correlation-id", "not allowed"), ("baggage", "=,;"), ("", "nameless")]);
        broker.send_raw(&headers, BODY).await;
        let received = broker.receive().await;
        assert_eq!(B::body(&received), BODY);
        let inside = context_of(trusting(&broker, received)).await;
        assert!(span_of(&capture, "process").is_root(), "{headers:?}");
        assert_ne!(correlation_id(&inside), "not allowed");
        assert!(inside.baggage().is_empty());
        assert_eq!(capture.propagation().traceparent_invalid, 1, "{headers:?}");
        assert_eq!(capture.propagation().correlation_replaced, 1);
    }

    // Nonsense in one field leaves the others, and names are read in any case.
    let capture = under_layer().build();
    let _installed = capture.install();
    let headers =
        [("Traceparent", parent.as_str()), ("tracestate", "a=1,a b"), ("X-CORRELATION-ID", CORRELATION)];
    broker.send_raw(&headers, BODY).await;
    let received = broker.receive().await;
    let inside = context_of(trusting(&broker, received)).await;
    assert_eq!(inside.span().unwrap().trace_id().to_string(), TRACE);
    assert!(inside.span().unwrap().tracestate().is_empty());
    assert_eq!(correlation_id(&inside), CORRELATION);
    assert_eq!(capture.propagation().tracestate_invalid, 1);
}

async fn a_stranger_may_be_ignored<B: Broker>(mut broker: B) {
    let capture = under_layer().build();
    let _installed = capture.install();
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str()), ("baggage", "a=1"), ("x-correlation-id", CORRELATION)];
    broker.send_raw(&headers, BODY).await;
    let received = broker.receive().await;
    let inside = context_of(broker.process(received, Relation::Auto, EdgePolicy::ignore())).await;

    let process = span_of(&capture, "process");
    assert!(process.is_root() && process.links.is_empty());
    assert!(inside.baggage().is_empty());
    assert_ne!(correlation_id(&inside), CORRELATION);
}

async fn a_strangers_trace_may_end_in_a_link<B: Broker>(mut broker: B) {
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str()), ("baggage", "a=1"), ("x-correlation-id", CORRELATION)];
    for (relation, worker) in [
        (Relation::Auto, None),
        (Relation::Child, None),
        (Relation::Link, None),
        (Relation::Auto, Some("worker")),
        (Relation::Child, Some("worker")),
    ] {
        let capture = under_layer().build();
        let _installed = capture.install();
        broker.send_raw(&headers, BODY).await;
        let received = broker.receive().await;
        let worker = worker.map_or_else(tracing::Span::none, |_| info_span!("worker"));
        let inside =
            context_of(worker.in_scope(|| broker.process(received, relation, EdgePolicy::edge()))).await;

        let process = span_of(&capture, "process");
        assert_ne!(process.trace_id.to_string(), TRACE);
        assert_eq!(process.is_root(), worker.is_none(), "{relation:?}");
        let links: Vec<_> = process.links.iter().map(|link| link.span_id.to_string()).collect();
        assert_eq!(links, [CALLER], "{relation:?}");
        assert!(inside.baggage().is_empty());
        assert_eq!(correlation_id(&inside), CORRELATION, "the story goes on where the trace ends");
        let counters = capture.propagation();
        assert_eq!((counters.traces_restarted, counters.baggage_members_refused), (1, 1));
    }
}

const BODY: &str = "three apples";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const CORRELATION: &str = "order-1";

/// Sends as a service does that was called by another.
async fn send_in_order_span<B: Broker>(broker: &B) {
    let headers = [
        ("traceparent", format!("00-{TRACE}-{CALLER}-03")),
        ("tracestate", "vendor=a,ot=th:8".to_owned()),
        ("baggage", "tenant=blue%20sky".to_owned()),
        ("x-correlation-id", CORRELATION.to_owned()),
    ];
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value)).into();
    let caller = Propagator::default().extract(&headers, &EdgePolicy::trust());
    let sending = with_remote(&caller, || {
        let order = info_span!("order");
        order.in_scope(|| broker.send(BODY).carry())
    });
    sending.await;
}

fn trusting<B: Broker>(broker: &B, received: B::Received) -> Processing {
    broker.process(received, Relation::Auto, EdgePolicy::trust())
}

/// Handles a message by saying what is current; logs a line, too.
async fn context_of(processing: Processing) -> Context {
    let handled = processing.run(async {
        tokio::task::yield_now().await;
        info!("handled");
        Ok::<_, Infallible>(Context::current())
    });
    handled.await.unwrap()
}

fn correlation_id(context: &Context) -> String {
    context.correlation_id().unwrap().as_str().to_owned()
}

fn span_of(capture: &Capture, operation: &str) -> std::sync::Arc<throughline_testing::collector::Span> {
    let spans = capture.spans();
    let mut found = spans.iter().filter(|span| span.name.starts_with(&format!("{operation} ")));
    let span = found.next().unwrap_or_else(|| panic!("no span {operation:?} in\n{}", capture.tree()));
    std::sync::Arc::clone(span)
}

/// The captured tree, with `DEST` for the destination.
fn tree(capture: &Capture) -> String {
    let text = capture.tree();
    text.split(' ')
        .map(|word| if word.starts_with("contract/") { "DEST" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}
