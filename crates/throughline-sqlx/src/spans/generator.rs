//! A stream from a future that gives its items away one by one.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use futures_util::stream::{Stream, StreamExt};

/// Items on their way from the future to whoever polls the stream: one at most.
type Slot<T> = Arc<Mutex<Option<T>>>;

/// Where the future puts its items.
pub(crate) struct Out<T>(Slot<T>);

impl<T> Out<T> {
    /// Gives an item away. Goes on when the next one is asked for.
    pub(crate) async fn give(&self, item: T) {
        let mut item = Some(item);
        poll_fn(|_| match item.take() {
            // The stream sees the item, and doesn't wait for a wake-up.
            Some(item) => {
                put(&self.0, item);
                Poll::Pending
            }
            None => Poll::Ready(()),
        })
        .await;
    }
}

/// A stream with the items that the future of `work` gives away, and its error, if it has one, as the last of them.
///
/// Nothing happens until it is polled. It may hold a connection and what is borrowed from it, which no stream by hand can.
pub(crate) fn stream<'e, T, E, F>(
    work: impl FnOnce(Out<T>) -> F,
) -> Pin<Box<dyn Stream<Item = Result<T, E>> + Send + 'e>>
where
    T: Send + 'e,
    E: 'e,
    F: Future<Output = Result<(), E>> + Send + 'e,
{
    let slot = Slot::<T>::default();
    let work = work(Out(Arc::clone(&slot)));
    Generator { work: Some(Box::pin(work)), slot }.boxed()
}

struct Generator<F, T> {
    /// `None` when it has ended: what it held is gone by then.
    work: Option<Pin<Box<F>>>,
    slot: Slot<T>,
}

impl<T, E, F: Future<Output = Result<(), E>>> Stream for Generator<F, T> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        let ended = work.as_mut().poll(cx);
        if let Poll::Ready(result) = ended {
            self.work = None;
            return Poll::Ready(result.err().map(Err));
        }
        take(&self.slot).map_or(Poll::Pending, |item| Poll::Ready(Some(Ok(item))))
    }
}

fn put<T>(slot: &Slot<T>, item: T) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
}

fn take<T>(slot: &Slot<T>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use futures_util::future;

    use super::*;

    #[tokio::test]
    async fn items_come_in_order_and_the_error_last() {
        let items = stream(|out| async move {
            out.give(1).await;
            tokio::task::yield_now().await;
            out.give(2).await;
            Err("over")
        });
        assert_eq!(items.collect::<Vec<_>>().await, [Ok(1), Ok(2), Err("over")]);
    }

    #[tokio::test]
    async fn work_goes_on_only_when_an_item_is_asked_for() {
        let asked = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&asked);
        let mut items = stream(|out| async move {
            for item in 0..3 {
                *asked.lock().unwrap() = item;
                out.give(item).await;
            }
            Ok::<_, ()>(())
        });
        assert_eq!(items.next().await, Some(Ok(0)));
        assert_eq!(*seen.lock().unwrap(), 0);
        assert_eq!(items.next().await, Some(Ok(1)));
        assert_eq!(*seen.lock().unwrap(), 1);
        drop(items);
        assert_eq!(Arc::strong_count(&seen), 1);
        future::ready(()).await;
    }
}
