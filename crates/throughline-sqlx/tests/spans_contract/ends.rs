//! How a statement can end, and what is said of it then.

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use sqlx::{Encode, IntoArguments, Type};
use throughline_core::Metric;
use throughline_sqlx::{Pool, System};
use throughline_testing::{
    Capture,
    collector::{AttributeValue, Status},
};

use super::{Place, attributes::text, ended};

pub(crate) async fn keeps<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
{
    place.table("ends").await;
    a_value_that_is_there_is_an_error_without_the_value(place).await;
    a_text_that_makes_no_sense_is_an_error(place).await;
    no_row_is_an_answer(place).await;
    rows_are_told_when_asked_for(place).await;
    a_dropped_stream_was_cancelled(place).await;
    a_stream_that_nobody_polls_is_no_statement(place).await;
}

async fn a_value_that_is_there_is_an_error_without_the_value<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
{
    let pool = place.pool();
    let insert = || {
        let sql = place.sql("INSERT INTO ends (id, item) VALUES ($1, $2)");
        sqlx::query::<DB>(sql).bind(471_147_114_711_i64).bind("hunter2")
    };
    insert().execute(&pool).await.unwrap();
    let capture = Capture::new("orders");
    capture.run_async(insert().execute(&pool)).await.err().unwrap();
    ended(&capture, 1).await;
    let span = capture.span("INSERT ends");
    for key in ["error.type", "db.response.status_code"] {
        assert_eq!(text(&span, key).as_deref(), Some(place.expected.duplicate));
    }
    assert_eq!(text(&span, "throughline.db.end").as_deref(), Some("error"));
    assert_eq!(text(&span, "throughline.db.affected_rows"), None);
    let Status::Error { message } = &span.status else { panic!("{:?}", span.status) };
    assert!(message.starts_with("unique violation"), "{message}");
    assert!(span.events.is_empty(), "{:?}", span.events);
    let measured = capture.measurements(Metric::DbClientOperationDuration);
    assert_eq!(measured.len(), 1);
    assert_eq!(measured[0].attribute("error.type"), Some(place.expected.duplicate));
    throughline_testing::no_secrets(&capture, ["hunter2", "471147114711"]);
}

async fn a_text_that_makes_no_sense_is_an_error<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let capture = Capture::new("orders");
    let query = sqlx::query::<DB>("SELECT hunter FROM nowhere WHERE item = 'hunter2'");
    capture.run_async(query.fetch_one(&place.pool())).await.err().unwrap();
    ended(&capture, 1).await;
    let span = capture.span("SELECT nowhere");
    assert!(span.status.is_error());
    assert_eq!(text(&span, "error.type"), text(&span, "db.response.status_code"));
    assert!(text(&span, "error.type").is_some_and(|code| !code.is_empty()));
    throughline_testing::no_secrets(&capture, ["hunter2"]);
}

async fn no_row_is_an_answer<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let capture = Capture::new("orders");
    let query = sqlx::query::<DB>("SELECT id FROM ends WHERE id = 0");
    let error = capture.run_async(query.fetch_one(&place.pool())).await.err();
    assert!(matches!(error, Some(sqlx::Error::RowNotFound)), "{error:?}");
    ended(&capture, 1).await;
    let span = capture.span("SELECT ends");
    assert_eq!(span.status, Status::Unset);
    assert_eq!(text(&span, "error.type"), None);
    assert_eq!(text(&span, "throughline.db.end").as_deref(), Some("complete"));
}

async fn rows_are_told_when_asked_for<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
{
    let capture = Capture::new("orders");
    let pool = Pool::with(place.pool.clone(), place.settings().returned_rows());
    let work = async {
        for id in [1_i64, 2, 3] {
            let insert = place.sql("INSERT INTO ends (id, item) VALUES ($1, $2)");
            sqlx::query::<DB>(insert).bind(id).bind("tea").execute(&pool).await.unwrap();
        }
        let few = || sqlx::query::<DB>("SELECT item FROM ends WHERE id < 4");
        few().fetch_all(&pool).await.unwrap();
        few().fetch_optional(&pool).await.unwrap();
    };
    capture.run_async(work).await;
    ended(&capture, 5).await;
    let told: Vec<_> = capture
        .spans()
        .iter()
        .map(|span| span.attribute("db.response.returned_rows").and_then(AttributeValue::as_i64))
        .collect();
    assert_eq!(told, [Some(0), Some(0), Some(0), Some(3), Some(1)]);
    let measured: Vec<_> =
        capture.measurements(Metric::DbClientReturnedRows).iter().map(|one| one.value).collect();
    assert_eq!(measured, [0.0, 0.0, 0.0, 3.0, 1.0]);
}

async fn a_dropped_stream_was_cancelled<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let capture = Capture::new("orders");
    let pool = Pool::with(place.pool.clone(), place.settings().returned_rows());
    let work = async {
        let mut rows = sqlx::query::<DB>("SELECT item FROM ends").fetch(&pool);
        rows.try_next().await.unwrap().unwrap();
        assert!(capture.spans().is_empty());
        drop(rows);
    };
    capture.run_async(work).await;
    ended(&capture, 1).await;
    let span = capture.span("SELECT ends");
    assert_eq!(text(&span, "throughline.db.end").as_deref(), Some("cancelled"));
    assert_eq!(text(&span, "db.response.returned_rows").as_deref(), Some("1"));
    assert_eq!((span.status.clone(), text(&span, "error.type")), (Status::Unset, None));
    assert_eq!(capture.measurements(Metric::DbClientOperationDuration).len(), 1);
}

async fn a_stream_that_nobody_polls_is_no_statement<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let capture = Capture::new("orders");
    let pool = place.pool();
    let rows = sqlx::query::<DB>("SELECT item FROM ends").fetch(&pool);
    capture.run(|| drop(rows));
    let rows = sqlx::query::<DB>("SELECT item FROM ends").fetch_all(&pool);
    capture.run(|| drop(rows));
    assert_eq!(capture.tree(), "");
    // Polled to its end, and once more.
    let mut rows = sqlx::query::<DB>("SELECT item FROM ends WHERE id = 0").fetch(&pool);
    assert!(rows.next().await.is_none());
    assert!(rows.next().now_or_never().is_some_and(|end| end.is_none()));
}
