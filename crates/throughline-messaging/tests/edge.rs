//! Whom an endpoint believes: headers in, exported spans and their links out.

use throughline_core::{Carrier, EdgePolicy};
use throughline_messaging::{Endpoint, Incoming, Message, Processing};
use throughline_testing::Capture;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

type Headers = Vec<(String, String)>;

/// The headers of a stranger, told apart by the last digit of its span id.
fn stranger(digit: u8) -> Headers {
    let fields = [
        ("traceparent", format!("00-{TRACE}-b7ad6b716920333{digit}-01")),
        ("baggage", "tenant=blue".into()),
        ("x-correlation-id", "order-1".into()),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The last digits of the spans that a span links to.
fn links(capture: &Capture, name: &str) -> String {
    let span = capture.span(name);
    assert_ne!(span.trace_id.to_string(), TRACE);
    span.links.iter().filter_map(|link| link.span_id.to_string().pop()).collect()
}

fn end(processing: Processing) {
    processing.in_scope(|| ());
}

#[test]
fn a_public_broker_links_whatever_is_done_with_its_messages() {
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let broker = Endpoint::new("stan").public();
    let (one, two) = (stranger(1), stranger(2));
    let message = Message::to("orders");
    let both = || [(message, &one as &dyn Carrier), (message, &two as &dyn Carrier)];

    end(broker.process("process", &message, &one));
    end(broker.process_batch("batch", both()));
    let receiving = broker.receive("poll", "orders");
    broker.received(&receiving, both());
    receiving.finish(&());
    end(broker.settle("ack", &message, &two));

    assert_eq!(
        capture.tree(),
        "shop: process orders (consumer) #1 links elsewhere\n\
         shop: batch orders (consumer) #2 links elsewhere elsewhere\n\
         shop: poll orders (client) #3 links elsewhere elsewhere\n\
         shop: ack orders (client) #4 links elsewhere"
    );
    for (name, linked) in [("process", "1"), ("batch", "12"), ("poll", "12"), ("ack", "2")] {
        assert_eq!(links(&capture, &format!("{name} orders")), linked);
    }
    assert_eq!(capture.propagation().baggage_members_refused, 6);
    assert_eq!(capture.propagation().traces_restarted, 6);
}

#[test]
fn a_function_of_the_message_chooses() {
    let by_topic = |message: &Incoming<'_>| match message.destination() {
        "partners" => EdgePolicy::edge(),
        "public" => EdgePolicy::ignore(),
        _ => EdgePolicy::trust(),
    };
    let by_header = |message: &Incoming<'_>| match message.header("x-from-bridge") {
        Some(b"yes") => EdgePolicy::edge(),
        _ => EdgePolicy::trust(),
    };
    let mut bridged = stranger(1);
    bridged.push(("X-From-Bridge".into(), "yes".into()));
    for (broker, topic, headers, continues, linked, baggage) in [
        (Endpoint::new("stan").edge(by_topic), "orders", stranger(1), true, 0, "tenant=blue"),
        (Endpoint::new("stan").edge(by_topic), "partners", stranger(1), false, 1, ""),
        (Endpoint::new("stan").edge(by_topic), "public", stranger(1), false, 0, ""),
        (Endpoint::new("stan").edge(by_header), "orders", bridged, false, 1, ""),
        (Endpoint::new("stan").edge(by_header), "orders", stranger(1), true, 0, "tenant=blue"),
    ] {
        let capture = Capture::new("shop");
        let _installed = capture.install();
        let processing = broker.process("process", &Message::to(topic), &headers);
        assert_eq!(processing.context().baggage().to_header(), baggage, "{topic}");
        end(processing);
        let span = capture.span(&format!("process {topic}"));
        assert_eq!((span.trace_id.to_string() == TRACE, span.links.len()), (continues, linked), "{topic}");
    }
}

#[test]
fn an_edge_is_for_what_comes_in_not_for_what_is_sent_on() {
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let mut headers = stranger(1);
    let sending = Endpoint::new("stan").public().send("publish", &Message::to("orders"), &mut headers);
    sending.in_scope(|| ());
    assert_eq!(headers, stranger(1));
    assert_eq!(links(&capture, "publish orders"), "1");
}
