//! The end of a service: asked for once, heard by everything that runs in it.

use tokio::sync::watch;

/// Tells everything in a process that it is to end. Clones hear the same.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Is told by SIGTERM and SIGINT.
    pub(super) fn on_signal() -> Self {
        let (told, stop) = watch::channel(false);
        tokio::spawn(async move {
            throughline::shutdown_signal().await;
            told.send_replace(true);
        });
        Self(stop)
    }

    /// Returns once the process is to end.
    pub(super) async fn wait(&self) {
        // The sender goes only with the runtime, which is an end, too.
        drop(self.0.clone().wait_for(|stop| *stop).await);
    }
}
