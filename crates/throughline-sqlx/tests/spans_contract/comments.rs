//! The trace in a comment of the statement.

use sqlx::{Connection as _, Decode, Encode, IntoArguments, Row, Type, database::HasStatementCache};
use throughline_core::{AlwaysOff, ParentBased};
use throughline_sqlx::{Pool, System};
use throughline_testing::{Capture, collector::Span};

use super::{Place, ended};

pub(crate) async fn keeps<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> String: Decode<'q, DB> + Type<DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    values_arrive_with_a_comment(place).await;
    let Some(own_text) = place.expected.own_text else { return };
    the_database_sees_the_span_of_the_statement(place, own_text).await;
}

async fn values_arrive_with_a_comment<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    let capture = Capture::new("orders");
    let pool = Pool::with(place.pool.clone(), place.settings().comments());
    for end in ["", ";", " ; \n"] {
        let mut sql =
            place.sql("SELECT CAST(COUNT(*) AS BIGINT) FROM trees WHERE id = $1").as_str().to_owned();
        if place.expected.system == "mysql" || place.expected.system == "mariadb" {
            sql = sql.replace("BIGINT", "SIGNED");
        }
        let sql = sqlx::AssertSqlSafe(sql + end);
        let row = capture.run_async(sqlx::query::<DB>(sql).bind(2_i64).fetch_one(&pool)).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 1);
    }
    ended(&capture, 3).await;
    let text = capture.spans()[0].attribute("db.query.text").map(ToString::to_string);
    assert!(!text.unwrap().contains("traceparent"), "the span's own text has no comment");
}

async fn the_database_sees_the_span_of_the_statement<DB>(place: &Place<DB>, own_text: &'static str)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
    for<'q> String: Decode<'q, DB> + Type<DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    let pool = Pool::with(place.pool.clone(), place.settings().comments());
    let seen = async |capture: &Capture, sql: &'static str| {
        let row = capture.run_async(sqlx::query::<DB>(sql).fetch_one(&pool)).await.unwrap();
        row.get::<String, _>(0)
    };
    let capture = Capture::new("orders");
    let text = seen(&capture, own_text).await;
    ended(&capture, 1).await;
    assert_eq!(text, format!("{own_text} /*traceparent='{}'*/", traceparent(&capture.spans()[0])));

    // What nobody can find isn't worth its price.
    let unsampled = Capture::builder("orders").sampler(ParentBased::new(AlwaysOff)).build();
    assert_eq!(seen(&unsampled, own_text).await, own_text);
}

/// Texts that are never the same twice don't push others out of the connection's cache.
pub(crate) async fn are_not_cached<DB>(place: &Place<DB>)
where
    DB: System + HasStatementCache,
    DB::Arguments: IntoArguments<DB>,
{
    for (settings, kept) in [(place.settings().comments(), 0), (place.settings(), 1)] {
        let capture = Capture::new("orders");
        let pool = Pool::with(place.pool.clone(), settings);
        let mut connection = pool.acquire().await.unwrap();
        connection.inner_mut().clear_cached_statements().await.unwrap();
        for _ in 0..3 {
            let query = sqlx::query::<DB>("SELECT item FROM trees");
            capture.run_async(query.execute(&mut *connection)).await.unwrap();
        }
        assert_eq!(connection.inner_mut().cached_statements_size(), kept);
    }
}

fn traceparent(span: &Span) -> String {
    // Sampled, and random, as a trace of our own is.
    format!("00-{}-{}-03", span.trace_id, span.span_id)
}
