//! The rate limit: how many calls any window of the documented length lets through.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::RateLimit;

/// Several limits that hold together.
pub(super) struct Limits(Vec<Window>);

struct Window {
    limit: RateLimit,
    /// When calls were let through, oldest first, as far as it still matters.
    admitted: VecDeque<Instant>,
}

/// A call was not let through.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exceeded {
    /// How many calls the window allows.
    pub ceiling: u32,
    /// After how many seconds calls are let through again.
    pub reset_seconds: u64,
}

impl Limits {
    pub fn new(limits: &[RateLimit]) -> Self {
        Self(limits.iter().map(|limit| Window { limit: *limit, admitted: VecDeque::new() }).collect())
    }

    /// Lets a call through at this instant, or not. Only those let through count.
    pub fn admit(&mut self, now: Instant) -> Result<(), Exceeded> {
        let exceeded = self.0.iter_mut().filter_map(|window| window.wait(now).map(|wait| (wait, window.limit.calls)));
        if let Some((wait, ceiling)) = exceeded.max() {
            let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            return Err(Exceeded { ceiling, reset_seconds: whole.max(1) });
        }
        for window in &mut self.0 {
            window.admitted.push_back(now);
        }
        Ok(())
    }
}

impl Window {
    /// How long no call is let through from now on, if one isn't now.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        let RateLimit { calls, period } = self.limit;
        while self.admitted.front().is_some_and(|at| now.duration_since(*at) >= period) {
            self.admitted.pop_front();
        }
        let full = self.admitted.len() >= usize::try_from(calls).unwrap_or(usize::MAX);
        full.then(|| self.admitted.front().map_or(period, |oldest| period.saturating_sub(now.duration_since(*oldest))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn no_window_of_the_period_holds_more_than_the_ceiling() {
        let start = Instant::now();
        let mut limits = Limits::new(&[RateLimit { calls: 10, period: SECOND }]);
        let admitted: Vec<Instant> = (0..3000)
            .map(|step| start + Duration::from_millis(step * 7 % 5000 / 7 * 7 + step / 5))
            .scan(start, |latest, at| {
                *latest = at.max(*latest);
                Some(*latest)
            })
            .filter(|now| limits.admit(*now).is_ok())
            .collect();
        assert!(admitted.len() >= 40);
        for eleven in admitted.windows(11) {
            assert!(eleven[10].duration_since(eleven[0]) >= SECOND);
        }
    }

    #[test]
    fn a_refusal_says_when_and_does_not_count() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut limits = Limits::new(&[RateLimit { calls: 2, period: 3 * SECOND }]);
        assert_eq!(limits.admit(at(0)), Ok(()));
        assert_eq!(limits.admit(at(500)), Ok(()));
        for (millis, reset_seconds) in [(500, 3), (1000, 2), (1001, 2), (2000, 1), (2999, 1)] {
            assert_eq!(limits.admit(at(millis)), Err(Exceeded { ceiling: 2, reset_seconds }), "at {millis} ms");
        }
        assert_eq!(limits.admit(at(3000)), Ok(()));
        assert_eq!(limits.admit(at(3001)), Err(Exceeded { ceiling: 2, reset_seconds: 1 }));
    }

    #[test]
    fn several_limits_hold_together_and_none_is_none() {
        let start = Instant::now();
        let mut both =
            Limits::new(&[RateLimit { calls: 2, period: SECOND }, RateLimit { calls: 3, period: 60 * SECOND }]);
        assert_eq!(both.admit(start), Ok(()));
        assert_eq!(both.admit(start), Ok(()));
        assert_eq!(both.admit(start), Err(Exceeded { ceiling: 2, reset_seconds: 1 }));
        assert_eq!(both.admit(start + SECOND), Ok(()));
        assert_eq!(both.admit(start + 2 * SECOND), Err(Exceeded { ceiling: 3, reset_seconds: 58 }));
        let mut nothing = Limits::new(&[RateLimit { calls: 0, period: Duration::ZERO }]);
        assert_eq!(nothing.admit(start), Err(Exceeded { ceiling: 0, reset_seconds: 1 }));
        let mut none = Limits::new(&[]);
        assert!((0..1000).all(|_| none.admit(start).is_ok()));
    }
}
