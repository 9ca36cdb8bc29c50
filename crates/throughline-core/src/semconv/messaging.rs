//! Names of the messaging conventions.

super::names! {
    /// `messaging.system`: the broker's kind: `kafka`, `mqtt`, …
    MESSAGING_SYSTEM = "messaging.system",
    /// `messaging.operation.name`: the client's own verb: `publish`, `poll`, `ack`, …
    MESSAGING_OPERATION_NAME = "messaging.operation.name",
    /// `messaging.operation.type`: `create`, `send`, `receive`, `process` or `settle`.
    MESSAGING_OPERATION_TYPE = "messaging.operation.type",
    /// `messaging.destination.name`: the topic, queue or channel.
    MESSAGING_DESTINATION_NAME = "messaging.destination.name",
    /// `messaging.destination.template`: the template of a destination that has parameters.
    MESSAGING_DESTINATION_TEMPLATE = "messaging.destination.template",
    /// `messaging.destination.partition.id`: the partition, as text.
    MESSAGING_DESTINATION_PARTITION_ID = "messaging.destination.partition.id",
    /// `messaging.batch.message_count`: how many messages one operation took, where it takes batches.
    MESSAGING_BATCH_MESSAGE_COUNT = "messaging.batch.message_count",
    /// `messaging.message.id`: the broker's id of the message.
    MESSAGING_MESSAGE_ID = "messaging.message.id",
    /// `messaging.message.conversation_id`: the correlation id, as the protocol carries it.
    MESSAGING_MESSAGE_CONVERSATION_ID = "messaging.message.conversation_id",
    /// `messaging.message.body.size`: bytes of the body.
    MESSAGING_MESSAGE_BODY_SIZE = "messaging.message.body.size",
    /// `messaging.client.id`: the client's id at the broker.
    MESSAGING_CLIENT_ID = "messaging.client.id",
    /// `messaging.consumer.group.name`: the group whose members share the messages.
    MESSAGING_CONSUMER_GROUP_NAME = "messaging.consumer.group.name",
}
