//! Publishing, with the broker's word that it has the message.

use std::{fmt, sync::Arc};

use rumqttc::v5::{
    MqttOptions,
    mqttbytes::{QoS, v5::PublishProperties},
};
use throughline::{
    messaging::mqtt::{self, PublishError},
    sqlx::outbox::StoredEvent,
};
use tokio::sync::Mutex;

use super::{MESSAGE_ID, link::Link};
use crate::{
    faults::{Faults, OnPurpose},
    services::{Failure, host::Host},
};

/// Publishes events of an outbox, and dead letters.
///
/// One message is under way at a time: the broker's word is about that one. A publish that is given up takes its connection
/// with it, so that a late word is never taken for the next one's.
#[derive(Debug)]
pub(in crate::services) struct EventPublisher {
    options: MqttOptions,
    faults: Arc<Faults>,
    link: Mutex<Option<Link>>,
}

impl EventPublisher {
    /// Connects; a broker that isn't there is told at once.
    pub(in crate::services) async fn connect(host: &Host) -> Result<Arc<Self>, Failure> {
        let options = host.settings().broker()?.options(&format!("{}-publisher", host.settings().name()));
        let link = Link::connect(options.clone()).await?;
        Ok(Arc::new(Self { options, faults: Arc::clone(host.faults()), link: Mutex::new(Some(link)) }))
    }

    /// Publishes an event of the outbox, which keeps its id.
    pub(in crate::services) async fn publish_stored(&self, event: &StoredEvent) -> Result<(), NotPublished> {
        self.faults.strike_publish()?;
        let id = (MESSAGE_ID.to_owned(), event.id().to_string());
        let properties = PublishProperties { user_properties: vec![id], ..PublishProperties::default() };
        self.publish(event.topic(), event.payload(), properties).await
    }

    /// Publishes a message with these properties, which keep the context that they have.
    pub(super) async fn publish(
        &self,
        topic: &str,
        payload: &[u8],
        properties: PublishProperties,
    ) -> Result<(), NotPublished> {
        let mut kept = self.link.lock().await;
        let mut link = match kept.take().filter(Link::is_alive) {
            Some(link) => link,
            None => Link::connect(self.options.clone()).await.map_err(NotPublished::NoBroker)?,
        };
        let before = link.taken.borrow().messages;
        mqtt::Publisher::new(link.client.clone(), &self.options)
            .publish_with(topic, QoS::AtLeastOnce, false, payload, properties)
            .await
            .map_err(NotPublished::Client)?;
        link.wait(|taken| taken.messages > before).await.map_err(|_| NotPublished::Lost)?;
        *kept = Some(link);
        Ok(())
    }
}

/// Why nobody knows whether the broker has a message.
#[derive(Debug)]
pub(in crate::services) enum NotPublished {
    OnPurpose(OnPurpose),
    NoBroker(Failure),
    Client(PublishError),
    Lost,
}

impl From<OnPurpose> for NotPublished {
    fn from(failure: OnPurpose) -> Self {
        Self::OnPurpose(failure)
    }
}

impl fmt::Display for NotPublished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnPurpose(failure) => failure.fmt(f),
            Self::NoBroker(failure) => write!(f, "no connection to the broker: {failure}"),
            Self::Client(error) => error.fmt(f),
            Self::Lost => f.write_str("the broker went away before it had the message"),
        }
    }
}
