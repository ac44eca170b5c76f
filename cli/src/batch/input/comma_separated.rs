//! CSV: columns found by their names in the first line.
//!
//! Reading takes a time in proportion to the file, whatever its quotes are like. Readers of CSV at large are lenient there: a
//! quote that is not closed takes all lines below into its field. Here it is a mistake of its line, and reading resumes at the
//! next one.

use std::borrow::Cow;

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

    /// Continues at a position at which a row begins.
    pub fn seek(&mut self, position: Position) {
        self.records.next = position;
    }

    fn row(&self, record: &Record) -> Result<Row, Vec<Complaint>> {
        let line = record.position.line;
        if let Some(index) = record.misplaced_quote {
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
            let blank = record.fields.iter().all(|field| field.is_empty());
            if !blank || record.misplaced_quote.is_some() {
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
        if let Some(index) = record.misplaced_quote {
            let reason = "a quote in the header is not closed or not at the end of a name";
            return Err(vec![Complaint::new(line, format!("column {}", index + 1), reason)]);
        }
        let names: Vec<_> = record.fields.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let mut complaints = Vec::new();
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
            let application_id = (!application_id.is_empty()).then(|| application_id.into());
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

/// The records of CSV.
struct Records<'a> {
    bytes: &'a [u8],
    next: Position,
}

type Fields<'a> = Vec<Cow<'a, [u8]>>;

struct Record<'a> {
    position: Position,
    /// None where a quote is misplaced.
    fields: Fields<'a>,
    /// The field, counted from 0, in which a quote neither begins nor ends a quoted field nor is doubled within one. Nobody
    /// knows where such a record ends; another one begins at the next line, as far as anybody can tell.
    misplaced_quote: Option<usize>,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8], from: Position) -> Self {
        Self { bytes, next: from }
    }

    /// Passes over so many bytes.
    fn skip(&mut self, length: usize) {
        let skipped = &self.bytes[self.next.byte..self.next.byte + length];
        let lines = skipped.iter().filter(|byte| **byte == b'\n').count();
        self.next.byte += length;
        self.next.line = self.next.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let rest = self.bytes.get(self.next.byte..)?;
        self.skip(rest.iter().position(|byte| !is_end(byte))?);
        let (position, rest) = (self.next, &self.bytes[self.next.byte..]);
        Some(match fields(rest) {
            Ok((fields, length)) => {
                self.skip(length);
                Record { position, fields, misplaced_quote: None }
            }
            Err(index) => {
                self.skip(rest.iter().position(is_end).unwrap_or(rest.len()));
                Record { position, fields: Vec::new(), misplaced_quote: Some(index) }
            }
        })
    }
}

/// The fields of the record at the beginning, and its length without its end of line; or the field, counted from 0, in which
/// a quote is misplaced.
///
/// Where a quote is misplaced, reading resumes at the next line, and nothing is read more than twice for that: a line that
/// would leave a quote open if a record began there closes the one that was open before it, and there that record ends.
fn fields(bytes: &[u8]) -> Result<(Fields<'_>, usize), usize> {
    let mut fields = Vec::new();
    let mut length = 0;
    loop {
        let rest = &bytes[length..];
        let (field, end) = match rest.strip_prefix(b"\"") {
            None => {
                let end =
                    rest.iter().position(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), end)
            }
            Some(quoted) => {
                let end = end_of_quoted(quoted).ok_or(fields.len())?;
                (unquoted(&quoted[..end - 1]), end + 1)
            }
        };
        length += end;
        match bytes.get(length) {
            None | Some(b'\r' | b'\n' | b',') => fields.push(field),
            Some(_) => return Err(fields.len()),
        }
        match bytes.get(length) {
            Some(b',') => length += 1,
            _ => return Ok((fields, length)),
        }
    }
}

/// What a quoted field says, with its doubled quotes made single.
fn unquoted(mut field: &[u8]) -> Cow<'_, [u8]> {
    if !field.contains(&b'"') {
        return Cow::Borrowed(field);
    }
    let mut out = Vec::with_capacity(field.len());
    while let Some(quote) = field.iter().position(|byte| *byte == b'"') {
        out.extend_from_slice(&field[..=quote]);
        field = &field[quote + 2..];
    }
    out.extend_from_slice(field);
    out.into()
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
        for (raw, expected) in [
            ("", &[""][..]),
            ("a,b\r\nc", &["a", "b"]),
            ("\"a\",b\n", &["a", "b"]),
            ("\"a\"\"b\",\"\"\n", &["a\"b", ""]),
            ("a,\"x\ny,\",c", &["a", "x\ny,", "c"]),
            ("\"\"\"\"", &["\""]),
            (",,,", &["", "", "", ""]),
        ] {
            let (fields, length) = fields(raw.as_bytes()).expect(raw);
            let texts: Vec<_> = fields.iter().map(|field| std::str::from_utf8(field).expect("it is UTF-8")).collect();
            assert_eq!(texts, expected, "{raw}");
            assert!(matches!(raw.as_bytes().get(length), None | Some(b'\r' | b'\n')), "{raw}");
        }
        for (raw, field) in
            [("\"a", 0), ("a,b\"c", 1), ("a,\"b\"c,d", 1), ("a,b,\"c\nd,\"e\n", 2), ("\"a\"\"", 0), ("a, \"b\"", 1)]
        {
            assert_eq!(fields(raw.as_bytes()), Err(field), "{raw}");
        }
    }
}
