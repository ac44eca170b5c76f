//! The file of a report: made, or opened again for the run that it belongs to, locked, and repaired where a crash has torn its
//! end. A file that is no such report, or that of another origin or app, is left as it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::header::{self, Header};
use super::line::{Line, is_hole, is_utf8_so_far};
use super::recorder::Disk;
use crate::connection::Identity;

/// The most bytes that a line can have. An answer's details are in it, and those are read up to 1 MiB.
const LINE_LIMIT: u64 = 16 * 1024 * 1024;

/// A report that is ready to be written to.
pub struct Opened {
    pub disk: ReportFile,
    /// How many bytes it has.
    pub length: u64,
    /// How many bytes were cut off its end, which a crash had left incomplete.
    pub cut: u64,
}

/// Makes a report, its first line on disk.
///
/// # Errors
/// With what to tell the operator, when it exists or can't be made.
pub fn create(path: &Path, identity: &Identity) -> Result<Opened, String> {
    let made = OpenOptions::new().read(true).write(true).create_new(true).open(path);
    let file = made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => format!("the report {} can't be made: {error}", path.display()),
    })?;
    lock(&file, path, File::try_lock)?;
    begin(file, path, identity, 0)
}

/// Opens a report that an earlier run of this identity wrote, and hands its lines to `each`.
///
/// # Errors
/// With what to tell the operator, when it is not there, is in use, can't be written, or is not such a report.
pub fn resume(path: &Path, identity: &Identity, each: impl FnMut(Line)) -> Result<Opened, String> {
    // Not opened for appending, since such a file can't be cut on Windows.
    let file = open_regular(path, OpenOptions::new().read(true).write(true))?;
    lock(&file, path, File::try_lock)?;
    let Content { is_new, whole, unended, cut } = content(&file, path, identity, each)?;
    if is_new {
        return begin(file, path, identity, cut);
    }
    let mut disk = ReportFile::new(file, path)?;
    let mut length = whole;
    let mut repair = || {
        if cut > 0 {
            disk.cut(whole)?;
        }
        if unended {
            disk.append(whole, b"\n")?;
            length += 1;
        }
        disk.sync_all()
    };
    repair().map_err(|error| format!("the report {} can't be repaired: {error}", path.display()))?;
    Ok(Opened { disk, length, cut })
}

/// Makes all checks of [`resume`], and hands the lines to `each`, without writing anything.
///
/// # Errors
/// As for [`resume`].
pub fn look_at(path: &Path, identity: &Identity, each: impl FnMut(Line)) -> Result<(), String> {
    let file = open_regular(path, OpenOptions::new().read(true).write(true))?;
    lock(&file, path, File::try_lock_shared)?;
    content(&file, path, identity, each).map(drop)
}

/// What is said of a report that exists and must not.
pub fn exists(path: &Path) -> String {
    let shown = path.display();
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => not_regular(path),
        _ => format!("the report {shown} exists: continue it with --resume, or name another one"),
    }
}

fn not_regular(path: &Path) -> String {
    format!("the report {} is not a regular file: name another one", path.display())
}

/// Opens a file, but nothing that only has the name of one: to open or read a pipe or a device can block, or do something.
fn open_regular(path: &Path, options: &OpenOptions) -> Result<File, String> {
    let shown = path.display();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!(
                "the report {shown} is not there: --resume takes that of an earlier run; leave it out to begin a new one"
            )
        }
        _ => format!("the report {shown} can't be written: {error}"),
    };
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(not_regular(path));
    }
    let file = options.open(path).map_err(failed)?;
    // What the name leads to can have changed in between.
    if file.metadata().map_err(failed)?.is_file() { Ok(file) } else { Err(not_regular(path)) }
}

fn lock(file: &File, path: &Path, lock: impl Fn(&File) -> Result<(), TryLockError>) -> Result<(), String> {
    let shown = path.display();
    lock(file).map_err(|error| match error {
        TryLockError::WouldBlock => format!("the report {shown} is in use by another run"),
        TryLockError::Error(error) => format!("the report {shown} can't be locked: {error}; put it on a local disk"),
    })
}

/// Writes the first line in place of all that is there.
fn begin(file: File, path: &Path, identity: &Identity, cut: u64) -> Result<Opened, String> {
    let mut disk = ReportFile::new(file, path)?;
    let line = header::line(identity) + "\n";
    let written = disk.cut(0).and_then(|()| disk.append(0, line.as_bytes())).and_then(|()| disk.sync_all());
    written.map_err(|error| {
        // What is left counts as new.
        let _ = disk.cut(0);
        format!("the report {} can't be written: {error}", path.display())
    })?;
    Ok(Opened { disk, length: line.len() as u64, cut })
}

/// What is in a report, its lines aside.
struct Content {
    /// Whether it ends before its first line does.
    is_new: bool,
    /// How many bytes are whole lines, but for the end of the last one where it is `unended`.
    whole: u64,
    unended: bool,
    /// How many bytes come behind those: what a crash has left.
    cut: u64,
}

