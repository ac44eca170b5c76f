//! JSON Lines: one object a line.

use std::sync::Arc;

use feishu_cancel_onboard::CancelRequest;

use super::check::{self, NOT_UTF_8, Names};
use super::{Complaint, Position, Row};

pub const PLACE_OF_ID: &str = "field application_id";
pub const PLACE_OF_REASONS: &str = "reason ids";

/// The rows of JSON Lines.
pub struct JsonRows<'a> {
    bytes: &'a [u8],
    next: Position,
}

/// The rows from a position on.
pub fn rows(bytes: &[u8], from: Position) -> JsonRows<'_> {
    JsonRows { bytes, next: from }
}

impl JsonRows<'_> {
    /// Continues at a position at which a row begins.
    pub fn seek(&mut self, position: Position) {
        self.next = position;
    }
}

impl Iterator for JsonRows<'_> {
    type Item = Result<Row, Vec<Complaint>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.bytes.get(self.next.byte..).filter(|rest| !rest.is_empty())?;
            let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let position = self.next;
            self.next = Position { byte: position.byte + length + 1, line: position.line + 1 };
            let text = rest[..length].trim_ascii_end();
            if !text.is_empty() {
                return Some(row(text, position));
            }
        }
    }
}

fn row(text: &[u8], position: Position) -> Result<Row, Vec<Complaint>> {
    let line = position.line;
    let text = std::str::from_utf8(text).map_err(|error| {
        let byte = format!("column {}", error.valid_up_to() + 1);
        vec![Complaint::new(line, byte, NOT_UTF_8)]
    })?;
    let request = request(text).map_err(|(place, reason)| {
        let application_id = application_id(text);
        vec![Complaint { application_id, ..Complaint::new(line, place, reason) }]
    })?;
    let names = Names { application_id: PLACE_OF_ID, reason_ids: PLACE_OF_REASONS };
    match check::complaints(line, &request, &names) {
        complaints if complaints.is_empty() => Ok(Row { position, request }),
        complaints => Err(complaints),
    }
}

/// Reads a request, or says where what is wrong.
fn request(text: &str) -> Result<CancelRequest, (Option<String>, String)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let request = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        place_and_reason(error.inner(), &path)
    })?;
    json.end().map_err(|error| place_and_reason(&error, ""))?;
    Ok(request)
}

fn place_and_reason(error: &serde_json::Error, path: &str) -> (Option<String>, String) {
    let place = match (error.is_data(), path) {
        (true, "" | "." | "?") => None,
        (true, path) => Some(format!("field {path}")),
        (false, _) => Some(format!("column {}", error.column())),
    };
    // Each line is read by itself, so the line that the message ends with is not the file's.
    let text = error.to_string();
    let at = format!(" at line {} column {}", error.line(), error.column());
    (place, text.strip_suffix(&at).unwrap_or(&text).to_owned())
}

/// The application id in a line that is not as it must be otherwise.
fn application_id(text: &str) -> Option<Arc<str>> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.get("application_id")?.as_str().map(Arc::from)
}
