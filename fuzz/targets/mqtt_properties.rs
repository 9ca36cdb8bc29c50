//! `mqtt_properties`: whatever user properties a message has, it is processed, and what goes on is well-formed.

#![no_main]

use std::{
    convert::Infallible,
    task::{Context as TaskContext, Poll, Waker},
};

use libfuzzer_sys::fuzz_target;
use rumqttc::v5::mqttbytes::{
    QoS,
    v5::{Publish, PublishProperties},
};
use throughline_core::{Context, Propagator};
use throughline_messaging::mqtt;

// One line a property, `name=value`.
fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let properties = text.split('\n').filter_map(|line| line.split_once('='));
    let user_properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let properties = PublishProperties { user_properties, ..PublishProperties::default() };
    let message = Publish::new("orders", QoS::AtLeastOnce, "", Some(properties));

    let processing = mqtt::process(&message).run(async {
        let mut next: Vec<(String, String)> = Vec::new();
        Propagator::default().inject(&Context::current(), &mut next);
        Ok::<_, Infallible>(next)
    });
    let mut processing = std::pin::pin!(processing);
    let Poll::Ready(Ok(next)) = processing.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) else {
        panic!("a handler that waits for nothing is ready");
    };
    assert!(next.iter().any(|(name, _)| name == "x-correlation-id"));
    assert!(
        next.iter().all(|(_, value)| value.bytes().all(|byte| (b' '..=b'~').contains(&byte))),
        "{next:?}"
    );
});
