//! Error bodies that name their trace.

use std::fmt;

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};
use throughline_core::{Context, CorrelationId, DIAGNOSTICS_TARGET, SpanContext};

/// An error body by RFC 9457, `application/problem+json`, with the ids that support needs to find the request.
///
/// ```
/// use http::StatusCode;
/// use throughline_http::Problem;
///
/// let response: http::Response<String> = Problem::new(StatusCode::CONFLICT)
///     .problem_type("https://shop.test/problems/sold-out")
///     .title("Sold out")
///     .detail("There is no umbrella left.")
///     .member("item", "umbrella")
///     .into();
/// assert_eq!(response.headers()["content-type"], "application/problem+json");
/// ```
///
/// With the feature `axum` a handler can return it. `trace_id` and `correlation_id` are those that are current when it
/// is turned into a response, and are left out where there is none: do that within the request, not in a layer around
/// [`server()`](crate::server()). What it says goes to the caller: nothing in it may be secret.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a problem does nothing until it is returned"]
pub struct Problem {
    status: StatusCode,
    members: Map<String, Value>,
}

const TYPE: &str = "type";
const STATUS: &str = "status";
const TITLE: &str = "title";
const DETAIL: &str = "detail";
const INSTANCE: &str = "instance";
const TRACE_ID: &str = "trace_id";
const CORRELATION_ID: &str = "correlation_id";

/// Members that an extension cannot replace.
const RESERVED: [&str; 7] = [TYPE, STATUS, TITLE, DETAIL, INSTANCE, TRACE_ID, CORRELATION_ID];

impl Problem {
    /// A problem that is no more than its status: of type `about:blank`, titled with the status' own phrase.
    pub fn new(status: StatusCode) -> Self {
        let mut members = Map::new();
        members.insert(STATUS.to_owned(), status.as_u16().into());
        if let Some(phrase) = status.canonical_reason() {
            members.insert(TITLE.to_owned(), phrase.into());
        }
        Self { status, members }
    }

    /// The URI that names this kind of problem, and ideally explains it.
    pub fn problem_type(self, uri: &str) -> Self {
        self.set(TYPE, uri.into())
    }

    /// What kind of problem it is, for people: the same text for every problem of this type.
    pub fn title(self, title: &str) -> Self {
        self.set(TITLE, title.into())
    }

    /// What happened this time, for people, and how to get around it.
    pub fn detail(self, detail: &str) -> Self {
        self.set(DETAIL, detail.into())
    }

    /// The URI that names this one occurrence.
    pub fn instance(self, uri: &str) -> Self {
        self.set(INSTANCE, uri.into())
    }

    /// A further member, for programs. A name that RFC 9457 or this type has a use for is left out, with a warning.
    pub fn member(self, name: &str, value: impl Into<Value>) -> Self {
        if RESERVED.contains(&name) {
            tracing::warn!(target: DIAGNOSTICS_TARGET, name, "left out a member of a problem, whose name is taken");
            return self;
        }
        self.set(name, value.into())
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// The body, with the ids of the current context.
    fn body(mut self) -> String {
        let context = Context::current();
        let trace_id = context.span().map(SpanContext::trace_id).map(|id| id.to_string());
        let correlation_id = context.correlation_id().map(CorrelationId::as_str).map(str::to_owned);
        for (name, id) in [(TRACE_ID, trace_id), (CORRELATION_ID, correlation_id)] {
            if let Some(id) = id {
                self.members.insert(name.to_owned(), id.into());
            }
        }
        Value::Object(self.members).to_string()
    }
}

impl<B: From<String>> From<Problem> for Response<B> {
    fn from(problem: Problem) -> Self {
        let status = problem.status;
        let mut response = Self::new(problem.body().into());
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}

const MEDIA_TYPE: &str = "application/problem+json";

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        self.into()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name| self.members.get(name).and_then(Value::as_str);
        write!(f, "{}: {}", self.status.as_u16(), text(DETAIL).or_else(|| text(TITLE)).unwrap_or("a problem"))
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(problem: Problem) -> String {
        Response::<String>::from(problem).into_body()
    }

    #[test]
    fn a_status_alone_is_a_problem() {
        assert_eq!(body(Problem::new(StatusCode::NOT_FOUND)), r#"{"status":404,"title":"Not Found"}"#);
        let unnamed = StatusCode::from_u16(499).unwrap();
        assert_eq!(body(Problem::new(unnamed)), r#"{"status":499}"#);
    }

    #[test]
    fn members_of_the_standard_cannot_be_replaced_by_others() {
        let problem = Problem::new(StatusCode::BAD_REQUEST)
            .problem_type("https://shop.test/bad")
            .title("\"Bad\"")
            .detail("line\nbreak")
            .instance("/orders/17")
            .member("fields", vec!["a", "b"])
            .member("status", 200)
            .member("trace_id", "made up");
        assert_eq!(problem.to_string(), "400: line\nbreak");
        assert_eq!(
            body(problem),
            "{\"detail\":\"line\\nbreak\",\"fields\":[\"a\",\"b\"],\"instance\":\"/orders/17\",\"status\":400,\
             \"title\":\"\\\"Bad\\\"\",\"type\":\"https://shop.test/bad\"}"
        );
    }

    #[test]
    fn the_ids_are_those_of_the_request() {
        let id = CorrelationId::generate();
        let context = Context::default().with_correlation_id(id.clone());
        let _current = context.enter();
        assert_eq!(
            body(Problem::new(StatusCode::CONFLICT)),
            format!(r#"{{"correlation_id":"{id}","status":409,"title":"Conflict"}}"#)
        );
    }
}
