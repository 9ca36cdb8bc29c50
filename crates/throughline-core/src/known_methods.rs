//! Which HTTP methods are told apart.

use std::{fmt, str::FromStr, sync::Arc};

/// The HTTP methods that spans and metrics name; whatever else a stranger makes up is `_OTHER` there.
///
/// The default is the list of the semantic conventions 1.44.0. A list of one's own *replaces* it, as the conventions
/// have it: `GET,PROPFIND` makes POST an unknown method. Methods are case-sensitive.
///
/// ```
/// use throughline_core::KnownMethods;
/// # fn example() -> Result<(), throughline_core::KnownMethodsError> {
/// let methods: KnownMethods = "GET, PROPFIND".parse()?;
/// assert!(methods.contains("PROPFIND") && !methods.contains("POST"));
/// # Ok(()) }
/// # example().unwrap();
/// ```
///
/// # Limits
/// At most [`KNOWN_METHODS_MAX`] methods of at most [`KNOWN_METHOD_LEN_MAX`] bytes: each is a label of the metrics.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownMethods(Arc<[Box<str>]>);

/// The most methods that a list may have.
pub const KNOWN_METHODS_MAX: usize = 64;

/// The longest method that a list may have, in bytes.
pub const KNOWN_METHOD_LEN_MAX: usize = 64;

/// The methods of the semantic conventions 1.44.0: RFC 9110, PATCH and QUERY.
pub const STANDARD_METHODS: [&str; 10] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"];

impl KnownMethods {
    /// Whether `method` is in the list.
    #[must_use]
    pub fn contains(&self, method: &str) -> bool {
        self.0.iter().any(|known| **known == *method)
    }
}

impl Default for KnownMethods {
    fn default() -> Self {
        Self(STANDARD_METHODS.into_iter().map(Box::from).collect())
    }
}

impl FromStr for KnownMethods {
    type Err = KnownMethodsError;

    /// Reads a list with commas between its methods; blanks around them and empty places are passed over.
    fn from_str(list: &str) -> Result<Self, KnownMethodsError> {
        let methods: Arc<[Box<str>]> =
            list.split(',').map(str::trim).filter(|method| !method.is_empty()).map(Box::from).collect();
        if let Some(bad) = methods.iter().find(|method| !is_method(method)) {
            return Err(KnownMethodsError::NotAMethod(bad.to_string()));
        }
        match methods.len() {
            0 => Err(KnownMethodsError::Empty),
            1..=KNOWN_METHODS_MAX => Ok(Self(methods)),
            _ => Err(KnownMethodsError::TooMany),
        }
    }
}

fn is_method(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    text.len() <= KNOWN_METHOD_LEN_MAX && text.bytes().all(is_token)
}

impl fmt::Display for KnownMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl fmt::Debug for KnownMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter()).finish()
    }
}

/// Why a text is no list of methods.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownMethodsError {
    /// It names none, which would make every method an unknown one.
    Empty,
    /// It names more than [`KNOWN_METHODS_MAX`].
    TooMany,
    /// This is no token of HTTP, or is longer than [`KNOWN_METHOD_LEN_MAX`].
    NotAMethod(String),
}

impl fmt::Display for KnownMethodsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a list without methods"),
            Self::TooMany => write!(f, "a list of more than {KNOWN_METHODS_MAX} methods"),
            Self::NotAMethod(text) => write!(f, "a list with {text:?}, which is no method"),
        }
    }
}

impl std::error::Error for KnownMethodsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_replaces_the_standard_one() {
        for (list, expected) in [
            ("GET", Ok("GET")),
            (" GET , PROPFIND,, get ", Ok("GET,PROPFIND,get")),
            ("", Err(KnownMethodsError::Empty)),
            (" , ", Err(KnownMethodsError::Empty)),
            ("GET POST", Err(KnownMethodsError::NotAMethod("GET POST".to_owned()))),
            ("GÊT", Err(KnownMethodsError::NotAMethod("GÊT".to_owned()))),
        ] {
            let parsed = list.parse::<KnownMethods>();
            assert_eq!(parsed.map(|methods| methods.to_string()), expected.map(str::to_owned), "{list:?}");
        }
        let standard = KnownMethods::default();
        assert!(standard.contains("QUERY") && !standard.contains("query"));
    }

    #[test]
    fn it_has_limits() {
        let many = vec!["A"; KNOWN_METHODS_MAX + 1].join(",");
        assert_eq!(many.parse::<KnownMethods>(), Err(KnownMethodsError::TooMany));
        let long = "A".repeat(KNOWN_METHOD_LEN_MAX + 1);
        assert!(matches!(long.parse::<KnownMethods>(), Err(KnownMethodsError::NotAMethod(_))));
    }
}
