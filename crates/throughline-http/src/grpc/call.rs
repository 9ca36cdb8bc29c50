//! One call, on either side, from its first byte to its trailers.

use std::mem;

use http::{HeaderMap, Response, StatusCode};
use throughline_core::{
    Metric, SpanExt, SpanRecord, Status,
    semconv::{error, http as net, own, rpc},
};

use super::{SYSTEM, method::Method, status::Code};
use crate::{
    attributes::Labels,
    flight::{End, Flight, InFlight},
};

/// A call that is under way. Dropped before it has ended, nobody waits for it any more, or its handler panicked.
#[derive(Debug)]
pub(crate) struct Call {
    flight: Flight,
    side: Side,
    method: Method,
    /// What the headers of the answer say.
    http: Option<StatusCode>,
    code: Option<Code>,
    finished: bool,
}

/// Which side of a call.
#[derive(Debug)]
pub(super) enum Side {
    Server,
    /// With the address that is called, where it is known.
    Client(Option<Address>),
}

/// Where calls go.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) host: Box<str>,
    pub(super) port: u16,
}

impl Call {
    pub(super) const fn new(flight: Flight, side: Side, method: Method) -> Self {
        Self { flight, side, method, http: None, code: None, finished: false }
    }

    /// The head of the answer is there. An answer without messages has its status already.
    pub(super) fn answered<B>(&mut self, response: &Response<B>) {
        self.http = Some(response.status());
        self.code = Code::of(response.headers());
    }

    /// The code of a call that ended like this; none where nothing said one.
    fn code(&self, end: End) -> Option<Code> {
        self.code.or_else(|| match end {
            End::Complete => Some(self.http.map_or(Code::UNKNOWN, Code::of_http)),
            End::ClientGone | End::Cancelled => Some(Code::CANCELLED),
            End::Failed(kind) => Code::named(kind),
            End::Panicked => None,
        })
    }

    /// The same value for the span and for the metric.
    fn error_type(&self, end: End, code: Option<Code>) -> Option<&'static str> {
        let failed = |code: &Code| match (&self.side, end) {
            (_, End::Cancelled) => false,
            (Side::Server, _) => code.is_failure_of_server(),
            (Side::Client(_), _) => code.is_failure_for_client(),
        };
        match end {
            End::Failed(_) | End::Panicked => end.error_type(),
            End::Complete | End::ClientGone | End::Cancelled => code.filter(failed).map(Code::name),
        }
    }

    fn conclude(&self, record: &mut dyn SpanRecord, end: End, code: Option<Code>) {
        if let Some(original) = self.method.original() {
            record.name(self.method.span_name());
            record.attribute(rpc::RPC_METHOD, self.method.name().into());
            record.attribute(rpc::RPC_METHOD_ORIGINAL, original.into());
        }
        if let Some(code) = code {
            record.attribute(rpc::RPC_RESPONSE_STATUS_CODE, code.name().into());
        }
        if let Some(kind) = self.error_type(end, code) {
            record.attribute(error::ERROR_TYPE, kind.into());
            record.status(Status::Error(""));
        }
        record.attribute(own::RPC_END, end.as_str().into());
    }

    fn measure(&self, end: End, code: Option<Code>) {
        let labels = Labels::new()
            .with(rpc::RPC_SYSTEM_NAME, Some(SYSTEM))
            .with(rpc::RPC_METHOD, Some(self.method.name()))
            .with(rpc::RPC_RESPONSE_STATUS_CODE, code.map(Code::name))
            .with(error::ERROR_TYPE, self.error_type(end, code));
        let (metric, labels) = match &self.side {
            Side::Server => (Metric::RpcServerCallDuration, labels),
            Side::Client(address) => (
                Metric::RpcClientCallDuration,
                labels
                    .with(net::SERVER_ADDRESS, address.as_ref().map(|address| &*address.host))
                    .with(net::SERVER_PORT, address.as_ref().map(|address| address.port)),
            ),
        };
        self.flight.pipeline.record(metric, self.flight.seconds(), labels.as_slice());
    }
}

impl InFlight for Call {
    fn flight(&mut self) -> &mut Flight {
        &mut self.flight
    }

    fn trailers(&mut self, trailers: &HeaderMap) {
        self.code = Code::of(trailers).or(self.code);
    }

    fn finish(&mut self, end: End) {
        if mem::replace(&mut self.finished, true) {
            return;
        }
        let code = self.code(end);
        if matches!(self.side, Side::Server) && code == Some(Code::UNIMPLEMENTED) {
            self.method.disown();
        }
        self.flight.span.edit(|record| self.conclude(record, end, code));
        if self.flight.pipeline.has_recorder() {
            self.measure(end, code);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let end = match (&self.side, self.flight.panicked()) {
            (_, true) => End::Panicked,
            // Everything that matters was said.
            (_, false) if self.code.is_some() => End::Complete,
            (Side::Server, false) => End::ClientGone,
            (Side::Client(_), false) => End::Cancelled,
        };
        self.finish(end);
    }
}
