//! Programmed failures: what is to go wrong with which of the next calls.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::answer::Answer;
use super::random::Random;

/// What goes wrong with a call, apart from what it asks for.
///
/// It strikes a call that got past the token and the limit, so a call refused there uses none up.
///
/// ```
/// use std::time::Duration;
/// use feishu_cancel_onboard::sandbox::{Answer, Ending, Fault, Sandbox};
/// use feishu_cancel_onboard::{Client, ErrorCode, Outcome, TerminationType};
/// use http::StatusCode;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// sandbox.fail_cancellations([
///     Fault::None,
///     Fault::Delay(Duration::from_millis(20)),
///     Fault::WithoutEffect(ErrorCode::SystemError.into()),
///     Fault::None, // for the attempt that follows
///     Fault::WithEffect(Answer::html(StatusCode::BAD_GATEWAY).into()),
/// ]);
///
/// let origin = sandbox.base_url().parse()?;
/// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// for (id, attempts) in [("10", 1), ("11", 1), ("12", 2)] {
///     let done = client.cancel_onboard(id, TerminationType::Other).send().await?;
///     assert_eq!((done.outcome(), done.attempts()), (Outcome::Cancelled, attempts));
/// }
/// let done = client.cancel_onboard("13", TerminationType::Other).send().await?;
/// assert_eq!(done.outcome(), Outcome::Terminated);
/// assert_eq!(sandbox.cancellations(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing goes wrong with this one.
    None,
    /// The call takes effect at once and is answered as ever, but this much later.
    Delay(Duration),
    /// The call changes nothing, and ends like this.
    WithoutEffect(Ending),
    /// The call takes effect, or is refused, as ever; but in place of its answer it ends like this.
    WithEffect(Ending),
}

/// How a call ends that does not get the answer that was due.
///
/// ```
/// use feishu_cancel_onboard::sandbox::{Ending, Fault, Sandbox};
/// use feishu_cancel_onboard::{Client, Delivery, ErrorKind, RetryPolicy, TerminationType};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// sandbox.fail_cancellations([
///     Fault::WithEffect(Ending::Truncated(10)),
///     Fault::WithEffect(Ending::Close),
///     Fault::WithoutEffect(Ending::Raw("220 mail.example\r\n".into())),
/// ]);
///
/// let client = Client::builder()
///     .origin(sandbox.base_url().parse()?)
///     .app(sandbox.app_id(), sandbox.app_secret())
///     .retry(RetryPolicy::off())
///     .build()?;
/// for id in ["10", "11", "12"] {
///     let result = client.cancel_onboard(id, TerminationType::Other).send().await;
///     assert_eq!(result.expect_err("no whole answer came").delivery(), Delivery::Unknown);
/// }
/// assert_eq!(sandbox.cancellations(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ending {
    /// With this answer.
    Answer(Answer),
    /// With a reset of the connection and no answer; without effect, before the body of the request is read.
    Reset,
    /// With an orderly end of the connection and no answer.
    Close,
    /// With the answer that was due, which breaks off after this many bytes of its body, or before the last one. Without
    /// effect, the answer that was due is that of a system error.
    Truncated(usize),
    /// With these bytes in place of an answer, HTTP or not, and the end of the connection.
    Raw(Bytes),
    /// Never, while the caller waits and the server runs.
    Hang,
}

impl<T: Into<Answer>> From<T> for Ending {
    fn from(answer: T) -> Self {
        Self::Answer(answer.into())
    }
}

/// The faults that are still to come to the calls of one endpoint.
#[derive(Default)]
pub(super) struct Faults {
    queue: VecDeque<Fault>,
    chances: Option<Chances>,
}

struct Chances {
    random: Random,
    faults: Vec<(f64, Fault)>,
}

impl Faults {
    /// Adds faults for the next calls, one for each.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.queue.extend(faults);
    }

    /// Sets what can happen to a call for which no fault is queued, each with its probability.
    pub fn at_random(&mut self, seed: u64, faults: impl IntoIterator<Item = (f64, Fault)>) {
        self.chances = Some(Chances { random: Random::new(seed), faults: faults.into_iter().collect() });
    }

    /// What goes wrong with this call.
    pub fn next(&mut self) -> Fault {
        if let Some(fault) = self.queue.pop_front() {
            return fault;
        }
        let Some(Chances { random, faults }) = &mut self.chances else { return Fault::None };
        let mut point = random.fraction();
        for (probability, fault) in faults {
            if point < *probability {
                return fault.clone();
            }
            point -= *probability;
        }
        Fault::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(seed: u64) -> Vec<&'static str> {
        let mut faults = Faults::default();
        faults.at_random(seed, [(0.25, Fault::WithEffect(Ending::Reset)), (0.5, Fault::WithoutEffect(Ending::Close))]);
        let name = |fault| match fault {
            Fault::WithEffect(Ending::Reset) => "reset",
            Fault::WithoutEffect(Ending::Close) => "close",
            _ => "none",
        };
        (0..4000).map(|_| name(faults.next())).collect()
    }

    #[test]
    fn a_seed_decides_which_calls_fail_and_the_probability_how_many() {
        assert_eq!(kinds(1), kinds(1));
        assert_ne!(kinds(1), kinds(2));
        let drawn = kinds(3);
        for (kind, expected) in [("reset", 1000), ("close", 2000), ("none", 1000)] {
            let count = drawn.iter().filter(|drawn| **drawn == kind).count();
            assert!(count.abs_diff(expected) < 150, "{kind}: {count}");
        }
    }

    #[test]
    fn queued_faults_come_before_those_at_random_and_once_each() {
        let mut faults = Faults::default();
        faults.at_random(1, [(1.0, Fault::WithEffect(Ending::Close))]);
        faults.extend([Fault::None, Fault::WithEffect(Ending::Reset)]);
        assert!(matches!(faults.next(), Fault::None));
        assert!(matches!(faults.next(), Fault::WithEffect(Ending::Reset)));
        assert!(matches!(faults.next(), Fault::WithEffect(Ending::Close)));
    }
}
