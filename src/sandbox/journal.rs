//! The journal: which calls came, and what became of each.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A call that the sandbox saw, to whatever path.
///
/// ```
/// use feishu_cancel_onboard::sandbox::{Call, Sandbox};
/// use feishu_cancel_onboard::{Client, TerminationType};
///
/// /// The applications whose cancellation was answered with success.
/// fn cancelled(calls: &[Call]) -> Vec<&str> {
///     let successes = calls.iter().filter(|call| call.code == Some(0) && call.delivered);
///     successes.filter_map(|call| call.application_id.as_deref()).collect()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// let origin = sandbox.base_url().parse()?;
/// let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// let done = client.cancel_onboard("1111111111", TerminationType::Other).send().await?;
///
/// let [token, cancellation] = &sandbox.calls()[..] else { panic!("two calls") };
/// assert_eq!(cancelled(&sandbox.calls()), ["1111111111"]);
/// assert_eq!((cancellation.method.as_str(), cancellation.status), ("POST", Some(200)));
/// assert_eq!(Some(cancellation.log_id.as_str()), done.log_id());
/// assert!(token.at <= cancellation.at && token.path != cancellation.path);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    /// When its head had been read; the instant that the limit goes by.
    pub at: Instant,
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The application id, decoded, well-formed or not, where the path is that of a cancellation.
    pub application_id: Option<String>,
    /// The HTTP status of the answer. For an answer that was withheld, the one that was due; none while the call is under
    /// way, and where a fault kept it from being worked on.
    pub status: Option<u16>,
    /// The envelope's code, where the answer has an envelope.
    pub code: Option<i64>,
    /// Whether an answer was handed to the connection whole. False while the call is under way, when a fault withheld the
    /// answer, and when the caller left first.
    pub delivered: bool,
    /// The log id of the call.
    pub log_id: String,
}

/// What is told of each call once it has ended.
pub(super) type Observer = Box<dyn Fn(&Call) + Send + Sync>;

pub(super) struct Journal {
    calls: Mutex<Kept>,
    limit: usize,
    observer: Option<Observer>,
}

#[derive(Default)]
struct Kept {
    calls: VecDeque<Call>,
    /// How many calls were forgotten.
    forgotten: usize,
}

/// A call under way. When it is dropped without an end, the caller has left before the answer.
pub(super) struct Entry {
    journal: Arc<Journal>,
    number: usize,
    call: Call,
    ended: bool,
}

impl Journal {
    pub fn new(limit: usize, observer: Option<Observer>) -> Self {
        Self { calls: Mutex::default(), limit, observer }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.kept(|kept| kept.calls.iter().cloned().collect())
    }

    pub fn begin(self: &Arc<Self>, call: Call) -> Entry {
        let number = self.kept(|kept| {
            kept.calls.push_back(call.clone());
            let number = kept.forgotten + kept.calls.len() - 1;
            while kept.calls.len() > self.limit {
                kept.calls.pop_front();
                kept.forgotten += 1;
            }
            number
        });
        Entry { journal: Arc::clone(self), number, call, ended: false }
    }

    fn kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entry {
    pub fn at(&self) -> Instant {
        self.call.at
    }

    pub fn log_id(&self) -> &str {
        &self.call.log_id
    }

    /// Notes which answer is due.
    pub fn due(&mut self, (status, code): (u16, Option<i64>)) {
        (self.call.status, self.call.code) = (Some(status), code);
    }

    /// Notes that the call has ended, with an answer or without.
    pub fn end(&mut self, delivered: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.call.delivered = delivered;
        self.journal.kept(|kept| {
            let position = self.number.checked_sub(kept.forgotten);
            if let Some(call) = position.and_then(|position| kept.calls.get_mut(position)) {
                call.clone_from(&self.call);
            }
        });
        if let Some(observer) = &self.journal.observer {
            observer(&self.call);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.end(false);
    }
}
