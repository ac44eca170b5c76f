//! When to try again, and how long to wait before.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// How often an attempt is made, how long is waited in between, and when the whole must have ended.
///
/// What is tried again at all is not a matter of the policy: only what is known to be safe is.
///
/// ```
/// use std::time::Duration;
/// use feishu_cancel_onboard::RetryPolicy;
///
/// let patient = RetryPolicy::default()
///     .attempts(8)
///     .backoff(Duration::from_secs(1), Duration::from_secs(30))
///     .deadline(Duration::from_secs(300));
/// let once = RetryPolicy::off();
/// assert_ne!(once, RetryPolicy::default().attempts(1)); // which still waits where the platform asks for it
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    attempts: u32,
    base: Duration,
    cap: Duration,
    deadline: Duration,
    waits_for_the_limit: bool,
}

impl Default for RetryPolicy {
    /// Up to 4 attempts within 60 seconds; before each but the first, a wait drawn from between nothing and 0.5 s, which
    /// doubles from attempt to attempt up to 8 s.
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
            deadline: Duration::from_secs(60),
            waits_for_the_limit: true,
        }
    }
}

impl RetryPolicy {
    /// One attempt, within the default deadline: nothing is tried again, not even where the platform asks to wait.
    #[must_use]
    pub fn off() -> Self {
        Self { waits_for_the_limit: false, ..Self::default().attempts(1) }
    }

    /// How many attempts are made at most, 4 by default. Zero is taken as one.
    ///
    /// Being told to wait by the rate limit uses up no attempt, since the quota is shared with every other program of the
    /// app; the deadline alone bounds that.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = if attempts == 0 { 1 } else { attempts };
        self
    }

    /// Between nothing and what is waited before the second attempt, `base`, 0.5 s by default; it doubles from attempt to
    /// attempt, up to `cap`, 8 s by default.
    #[must_use]
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// When the whole cancellation has ended, whatever it is waiting for, counted from its beginning; 60 s by default.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) const fn most_attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether a call that was told to wait is made again.
    pub(crate) const fn waits_for_the_limit(&self) -> bool {
        self.waits_for_the_limit
    }

    pub(crate) const fn time(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn waits(&self) -> Waits {
        let ceilings = ExponentialBuilder::new()
            .with_min_delay(self.base.min(self.cap))
            .with_max_delay(self.cap)
            .without_max_times();
        Waits(ceilings.build())
    }
}

/// The waits of one cancellation.
pub(crate) struct Waits(ExponentialBackoff);

impl Waits {
    /// The next one, drawn evenly from between nothing and the ceiling, so that many callers spread.
    pub(crate) fn draw(&mut self) -> Duration {
        self.0.next().unwrap_or_default().mul_f64(fastrand::f64())
    }
}
