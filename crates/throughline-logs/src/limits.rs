//! How big a line may get.

/// The most bytes of one value that reach a line, before escaping; the rest is cut off and counted.
pub const FIELD_BYTES_MAX: usize = 16 * 1024;
/// The most bytes of one line; fields beyond it are left out and counted.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// The smallest limit of a line that can be set: the fixed keys need room.
pub const LINE_BYTES_MIN: usize = 8 * 1024;
/// The most fields of one line, those of its spans included, and the most that are kept of one span.
pub const FIELDS_MAX: usize = 128;
/// The most causes of an error that are followed; a chain that leads back to itself ends here.
pub const ERROR_CHAIN_LEN_MAX: usize = 16;
/// The most bytes of a service name or a target.
pub(crate) const NAME_BYTES_MAX: usize = 256;

/// What is kept free on a line for what stands after its fields.
const CLOSING_BYTES: usize = 512;
/// A byte becomes at most six (`\u0000`): with this share, the message and the fixed keys always fit on a line.
const LINES_SHARE: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    field_bytes: usize,
    line_bytes: usize,
    fields: usize,
}

impl Limits {
    pub(crate) fn new(field_bytes: usize, line_bytes: usize, fields: usize) -> Self {
        let line_bytes = line_bytes.max(LINE_BYTES_MIN);
        Self { field_bytes: field_bytes.min(line_bytes / LINES_SHARE), line_bytes, fields }
    }

    pub(crate) const fn field_bytes(&self) -> usize {
        self.field_bytes
    }

    pub(crate) const fn fields(&self) -> usize {
        self.fields
    }

    /// Where the fields of a line have to end.
    pub(crate) const fn fields_end(&self) -> usize {
        self.line_bytes - CLOSING_BYTES
    }
}
