//! Lines for a reader who may be slow, or not read at all: they are written on a separate thread, so that whoever makes
//! them never waits. What does not fit into the queue is dropped and counted.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The most bytes of lines that wait to be written.
const QUEUE: usize = 1024 * 1024;

/// A queue of lines with the thread that writes them. Clones put lines into the same queue.
#[derive(Clone)]
pub struct Spool(Arc<Shared>);

/// What the thread tells of its work.
pub enum Event {
    /// So many lines were dropped before the one that is written next.
    Dropped(u64),
    /// Nothing more can be written, and nothing more is taken.
    Failed(io::Error),
}

/// How writing ended.
pub struct Ended {
    /// How many lines were not written, of those that nobody has been told of, save after a failure.
    pub unwritten: u64,
    /// Why nothing more could be written.
    pub failed: Option<io::ErrorKind>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    bytes: usize,
    /// Whether a line has been taken from the queue and is not written yet.
    writing: bool,
    /// How many were dropped since that was told last.
    dropped: u64,
    failed: Option<io::ErrorKind>,
    closed: bool,
}

impl Spool {
    /// Starts the thread, which writes to `target` and tells `tell` of what the lines themselves don't say.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(target: impl Write + Send + 'static, tell: impl Fn(Event) + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("spool".to_owned()).spawn(move || of_thread.write(target, tell))?;
        Ok(Self(shared))
    }

    /// Has a line written, if there is room for it.
    pub fn push(&self, line: String) {
        let mut state = self.0.lock();
        if state.failed.is_some() || state.closed {
            return;
        }
        if state.bytes + line.len() > QUEUE {
            state.dropped += 1;
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line);
        self.0.changed.notify_all();
    }

    /// Waits until every line is written, or nothing can be written any more, but no longer than this.
    pub fn flush(&self, patience: Duration) -> Option<io::ErrorKind> {
        let pending = |state: &mut State| state.failed.is_none() && (state.writing || !state.lines.is_empty());
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), patience, pending);
        waited.unwrap_or_else(PoisonError::into_inner).0.failed
    }

    /// Takes no more lines, and waits for those that there are, but no longer than this.
    pub fn close(&self, patience: Duration) -> Ended {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
        let failed = self.flush(patience);
        let state = self.0.lock();
        let waiting = state.lines.len() + usize::from(state.writing);
        Ended { unwritten: state.dropped + waiting as u64, failed }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut target: impl Write, tell: impl Fn(Event)) {
        while let Some((line, dropped)) = self.next() {
            if dropped > 0 {
                tell(Event::Dropped(dropped));
            }
            let written = writeln!(target, "{line}").and_then(|()| target.flush());
            let failed = written.as_ref().err().map(io::Error::kind);
            // Whoever waits for the failure wants to find that it was told.
            if let Err(error) = written {
                tell(Event::Failed(error));
            }
            let mut state = self.lock();
            state.writing = false;
            state.failed = failed;
            if failed.is_some() {
                (state.lines, state.bytes) = (VecDeque::new(), 0);
            }
            self.changed.notify_all();
            if failed.is_some() {
                return;
            }
        }
    }

    /// The next line, and how many were dropped since the last time; none once the queue is closed and empty.
    fn next(&self) -> Option<(String, u64)> {
        let waited = self.changed.wait_while(self.lock(), |state| state.lines.is_empty() && !state.closed);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let line = state.lines.pop_front()?;
        state.bytes -= line.len();
        state.writing = true;
        Some((line, std::mem::take(&mut state.dropped)))
    }
}
