//! What a service does with a message.

use std::future::Future;

use rumqttc::v5::mqttbytes::v5::Publish;

use super::MESSAGE_ID;
use crate::services::{Failure, order::OrderEvent};

/// The work of a consumer.
pub(in crate::services) trait Handler: Send + Sync + 'static {
    /// Does the work of one message, once: work and the note that it was done belong into one transaction.
    ///
    /// Called again for the same message when it has failed.
    fn handle(&self, message: &Message) -> impl Future<Output = Result<Handled, Failure>> + Send;
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services) enum Handled {
    Done,
    /// It had been handled before, and nothing was done.
    Duplicate,
}

/// A message that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services) struct Message {
    /// The same for all copies of it.
    pub(in crate::services) id: String,
    pub(in crate::services) event: OrderEvent,
}

impl Message {
    pub(super) fn read(message: &Publish) -> Result<Self, Failure> {
        let properties = message.properties.iter().flat_map(|properties| &properties.user_properties);
        let id = properties.into_iter().find(|(name, _)| name == MESSAGE_ID).map(|(_, id)| id.clone());
        Ok(Self { id: id.ok_or("the message has no id")?, event: serde_json::from_slice(&message.payload)? })
    }
}

#[cfg(test)]
mod tests {
    use rumqttc::v5::mqttbytes::{QoS, v5::PublishProperties};

    use super::*;

    fn publish(id: Option<&str>, payload: &str) -> Publish {
        let user_properties = id.map(|id| (MESSAGE_ID.to_owned(), id.to_owned())).into_iter().collect();
        let properties = PublishProperties { user_properties, ..PublishProperties::default() };
        Publish::new("order.created", QoS::AtLeastOnce, payload.to_owned(), Some(properties))
    }

    #[test]
    fn a_message_has_an_id_and_an_event() {
        let json = r#"{"order": {"id": 7, "user": 1, "item": "teapot"}, "at": 5}"#;
        let message = Message::read(&publish(Some("m-1"), json)).unwrap();
        assert_eq!((message.id.as_str(), message.event.order.id, message.event.at), ("m-1", 7, 5));
        assert!(Message::read(&publish(None, json)).is_err());
        assert!(Message::read(&publish(Some("m-1"), "seven")).is_err());
    }
}
