//! What a request's method is called.

use http::Method;
use throughline_core::{KNOWN_METHOD_LEN_MAX, KnownMethods};

use crate::attributes::capped;

/// `http.request.method`: one of the known methods, or `_OTHER` for whatever else a stranger makes up.
#[derive(Clone, Debug)]
pub(crate) enum MethodName {
    /// One of the conventions, or `_OTHER`.
    Standard(&'static str),
    /// One from a list of the user's own.
    Listed(Method),
}

/// What an unknown method is called in attributes.
const OTHER: &str = "_OTHER";

impl MethodName {
    /// The name of `method`, by the list of the conventions or by one in its place.
    pub(crate) fn of(method: &Method, known: Option<&KnownMethods>) -> Self {
        match known {
            None => Self::Standard(standard(method)),
            Some(known) if known.contains(method.as_str()) => Self::Listed(method.clone()),
            Some(_) => Self::Standard(OTHER),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Standard(name) => name,
            Self::Listed(method) => method.as_str(),
        }
    }

    /// What stands for the method in a span's name.
    pub(crate) fn in_span_name(&self) -> &str {
        if self.is_other() { "HTTP" } else { self.as_str() }
    }

    /// `http.request.method_original`: the method as it came, where it isn't a known one.
    pub(crate) fn original<'a>(&self, method: &'a Method) -> Option<&'a str> {
        self.is_other().then(|| capped(method.as_str(), METHOD_LEN_MAX))
    }

    fn is_other(&self) -> bool {
        matches!(self, Self::Standard(OTHER))
    }
}

/// How much of an unknown method is kept.
const METHOD_LEN_MAX: usize = KNOWN_METHOD_LEN_MAX;

fn standard(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "CONNECT" => "CONNECT",
        "TRACE" => "TRACE",
        "QUERY" => "QUERY",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use throughline_core::STANDARD_METHODS;

    use super::*;

    fn names(method: &Method, known: Option<&KnownMethods>) -> (String, String, Option<String>) {
        let name = MethodName::of(method, known);
        let original = name.original(method).map(str::to_owned);
        (name.as_str().to_owned(), name.in_span_name().to_owned(), original)
    }

    #[test]
    fn a_method_is_known_or_other() {
        for known in STANDARD_METHODS {
            let parsed = known.parse().unwrap();
            assert_eq!(names(&parsed, None), (known.to_owned(), known.to_owned(), None));
        }
        for unknown in ["get", "PROPFIND", "G"] {
            let expected = ("_OTHER".to_owned(), "HTTP".to_owned(), Some(unknown.to_owned()));
            assert_eq!(names(&unknown.parse().unwrap(), None), expected);
        }
        let endless = Method::from_bytes(&[b'A'; 500]).unwrap();
        assert_eq!(MethodName::of(&endless, None).original(&endless).map(str::len), Some(METHOD_LEN_MAX));
    }

    #[test]
    fn a_list_of_ones_own_replaces_that_of_the_conventions() {
        let known: KnownMethods = "GET,PROPFIND".parse().unwrap();
        for (method, expected) in [("GET", "GET"), ("PROPFIND", "PROPFIND"), ("POST", "HTTP")] {
            assert_eq!(names(&method.parse().unwrap(), Some(&known)).1, expected);
        }
    }
}
