//! More than the shop can do: it says no at once, and what it said no to leaves nothing behind.

use serde_json::{Value, json};

use crate::{
    load::compared,
    program::Open,
    told::{Told, attribute},
};

const REFUSED: &str = " × 503 Service Unavailable, at once";

#[tokio::test]
async fn what_is_beyond_the_limit_is_refused_at_once_and_leaves_nothing_behind() {
    // All at once: no machine keeps up with that.
    let told = Told::by(&["--orders", "500", "--rate", "10000"]).await;
    let line = told.printed.lines().find_map(|line| line.trim().strip_suffix(REFUSED));
    let refused: usize = line.unwrap_or_else(|| panic!("none refused: {}", told.printed)).parse().unwrap();
    // A busy machine may be late with some of those that it has let in; those that were refused are in no database.
    let accepted = compared(&told.printed, "accepted");
    assert!(accepted > 0, "those that are let in are served: {}", told.printed);
    let stored = compared(&told.printed, "database");
    assert!((accepted..=500 - refused as u64).contains(&stored), "{}", told.printed);
    assert!(told.printed.contains("none lost, none doubled"), "{}", told.printed);

    let spans = told.spans();
    let shed: Vec<_> = spans.iter().filter(|span| !attribute(span, "throughline.shed").is_empty()).collect();
    assert_eq!(shed.len(), refused, "{}", told.printed);
    for span in shed {
        assert_eq!(attribute(span, "throughline.shed"), "gateway");
        let tree = told.trace(span.trace_id);
        assert_eq!(tree.spans().len(), 1, "nothing was begun: {:#?}", tree.spans());
    }
    assert!(!told.lines("load shed").is_empty());
}

#[tokio::test]
async fn an_order_whose_time_is_up_is_not_begun() {
    let shop = Open::start(&[]);
    let (http, orders) = (reqwest::Client::new(), shop.service("orders-1").address);
    let order = async |left_ms: u32| {
        let request =
            http.post(format!("http://{orders}/orders")).json(&json!({ "user": 1, "item": "teapot" }));
        let answer = request.header("x-request-timeout-ms", left_ms).send().await.unwrap();
        let state = http.get(format!("http://{orders}/internal/state")).send().await.unwrap();
        let state: Value = state.json().await.unwrap();
        (answer.status().as_u16(), state["orders"].as_u64())
    };
    assert_eq!(order(0).await, (504, Some(0)));
    assert_eq!(order(20_000).await, (201, Some(1)));
}
