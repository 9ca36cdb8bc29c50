//! Compressing a request, once for all attempts.

use std::{
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;
use flate2::{Compression as Level, write::GzEncoder};

use super::pieces::Pieces;
use crate::settings::{Compression, GZIP_LEVEL};

/// A request, compressed.
pub(super) fn compressed(pieces: &Arc<[Bytes]>, compression: Compression) -> Result<Pieces, String> {
    match compression {
        Compression::None => return Ok(Arc::clone(pieces).into()),
        Compression::Gzip => gzip(pieces),
        #[cfg(feature = "zstd")]
        Compression::Zstd => zstd(pieces),
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
    .map(Pieces::from)
    .map_err(|error| format!("cannot be compressed: {error}"))
}

fn gzip(pieces: &[Bytes]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::new(GZIP_LEVEL));
    for piece in pieces {
        encoder.write_all(piece)?;
    }
    encoder.finish()
}

#[cfg(feature = "zstd")]
fn zstd(pieces: &[Bytes]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), crate::settings::ZSTD_LEVEL)?;
    for piece in pieces {
        encoder.write_all(piece)?;
    }
    encoder.finish()
}
