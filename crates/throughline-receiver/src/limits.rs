//! What the receiver holds at most.

/// How many spans are kept unless another number is set.
pub const SPANS_MAX: usize = 100_000;
/// How many log records are kept unless another number is set.
pub const LOGS_MAX: usize = 100_000;
/// How many metric points are kept unless another number is set.
pub const METRIC_POINTS_MAX: usize = 100_000;
/// How many descriptions of requests are kept unless another number is set.
pub const REQUESTS_MAX: usize = 10_000;
/// How long a request's body may be, before and after decompression, unless another number is set: 64 MiB, which is also
/// what OTLP tells senders not to exceed.
pub const REQUEST_BYTES_MAX: usize = 64 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) spans: usize,
    pub(crate) logs: usize,
    pub(crate) metric_points: usize,
    pub(crate) requests: usize,
    pub(crate) request_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            spans: SPANS_MAX,
            logs: LOGS_MAX,
            metric_points: METRIC_POINTS_MAX,
            requests: REQUESTS_MAX,
            request_bytes: REQUEST_BYTES_MAX,
        }
    }
}
