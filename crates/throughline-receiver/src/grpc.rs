//! OTLP/gRPC: tonic does the framing, the messages are taken as bytes so that both protocols share one decoder.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Request},
    response::{IntoResponse as _, Response},
    routing::post,
};
use bytes::{Buf as _, BufMut as _, Bytes};
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use tonic::{
    Code, Status,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, UnaryService},
};

use crate::{
    Compression, Protocol, Signal,
    answer::Answer,
    http as http_api,
    intake::{Connection, Intake},
    request::{Arrival, headers_as_text},
    rpc_status::{Failure, RESOURCE_EXHAUSTED},
};

/// A route for each signal; anything else is a method that doesn't exist.
pub(crate) fn router(intake: &Arc<Intake>) -> Router {
    let router =
        Router::new().fallback(|| async { Status::unimplemented("no such method").into_http::<Body>() });
    Signal::ALL.into_iter().fold(router, |router, signal| {
        let intake = Arc::clone(intake);
        let handler = move |Extension(connection): Extension<Connection>, request: Request| async move {
            export(intake, signal, connection, request).await
        };
        router.route(signal.grpc_path(), post(handler))
    })
}

async fn export(intake: Arc<Intake>, signal: Signal, connection: Connection, request: Request) -> Response {
    if !is_grpc(request.headers()) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let (head, body) = request.into_parts();
    let arrival = Arrival {
        protocol: Protocol::Grpc,
        signal,
        path: head.uri.path().to_owned(),
        headers: headers_as_text(&head.headers),
        compression: compression(&head.headers),
        wire_bytes: 0,
    };
    let call = Arc::new(Call {
        arrival: Mutex::new(Some(arrival)),
        wire_bytes: AtomicUsize::new(0),
        page: OnceLock::new(),
    });
    let counted = Arc::clone(&call);
    let body = body.map_frame(move |frame| {
        counted.wire_bytes.fetch_add(frame.data_ref().map_or(0, Bytes::len), Ordering::Relaxed);
        frame
    });
    let service = Export { intake: Arc::clone(&intake), connection, call: Arc::clone(&call) };
    let server = Grpc::new(BytesCodec).accept_compressed(CompressionEncoding::Gzip);
    #[cfg(feature = "zstd")]
    let server = server.accept_compressed(CompressionEncoding::Zstd);
    let mut server = server.max_decoding_message_size(intake.request_bytes_max);
    let mut response = server.unary(service, http::Request::from_parts(head, body)).await;
    if let Some(page) = call.page() {
        return ([(CONTENT_TYPE, http_api::HTML)], page).into_response();
    }
    if let Some(arrival) = call.arrival() {
        // tonic refused the message before our service saw it.
        intake.invalid(arrival);
        exhausted_if_out_of_range(response.headers_mut());
    }
    response.map(Body::new)
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    content_type == b"application/grpc"
        || content_type.starts_with(b"application/grpc+proto")
        || content_type.starts_with(b"application/grpc;")
}

fn compression(headers: &HeaderMap) -> Compression {
    match headers.get("grpc-encoding").map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Compression::None,
        Some(b"gzip") => Compression::Gzip,
        Some(b"zstd") => Compression::Zstd,
        Some(_) => Compression::Other,
    }
}

/// tonic calls a message that is too large OUT_OF_RANGE, which tells an OTLP client to send it again and again.
fn exhausted_if_out_of_range(headers: &mut HeaderMap) {
    if let Some(status) = headers.get_mut(Status::GRPC_STATUS)
        && *status == "11"
    {
        *status = HeaderValue::from(RESOURCE_EXHAUSTED);
    }
}

/// One call, seen from outside and from inside tonic.
struct Call {
    /// Taken by whoever hands the request on.
    arrival: Mutex<Option<Arrival>>,
    wire_bytes: AtomicUsize,
    /// What to answer with in place of all that gRPC would say.
    page: OnceLock<&'static [u8]>,
}

impl Call {
    fn page(&self) -> Option<&'static [u8]> {
        self.page.get().copied()
    }

    fn arrival(&self) -> Option<Arrival> {
        let arrival = self.arrival.lock().unwrap_or_else(PoisonError::into_inner).take();
        arrival.map(|arrival| Arrival { wire_bytes: self.wire_bytes.load(Ordering::Relaxed), ..arrival })
    }
}

struct Export {
    intake: Arc<Intake>,
    connection: Connection,
    call: Arc<Call>,
}

impl UnaryService<Bytes> for Export {
    type Response = Vec<u8>;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Vec<u8>>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (intake, connection, call) =
            (Arc::clone(&self.intake), self.connection.clone(), Arc::clone(&self.call));
        Box::pin(async move {
            let arrival = call.arrival().ok_or_else(|| Status::internal("called twice"))?;
            let result = intake.receive(arrival, Ok(request.into_inner()), &connection).await;
            if let Some(page) = result.as_ref().ok().and_then(Answer::html) {
                call.page.get_or_init(|| page);
            }
            result
                .map(|answer| tonic::Response::new(answer.to_protobuf()))
                .map_err(|failure| status(&failure))
        })
    }
}

/// Only a failure that says when to come back has more to tell than its code and message.
fn status(failure: &Failure) -> Status {
    let code = Code::from_i32(failure.grpc_code);
    if failure.retry_after.is_some() {
        Status::with_details(code, failure.message.clone(), failure.to_protobuf().into())
    } else {
        Status::new(code, failure.message.clone())
    }
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for BytesCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&message);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
