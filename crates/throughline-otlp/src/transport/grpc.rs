//! OTLP over gRPC.

use std::{sync::Arc, time::Duration};

use bytes::{Buf, BufMut, Bytes};
use tonic::{
    Code, Request, Status, client,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    metadata::{KeyAndValueRef, MetadataKey, MetadataMap, MetadataValue},
    transport::{Channel, Endpoint as Connection},
};

use super::{Answer, response};
use crate::settings::{Compression, Endpoint, RESPONSE_BYTES_MAX, USER_AGENT};

/// How tonic says that an answer is longer than [`RESPONSE_BYTES_MAX`], with the code of a Collector that wants it again.
const ANSWER_TOO_LARGE: &str = "Error, decoded message length too large";
/// How often a quiet connection is checked, and how long an answer may take.
const KEEPALIVE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Grpc {
    client: client::Grpc<Channel>,
    metadata: MetadataMap,
    method: PathAndQuery,
    timeout: Duration,
}

impl Grpc {
    /// `method` takes the requests.
    pub(crate) fn new(endpoint: &Endpoint, method: &'static str) -> Result<Self, String> {
        let connection = Connection::from_shared(endpoint.url.clone())
            .map_err(|error| format!("{} is no address for gRPC: {error}", endpoint.url))?
            .user_agent(USER_AGENT)
            .map_err(|error| error.to_string())?
            .tcp_nodelay(true)
            .connect_timeout(endpoint.timeout)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE);
        let mut client =
            client::Grpc::new(connection.connect_lazy()).max_decoding_message_size(RESPONSE_BYTES_MAX);
        if endpoint.compression == Compression::Gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let method = PathAndQuery::from_static(method);
        Ok(Self { client, metadata: metadata(endpoint)?, method, timeout: endpoint.timeout })
    }

    pub(crate) async fn send(&mut self, body: Arc<[Bytes]>) -> Answer {
        match tokio::time::timeout(self.timeout, self.call(body)).await {
            Ok(Ok(response)) => response::read(&response),
            Ok(Err(status)) => refused(&status),
            Err(_) => Answer::Later { after: None, why: format!("no answer within {:?}", self.timeout) },
        }
    }

    async fn call(&mut self, body: Arc<[Bytes]>) -> Result<Bytes, Status> {
        self.client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut request = Request::new(body);
        for header in self.metadata.iter() {
            if let KeyAndValueRef::Ascii(key, value) = header {
                request.metadata_mut().insert(key, value.clone());
            }
        }
        Ok(self.client.unary(request, self.method.clone(), Raw).await?.into_inner())
    }
}

fn metadata(endpoint: &Endpoint) -> Result<MetadataMap, String> {
    let mut metadata = MetadataMap::new();
    for (name, value) in &endpoint.headers {
        let key =
            MetadataKey::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is no header name"))?;
        let value = MetadataValue::try_from(value)
            .map_err(|_| format!("the value of header {name:?} is not ASCII"))?;
        metadata.insert(key, value);
    }
    Ok(metadata)
}

/// Which failures may pass, by the specification's list.
fn refused(status: &Status) -> Answer {
    let after = response::retry_delay(status.details());
    let why = format!("{:?}: {}", status.code(), status.message());
    let passes = match status.code() {
        // The Collector has taken the spans. Sent again, they would arrive twice, and so would that answer.
        Code::OutOfRange if status.message().starts_with(ANSWER_TOO_LARGE) => false,
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => after.is_some(),
        // A connection that breaks under a request has no status of its own.
        Code::Unknown => std::error::Error::source(status).is_some(),
        _ => false,
    };
    if passes { Answer::Later { after, why } } else { Answer::Never { why } }
}

/// The request is encoded already, and the answer is read by hand.
#[derive(Clone, Copy, Debug, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Arc<[Bytes]>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Arc<[Bytes]>;
    type Error = Status;

    fn encode(&mut self, item: Arc<[Bytes]>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(item.iter().map(Bytes::len).sum());
        for piece in &*item {
            buffer.put_slice(piece);
        }
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let len = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(len)))
    }
}
