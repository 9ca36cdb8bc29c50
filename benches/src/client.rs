//! The load: one connection, one request after the other, on loopback.

use std::{
    error::Error,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use crate::stacks::Stack;

const QUIT: &[u8] = b"GET /quit HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Sends `requests` requests to the server of `stack` at `address`, then asks it to quit.
pub(crate) fn load(address: &str, stack: Stack, requests: u64) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let (path, flags) = (stack.path(), if stack.is_sampled() { "01" } else { "00" });
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench\r\n\
         traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}\r\n\r\n"
    );
    for _ in 0..requests {
        stream.write_all(request.as_bytes())?;
        read_answer(&mut answers)?;
    }
    stream.write_all(QUIT)?;
    read_answer(&mut answers)
}

fn read_answer(answers: &mut impl BufRead) -> Result<(), Box<dyn Error>> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(format!("the server answered {line:?}").into());
    }
    let mut length = 0;
    loop {
        line.clear();
        answers.read_line(&mut line)?;
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok(())
}
