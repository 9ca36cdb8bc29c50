//! The log filter over HTTP: shown and set while the service runs.

use axum::{
    extract::DefaultBodyLimit,
    http::StatusCode,
    routing::{MethodRouter, get},
};
use throughline_core::{FILTER_BYTES_MAX, LogFilterHandle};

/// A route that shows the log filter to `GET`, and sets it to the body of `PUT`.
///
/// `GET` answers with the directives in force, as text. `PUT` answers with those that are in force now, or with 400 and
/// what is wrong with the body; the filter then stays as it was. Put it where only operators get: whoever may set the
/// filter may turn logging off.
///
/// ```no_run
/// use axum::Router;
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = throughline::init("orders")?;
/// let admin: Router = Router::new()
///     .route("/log-filter", throughline::log_filter_route(telemetry.log_filter_handle()));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
/// axum::serve(listener, admin).await?;
/// # Ok(())
/// # }
/// ```
pub fn log_filter_route<S: Clone + Send + Sync + 'static>(filter: LogFilterHandle) -> MethodRouter<S> {
    let shown = filter.clone();
    get(move || async move { format!("{shown}\n") })
        .put(move |body: String| async move {
            match filter.set(&body) {
                Ok(()) => (StatusCode::OK, format!("{filter}\n")),
                Err(problem) => (StatusCode::BAD_REQUEST, format!("{problem}\n")),
            }
        })
        .layer(DefaultBodyLimit::max(FILTER_BYTES_MAX))
}
