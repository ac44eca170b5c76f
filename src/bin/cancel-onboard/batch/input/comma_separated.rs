//! CSV: columns found by their names in the first line.

use std::ops::Range;

use csv::{ByteRecord, ReaderBuilder};
use feishu_cancel_onboard::{CancelRequest, TerminationType};

use super::check::{self, NOT_UTF_8, Names, shown};
use super::{Complaint, Position, Row};

const APPLICATION_ID: &str = "application_id";
const TERMINATION_TYPE: &str = "termination_type";
const REASON_IDS: &str = "termination_reason_ids";
const NOTES: &str = "termination_reason_notes";
const COLUMNS: [&str; 4] = [APPLICATION_ID, TERMINATION_TYPE, REASON_IDS, NOTES];
const REQUIRED: [&str; 2] = [APPLICATION_ID, TERMINATION_TYPE];

pub const PLACE_OF_ID: &str = "column application_id";
pub const PLACE_OF_REASONS: &str = "column termination_reason_ids";

/// What separates the reason ids in their column.
const REASON_SEPARATOR: char = ';';

/// The rows of CSV below its header.
pub struct CsvRows<'a> {
    records: Records<'a>,
    header: Header,
}

impl<'a> CsvRows<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(bytes: &'a [u8], start: Position) -> Result<Self, Vec<Complaint>> {
        let mut records = Records::new(bytes, start);
        let Some(record) = records.next() else {
            return Err(vec![Complaint::new(1, None, "the file is empty; its first line names the columns")]);
        };
        let header = Header::read(&record)?;
        Ok(Self { records, header })
    }

    /// The rows from a position on, at which one begins.
    pub fn from(self, position: Position) -> Self {
        Self { records: Records::new(self.records.bytes, position), ..self }
    }

    fn row(&mut self, record: &Record) -> Result<Row, Vec<Complaint>> {
        let line = record.position.line;
        if let Some(index) = misplaced_quote(record.raw) {
            // Nobody knows where this record ends; another one begins at the next line, as far as anybody can tell.
            self.records.resume_after_line_of(record);
            let reason = "a quote is not closed or stands in a field that is not quoted; a field with quotes or line breaks \
                          is quoted whole, and quotes in it are doubled";
            return Err(vec![Complaint::new(line, self.header.place(index), reason)]);
        }
        let (found, expected) = (record.fields.len(), self.header.names.len());
        if found != expected {
            let reason = format!("{found} fields, where the header has {expected}");
            return Err(vec![Complaint::new(line, None, reason)]);
        }
        self.header.request(record).map(|request| Row { position: record.position, request })
    }
}

impl Iterator for CsvRows<'_> {
    type Item = Result<Row, Vec<Complaint>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let record = self.records.next()?;
            // A spreadsheet leaves such rows where something stood once.
            let blank = record.fields.iter().all(<[u8]>::is_empty);
            if !blank {
                return Some(self.row(&record));
            }
        }
    }
}

/// The names of the columns.
struct Header {
    names: Vec<String>,
}

impl Header {
    fn read(record: &Record) -> Result<Self, Vec<Complaint>> {
        let line = record.position.line;
        let names: Vec<_> = record.fields.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let mut complaints = Vec::new();
        if misplaced_quote(record.raw).is_some() {
            complaints.push(Complaint::new(
                line,
                None,
                "a quote in the header is not closed or not at the end of a name",
            ));
        }
        for (index, name) in names.iter().enumerate() {
            let place = format!("column {}", index + 1);
            if !COLUMNS.contains(&name.as_str()) {
                complaints.push(Complaint::new(line, place, unknown_column(name)));
            } else if names[..index].contains(name) {
                complaints.push(Complaint::new(line, place, format!("a second column {name}")));
            }
        }
        for name in REQUIRED.into_iter().filter(|name| !names.iter().any(|known| known == name)) {
            complaints.push(Complaint::new(line, None, format!("the column {name} is missing")));
        }
        if complaints.is_empty() { Ok(Self { names }) } else { Err(complaints) }
    }

    fn place(&self, index: usize) -> String {
        self.names.get(index).map_or_else(|| format!("column {}", index + 1), |name| format!("column {name}"))
    }

    /// The request of a record, or everything that is wrong with it.
    fn request(&self, record: &Record) -> Result<CancelRequest, Vec<Complaint>> {
        let line = record.position.line;
        let [application_id, termination_type, reason_ids, notes] = self.texts(record)?;
        let complaint = termination_type.parse::<TerminationType>().map_err(|error| {
            let reason = match termination_type {
                "" => format!("is empty, and {error}"),
                text => format!("{} {error}", shown(text)),
            };
            let application_id = Some(application_id.to_owned()).filter(|id| !id.is_empty());
            Complaint { application_id, ..Complaint::new(line, format!("column {TERMINATION_TYPE}"), reason) }
        });
        // The rest is looked at all the same.
        let known = complaint.as_ref().copied().unwrap_or(TerminationType::ALL[0]);
        let ids = reason_ids.split(REASON_SEPARATOR).map(str::trim).filter(|_| !reason_ids.is_empty());
        let request = CancelRequest::new(application_id, known).reason_ids(ids);
        let request = if notes.is_empty() { request } else { request.notes(notes) };
        let names = Names { application_id: PLACE_OF_ID, reason_ids: PLACE_OF_REASONS };
        let complaints: Vec<_> = complaint.err().into_iter().chain(check::complaints(line, &request, &names)).collect();
        if complaints.is_empty() { Ok(request) } else { Err(complaints) }
    }

