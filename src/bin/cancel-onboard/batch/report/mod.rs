//! The report: what was begun, and what became of it, on disk before the next step that depends on it.
//!
//! It is JSON Lines and only ever grows. A line says that an application's first attempt is about to be sent, or how it
//! ended. Whoever holds the file holds a lock on it, which ends with the process, however that ends.

mod file;
mod line;
mod recorder;

pub use file::{Opened, exists, is_same_file, open, read};
pub use line::{Advice, Ended, Failed, Line, now};
pub use recorder::{NotRecorded, Recorded, Recorder, gone};
