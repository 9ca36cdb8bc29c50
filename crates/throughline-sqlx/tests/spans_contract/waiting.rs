//! A statement that has to wait for a connection.

use std::{task::Poll, time::Instant};

use futures_util::future::{join, poll_fn};
use sqlx::{Error, IntoArguments};
use throughline_core::Metric;
use throughline_sqlx::{Pool, PoolConnection, System};
use throughline_testing::{Capture, collector::AttributeValue};

use super::{Place, attributes::text, ended, place::DEADLINE};

pub(crate) async fn keeps<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    the_wait_is_told(place).await;
    who_waits_in_vain_has_failed(place).await;
}

async fn the_wait_is_told<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let capture = Capture::new("orders");
    let pool = Pool::with(place.narrow.clone(), place.settings().pool_name("narrow"));
    let only = the_one_of(&pool).await;
    let release = async {
        until(|| (capture.total(Metric::DbClientConnectionPendingRequests) - 1.0).abs() < 0.1).await;
        drop(only);
    };
    let work = async { sqlx::query::<DB>("SELECT 1").execute(&pool).await.unwrap() };
    join(capture.run_async(work), release).await;
    ended(&capture, 1).await;
    let span = capture.span("SELECT");
    let waited = span.attribute("throughline.db.wait_time_ms").and_then(AttributeValue::as_f64).unwrap();
    assert!(waited > 0.0 && waited <= span.duration().as_secs_f64() * 1_000.0, "{waited}");
    let measured = capture.measurements(Metric::DbClientConnectionWaitTime);
    assert_eq!(measured.len(), 1);
    assert_eq!(measured[0].attribute("db.client.connection.pool.name"), Some("narrow"));
    assert!((measured[0].value * 1_000.0 - waited).abs() < 1e-6, "{measured:?}");
    assert!(capture.total(Metric::DbClientConnectionPendingRequests).abs() < 0.1);
}

async fn who_waits_in_vain_has_failed<DB>(place: &Place<DB>)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let capture = Capture::new("orders");
    let pool = Pool::with(place.narrow.clone(), place.settings());
    let _only = the_one_of(&pool).await;
    let work = async {
        let error = sqlx::query::<DB>("SELECT 1").execute(&pool).await.err();
        assert!(matches!(error, Some(Error::PoolTimedOut)), "{error:?}");
        assert!(matches!(pool.begin().await, Err(Error::PoolTimedOut)));
        assert!(matches!(pool.acquire().await, Err(Error::PoolTimedOut)));
        assert!(pool.try_acquire().is_none() && pool.try_begin().await.unwrap().is_none());
    };
    capture.run_async(work).await;
    ended(&capture, 2).await;
    for name in ["SELECT", "BEGIN"] {
        let span = capture.span(name);
        assert!(span.status.is_error());
        assert_eq!(text(&span, "error.type").as_deref(), Some("sqlx::Error::PoolTimedOut"));
        assert_eq!(text(&span, "db.response.status_code"), None);
        assert!(text(&span, "throughline.db.wait_time_ms").is_some());
    }
    assert_eq!(capture.spans().len(), 2, "{}", capture.tree());
    assert_eq!(capture.measurements(Metric::DbClientConnectionTimeouts).len(), 3);
    assert!(capture.measurements(Metric::DbClientConnectionWaitTime).is_empty());
    assert!(capture.total(Metric::DbClientConnectionPendingRequests).abs() < 0.1);
}

/// The first time it has to be made, which can take longer than this pool waits.
async fn the_one_of<DB: System>(pool: &Pool<DB>) -> PoolConnection<DB> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match pool.acquire().await {
            Ok(connection) => return connection,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

/// Looks again whenever the other future of a `join` has been polled.
async fn until(mut condition: impl FnMut() -> bool) {
    let mut looks = 0;
    poll_fn(|cx| {
        looks += 1;
        assert!(looks < 10_000, "it never came to that");
        if condition() {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
