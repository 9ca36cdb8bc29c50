//! How a gRPC call went.

use http::{HeaderMap, HeaderValue, StatusCode};

/// A status code of gRPC, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(u8);

impl Code {
    pub(super) const OK: Self = Self(0);
    pub(super) const CANCELLED: Self = Self(1);
    pub(super) const UNKNOWN: Self = Self(2);
    pub(super) const DEADLINE_EXCEEDED: Self = Self(4);
    pub(super) const PERMISSION_DENIED: Self = Self(7);
    pub(super) const UNIMPLEMENTED: Self = Self(12);
    pub(super) const INTERNAL: Self = Self(13);
    pub(super) const UNAVAILABLE: Self = Self(14);
    pub(super) const DATA_LOSS: Self = Self(15);
    pub(super) const UNAUTHENTICATED: Self = Self(16);

    /// The code in `grpc-status`, which stands in the trailers, or in the headers of an answer without a body.
    ///
    /// A number that gRPC doesn't know, or no number at all, is UNKNOWN, as its specification says.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("grpc-status").map(HeaderValue::as_bytes)?;
        let number = str::from_utf8(text).ok().and_then(|digits| digits.parse().ok());
        Some(number.filter(|number: &u8| usize::from(*number) < NAMES.len()).map_or(Self::UNKNOWN, Self))
    }

    /// What an answer without `grpc-status` means, which somebody between the two sides must have given (gRPC, "HTTP to
    /// gRPC Status Code Mapping").
    pub(super) fn of_http(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::INTERNAL,
            401 => Self::UNAUTHENTICATED,
            403 => Self::PERMISSION_DENIED,
            404 => Self::UNIMPLEMENTED,
            429 | 502..=504 => Self::UNAVAILABLE,
            _ => Self::UNKNOWN,
        }
    }

    /// The code that `name` stands for.
    pub(super) fn named(name: &str) -> Option<Self> {
        let number = NAMES.iter().position(|known| *known == name)?;
        u8::try_from(number).ok().map(Self)
    }

    /// The value of `rpc.response.status_code`.
    pub(super) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    /// Whether a server has failed: the other codes say that the caller asked for the wrong thing.
    pub(super) fn is_failure_of_server(self) -> bool {
        [
            Self::UNKNOWN,
            Self::DEADLINE_EXCEEDED,
            Self::UNIMPLEMENTED,
            Self::INTERNAL,
            Self::UNAVAILABLE,
            Self::DATA_LOSS,
        ]
        .contains(&self)
    }

    /// Whether a call has failed for its client: nothing but OK is what it asked for.
    pub(super) fn is_failure_for_client(self) -> bool {
        self != Self::OK
    }
}

/// The names of the codes, each at the place of its number.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The `error.type` of an error on the way: its gRPC code where it holds one, else the type alone.
///
/// Never its message: that may quote what was sent.
pub(super) fn kind<E: 'static>(error: &E) -> &'static str {
    let status = (error as &dyn std::any::Any).downcast_ref::<tonic::Status>();
    match status {
        Some(status) => {
            u8::try_from(i32::from(status.code())).map_or("UNKNOWN", |number| Code(number).name())
        }
        None => crate::flight::kind_by_type(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_by_its_number() {
        for (text, expected) in [
            ("0", "OK"),
            ("5", "NOT_FOUND"),
            ("16", "UNAUTHENTICATED"),
            ("17", "UNKNOWN"),
            ("999", "UNKNOWN"),
            ("-1", "UNKNOWN"),
            ("OK", "UNKNOWN"),
            ("", "UNKNOWN"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", text.parse().unwrap());
            assert_eq!(Code::of(&headers).map(Code::name), Some(expected), "{text:?}");
        }
        assert_eq!(Code::of(&HeaderMap::new()), None);
    }

    #[test]
    fn every_name_is_its_own_number() {
        for name in NAMES {
            assert_eq!(Code::named(name).map(Code::name), Some(name));
        }
        assert_eq!(Code::named("hyper::Error"), None);
        for code in 0..=16 {
            let status = tonic::Status::new(tonic::Code::from(code), "secret");
            assert_eq!(kind(&status), NAMES[usize::try_from(code).unwrap()]);
        }
    }

    #[test]
    fn the_two_sides_hold_different_codes_against_themselves() {
        let failures = |is_failure: fn(Code) -> bool| {
            NAMES.iter().filter(|name| Code::named(name).is_some_and(is_failure)).copied().collect::<Vec<_>>()
        };
        assert_eq!(
            failures(Code::is_failure_of_server),
            ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]
        );
        assert_eq!(failures(Code::is_failure_for_client), NAMES[1..]);
    }

    #[test]
    fn an_answer_of_somebody_between_is_translated() {
        for (status, expected) in [
            (200, "UNKNOWN"),
            (400, "INTERNAL"),
            (401, "UNAUTHENTICATED"),
            (403, "PERMISSION_DENIED"),
            (404, "UNIMPLEMENTED"),
            (429, "UNAVAILABLE"),
            (500, "UNKNOWN"),
            (502, "UNAVAILABLE"),
            (503, "UNAVAILABLE"),
            (504, "UNAVAILABLE"),
        ] {
            assert_eq!(Code::of_http(StatusCode::from_u16(status).unwrap()).name(), expected, "{status}");
        }
    }
}
