//! SIGTERM and SIGINT.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to end: SIGTERM or SIGINT. Give it to axum's `with_graceful_shutdown`.
///
/// From its first call on, the signals no longer end the process by themselves. Where they cannot be caught, it never
/// ends and says so once.
///
/// Must be polled on a tokio runtime with its IO driver enabled.
pub async fn shutdown_signal() {
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        _ => {
            tracing::warn!(target: throughline_core::DIAGNOSTICS_TARGET, "SIGTERM and SIGINT cannot be caught");
            std::future::pending().await
        }
    }
}
