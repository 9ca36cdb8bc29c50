//! A request in pieces: sent as it is, and never copied into one.

use std::sync::Arc;
#[cfg(any(feature = "grpc", feature = "http"))]
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
#[cfg(any(feature = "grpc", feature = "http"))]
use hyper::body::{Body, Frame, SizeHint};

/// The body of a request. Cloning is cheap, and a clone of one that was never polled begins at the beginning.
#[derive(Clone, Debug)]
pub(crate) struct Pieces {
    all: Arc<[Bytes]>,
    next: usize,
}

impl Pieces {
    /// How many bytes are left.
    #[cfg(any(feature = "grpc", feature = "http"))]
    pub(super) fn len(&self) -> usize {
        self.left().iter().map(Bytes::len).sum()
    }

    pub(super) fn left(&self) -> &[Bytes] {
        self.all.get(self.next..).unwrap_or_default()
    }
}

impl From<Arc<[Bytes]>> for Pieces {
    fn from(all: Arc<[Bytes]>) -> Self {
        Self { all, next: 0 }
    }
}

impl From<Vec<u8>> for Pieces {
    fn from(whole: Vec<u8>) -> Self {
        Arc::<[Bytes]>::from([whole.into()]).into()
    }
}

#[cfg(any(feature = "grpc", feature = "http"))]
impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.left().first().cloned();
        self.next += usize::from(piece.is_some());
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}
