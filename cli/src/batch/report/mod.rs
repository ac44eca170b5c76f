//! The report: what was begun, and what became of it, on disk before the next step that depends on it.
//!
//! It is JSON Lines and only ever grows. The first line says of which origin and app it is; every other one that an
//! application's first attempt is about to be sent, or how it ended. Whoever holds the file holds a lock on it, which ends
//! with the process, however that ends.

mod file;
mod header;
mod line;
mod recorder;
mod remarks;

pub use file::{Opened, create, exists, is_same_file, look_at, resume};
pub use line::{Advice, Ended, Failed, Line, now};
#[cfg(test)]
pub use recorder::Disk;
pub use recorder::{NotRecorded, Recorded, Recorder, gone};
pub use remarks::Remarks;
