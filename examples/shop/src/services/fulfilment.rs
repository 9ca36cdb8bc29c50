//! Packs what was ordered, some time after the customer has gone.

use std::error::Error;

use tracing::info;

use super::{
    mqtt,
    order::{ORDER_CONFIRMED, ORDER_CREATED, Order},
};
use crate::arguments::ServeArguments;

pub(super) async fn serve(settings: &ServeArguments) -> Result<(), Box<dyn Error>> {
    let fail = settings.fail;
    mqtt::consume(settings, ORDER_CREATED, move |broker, order: Order| async move {
        if fail.strikes() {
            return Err("failing on purpose".into());
        }
        info!(order.id, order.item, "order packed");
        mqtt::publish(&broker, ORDER_CONFIRMED, &order).await
    })
    .await
}