fn content(file: &File, path: &Path, identity: &Identity, each: impl FnMut(Line)) -> Result<Content, String> {
    let shown = path.display();
    let refused = |reason: &str| format!("the report {shown} {reason}");
    let failed = |error: io::Error| format!("the report {shown} can't be read: {error}");
    let mut reader = BufReader::new(file);
    let mut first = Vec::new();
    reader.by_ref().take(header::LIMIT).read_until(b'\n', &mut first).map_err(failed)?;
    let read = first.len() as u64;
    let ended = first.ends_with(b"\n");
    let at_end = !ended && read < header::LIMIT;
    // A page that was never written is full of zeros.
    let text = if ended { &first[..first.len() - 1] } else { without_zeros(&first) };
    if at_end && Header::is_cut_off(text) {
        return Ok(Content { is_new: true, whole: 0, unended: false, cut: read });
    }
    let header = (ended || at_end).then(|| Header::parse(text)).flatten();
    let header = header.ok_or_else(|| refused(&header::misfit(text)))?;
    if let Some(objection) = header.objection(identity) {
        return Err(refused(&objection));
    }
    if at_end {
        let whole = text.len() as u64;
        return Ok(Content { is_new: false, whole, unended: true, cut: read - whole });
    }
    lines(reader, read, each).map_err(|error| match error {
        Unread::Failed(error) => failed(error),
        Unread::Misfit { line, reason } => format!("line {line} of the report {shown} {reason}"),
    })
}

/// Why the lines of a report can't be read.
enum Unread {
    Failed(io::Error),
    Misfit { line: usize, reason: &'static str },
}

/// Reads the lines behind the first one, which has so many bytes.
fn lines(mut reader: BufReader<&File>, first: u64, mut each: impl FnMut(Line)) -> Result<Content, Unread> {
    let (mut whole, mut text) = (first, Vec::new());
    for line in 2_usize.. {
        text.clear();
        let read = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut text).map_err(Unread::Failed)? as u64;
        if read == 0 {
            break;
        }
        if !text.ends_with(b"\n") && read < LINE_LIMIT {
            let unended = without_zeros(&text);
            if let Some(line) = Line::parse(unended) {
                each(line);
                let length = unended.len() as u64;
                return Ok(Content { is_new: false, whole: whole + length, unended: true, cut: read - length });
            }
            if Line::is_cut_off(unended) || is_hole(&text) {
                return Ok(Content { is_new: false, whole, unended: false, cut: read });
            }
        } else if let Some(line) = Line::parse(&text) {
            each(line);
            whole += read;
            continue;
        } else if text.trim_ascii().is_empty() || is_hole(&text) {
            // Lines that were being written when the power failed can be there in part: nothing that they say was acted upon.
            whole += read;
            continue;
        }
        let reason = match is_utf8_so_far(&text) && !text.contains(&0) {
            true => "is not a line of a report: is it the right file?",
            false => {
                "is not in UTF-8, so another program has written to it: resume with the file as cancel-onboard wrote it"
            }
        };
        return Err(Unread::Misfit { line, reason });
    }
    Ok(Content { is_new: false, whole, unended: false, cut: 0 })
}

/// The bytes without the zeros at their end.
fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    &bytes[..bytes.len() - zeros]
}

/// The file of a report that is locked.
pub struct ReportFile {
    file: File,
    path: PathBuf,
    /// Whether another program has emptied it or written to it during the run: it is left as it is then.
    is_changed: bool,
    /// What tells it from another file at the same path.
    #[cfg(unix)]
    identity: (u64, u64),
}

impl ReportFile {
    fn new(file: File, path: &Path) -> Result<Self, String> {
        #[cfg(unix)]
        let identity = {
            let metadata = file.metadata();
            identity(&metadata.map_err(|error| format!("the report {} can't be read: {error}", path.display()))?)
        };
        Ok(Self {
            file,
            path: path.to_owned(),
            is_changed: false,
            #[cfg(unix)]
            identity,
        })
    }

    /// Puts everything on disk, the file's name too.
    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()?;
        sync_folder_of(&self.path)
    }
}

impl Disk for ReportFile {
    fn append(&mut self, length: u64, bytes: &[u8]) -> io::Result<()> {
        // Written behind an end that is no longer there, a line would have zeros before it, and no report could be read from
        // such a file.
        self.is_changed |= self.file.metadata()?.len() != length;
        if self.is_changed {
            return Err(changed());
        }
        self.file.seek(SeekFrom::Start(length))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.is_changed {
            return Err(changed());
        }
        self.file.set_len(length)?;
        self.file.sync_data()
    }

    fn is_in_place(&self) -> bool {
        let there = self.path.metadata();
        #[cfg(unix)]
        return there.is_ok_and(|there| identity(&there) == self.identity);
        // Whether it is the same one can't be asked elsewhere.
        #[cfg(not(unix))]
        return there.is_ok();
    }
}

fn changed() -> io::Error {
    io::Error::other("another program has changed it during the run")
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Puts the name of a file on disk.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    // Elsewhere a folder can't be opened.
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
    return identity(&first) == identity(&second);
    // Two names of one file on Windows are taken for two files: its lines are then refused as those of no report.
    #[cfg(not(unix))]
    {
        let _ = (first, second);
        one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
    }
}
