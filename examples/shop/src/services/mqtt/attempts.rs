//! One message, attempted until it is done, or dead.

use std::{fmt, sync::Arc, time::Duration};

use rumqttc::v5::mqttbytes::v5::Publish;
use throughline::{
    SpanExt,
    core::Backoff,
    messaging::mqtt::{Subscriber, forget_context},
};
use tracing::{error, warn};

use super::{EventPublisher, Handled, Handler, Message};
use crate::{
    faults::Faults,
    services::{
        Failure,
        say::{self, Word},
    },
};

/// How often a message is attempted before it is a dead letter.
const ATTEMPTS_MAX: u32 = 4;
/// The pauses between them.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
/// The pause between two attempts to get rid of a dead letter.
const DEAD_LETTER_PAUSE: Duration = Duration::from_millis(500);

/// How messages are attempted.
pub(super) struct Attempts<H> {
    pub(super) subscriber: Subscriber,
    pub(super) handler: H,
    pub(super) faults: Arc<Faults>,
    pub(super) dead_letters: Arc<EventPublisher>,
}

/// A message that is done, known, or a dead letter: it can be acknowledged.
pub(super) struct Settled(pub(super) Publish);

impl<H: Handler> Attempts<H> {
    /// Attempts a message as often as it may be, each attempt inside a `process` span of its own.
    pub(super) async fn settle(&self, message: Publish) -> Settled {
        let read = Message::read(&message).map_err(|failure| Unreadable(failure.to_string()));
        let order = read.as_ref().map_or(0, |message| message.event.order.id);
        for attempt in 1..=ATTEMPTS_MAX {
            // What can't be read now can't be read later.
            let is_last = attempt == ATTEMPTS_MAX || read.is_err();
            let processing = self.subscriber.process(&message);
            processing.span().set_attribute("shop.attempt", i64::from(attempt));
            let result = processing.run(self.attempt(&read, is_last.then_some(&message))).await;
            say::handled(word(&result), order);
            if result.is_ok() {
                break;
            }
            if is_last {
                say::handled(Word::Dead, order);
                break;
            }
            tokio::time::sleep(BACKOFF.wait(attempt)).await;
        }
        Settled(message)
    }

    /// One attempt; after the last one, what has failed is sent on as a dead letter.
    async fn attempt(
        &self,
        message: &Result<Message, Unreadable>,
        last: Option<&Publish>,
    ) -> Result<Handled, Failure> {
        let handled = match message {
            Err(unreadable) => Err(unreadable.clone().into()),
            Ok(message) => match self.faults.strike().await {
                Ok(()) => self.handler.handle(message).await,
                Err(failure) => Err(failure.into()),
            },
        };
        if let Err(failure) = &handled {
            warn!(error = &**failure, "message not handled");
            if let Some(message) = last {
                self.bury(message).await;
            }
        }
        handled
    }

    /// Sends a message to the dead letters: on behalf of this attempt, whose context takes the place of the one that it came
    /// with. Until the broker has it there, it isn't acknowledged here.
    async fn bury(&self, message: &Publish) {
        let topic = format!("{}.dead", String::from_utf8_lossy(&message.topic));
        error!(topic, "message is a dead letter");
        let mut properties = message.properties.clone().unwrap_or_default();
        forget_context(&mut properties);
        while let Err(failure) = self.dead_letters.publish(&topic, &message.payload, properties.clone()).await
        {
            warn!(%failure, "dead letter not published");
            tokio::time::sleep(DEAD_LETTER_PAUSE).await;
        }
    }
}

const fn word(result: &Result<Handled, Failure>) -> Word {
    match result {
        Ok(Handled::Done) => Word::Done,
        Ok(Handled::Duplicate) => Word::Duplicate,
        Err(_) => Word::Failed,
    }
}

/// A message that makes no sense.
#[derive(Clone, Debug)]
struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message can't be read: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let longest: Vec<_> = (1..=7).map(|attempt| BACKOFF.bound(attempt).as_millis()).collect();
        assert_eq!(longest, [50, 100, 200, 400, 800, 1000, 1000]);
        assert!((1..100).all(|attempt| BACKOFF.wait(attempt) <= Duration::from_secs(1)));
    }
}
