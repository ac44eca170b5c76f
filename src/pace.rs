//! The documented rate, kept: no more calls in any period than the platform counts.
//!
//! The platform counts a sliding window. So do we, over the moments at which requests really began to be written: a permit
//! holds its place until its request begins, and one whose request never began gives it back. Waiters are served in order,
//! and one that stops waiting leaves no gap.
//!
//! Making a connection takes up no place. A call that needs one waits for its turn first, which comes a little before there
//! is a place for it, makes the connection, and then waits for the permit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::clock::later;
use crate::facts::RateLimit;
use crate::generated::cancel_onboard::OPERATION;

/// By how much our window is longer than the platform's: what two requests can come closer together on their way.
const JITTER: Duration = Duration::from_millis(20);

/// How long before its place in the window is free a call has its turn to make a connection.
const LEAD: Duration = Duration::from_secs(1);

/// How fast a client, with all its clones, calls.
///
/// ```
/// use std::time::Duration;
/// use feishu_cancel_onboard::Pace;
///
/// let documented = Pace::default();
/// let raised = Pace::new(50, Duration::from_secs(1)); // for a tenant with a quota of its own
/// let off = Pace::unlimited(); // someone else keeps the rate, a shared gateway for instance
/// # let _ = (documented, raised, off);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    limits: Vec<RateLimit>,
}

impl Pace {
    /// At most so many calls in any such period.
    ///
    /// Zero calls are taken as one, since no call at all would wait for ever.
    #[must_use]
    pub fn new(calls: u32, period: Duration) -> Self {
        Self { limits: vec![RateLimit { calls: calls.max(1), period }] }
    }

    /// As fast as calls come.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { limits: Vec::new() }
    }

    /// The limits that hold together.
    ///
    /// ```
    /// use feishu_cancel_onboard::{Pace, document};
    ///
    /// assert_eq!(Pace::default().limits(), document::OPERATION.rate_limits);
    /// assert!(Pace::unlimited().limits().is_empty());
    /// ```
    #[must_use]
    pub fn limits(&self) -> &[RateLimit] {
        &self.limits
    }

    /// How long so many calls take at least, from the first one's beginning to the last one's.
    ///
    /// ```
    /// use std::time::Duration;
    /// use feishu_cancel_onboard::Pace;
    ///
    /// let pace = Pace::new(10, Duration::from_secs(1));
    /// assert_eq!(pace.time_for(300), Duration::from_secs(29));
    /// assert_eq!(pace.time_for(10), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn time_for(&self, calls: usize) -> Duration {
        let of_limit = |limit: &RateLimit| {
            let periods = calls.saturating_sub(1) / (limit.calls.max(1) as usize);
            u32::try_from(periods).ok().and_then(|periods| limit.period.checked_mul(periods)).unwrap_or(Duration::MAX)
        };
        self.limits.iter().map(of_limit).max().unwrap_or_default()
    }

    pub(crate) fn of(limits: &[RateLimit]) -> Self {
        Self { limits: limits.to_vec() }
    }
}

impl Default for Pace {
    /// The rate limit of the endpoint's page.
    fn default() -> Self {
        Self::of(OPERATION.rate_limits)
    }
}

/// Hands out permits at a pace.
pub(crate) struct Pacer {
    limits: Vec<RateLimit>,
    state: Mutex<State>,
    /// Its first waiter is the one whose turn comes next.
    turns: tokio::sync::Mutex<()>,
    /// Its first waiter is the one who gets the next permit.
    permits: tokio::sync::Mutex<()>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// When requests began to be written, the oldest first, no longer than the longest window.
    begun: VecDeque<Instant>,
    /// Permits whose request has not begun to be written yet.
    pending: usize,
    /// Turns whose call has no permit yet.
    turns: usize,
    paused_until: Option<Instant>,
    waiting: usize,
}

/// How long the caller would have to wait, which is longer than it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong(pub Duration);

/// When there is room, at the earliest; `None`: that depends on somebody who has a permit or a turn.
type Earliest = Option<Instant>;

