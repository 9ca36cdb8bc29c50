//! What a caller says of a statement.

use std::borrow::Cow;

/// Operation and table, where the caller names them: neither is read out of a text (semantic conventions, SQL).
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) operation: Option<Cow<'static, str>>,
    pub(crate) collection: Option<Cow<'static, str>>,
}
