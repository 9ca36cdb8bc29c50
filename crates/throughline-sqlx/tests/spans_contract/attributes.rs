//! What the conventions require of a span and of a measurement.

use sqlx::{AssertSqlSafe, Encode, Executor, IntoArguments, SqlSafeStr, Statement, Type};
use throughline_core::Metric;
use throughline_sqlx::{Pool, QueryText, System};
use throughline_testing::{Capture, collector::Span};

use super::{Expected, Place, ended};

pub(crate) async fn keeps<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
{
    place.table("attributes").await;
    a_parameterized_text_is_shown_as_it_is(place).await;
    any_other_text_is_shown_without_its_values(place).await;
    the_text_can_be_left_out(place).await;
    names_of_the_caller_are_recorded(place).await;
}

async fn a_parameterized_text_is_shown_as_it_is<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
{
    let capture = Capture::new("orders");
    let pool = place.pool();
    let sql = place.sql("SELECT item FROM attributes WHERE id = $1 AND item <> $2 AND id <> 7");
    let query = sqlx::query::<DB>(sql.clone()).bind(4711_i64).bind("hunter2");
    capture.run_async(query.fetch_optional(&pool)).await.unwrap();
    ended(&capture, 1).await;
    let span = capture.span("SELECT attributes");
    is_of_the_place(&span, &place.expected);
    assert_eq!(text(&span, "db.query.text"), Some(sql.as_str().to_owned()));
    for absent in ["error.type", "db.response.status_code", "db.operation.name", "db.collection.name"] {
        assert_eq!(text(&span, absent), None);
    }
    assert!(span.attribute("db.response.returned_rows").is_none());
    is_measured_alike(&capture, &span);
}

async fn any_other_text_is_shown_without_its_values<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let sql = "SELECT item FROM attributes WHERE item = 'hunter2' -- hunter2";
    for way in ["query", "raw", "prepared"] {
        let capture = Capture::new("orders");
        let pool = place.pool();
        let work = async {
            if way == "raw" {
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
            } else if way == "prepared" {
                let prepared = pool.prepare(sql.into_sql_str()).await.unwrap();
                prepared.query().execute(&pool).await.unwrap();
            } else {
                sqlx::query::<DB>(sql).execute(&pool).await.unwrap();
            }
        };
        capture.run_async(work).await;
        ended(&capture, 1).await;
        let span = capture.span("SELECT attributes");
        let shown = "SELECT item FROM attributes WHERE item = ? ";
        assert_eq!(text(&span, "db.query.text").as_deref(), Some(shown));
        throughline_testing::no_secrets(&capture, ["hunter2"]);
    }
}

async fn the_text_can_be_left_out<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
{
    for (setting, shown) in [
        (QueryText::Off, None),
        (QueryText::Sanitized, Some(place.sql("SELECT item FROM attributes WHERE id = $1 OR id = ?"))),
    ] {
        let capture = Capture::new("orders");
        let pool = Pool::with(place.pool.clone(), place.settings().query_text(setting));
        let sql = place.sql("SELECT item FROM attributes WHERE id = $1 OR id = 7");
        capture.run_async(sqlx::query::<DB>(sql).bind(4711_i64).execute(&pool)).await.unwrap();
        ended(&capture, 1).await;
        let span = capture.span("SELECT attributes");
        assert_eq!(text(&span, "db.query.text").as_deref(), shown.as_ref().map(sqlx::SqlStr::as_str));
    }
}

async fn names_of_the_caller_are_recorded<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let capture = Capture::new("orders");
    let pool = place.pool();
    let select = || sqlx::query::<DB>("SELECT item FROM attributes");
    capture.run_async(select().fetch_all(pool.operation("SELECT", "attributes"))).await.unwrap();
    ended(&capture, 1).await;
    let span = capture.span("SELECT attributes");
    assert_eq!(text(&span, "db.operation.name").as_deref(), Some("SELECT"));
    assert_eq!(text(&span, "db.collection.name").as_deref(), Some("attributes"));
    is_measured_alike(&capture, &span);

    let capture = Capture::new("orders");
    let mut connection = pool.acquire().await.unwrap();
    capture.run_async(select().fetch_all(connection.operation("SELECT", "attributes"))).await.unwrap();
    ended(&capture, 1).await;
    assert_eq!(text(&capture.span("SELECT attributes"), "db.operation.name").as_deref(), Some("SELECT"));
}

fn is_of_the_place(span: &Span, expected: &Expected) {
    assert_eq!(text(span, "db.system.name").as_deref(), Some(expected.system));
    assert_eq!(text(span, "db.namespace"), expected.namespace);
    assert_eq!(text(span, "server.address"), expected.address);
    assert_eq!(text(span, "server.port"), expected.port.map(|port| port.to_string()));
    assert_eq!(text(span, "db.query.summary").as_deref(), Some(span.name.as_str()));
}

/// Span and metric of one operation have the same attributes, of those that a metric has.
fn is_measured_alike(capture: &Capture, span: &Span) {
    let measured = capture.measurements(Metric::DbClientOperationDuration);
    assert_eq!(measured.len(), 1, "{measured:?}");
    for key in [
        "db.system.name",
        "db.namespace",
        "db.query.summary",
        "db.operation.name",
        "db.collection.name",
        "server.address",
        "server.port",
        "error.type",
        "db.response.status_code",
    ] {
        assert_eq!(measured[0].attribute(key).map(str::to_owned), text(span, key), "{key}");
    }
    assert_eq!(measured[0].attribute("db.query.text"), None);
}

pub(crate) fn text(span: &Span, key: &str) -> Option<String> {
    span.attribute(key).map(ToString::to_string)
}
