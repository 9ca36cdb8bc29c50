//! Which requests are none of our business.

use http::request::Parts;

/// Decides which requests get no span and no metrics: health checks, metrics endpoints, whatever a probe asks for.
///
/// Implemented by [`SkipPaths`], by closures, and by `()`, which skips none. Called once a request, before anything
/// else; it must not block. A skipped request still runs in its caller's context: what its handler sends goes out under
/// the caller's trace and correlation id, and so do its log lines.
pub trait Skip: Send + Sync + 'static {
    /// Whether `request` is to be skipped.
    fn skips(&self, request: &Parts) -> bool;
}

impl<F: Fn(&Parts) -> bool + Send + Sync + 'static> Skip for F {
    fn skips(&self, request: &Parts) -> bool {
        self(request)
    }
}

impl Skip for () {
    fn skips(&self, _: &Parts) -> bool {
        false
    }
}

/// Paths to skip, compared as they were asked for: case-sensitive, not decoded, without the query.
///
/// ```
/// use throughline_http::server::SkipPaths;
///
/// let layer = throughline_http::server().skip(SkipPaths::new().exact("/healthz").prefix("/internal"));
/// # let _ = layer;
/// ```
///
/// A list is gone through once a request: keep it to a handful.
#[derive(Clone, Debug, Default)]
pub struct SkipPaths(Vec<Pattern>);

#[derive(Clone, Debug)]
enum Pattern {
    Exact(String),
    Prefix(String),
}

impl SkipPaths {
    /// Skips nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Skips this path.
    #[must_use]
    pub fn exact(mut self, path: &str) -> Self {
        self.0.push(Pattern::Exact(path.to_owned()));
        self
    }

    /// Skips this path and every path below it: `/internal` and `/internal/ready`, but not `/internals`.
    ///
    /// The root and the empty path stand for every path.
    #[must_use]
    pub fn prefix(mut self, path: &str) -> Self {
        self.0.push(Pattern::Prefix(path.trim_end_matches('/').to_owned()));
        self
    }
}

impl Skip for SkipPaths {
    fn skips(&self, request: &Parts) -> bool {
        let path = request.uri.path();
        self.0.iter().any(|pattern| pattern.matches(path))
    }
}

impl Pattern {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => {
                path.strip_prefix(&**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_path_is_skipped_as_it_was_asked_for() {
        let skip = SkipPaths::new().exact("/healthz").prefix("/internal/");
        for (path, expected) in [
            ("/healthz", true),
            ("/healthz?full=1", true),
            ("/healthz/", false),
            ("/Healthz", false),
            ("/internal", true),
            ("/internal/ready", true),
            ("/internals", false),
            ("/", false),
        ] {
            let (head, ()) = Request::get(path).body(()).unwrap().into_parts();
            assert_eq!(skip.skips(&head), expected, "{path}");
            assert!(SkipPaths::new().prefix("/").skips(&head) && !SkipPaths::new().skips(&head));
        }
    }
}
