//! Writes lines to a report, several at once where several wait, and says of each when it is on disk.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
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

/// Why a line is not on disk.
#[derive(Clone, Debug)]
pub struct NotRecorded(Arc<str>);

impl fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the report can't be written: {}", self.0)
    }
}

impl std::error::Error for NotRecorded {}

impl Recorder {
    /// Writes to the end of a file that is open for appending.
    ///
    /// # Errors
    /// When its length can't be had, or there is no thread to be had.
    pub fn start(file: File) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let length = file.metadata()?.len();
        let writer = Writer { file, length, failed: None, broken: false };
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
    NotRecorded("its writer has ended".into())
}

struct Writer {
    file: File,
    /// How many bytes are there that have been written whole.
    length: u64,
    /// Why something could not be written.
    failed: Option<NotRecorded>,
    /// Whether the file may end in the middle of a line.
    broken: bool,
}

impl Writer {
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
        match self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.broken = self.file.set_len(self.length).and_then(|()| self.file.sync_data()).is_err();
                Err(NotRecorded(error.to_string().into()))
            }
        }
    }
}

fn tell(lines: Vec<Waiting>, outcome: &Result<(), NotRecorded>) {
    for line in lines {
        // Nobody waits for it any more.
        let _ = line.recorded.send(outcome.clone());
    }
}
