//! The time of a call: when all of it must have ended, and when the attempt under way must.
//!
//! An attempt's time does not run while it waits for its permit with a connection in hand: that wait belongs to the rate, and
//! only the call's deadline bounds it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Stands in for a deadline that is too far away to be reckoned with.
pub(crate) const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A moment, or one that is far away where it can't be reckoned with.
pub(crate) fn later(from: Instant, by: Duration) -> Instant {
    from.checked_add(by).unwrap_or(from + FAR)
}

/// The time of one call.
pub(crate) struct Clock(Mutex<Times>);

struct Times {
    deadline: Instant,
    attempt_end: Instant,
    /// The time of the whole call, where it begins anew with the first permit.
    from_first_permit: Option<Duration>,
}

impl Clock {
    /// The clock of a call that begins now and has so much time.
    pub(crate) fn start(time: Duration) -> Self {
        let deadline = later(Instant::now(), time);
        Self(Mutex::new(Times { deadline, attempt_end: deadline, from_first_permit: None }))
    }

    /// The same, of a call whose wait for its first permit costs nothing of its time.
    pub(crate) fn start_with_first_permit(time: Duration) -> Self {
        let deadline = later(Instant::now(), time);
        Self(Mutex::new(Times { deadline, attempt_end: deadline, from_first_permit: Some(time) }))
    }

    /// When the whole call must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        self.lock().deadline
    }

    /// Begins an attempt, which has so much time; false where the call's time is over.
    pub(crate) fn start_attempt(&self, time: Duration) -> bool {
        let now = Instant::now();
        let mut times = self.lock();
        times.attempt_end = times.deadline.min(later(now, time));
        now < times.deadline
    }

    /// Waits for a permit, of which `wait` is told until when it may: the attempt's time does not run.
    pub(crate) async fn stopped<T, F: Future<Output = T>>(&self, wait: impl FnOnce(Instant) -> F) -> T {
        let (until, left) = {
            let mut times = self.lock();
            let now = Instant::now();
            let until = times.from_first_permit.map_or(times.deadline, |_| later(now, FAR));
            let left = times.attempt_end.saturating_duration_since(now);
            times.attempt_end = until;
            (until, left)
        };
        let outcome = wait(until).await;
        let mut times = self.lock();
        let now = Instant::now();
        if let Some(time) = times.from_first_permit.take() {
            times.deadline = later(now, time);
        }
        times.attempt_end = times.deadline.min(later(now, left));
        drop(times);
        outcome
    }

    /// The result of a call; none if the time of the attempt ends first.
    ///
    /// The call is taken pinned: it is large, and would be copied from each future to the next on its way to where it is
    /// polled.
    pub(crate) async fn within_attempt<T>(&self, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let mut sleep = pin!(sleep_until(self.lock().attempt_end));
        poll_fn(|context| {
            if let Poll::Ready(outcome) = call.as_mut().poll(context) {
                return Poll::Ready(Some(outcome));
            }
            // It moves while the call is polled, which is where a permit is waited for.
            let end = self.lock().attempt_end;
            if sleep.deadline() != end {
                sleep.as_mut().reset(end);
            }
            sleep.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Times> {
        // Nothing that is done under the lock leaves the times half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn an_attempt_s_time_does_not_run_while_it_waits_for_its_permit() {
        let clock = Clock::start(SECOND * 60);
        assert!(clock.start_attempt(SECOND * 3));
        let began = Instant::now();
        let call = pin!(async {
            tokio::time::sleep(SECOND).await;
            clock.stopped(|_| tokio::time::sleep(SECOND * 20)).await;
            tokio::time::sleep(SECOND * 10).await;
        });
        assert_eq!(clock.within_attempt(call).await, None);
        assert_eq!(began.elapsed(), SECOND * 23);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_bounds_the_wait_for_a_permit() {
        let clock = Clock::start(SECOND * 5);
        assert!(clock.start_attempt(SECOND * 3));
        let began = Instant::now();
        let call = pin!(clock.stopped(|_| std::future::pending::<()>()));
        assert_eq!(clock.within_attempt(call).await, None);
        assert_eq!(began.elapsed(), SECOND * 5);
        assert!(!clock.start_attempt(SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_s_time_can_begin_with_its_first_permit() {
        let clock = Clock::start_with_first_permit(SECOND * 5);
        assert!(clock.start_attempt(SECOND * 3));
        let call = pin!(clock.stopped(|_| tokio::time::sleep(SECOND * 100)));
        assert_eq!(clock.within_attempt(call).await, Some(()));
        assert_eq!(clock.deadline(), Instant::now() + SECOND * 5);
        clock
            .stopped(|until| {
                assert_eq!(until, clock.deadline());
                std::future::ready(())
            })
            .await;
    }
}
