//! Tells the customer.

use std::error::Error;

use tracing::info;

use super::{
    mqtt,
    order::{ORDER_CONFIRMED, Order},
};
use crate::arguments::ServeArguments;

pub(super) async fn serve(settings: &ServeArguments) -> Result<(), Box<dyn Error>> {
    let fail = settings.fail;
    mqtt::consume(settings, ORDER_CONFIRMED, move |_, order: Order| async move {
        if fail.strikes() {
            return Err("failing on purpose".into());
        }
        info!(order.id, user.id = order.user, "customer notified");
        Ok(())
    })
    .await
}
