//! What a gRPC call is called.

use http::Uri;

/// How much of a method's name is kept; a longer one counts as unknown.
pub(super) const METHOD_LEN_MAX: usize = 255;

/// What stands for a method that does not exist.
const OTHER: &str = "_OTHER";

/// The full name of a method, as the path of a call has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// `package.Service/Method`, or what was called in its place, cut where it is endless.
    text: Box<str>,
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Yes,
    No,
}

impl Method {
    /// The method that a call to `uri` names: `/package.Service/Method`.
    pub(super) fn of(uri: &Uri) -> Self {
        let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
        let known = if is_full_name(path) { Known::Yes } else { Known::No };
        Self { text: crate::attributes::capped(path, METHOD_LEN_MAX).into(), known }
    }

    /// The server said that it has no such method: what a stranger made up must not become a name of ours.
    pub(super) const fn disown(&mut self) {
        self.known = Known::No;
    }

    /// The value of `rpc.method`.
    pub(super) fn name(&self) -> &str {
        match self.known {
            Known::Yes => &self.text,
            Known::No => OTHER,
        }
    }

    /// The value of `rpc.method_original`.
    pub(super) fn original(&self) -> Option<&str> {
        (self.known == Known::No).then_some(&*self.text)
    }

    /// The name of the span: `{rpc.method}`, or the system alone where the method is unknown.
    pub(super) fn span_name(&self) -> &str {
        match self.known {
            Known::Yes => &self.text,
            Known::No => super::SYSTEM,
        }
    }
}

/// Whether `path` is `package.Service/Method`, of letters that protobuf allows in names.
fn is_full_name(path: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    path.len() <= METHOD_LEN_MAX
        && path.split_once('/').is_some_and(|(service, method)| is_name(service) && is_name(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_a_service_and_a_name() {
        let long = format!("/s/{}", "m".repeat(METHOD_LEN_MAX));
        for (path, name, original) in [
            ("/shop.v1.Stock/Reserve", "shop.v1.Stock/Reserve", None),
            ("/Stock/Reserve_2", "Stock/Reserve_2", None),
            ("/Stock", "_OTHER", Some("Stock")),
            ("/Stock/", "_OTHER", Some("Stock/")),
            ("//Reserve", "_OTHER", Some("/Reserve")),
            ("/a/b/c", "_OTHER", Some("a/b/c")),
            ("/St%20ock/Reserve", "_OTHER", Some("St%20ock/Reserve")),
            ("/", "_OTHER", Some("")),
            (&long, "_OTHER", Some(&long[1..=METHOD_LEN_MAX])),
        ] {
            let method = Method::of(&path.parse().unwrap());
            assert_eq!((method.name(), method.original()), (name, original), "{path}");
        }
    }

    #[test]
    fn a_method_that_does_not_exist_names_nothing() {
        let mut method = Method::of(&"/shop.v1.Stock/MadeUp".parse().unwrap());
        assert_eq!(method.span_name(), "shop.v1.Stock/MadeUp");
        method.disown();
        assert_eq!((method.name(), method.original()), ("_OTHER", Some("shop.v1.Stock/MadeUp")));
        assert_eq!(method.span_name(), "grpc");
    }
}
