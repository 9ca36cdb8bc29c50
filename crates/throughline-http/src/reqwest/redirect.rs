//! Following redirects by the rules that `reqwest` has.

use std::cell::Cell;

use ::reqwest::{
    ClientBuilder, Method, Request, Response, StatusCode, Url,
    header::{
        AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName,
        HeaderValue, LOCATION, PROXY_AUTHORIZATION, TRANSFER_ENCODING, WWW_AUTHENTICATE,
    },
    redirect::Policy,
};

/// What must not follow to another host.
static SECRETS: [HeaderName; 5] =
    [AUTHORIZATION, COOKIE, HeaderName::from_static("cookie2"), PROXY_AUTHORIZATION, WWW_AUTHENTICATE];

/// What describes a body, and goes when the body goes.
static OF_THE_BODY: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING];

/// What is needed to send a request again, at another address.
pub(super) struct Replay {
    /// A copy without a body where the body is a stream.
    request: Request,
    has_lost_its_body: bool,
}

impl Replay {
    pub(super) fn of(request: &Request) -> Self {
        if let Some(request) = request.try_clone() {
            return Self { request, has_lost_its_body: false };
        }
        let mut copy = Request::new(request.method().clone(), request.url().clone());
        *copy.headers_mut() = request.headers().clone();
        *copy.version_mut() = request.version();
        Self { request: copy, has_lost_its_body: true }
    }

    /// The request to send next, where the response is a redirect that can be followed.
    pub(super) fn redirected(mut self, response: &Response, secrets: &DefaultSecrets) -> Option<Request> {
        let method = self.method_after(response.status())?;
        let next = location(response.headers(), self.request.url())?;
        if drops_the_body(response.status(), self.request.method()) {
            *self.request.body_mut() = None;
            self.remove(&OF_THE_BODY);
        } else if self.has_lost_its_body {
            return None;
        }
        *self.request.method_mut() = method;
        if is_elsewhere(self.request.url(), &next) {
            self.remove(&SECRETS);
            secrets.mask(self.request.headers_mut());
        }
        *self.request.url_mut() = next;
        Some(self.request)
    }

    /// The same request once more, where it can be sent twice.
    pub(super) fn whole(self) -> Option<Request> {
        (!self.has_lost_its_body).then_some(self.request)
    }

    fn method_after(&self, status: StatusCode) -> Option<Method> {
        let method = self.request.method();
        match status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => Some(Method::GET),
            StatusCode::SEE_OTHER if *method != Method::HEAD => Some(Method::GET),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => Some(method.clone()),
            _ => None,
        }
    }

    fn remove(&mut self, names: &[HeaderName]) {
        for name in names {
            self.request.headers_mut().remove(name);
        }
    }
}

fn drops_the_body(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}

fn location(headers: &HeaderMap, base: &Url) -> Option<Url> {
    let location = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    base.join(location).ok()
}

fn is_elsewhere(here: &Url, there: &Url) -> bool {
    here.host_str() != there.host_str()
        || here.port_or_known_default() != there.port_or_known_default()
        || here.scheme() != there.scheme()
}

/// Which secrets are among the default headers of a client, which adds them to every request that hasn't got them.
#[derive(Debug)]
pub(super) struct DefaultSecrets(Vec<HeaderName>);

impl DefaultSecrets {
    /// The builder shows its default headers in its `Debug` text and nowhere else. Where it doesn't, every secret counts.
    pub(super) fn of(builder: &ClientBuilder) -> Self {
        let text = format!("{builder:?}");
        let headers = text.split_once("default_headers: ").map(|(_, headers)| headers);
        let may_be_there =
            |name: &&HeaderName| headers.is_none_or(|headers| headers.contains(&format!("\"{name}\":")));
        Self(SECRETS.iter().filter(may_be_there).cloned().collect())
    }

    /// Puts an empty header in the place of each, so that the client doesn't add its own.
    fn mask(&self, headers: &mut HeaderMap) {
        for name in &self.0 {
            headers.insert(name, HeaderValue::from_static(""));
        }
    }
}

thread_local! {
    /// Whether the attempt that is being polled on this thread is the last one allowed.
    static IS_LAST: Cell<bool> = const { Cell::new(false) };
    /// The status of the redirect that was refused just now.
    static REFUSED: Cell<Option<StatusCode>> = const { Cell::new(None) };
}

