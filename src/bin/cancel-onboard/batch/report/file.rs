//! The file of a report: made, or opened again, locked, and repaired where its last line is torn.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::line::Line;

/// The most bytes that a line can have. An answer's details are in it, and those are read up to 1 MiB.
const LINE_LIMIT: u64 = 16 * 1024 * 1024;

/// A report that is ready to be written to.
pub struct Opened {
    pub file: File,
    /// How much of a torn last line was taken off, in bytes.
    pub torn: u64,
}

/// Opens a report: a new one, or with `resume` one that may exist, of which `each` gets the lines.
///
/// # Errors
/// With what to tell the operator, when it exists and must not, is in use, can't be written, or is no report.
pub fn open(path: &Path, resume: bool, each: impl FnMut(Line)) -> Result<Opened, String> {
    let shown = path.display();
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    let (file, is_new) = match options.clone().create_new(true).open(path) {
        Ok(file) => (file, true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && resume => match options.open(path) {
            Ok(file) => (file, false),
            Err(error) => return Err(format!("the report {shown} can't be written: {error}")),
        },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(exists(path));
        }
        Err(error) => return Err(format!("the report {shown} can't be made: {error}")),
    };
    lock(&file, path)?;
    let torn = if is_new { 0 } else { take_up(&file, path, each)? };
    // What is acted upon from here on must be there after a power cut, the file's name too.
    file.sync_all().and_then(|()| sync_folder_of(path)).map_err(|error| format!("the report {shown}: {error}"))?;
    Ok(Opened { file, torn })
}

/// What is said of a report that exists and must not.
pub fn exists(path: &Path) -> String {
    format!("the report {} exists: go on with it by --resume, or name another one", path.display())
}

/// Reads a report without writing to it; one that doesn't exist has no lines.
///
/// # Errors
/// With what to tell the operator, when it can't be read or is no report.
pub fn read(path: &Path, each: impl FnMut(Line)) -> Result<(), String> {
    match File::open(path) {
        Ok(file) => lines(&file, path, each).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("the report {} can't be read: {error}", path.display())),
    }
}

fn lock(file: &File, path: &Path) -> Result<(), String> {
    let shown = path.display();
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => format!("the report {shown} is in use by another run"),
        TryLockError::Error(error) => format!("the report {shown} can't be locked: {error}; put it on a local disk"),
    })
}

/// Reads the lines and repairs the last one.
fn take_up(mut file: &File, path: &Path, each: impl FnMut(Line)) -> Result<u64, String> {
    let failed = |error: io::Error| format!("the report {} can't be repaired: {error}", path.display());
    let Tail { whole, rest } = lines(file, path, each)?;
    match rest {
        Rest::Nothing => Ok(0),
        Rest::LineWithoutEnd => file.write_all(b"\n").map(|()| 0).map_err(failed),
        Rest::Torn(bytes) => {
            file.set_len(whole).map_err(failed)?;
            file.seek(SeekFrom::End(0)).map_err(failed)?;
            Ok(bytes)
        }
    }
}

/// How a report ends.
struct Tail {
    /// How many bytes its whole lines have.
    whole: u64,
    rest: Rest,
}

enum Rest {
    Nothing,
    /// A line that lacks nothing but its end.
    LineWithoutEnd,
    /// A part of a line, of so many bytes.
    Torn(u64),
}

fn lines(file: &File, path: &Path, mut each: impl FnMut(Line)) -> Result<Tail, String> {
    let mut reader = BufReader::new(file);
    let (mut whole, mut text) = (0, Vec::new());
    for number in 1_usize.. {
        text.clear();
        let read = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut text);
        let read = read.map_err(|error| format!("the report {} can't be read: {error}", path.display()))? as u64;
        if read == 0 {
            break;
        }
        let ended = text.ends_with(b"\n");
        match (Line::parse(&text), ended) {
            (Some(line), true) => each(line),
            (Some(line), false) => {
                each(line);
                return Ok(Tail { whole: whole + read, rest: Rest::LineWithoutEnd });
            }
            (None, false) if Line::can_begin_with(&text) && read < LINE_LIMIT => {
                return Ok(Tail { whole, rest: Rest::Torn(read) });
            }
            (None, true) if text.trim_ascii().is_empty() => {}
            // Lines that were being written when the power failed can be there in part: nothing that they say was acted upon.
            (None, true) if text.contains(&0) => {}
            (None, _) => {
                let shown = path.display();
                return Err(format!("line {number} of {shown} is not a line of a report; is it the right file?"));
            }
        }
        whole += read;
    }
    Ok(Tail { whole, rest: Rest::Nothing })
}

/// Puts the name of a file on disk.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder)?.sync_all() {
        // There are file systems where a folder can't be asked for that.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        outcome => outcome,
    }
}

/// Whether two paths lead to one file that exists.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(first), Ok(second)) = (one.metadata(), other.metadata()) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (first.dev(), first.ino()) == (second.dev(), second.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = (first, second);
        one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
    }
}
