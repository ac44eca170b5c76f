//! The file with the cancellations to be made: what is in each line, or what is wrong with it.
//!
//! The file is read once, and what was read is kept: the lines are gone through a second time to be sent, and must then be
//! what was checked.

mod check;
mod comma_separated;
mod content;
mod json_lines;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use feishu_cancel_onboard::CancelRequest;

use crate::arguments::FileFormat;
pub use check::looks_rounded;
use comma_separated::CsvRows;

/// The name of the standard input where a file is named.
pub const STANDARD_INPUT: &str = "-";

/// A file, in memory.
pub struct Input {
    bytes: Vec<u8>,
    format: FileFormat,
}

/// A cancellation, and where it stands.
#[derive(Debug)]
pub struct Row {
    pub position: Position,
    pub request: CancelRequest,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub byte: usize,
    /// Counted from 1.
    pub line: u32,
}

/// What is wrong with a part of a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Complaint {
    pub line: u32,
    /// The column by its name where it has one, or a position within the line.
    pub place: Option<String>,
    pub reason: String,
    /// Shared: a line can have as many mistakes as it has bytes, and its id can be as long.
    pub application_id: Option<Arc<str>>,
}

impl Complaint {
    fn new(line: u32, place: impl Into<Option<String>>, reason: impl Into<String>) -> Self {
        Self { line, place: place.into(), reason: reason.into(), application_id: None }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(place) = &self.place {
            write!(f, ", {place}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl Input {
    /// Reads a file, or standard input for [`STANDARD_INPUT`].
    ///
    /// # Errors
    /// When it can't be read, or nothing says what its format is.
    pub fn read(path: &Path, format: Option<FileFormat>) -> Result<Self, String> {
        let Some(format) = format.or_else(|| by_extension(path)) else {
            return Err(format!("{}: give --format csv or --format jsonl", told_by_nothing(path)));
        };
        let mut bytes = Vec::new();
        let read = match path == Path::new(STANDARD_INPUT) {
            true => io::stdin().lock().read_to_end(&mut bytes),
            false => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
        };
        read.map_err(|error| format!("{} can't be read: {error}", path.display()))?;
        // As far as it grew while nobody knew how long the file is.
        bytes.shrink_to_fit();
        Ok(Self::new(bytes, format))
    }

    /// What was read, in this format.
    pub fn new(bytes: Vec<u8>, format: FileFormat) -> Self {
        Self { bytes, format }
    }

    /// The rows in their order, each as it must be or with everything that is wrong with it.
    pub fn rows(&self) -> Rows<'_> {
        let start =
            Position { byte: self.bytes.starts_with(BYTE_ORDER_MARK) as usize * BYTE_ORDER_MARK.len(), line: 1 };
        if let Some(what) = content::foreign(&self.bytes) {
            return Rows::Refused(Some(vec![Complaint::new(1, None, what)]));
        }
        match self.format {
            FileFormat::Jsonl => Rows::JsonLines(json_lines::rows(&self.bytes, start)),
            FileFormat::Csv => match CsvRows::new(&self.bytes, start) {
                Ok(rows) => Rows::Csv(Box::new(rows)),
                Err(complaints) => Rows::Refused(Some(complaints)),
            },
        }
    }

    /// The name by which the place of the application id goes.
    pub fn place_of_id(&self) -> &'static str {
        match self.format {
            FileFormat::Csv => comma_separated::PLACE_OF_ID,
            FileFormat::Jsonl => json_lines::PLACE_OF_ID,
        }
    }

    /// The name by which the place of the reason ids goes.
    pub fn place_of_reasons(&self) -> &'static str {
        match self.format {
            FileFormat::Csv => comma_separated::PLACE_OF_REASONS,
            FileFormat::Jsonl => json_lines::PLACE_OF_REASONS,
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The rows of a file, whatever its format.
pub enum Rows<'a> {
    JsonLines(json_lines::JsonRows<'a>),
    Csv(Box<CsvRows<'a>>),
    /// The file as a whole is not as it must be.
    Refused(Option<Vec<Complaint>>),
}

impl Rows<'_> {
    /// The row that begins at a position at which one began before.
    pub fn at(&mut self, position: Position) -> Option<Row> {
        match self {
            Self::JsonLines(rows) => rows.seek(position),
            Self::Csv(rows) => rows.seek(position),
            Self::Refused(_) => return None,
        }
        self.next()?.ok()
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Vec<Complaint>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::JsonLines(rows) => rows.next(),
            Self::Csv(rows) => rows.next(),
            Self::Refused(complaints) => complaints.take().map(Err),
        }
    }
}

fn by_extension(path: &Path) -> Option<FileFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(FileFormat::Csv),
        "jsonl" | "ndjson" => Some(FileFormat::Jsonl),
        _ => None,
    }
}

fn told_by_nothing(path: &Path) -> String {
    match path == Path::new(STANDARD_INPUT) {
        true => "nothing says what the format of standard input is".to_owned(),
        false => format!("the name {} does not say whether it is CSV or JSON Lines", path.display()),
    }
}