impl Pacer {
    pub(crate) fn new(pace: &Pace) -> Arc<Self> {
        Arc::new(Self {
            limits: pace.limits.clone(),
            state: Mutex::default(),
            turns: tokio::sync::Mutex::default(),
            permits: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Waits for a permit, but not beyond `deadline`: where that is already certain, it does not begin to wait.
    pub(crate) async fn permit(self: &Arc<Self>, deadline: Instant) -> Result<Permit, TooLong> {
        self.wait_in_line(&self.permits, deadline, Self::take_permit).await
    }

    /// Waits for the turn to make a connection, but not beyond `deadline`: where it is certain that there is no permit until
    /// then, it does not begin to wait.
    pub(crate) async fn turn(self: &Arc<Self>, deadline: Instant) -> Result<Turn, TooLong> {
        self.wait_in_line(&self.turns, deadline, Self::take_turn).await
    }

    async fn wait_in_line<T>(
        self: &Arc<Self>,
        line: &tokio::sync::Mutex<()>,
        deadline: Instant,
        take: impl Fn(&Arc<Self>) -> Result<T, Earliest>,
    ) -> Result<T, TooLong> {
        // Who waits already is not overtaken: the lock goes from one to the next without being free in between.
        if let Ok(_first) = line.try_lock()
            && let Ok(taken) = take(self)
        {
            return Ok(taken);
        }
        let _waiting = self.join(deadline)?;
        self.wait(line, deadline, take).await
    }

    async fn wait<T>(
        self: &Arc<Self>,
        line: &tokio::sync::Mutex<()>,
        deadline: Instant,
        take: impl Fn(&Arc<Self>) -> Result<T, Earliest>,
    ) -> Result<T, TooLong> {
        let Ok(_first) = timeout_at(deadline, line.lock()).await else {
            return Err(TooLong(Duration::ZERO));
        };
        loop {
            let changed = self.changed.notified();
            let earliest = match take(self) {
                Ok(taken) => return Ok(taken),
                Err(earliest) => earliest,
            };
            let now = Instant::now();
            match earliest {
                Some(earliest) if earliest > deadline => return Err(TooLong(earliest - now)),
                // Whichever comes first: the time, or a change that can bring it nearer or move it away.
                Some(earliest) => drop(timeout_at(earliest, changed).await),
                None => {
                    if timeout_at(deadline, changed).await.is_err() {
                        return Err(TooLong(Duration::ZERO));
                    }
                }
            }
        }
    }

    /// Lets nothing through for a while: what the platform asked for holds for every call of the app.
    pub(crate) fn pause(&self, wait: Duration) {
        let Some(until) = Instant::now().checked_add(wait) else { return };
        let mut state = self.lock();
        if state.paused_until.is_none_or(|paused| paused < until) {
            state.paused_until = Some(until);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// How long nothing is let through from now on, because the platform asked for that.
    pub(crate) fn paused_for(&self) -> Option<Duration> {
        let now = Instant::now();
        self.lock().paused_until.filter(|until| *until > now).map(|until| until - now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self, deadline: Instant) -> Result<Waiting<'_>, TooLong> {
        let now = Instant::now();
        let mut state = self.lock();
        let earliest = state.earliest_behind(state.waiting, &self.limits, now);
        if earliest > deadline {
            return Err(TooLong(earliest - now));
        }
        state.waiting += 1;
        Ok(Waiting(self))
    }

    fn take_permit(self: &Arc<Self>) -> Result<Permit, Earliest> {
        let mut state = self.lock();
        let held = state.pending;
        state.room(&self.limits, held, Duration::ZERO)?;
        state.pending += 1;
        Ok(Permit { pacer: Arc::clone(self), begun: false })
    }

    fn take_turn(self: &Arc<Self>) -> Result<Turn, Earliest> {
        let mut state = self.lock();
        let held = state.pending + state.turns;
        state.room(&self.limits, held, LEAD)?;
        state.turns += 1;
        Ok(Turn { pacer: Arc::clone(self) })
    }
}

impl State {
    /// Whether there is room for one more call beside those that hold a place already, within so much time from now.
    fn room(&mut self, limits: &[RateLimit], held: usize, ahead: Duration) -> Result<(), Earliest> {
        let now = Instant::now();
        self.forget(limits, now);
        let soon = later(now, ahead);
        let before = |at: Instant| Err(Some(at.checked_sub(ahead).unwrap_or(at)));
        if let Some(until) = self.paused_until.filter(|until| *until > soon) {
            return before(until);
        }
        for limit in limits {
            match self.earliest_for(limit, held, now) {
                None => {}
                Some(None) => return Err(None),
                Some(Some(at)) if at > soon => return before(at),
                Some(Some(_)) => {}
            }
        }
        Ok(())
    }

    /// Drops what no window reaches back to.
    fn forget(&mut self, limits: &[RateLimit], now: Instant) {
        let longest = limits.iter().map(window).max().unwrap_or_default();
        while self.begun.front().is_some_and(|begun| now.duration_since(*begun) >= longest) {
            self.begun.pop_front();
        }
    }

    /// How many requests began within a window that ends now.
    fn recent(&self, window: Duration, now: Instant) -> usize {
        self.begun.len() - self.begun.partition_point(|begun| now.duration_since(*begun) >= window)
    }

    /// When a limit next lets a call through beside those that hold a place; `None` for now, `Some(None)` where that depends
    /// on one of them.
    fn earliest_for(&self, limit: &RateLimit, held: usize, now: Instant) -> Option<Earliest> {
        let calls = limit.calls as usize;
        let window = window(limit);
        let recent = self.recent(window, now);
        if recent + held < calls {
            return None;
        }
        // Once enough of the recent ones are out of the window, one more fits beside those that hold a place.
        let out = (recent + held - calls).checked_add(1)?;
        if out > recent {
            return Some(None);
        }
        let last_out = self.begun[self.begun.len() - recent + out - 1];
        Some(Some(later(last_out, window)))
    }

    /// A moment before which the one behind `ahead` others certainly gets no permit.
    fn earliest_behind(&self, ahead: usize, limits: &[RateLimit], now: Instant) -> Instant {
        let paused = self.paused_until.filter(|until| *until > now).unwrap_or(now);
        limits.iter().fold(paused, |earliest, limit| {
            let (calls, window) = (limit.calls as usize, window(limit));
            let recent = self.recent(window, now);
            // Each place in the window is free again one window after it was last taken.
            let taken_before = ahead + recent + self.pending + self.turns;
            let Some(behind) = taken_before.checked_sub(calls) else { return earliest };
            let rounds = u32::try_from(behind / calls).unwrap_or(u32::MAX);
            let place = behind % calls;
            let first = if place < recent { self.begun[self.begun.len() - recent + place] } else { now };
            let later = window.checked_mul(rounds + 1).and_then(|wait| first.checked_add(wait));
            earliest.max(later.unwrap_or(earliest))
        })
    }
}

fn window(limit: &RateLimit) -> Duration {
    limit.period.saturating_add(JITTER)
}

/// Counts a waiter for as long as it waits.
struct Waiting<'a>(&'a Pacer);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// The turn to make a connection for one request.
pub(crate) struct Turn {
    pacer: Arc<Pacer>,
}

impl Turn {
    /// Waits for the permit, but not beyond `deadline`.
    pub(crate) async fn permit(self, deadline: Instant) -> Result<Permit, TooLong> {
        self.pacer.wait(&self.pacer.permits, deadline, Pacer::take_permit).await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pacer.lock().turns -= 1;
        self.pacer.changed.notify_waiters();
    }
}

/// The right to begin one request.
pub(crate) struct Permit {
    pacer: Arc<Pacer>,
    begun: bool,
}

impl Permit {
    /// Takes note that the request begins to be written now.
    pub(crate) fn begin(mut self) {
        self.begun = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pacer.lock();
        state.pending -= 1;
        if self.begun && !self.pacer.limits.is_empty() {
            state.begun.push_back(Instant::now());
        }
        drop(state);
        self.pacer.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(1_000_000)
    }

    /// The most moments that lie within any period.
    fn most_within(moments: &[Instant], period: Duration) -> usize {
        let within = |first: &Instant| moments.iter().filter(|m| **m >= *first && **m - *first < period).count();
        moments.iter().map(within).max().unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_calls_than_the_limit_and_none_is_wasted() {
        let pacer = Pacer::new(&Pace::default());
        let began = Instant::now();
        let mut moments = Vec::new();
        for _ in 0..300 {
            pacer.permit(far()).await.expect("there is time").begin();
            moments.push(Instant::now());
        }
        assert_eq!(most_within(&moments, SECOND), 10);
        let floor = SECOND * 29;
        let took = began.elapsed();
        assert!(took >= floor && took <= floor.mul_f64(1.03), "{took:?} for a floor of {floor:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn several_limits_hold_together() {
        let limit = |calls, seconds| RateLimit { calls, period: Duration::from_secs(seconds) };
        let pacer = Pacer::new(&Pace::of(&[limit(5, 1), limit(20, 60)]));
        let mut moments = Vec::new();
        for _ in 0..60 {
            pacer.permit(far()).await.expect("there is time").begin();
            moments.push(Instant::now());
        }
        assert_eq!(most_within(&moments, SECOND), 5);
        assert_eq!(most_within(&moments, SECOND * 60), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn making_connections_costs_nothing_of_the_rate() {
        for connecting in [0, 150, 900] {
            let pacer = Pacer::new(&Pace::default());
            let began = Instant::now();
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..300 {
                let pacer = Arc::clone(&pacer);
                calls.spawn(async move {
                    let turn = pacer.turn(far()).await.expect("there is time");
                    tokio::time::sleep(Duration::from_millis(connecting)).await;
                    let idle = Instant::now();
                    turn.permit(far()).await.expect("there is time").begin();
                    (Instant::now(), idle.elapsed())
                });
            }
            let mut ended = calls.join_all().await;
            ended.sort();
            let moments: Vec<_> = ended.iter().map(|(at, _)| *at).collect();
            assert_eq!(most_within(&moments, SECOND), 10);
            let floor = SECOND * 29 + Duration::from_millis(connecting);
            let took = began.elapsed();
            assert!(took >= floor && took <= floor.mul_f64(1.03), "{took:?} for a floor of {floor:?}");
            assert!(ended.iter().all(|(_, idle)| *idle <= LEAD + JITTER), "no connection waits long for its permit");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_has_a_turn_long_before_the_end_of_a_pause() {
        let pacer = Pacer::new(&Pace::default());
        pacer.pause(SECOND * 30);
        let began = Instant::now();
        let turn = pacer.turn(far()).await.expect("there is time");
        assert_eq!(began.elapsed(), SECOND * 29);
        let refused = turn.permit(Instant::now() + LEAD / 2).await.map(Permit::begin);
        assert!(matches!(refused, Err(TooLong(_))));
        assert_eq!(pacer.lock().turns, 0);
        pacer.permit(far()).await.expect("there is time").begin();
        assert_eq!(began.elapsed(), SECOND * 30);
        let refused =
            pacer.turn(began + SECOND * 31).await.expect("there is time").permit(began).await.map(Permit::begin);
        assert!(refused.is_ok(), "nothing had to be waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn both_documented_limits_on_listing_termination_reasons_are_kept() {
        let limits = crate::generated::termination_reasons::OPERATION.rate_limits;
        let pacer = Pacer::new(&Pace::of(limits));
        let began = Instant::now();
        let mut moments = Vec::new();
        for _ in 0..2100 {
            pacer.permit(far()).await.expect("there is time").begin();
            moments.push(Instant::now());
        }
        assert_eq!(most_within(&moments, SECOND), 50);
        assert_eq!(most_within(&moments, SECOND * 60), 1000);
        let floor = SECOND * 121;
        let took = began.elapsed();
        assert!(took >= floor && took <= floor.mul_f64(1.03), "{took:?} for a floor of {floor:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_counts_from_when_its_request_begins_not_from_when_it_was_had() {
        let pacer = Pacer::new(&Pace::new(2, SECOND));
        let slow = pacer.permit(far()).await.expect("there is time");
        pacer.permit(far()).await.expect("there is time").begin();
        tokio::time::advance(SECOND * 10).await;
        slow.begin();
        let began = Instant::now();
        pacer.permit(far()).await.expect("there is time").begin();
        assert_eq!(began.elapsed(), Duration::ZERO);
        pacer.permit(far()).await.expect("there is time").begin();
        assert_eq!(began.elapsed(), SECOND + JITTER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_was_not_used_is_given_back() {
        let pacer = Pacer::new(&Pace::new(1, SECOND));
        for _ in 0..5 {
            drop(pacer.permit(Instant::now()).await.expect("the one permit is back"));
        }
        let held = pacer.permit(far()).await.expect("there is time");
        let waiter = tokio::spawn({
            let pacer = Arc::clone(&pacer);
            async move { pacer.permit(far()).await.map(Permit::begin) }
        });
        tokio::task::yield_now().await;
        drop(held);
        let began = Instant::now();
        waiter.await.expect("no panic").expect("there is time");
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_are_served_in_order_and_one_that_leaves_makes_no_gap() {
        let pacer = Pacer::new(&Pace::new(1, SECOND));
        pacer.permit(far()).await.expect("there is time").begin();
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut waiters = Vec::new();
        for number in 0..6 {
            let (pacer, served) = (Arc::clone(&pacer), Arc::clone(&served));
            waiters.push(tokio::spawn(async move {
                pacer.permit(far()).await.expect("there is time").begin();
                served.lock().expect("no panic with it").push((number, Instant::now()));
            }));
            tokio::task::yield_now().await;
        }
        waiters[0].abort();
        waiters[3].abort();
        let began = Instant::now();
        for waiter in waiters {
            let _ = waiter.await;
        }
        let served = served.lock().expect("no panic with it");
        let numbers: Vec<_> = served.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 4, 5]);
        assert_eq!(served[3].1 - began, (SECOND + JITTER) * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_deadline_is_not_begun() {
        let pacer = Pacer::new(&Pace::new(10, SECOND));
        let deadline = Instant::now() + SECOND * 3;
        let mut waiters = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let pacer = Arc::clone(&pacer);
            waiters.spawn(async move {
                let began = Instant::now();
                (pacer.permit(deadline).await.map(Permit::begin), began.elapsed())
            });
        }
        let results = waiters.join_all().await;
        assert_eq!(results.iter().filter(|(permit, _)| permit.is_ok()).count(), 30);
        for (permit, took) in results {
            if let Err(TooLong(wait)) = permit {
                assert_eq!(took, Duration::ZERO);
                assert!(wait >= SECOND * 3, "{wait:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_everybody_and_for_those_who_wait_already() {
        let pacer = Pacer::new(&Pace::new(1, SECOND));
        pacer.permit(far()).await.expect("there is time").begin();
        let began = Instant::now();
        let waiter = tokio::spawn({
            let pacer = Arc::clone(&pacer);
            async move { pacer.permit(far()).await.map(Permit::begin) }
        });
        tokio::task::yield_now().await;
        pacer.pause(SECOND * 100);
        pacer.pause(SECOND); // a shorter one does not cut it short
        let refused = pacer.permit(began + SECOND * 50).await.map(Permit::begin);
        assert!(matches!(refused, Err(TooLong(wait)) if wait == SECOND * 100), "{refused:?}");
        waiter.await.expect("no panic").expect("there is time");
        assert_eq!(began.elapsed(), SECOND * 100);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unlimited_pace_waits_for_nothing_but_a_pause() {
        let pacer = Pacer::new(&Pace::unlimited());
        let began = Instant::now();
        for _ in 0..10_000 {
            pacer.permit(began).await.expect("no wait").begin();
        }
        assert!(pacer.lock().begun.is_empty());
        pacer.pause(SECOND);
        pacer.permit(far()).await.expect("there is time").begin();
        assert_eq!(began.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_without_an_end_leaves_the_pacer_fit_for_use() {
        let pacer = Pacer::new(&Pace::default());
        pacer.pause(Duration::MAX);
        pacer.permit(far()).await.expect("an end that can't be reckoned with is none").begin();
    }
}
