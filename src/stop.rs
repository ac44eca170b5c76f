//! A wish that a call begins nothing more.

use std::future::Future;
use std::pin::pin;

use tokio::sync::watch;

/// Says to a call that it must begin nothing more. Clones say it to the same calls.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Sender<State>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Running,
    Stopped,
    /// Stopped, and nobody waits for the result.
    Abandoned,
}

/// The call was stopped before what was waited for had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

impl Stop {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(State::Running))
    }

    pub(crate) fn stop(&self) {
        self.set(State::Stopped);
    }

    /// Stops, and says that nobody waits for the result.
    pub(crate) fn abandon(&self) {
        self.set(State::Abandoned);
    }

    fn set(&self, state: State) {
        self.0.send_if_modified(|current| state > std::mem::replace(current, state.max(*current)));
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.0.borrow() != State::Running
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        *self.0.borrow() == State::Abandoned
    }

    /// Waits until it is stopped.
    pub(crate) async fn stopped(&self) {
        // The sender lives as long as this waits.
        let _ = self.0.subscribe().wait_for(|state| *state != State::Running).await;
    }

    /// What comes of a wait that can be left at any point, unless it is stopped first.
    pub(crate) async fn or<T>(&self, wait: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut wait = pin!(wait);
        let mut stopped = pin!(self.stopped());
        std::future::poll_fn(|context| {
            // A stop goes first: what could begin now must not.
            if stopped.as_mut().poll(context).is_ready() {
                return std::task::Poll::Ready(Err(Stopped));
            }
            wait.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_goes_before_what_is_ready_and_is_never_taken_back() {
        let stop = Stop::new();
        assert_eq!(stop.or(async { 7 }).await, Ok(7));
        stop.abandon();
        stop.stop();
        assert!(stop.is_stopped() && stop.is_abandoned());
        assert_eq!(stop.clone().or(async { 7 }).await, Err(Stopped));
    }
}
