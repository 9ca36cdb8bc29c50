//! Each scenario: the trace it leaves, the decisions on its spans, and the log lines about them.

use std::collections::BTreeSet;

use throughline_testing::{Edge, Relation, edges};

use crate::{
    program::{printed, shop},
    told::{Told, attribute, attributes, named, said, the_one},
};

const STATUS: &str = "http.response.status_code";

/// The span of the gateway that serves an order, and that of its call to orders, which tells what was decided about it.
const ORDER: (&str, &str) = ("gateway", "POST /orders");
const PLACE: (&str, &str) = ("gateway", "place order");

#[tokio::test]
async fn happy_is_one_trace_through_all_services() {
    let told = Told::by(&["--scenario", "happy"]).await;
    let tree = told.the_one_shown();
    let child = |caller, callee| Edge::new(caller, callee, Relation::Child);
    let expected = BTreeSet::from([
        child("gateway", "orders"),
        child("gateway", "recommendations"),
        child("orders", "users"),
        child("orders", "fulfilment"),
        child("orders", "recent-orders"),
        child("orders", "analytics"),
        child("fulfilment", "notifications"),
    ]);
    assert_eq!(edges(tree.spans()), expected);
    let ids: BTreeSet<_> = tree.spans().iter().map(|span| attribute(span, "correlation.id")).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let waits: Vec<_> =
        told.printed.split(" waited ").skip(1).filter_map(|rest| rest.split("ms").next()).collect();
    assert!(!waits.is_empty() && waits.iter().all(|wait| wait.parse::<u32>().is_ok()), "{waits:?}");
    let place = the_one(&tree, PLACE.0, PLACE.1);
    assert_eq!(attribute(place, "throughline.balance.strategy"), "round_robin");
    assert_eq!(attribute(place, "throughline.balance.healthy"), "3");
    let orders = the_one(&tree, "orders", "POST /orders");
    assert_eq!(attribute(orders, "throughline.shard.total"), "3");
    let (id, correlation) = (tree.spans()[0].trace_id.to_string(), ids.first().unwrap());
    for message in [
        "order placed",
        "order stored",
        "user found",
        "recommended",
        "order packed",
        "read model updated",
        "customer notified",
    ] {
        let lines = told.lines(message);
        assert_eq!(lines.len(), 1, "{message}");
        assert_eq!(
            (&lines[0]["trace_id"], &lines[0]["correlation_id"]),
            (&id.clone().into(), &correlation.clone().into())
        );
    }
}

#[tokio::test]
async fn retry_leaves_a_span_an_attempt_and_a_line_a_wait() {
    let told = Told::by(&["--scenario", "retry"]).await;
    let tree = told.the_one_shown();
    let attempts = named(&tree, "orders", "GET");
    assert_eq!(attributes(&attempts, STATUS), ["503", "503", "200"]);
    assert_eq!(attributes(&attempts, "http.request.resend_count"), ["", "1", "2"]);
    assert_eq!(named(&tree, "users", "GET /users/{id}").len(), 3);
    let orders = the_one(&tree, "orders", "POST /orders");
    assert_eq!(attribute(orders, "throughline.retry.resends"), "2");
    assert_eq!(attribute(orders, STATUS), "201");
    assert_eq!(said(orders), ["sending again", "sending again", "order stored"]);
    assert_eq!(told.lines("sending again").len(), 2);
    assert!(told.printed.contains("status=201"), "{}", told.printed);
}

#[tokio::test]
async fn breaker_opens_rejects_tries_and_closes_each_once() {
    let told = Told::by(&["--scenario", "breaker"]).await;
    let states: Vec<_> = told
        .shown()
        .iter()
        .map(|tree| {
            let span = the_one(tree, "gateway", "recommendations");
            let calls = named(tree, "gateway", "GET").len();
            (attribute(span, "throughline.breaker.state"), attribute(span, "throughline.degraded"), calls)
        })
        .collect();
    let degraded = "recommendations".to_owned();
    let expected = [
        ("closed", degraded.clone(), 1), // the fifth failure
        ("open", degraded, 0),           // rejected: nothing was sent
        ("open", String::new(), 1),      // the first that is let through on trial
        ("half_open", String::new(), 1), // the last on trial
        ("closed", String::new(), 1),
    ];
    assert_eq!(states, expected.map(|(state, degraded, calls)| (state.to_owned(), degraded, calls)));
    assert_eq!(told.lines("breaker opened").len(), 1, "one line a transition");
    let changes: Vec<_> = told.lines("breaker changed").into_iter().map(|line| line["to"].clone()).collect();
    assert_eq!(changes, ["half_open", "closed"]);
    let orders = told.spans().into_iter().filter(|span| (span.service(), span.name.as_str()) == ORDER);
    assert!(orders.into_iter().all(|span| attribute(&span, STATUS) == "201"), "every order was accepted");
}