    /// The fields in the order of [`COLUMNS`], empty where there is no such column.
    fn texts<'r>(&self, record: &'r Record) -> Result<[&'r str; COLUMNS.len()], Vec<Complaint>> {
        let mut texts = [""; COLUMNS.len()];
        let mut complaints = Vec::new();
        for (name, field) in self.names.iter().zip(&record.fields) {
            match (COLUMNS.iter().position(|column| column == name), std::str::from_utf8(field)) {
                (Some(column), Ok(text)) => texts[column] = text,
                _ => complaints.push(Complaint::new(record.position.line, format!("column {name}"), NOT_UTF_8)),
            }
        }
        if complaints.is_empty() { Ok(texts) } else { Err(complaints) }
    }
}

fn unknown_column(name: &str) -> String {
    let known = COLUMNS.join(", ");
    match name {
        "" => format!("has no name; the columns are {known}"),
        name if name.contains([';', '\t']) => {
            format!("{} is not a column: columns are separated by commas; they are {known}", shown(name))
        }
        name => format!("{} is not a column; the columns are {known}", shown(name)),
    }
}

/// The records of CSV, each with the bytes that it was read from.
struct Records<'a> {
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    /// Where the reader began.
    base: Position,
}

struct Record<'a> {
    position: Position,
    fields: ByteRecord,
    raw: &'a [u8],
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8], from: Position) -> Self {
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[from.byte..]);
        Self { bytes, reader, base: from }
    }

    fn resume_after_line_of(&mut self, record: &Record) {
        let from = record.position.byte;
        let end = self.bytes[from..].iter().position(|byte| *byte == b'\n');
        let byte = end.map_or(self.bytes.len(), |end| from + end + 1);
        *self = Self::new(self.bytes, Position { byte, line: record.position.line + 1 });
    }

    fn at(&self) -> Position {
        let position = self.reader.position();
        let byte = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let line = u32::try_from(position.line()).unwrap_or(u32::MAX);
        Position { byte: self.base.byte.saturating_add(byte), line: self.base.line.saturating_add(line - 1) }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let Position { mut byte, mut line } = self.at();
        let mut fields = ByteRecord::new();
        // What is in memory can be read, and records may have any number of fields.
        if !self.reader.read_byte_record(&mut fields).unwrap_or(false) {
            return None;
        }
        // The reader skips empty lines before a record without a word.
        while let Some(end @ (b'\r' | b'\n')) = self.bytes.get(byte) {
            line += u32::from(*end == b'\n');
            byte += 1;
        }
        let range: Range<usize> = byte..self.at().byte;
        Some(Record { position: Position { byte, line }, fields, raw: self.bytes.get(range).unwrap_or_default() })
    }
}

/// The field, counted from 0, in which a quote neither begins nor ends a quoted field nor is doubled within one.
///
/// The reader is lenient there: a quote that is not closed takes the lines below into its field.
fn misplaced_quote(raw: &[u8]) -> Option<usize> {
    let mut rest = raw;
    let mut field = 0;
    loop {
        let end = match rest.strip_prefix(b"\"") {
            None => rest.iter().position(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')).unwrap_or(rest.len()),
            Some(quoted) => match end_of_quoted(quoted) {
                None => return Some(field),
                Some(end) => end + 1,
            },
        };
        match rest[end..].split_first() {
            None | Some((b'\r' | b'\n', _)) => return None,
            Some((b',', next)) => rest = next,
            Some(_) => return Some(field),
        }
        field += 1;
    }
}

/// How far a quoted field goes behind its first quote, its last one included; none if it is not closed.
fn end_of_quoted(quoted: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        end += quoted[end..].iter().position(|byte| *byte == b'"')? + 1;
        match quoted.get(end) {
            Some(b'"') => end += 1,
            _ => return Some(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_at_its_place_only_around_a_whole_field_or_doubled_within_one() {
        for raw in ["", "a,b\r\n", "\"a\",b\n", "\"a\"\"b\",\"\"\n", "a,\"x\ny,\",c", "\"\"\"\"", ",,,"] {
            assert_eq!(misplaced_quote(raw.as_bytes()), None, "{raw}");
        }
        for (raw, field) in
            [("\"a", 0), ("a,b\"c", 1), ("a,\"b\"c,d", 1), ("a,b,\"c\nd,\"e\n", 2), ("\"a\"\"", 0), ("a, \"b\"", 1)]
        {
            assert_eq!(misplaced_quote(raw.as_bytes()), Some(field), "{raw}");
        }
    }
}
