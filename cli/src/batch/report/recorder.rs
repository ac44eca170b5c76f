//! Writes lines to a report, several at once where several wait, and says of each when it is on disk.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::line;

/// The most lines that are written at once.
const GROUP: usize = 1024;

/// Writes to a report on a thread of its own, since waiting for a disk blocks.
pub struct Recorder {
    lines: Sender,
    thread: JoinHandle<()>,
}

/// A hold on a recorder for those who announce what they are about to send.
#[derive(Clone)]
pub struct Sender(mpsc::Sender<Waiting>);

/// A line that is to be written.
struct Waiting {
    text: String,
    /// Whether it announces what has not happened yet, and must not happen if it can't be announced.
    announces: bool,
    recorded: oneshot::Sender<Result<(), NotRecorded>>,
}

/// Comes true when a line is on disk.
pub type Recorded = oneshot::Receiver<Result<(), NotRecorded>>;

/// Why a line is not on disk, or not where the report is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRecorded {
    /// The file can't be written, for this reason.
    Unwritten(Arc<str>),
    /// Nothing is at the report's path any more, or something else.
    Removed,
}

impl fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritten(reason) => write!(f, "the report can't be written: {reason}"),
            Self::Removed => f.write_str("the report was removed or replaced during the run"),
        }
    }
}

impl std::error::Error for NotRecorded {}

/// What a report is written to.
pub trait Disk: Send + 'static {
    /// Writes behind so many bytes, and returns when that is on disk.
    ///
    /// # Errors
    /// When it can't be written whole.
    fn append(&mut self, length: u64, bytes: &[u8]) -> io::Result<()>;

    /// Takes off what comes behind so many bytes.
    ///
    /// # Errors
    /// When it may still be there.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Whether the report's path still leads to it.
    fn is_in_place(&self) -> bool;
}

impl Recorder {
    /// Writes behind the bytes that are there, of which there are so many.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(disk: impl Disk, length: u64) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let writer = Writer { disk, length, failed: None, removed: false, broken: false };
        let thread = thread::Builder::new().name("report".to_owned()).spawn(move || writer.run(&receiver))?;
        Ok(Self { lines: Sender(sender), thread })
    }

    /// What announces that something is about to be sent.
    pub fn sender(&self) -> Sender {
        self.lines.clone()
    }

    /// Records how a cancellation ended, in a line of JSON.
    pub fn ended(&self, line: String) -> Recorded {
        self.lines.send(line, false)
    }

    /// Waits until everything is written.
    pub fn close(self) {
        drop(self.lines);
        // Its panic has been printed, and whoever waited for a line has been told.
        let _ = self.thread.join();
    }
}

impl Sender {
    /// Records that an application's first attempt is about to be sent, and returns when that is on disk.
    ///
    /// # Errors
    /// When it can't be recorded, and nothing may be sent.
    pub async fn started(&self, application_id: &str) -> Result<(), NotRecorded> {
        self.send(line::started(application_id), true).await.unwrap_or_else(|_| Err(gone()))
    }

    fn send(&self, text: String, announces: bool) -> Recorded {
        let (recorded, receiver) = oneshot::channel();
        if let Err(mpsc::SendError(line)) = self.0.send(Waiting { text, announces, recorded }) {
            let _ = line.recorded.send(Err(gone()));
        }
        receiver
    }
}

/// What is said where the thread has ended before its time.
pub fn gone() -> NotRecorded {
    NotRecorded::Unwritten("its writer has ended".into())
}

struct Writer<D> {
    disk: D,
    /// How many bytes are there that have been written whole.
    length: u64,
    /// Why something could not be written.
    failed: Option<NotRecorded>,
    /// Whether the report is no longer where it was.
    removed: bool,
    /// Whether the file may end in the middle of a line.
    broken: bool,
}

impl<D: Disk> Writer<D> {
    fn run(mut self, lines: &mpsc::Receiver<Waiting>) {
        while let Ok(first) = lines.recv() {
            let mut group = vec![first];
            group.extend(lines.try_iter().take(GROUP - 1));
            self.write_group(group);
        }
    }

    fn write_group(&mut self, group: Vec<Waiting>) {
        let Some(reason) = self.failed.clone().or_else(|| self.write(&group).err()) else {
            return tell(group, &Ok(()));
        };
        self.failed = Some(reason.clone());
        // What has happened is worth another try: without the announcements it may fit.
        let (announced, happened): (Vec<_>, Vec<_>) = group.into_iter().partition(|line| line.announces);
        tell(announced, &Err(reason));
        let outcome = self.write(&happened);
        tell(happened, &outcome);
    }

    /// Writes lines and puts them on disk, or leaves the file as it was.
    fn write(&mut self, lines: &[Waiting]) -> Result<(), NotRecorded> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.broken {
            return Err(self.failed.clone().unwrap_or_else(gone));
        }
        let mut bytes = Vec::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
        for line in lines {
            bytes.extend_from_slice(line.text.as_bytes());
            bytes.push(b'\n');
        }
        let appended = self.disk.append(self.length, &bytes);
        if appended.is_ok() && (self.removed || self.disk.is_in_place()) {
            self.length += bytes.len() as u64;
            // Whoever puts a file back that was moved has there what had happened, but nobody may rely on that.
            return if self.removed { Err(NotRecorded::Removed) } else { Ok(()) };
        }
        self.broken = self.disk.cut(self.length).is_err();
        Err(match appended {
            Err(error) => NotRecorded::Unwritten(error.to_string().into()),
            Ok(()) => {
                self.removed = true;
                NotRecorded::Removed
            }
        })
    }
}

fn tell(lines: Vec<Waiting>, outcome: &Result<(), NotRecorded>) {
    for line in lines {
        // Nobody waits for it any more.
        let _ = line.recorded.send(outcome.clone());
    }
}
