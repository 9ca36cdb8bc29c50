//! One message, as far as spans are concerned.

/// What is known of one message besides its content and its headers.
///
/// ```
/// use throughline_messaging::Message;
/// let message = Message::to("orders").id("1700000000000-0").body_size(512);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a description does nothing by itself"]
pub struct Message<'a> {
    pub(crate) destination: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) partition: Option<&'a str>,
    pub(crate) body_size: Option<usize>,
    pub(crate) redelivered: bool,
}

impl<'a> Message<'a> {
    /// A message to or from this topic, queue, stream or channel.
    pub const fn to(destination: &'a str) -> Self {
        Self { destination, id: None, partition: None, body_size: None, redelivered: false }
    }

    /// The broker's id of it.
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }

    /// The part of the destination that it is in.
    pub const fn partition(mut self, partition: &'a str) -> Self {
        self.partition = Some(partition);
        self
    }

    /// How many bytes its content has. Not recorded unless set here.
    pub const fn body_size(mut self, bytes: usize) -> Self {
        self.body_size = Some(bytes);
        self
    }

    /// Whether the broker says that it delivers this message again.
    pub const fn redelivered(mut self, redelivered: bool) -> Self {
        self.redelivered = redelivered;
        self
    }
}
