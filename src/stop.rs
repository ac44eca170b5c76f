//! A wish that a call begins nothing more.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::sync::Notify;

/// Says to a call that it must begin nothing more. Clones say it to the same calls.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_stopped: AtomicBool,
    changed: Notify,
}

/// The call was stopped before what was waited for had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

impl Stop {
    pub(crate) fn stop(&self) {
        if !self.0.is_stopped.swap(true, Ordering::AcqRel) {
            self.0.changed.notify_waiters();
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.is_stopped.load(Ordering::Acquire)
    }

    /// The result of a wait that can be dropped at any point, unless it is stopped first.
    pub(crate) async fn or<T>(&self, wait: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut wait = pin!(wait);
        let mut changed = pin!(self.0.changed.notified());
        poll_fn(|context| {
            // A stop goes first: what could begin now must not.
            if self.is_stopped() {
                return Poll::Ready(Err(Stopped));
            }
            if let Poll::Ready(outcome) = wait.as_mut().poll(context) {
                return Poll::Ready(Ok(outcome));
            }
            match changed.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(Stopped)),
                // Whoever stops it wakes this from now on, and may have stopped it just before.
                Poll::Pending if self.is_stopped() => Poll::Ready(Err(Stopped)),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_goes_before_what_is_ready_and_is_never_taken_back() {
        let stop = Stop::default();
        assert_eq!(stop.or(async { 7 }).await, Ok(7));
        stop.stop();
        stop.stop();
        assert!(stop.is_stopped());
        assert_eq!(stop.clone().or(async { 7 }).await, Err(Stopped));
    }

    #[tokio::test]
    async fn a_stop_wakes_whoever_waits() {
        let stop = Stop::default();
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.or(std::future::pending::<()>()).await }
        });
        tokio::task::yield_now().await;
        stop.stop();
        assert_eq!(waiting.await.expect("no panic"), Err(Stopped));
    }
}
