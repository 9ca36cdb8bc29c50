//! As much of an HTTP client as a test needs to ask a server of its own: one request, one connection, no proxy.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// How long a server may take with one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body; what isn't UTF-8 in it is replaced.
    pub body: String,
}

/// Asks a server on the loopback.
///
/// # Errors
///
/// When nobody listens there, or what answers isn't HTTP.
pub fn http_get(port: u16, path: &str) -> io::Result<Answer> {
    exchange(port, &format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n\r\n"))
}

/// Sends JSON to a server on the loopback.
///
/// # Errors
///
/// As [`http_get`].
pub fn http_post_json(port: u16, path: &str, body: &str) -> io::Result<Answer> {
    let length = body.len();
    exchange(
        port,
        &format!(
            "POST {path} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    )
}

/// HTTP/1.0, so that the answer ends with the connection and is never chunked.
fn exchange(port: u16, request: &str) -> io::Result<Answer> {
    let mut connection = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), TIMEOUT)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    connection.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::Error::other("the answer isn't HTTP"))
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse("HTTP/1.0 404 Not Found\r\na: b\r\n\r\n{}\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (404, "{}\r\n\r\n"));
        assert!(parse("what?").is_none());
    }
}