#[tokio::test]
async fn degraded_is_answered_in_time_and_says_what_is_missing() {
    let told = Told::by(&["--scenario", "degraded"]).await;
    let tree = told.the_one_shown();
    let span = the_one(&tree, "gateway", "recommendations");
    assert_eq!(attribute(span, "throughline.timeout.elapsed"), "true");
    assert_eq!(attribute(span, "throughline.degraded"), "recommendations");
    let call = the_one(&tree, "gateway", "GET");
    assert_eq!(attribute(call, "throughline.http.end"), "cancelled");
    assert!(
        span.duration().as_millis() < 2_000,
        "nobody waited for the three seconds: {:?}",
        span.duration()
    );
    assert_eq!(told.lines("answered by a fallback").len(), 1);
    assert!(told.printed.contains("status=201  x-degraded=recommendations"), "{}", told.printed);
}

#[tokio::test]
async fn instance_down_is_passed_over_until_it_is_back() {
    let told = Told::by(&["--scenario", "instance-down"]).await;
    let shown = told.shown();
    let [met, without, back] = shown.as_slice() else { panic!("three orders: {}", told.printed) };
    let attempts = named(met, "gateway", "POST");
    assert_eq!(attempts.len(), 2, "one that met the dead instance, one that was sent again");
    assert!(attempts[0].status.is_error() && attribute(attempts[1], STATUS) == "201");
    for (tree, instance, healthy) in [(without, "orders-1", "2"), (back, "orders-2", "3")] {
        let place = the_one(tree, PLACE.0, PLACE.1);
        assert_eq!(attribute(place, "throughline.balance.instance"), instance);
        assert_eq!(attribute(place, "throughline.balance.healthy"), healthy);
    }
    assert!(!told.lines("instance left out").is_empty() && !told.lines("instance recovered").is_empty());
}

#[tokio::test]
async fn event_retry_is_nothing_that_the_customer_notices() {
    let told = Told::by(&["--scenario", "event-retry"]).await;
    let shown = told.shown();
    let [late, dead] = shown.as_slice() else { panic!("two orders: {}", told.printed) };
    let relays = named(late, "orders", "relay order.created");
    let failed: Vec<_> = relays.iter().map(|span| span.status.is_error()).collect();
    assert_eq!(failed, [true, true, false]);
    let waits =
        told.printed.lines().filter(|line| line.contains("/users/21/recent-orders:")).collect::<Vec<_>>();
    assert!(
        waits.len() == 2 && waits[0].contains(": 0 orders") && waits[1].contains(": 1 order,"),
        "{waits:?}"
    );

    let attempts = named(dead, "fulfilment", "process order.created");
    assert!(attempts.len() > 1 && attempts.iter().all(|span| span.status.is_error()));
    let letter = the_one(dead, "fulfilment", "publish order.created.dead");
    assert_eq!(
        letter.parent_span_id,
        attempts.last().map(|span| span.span_id),
        "in the trace of the last attempt"
    );
    assert_eq!(
        attributes(&[the_one(late, ORDER.0, ORDER.1), the_one(dead, ORDER.0, ORDER.1)], STATUS),
        ["201", "201"]
    );
}

#[tokio::test]
async fn replay_is_recognised_and_rebuilds_what_was_forgotten() {
    let told = Told::by(&["--scenario", "replay"]).await;
    let tree = told.the_one_shown();
    for consumer in ["fulfilment", "recent-orders", "analytics"] {
        let processed = named(&tree, consumer, "process order.created");
        let results = attributes(&processed, "throughline.inbox.result");
        assert_eq!(results[..2], ["first", "duplicate"], "{consumer}");
    }
    assert_eq!(told.lines("order packed").len(), 1, "nothing is done twice");
    let ids: BTreeSet<_> = tree.spans().iter().map(|span| attribute(span, "correlation.id")).collect();
    assert_eq!(ids.len(), 1, "the replayed events have the order's: {ids:?}");
    let answers = told.printed.lines().filter(|line| line.contains("recent-orders:"));
    let numbers: Vec<_> = answers.filter_map(|line| line.split_whitespace().nth(3)).collect();
    assert_eq!(numbers, ["1", "0", "1"], "{}", told.printed);
}

#[tokio::test]
async fn rebalance_moves_a_quarter_and_answers_the_same() {
    let told = Told::by(&["--scenario", "rebalance"]).await;
    let shown = told.shown();
    let [before, after] = shown.as_slice() else { panic!("two orders: {}", told.printed) };
    let shard = |tree| attribute(the_one(tree, "orders", "POST /orders"), "throughline.shard.id");
    assert_ne!(shard(before), "users-4");
    assert_eq!(shard(after), "users-4", "only the new shard gains users");
    let sentence =
        told.printed.lines().find(|line| line.contains("users moved:")).expect("the measured share");
    let share: f64 = sentence.split_whitespace().nth(5).and_then(|word| word.parse().ok()).expect(sentence);
    assert!((15.0..35.0).contains(&share), "{sentence}");
    let statuses = [before, after].map(|tree| attribute(the_one(tree, "users", "GET /users/{id}"), STATUS));
    assert_eq!(statuses, ["200", "200"]);
}

#[test]
fn a_steady_picture_is_the_same_at_each_run() {
    for scenario in ["happy", "retry", "degraded"] {
        let [first, second] = [(), ()].map(|()| printed(&shop(&["--scenario", scenario, "--steady"])));
        assert_eq!(first, second);
        assert!(!first.contains("trace_id=") && !first.contains("127.0.0.1:"), "{first}");
        let widest = first.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= 120), "{widest:?} columns");
    }
}