/// Hands every redirect to us, but the one too many: that one is `reqwest`'s own error.
///
/// Only a policy can make such an error, and it runs while the attempt is polled; hence [`refusing`].
pub(super) fn policy() -> Policy {
    Policy::custom(|attempt| {
        if IS_LAST.get() {
            REFUSED.set(Some(attempt.status()));
            attempt.error("too many redirects")
        } else {
            attempt.stop()
        }
    })
}

/// Polls an attempt, after which no redirect is followed any more if `is_last`.
pub(super) fn refusing<T>(is_last: bool, poll: impl FnOnce() -> T) -> T {
    /// Resets the flag even if the attempt panics.
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            IS_LAST.set(false);
        }
    }
    let _reset = Reset;
    IS_LAST.set(is_last);
    poll()
}

/// The status of the redirect that made the attempt fail which was polled last on this thread.
pub(super) fn take_refused() -> Option<StatusCode> {
    REFUSED.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method) -> Request {
        let mut request = Request::new(method, "http://a.test/x".parse().unwrap());
        *request.body_mut() = Some("body".into());
        for (name, value) in [(CONTENT_TYPE, "text/plain"), (AUTHORIZATION, "Bearer secret"), (COOKIE, "s=1")]
        {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        request
    }

    fn redirect(status: u16, to: &str) -> Response {
        http::Response::builder().status(status).header(LOCATION, to).body("").unwrap().into()
    }

    #[test]
    fn the_method_follows_the_status() {
        for (status, method, expected) in [
            (301, Method::POST, Some((Method::GET, false))),
            (302, Method::POST, Some((Method::GET, false))),
            (302, Method::PUT, Some((Method::PUT, true))),
            (303, Method::PUT, Some((Method::GET, false))),
            (303, Method::HEAD, Some((Method::HEAD, false))),
            (307, Method::POST, Some((Method::POST, true))),
            (308, Method::DELETE, Some((Method::DELETE, true))),
            (300, Method::GET, None),
            (304, Method::GET, None),
            (200, Method::GET, None),
        ] {
            let next =
                Replay::of(&request(method)).redirected(&redirect(status, "/y"), &DefaultSecrets(Vec::new()));
            let seen = next.map(|next| {
                assert_eq!(next.url().as_str(), "http://a.test/y");
                assert_eq!(next.body().is_some(), next.headers().contains_key(CONTENT_TYPE));
                (next.method().clone(), next.body().is_some())
            });
            assert_eq!(seen, expected, "{status}");
        }
    }

    #[test]
    fn credentials_stay_with_their_host() {
        for (to, kept) in [
            ("http://a.test/y", true),
            ("http://a.test:81/y", false),
            ("https://a.test/y", false),
            ("http://b.test/y", false),
        ] {
            let replay = Replay::of(&request(Method::GET));
            let next = replay.redirected(&redirect(302, to), &DefaultSecrets(vec![COOKIE])).unwrap();
            assert_eq!(next.headers().contains_key(AUTHORIZATION), kept, "{to}");
            let cookie = if kept { "s=1" } else { "" };
            assert_eq!(next.headers().get(COOKIE).unwrap(), cookie, "{to}");
        }
    }

    #[test]
    fn a_stream_is_not_sent_twice() {
        let stream = || {
            let mut request = request(Method::POST);
            let body = http::Response::<::reqwest::Body>::from(redirect(200, "/")).into_body();
            *request.body_mut() = Some(body);
            request
        };
        let secrets = DefaultSecrets(Vec::new());
        assert!(Replay::of(&stream()).redirected(&redirect(307, "/y"), &secrets).is_none());
        assert!(Replay::of(&stream()).redirected(&redirect(303, "/y"), &secrets).is_some());
    }

    #[test]
    fn an_address_that_is_none_is_not_followed() {
        let secrets = DefaultSecrets(Vec::new());
        assert!(Replay::of(&request(Method::GET)).redirected(&redirect(302, "http://["), &secrets).is_none());
        let without = Response::from(http::Response::builder().status(302).body("").unwrap());
        assert!(Replay::of(&request(Method::GET)).redirected(&without, &secrets).is_none());
    }

    #[test]
    fn secrets_among_default_headers_are_found() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
        let builder = ClientBuilder::new();
        assert!(DefaultSecrets::of(&builder).0.is_empty());
        assert_eq!(DefaultSecrets::of(&builder.default_headers(headers)).0, [AUTHORIZATION]);
    }
}
