//! A line of a report.

use feishu_cancel_onboard::{Delivery, ErrorKind, Outcome};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::remarks::Remarks;

use crate::output;

/// The line that says that an application's first attempt is about to be sent.
pub fn started(application_id: &str) -> String {
    output::json(&StartedLine { application_id, started: true, at: &now() })
}

#[derive(Serialize)]
struct StartedLine<'a> {
    application_id: &'a str,
    started: bool,
    at: &'a str,
}

/// The time as the lines of a report have it: UTC, as RFC 3339 writes it, to the millisecond.
pub fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// What a line of a report says.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// An attempt is about to be sent.
    Started { application_id: String },
    /// The cancellation ended.
    Ended { application_id: String, ended: Ended },
}

/// How a cancellation ended, as far as a report or a summary cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Cancelled,
    Terminated,
    Failed(Failed),
}

/// How a cancellation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    pub kind: String,
    /// Whether it can have taken effect.
    pub unknown: bool,
    /// Whether it never reached the platform.
    pub unsent: bool,
    pub retryable: bool,
    pub advice: Advice,
    pub remarks: Remarks,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Advice {
    pub en: String,
    pub zh: String,
}

impl Failed {
    /// Whether it is tried again with the report at hand.
    ///
    /// What the platform holds against the app or its credentials says nothing of the application: once somebody has put
    /// that right, it is as good as new. Nor does an answer that was not the platform's.
    pub fn is_tried_again(&self) -> bool {
        self.unknown
            || self.unsent
            || self.retryable
            || NOT_OF_THE_APPLICATION.iter().any(|kind| kind.as_str() == self.kind)
    }
}

const NOT_OF_THE_APPLICATION: [ErrorKind; 5] = [
    ErrorKind::UnexpectedResponse,
    ErrorKind::Unauthorized,
    ErrorKind::InvalidCredentials,
    ErrorKind::AppUnavailable,
    ErrorKind::PermissionDenied,
];

#[derive(Deserialize)]
struct AnyLine {
    application_id: String,
    started: Option<bool>,
    ok: Option<bool>,
    outcome: Option<Outcome>,
    error: Option<ErrorPart>,
}

#[derive(Deserialize)]
struct ErrorPart {
    kind: String,
    delivery: String,
    retryable: bool,
    advice: Advice,
    #[serde(default)]
    details: Option<serde_json::Value>,
}

impl Line {
    /// What a line says; none if it is no line of a report.
    pub fn parse(text: &[u8]) -> Option<Self> {
        // What nobody asks for is not looked at below.
        let text = std::str::from_utf8(text).ok()?;
        let AnyLine { application_id, started, ok, outcome, error } = serde_json::from_str(text).ok()?;
        let ended = match (started, ok, outcome, error) {
            (Some(true), None, None, None) => return Some(Self::Started { application_id }),
            (None, Some(true), Some(Outcome::Cancelled), None) => Ended::Cancelled,
            (None, Some(true), Some(Outcome::Terminated), None) => Ended::Terminated,
            (None, Some(false), None, Some(error)) => Ended::Failed(Failed {
                kind: error.kind,
                unknown: error.delivery == Delivery::Unknown.as_str(),
                unsent: error.delivery == Delivery::NotSent.as_str(),
                retryable: error.retryable,
                advice: error.advice,
                remarks: Remarks::of(error.details.as_ref()),
            }),
            _ => return None,
        };
        Some(Self::Ended { application_id, ended })
    }

    /// Whether the bytes can be the first part of a line that was being written, or of none at all.
    pub fn is_cut_off(bytes: &[u8]) -> bool {
        let begins = BEGINNINGS.iter().any(|beginning| {
            let length = beginning.len().min(bytes.len());
            bytes[..length] == beginning.as_bytes()[..length]
        });
        begins && is_utf8_so_far(bytes) && serde_json::from_slice::<AnyLine>(bytes).is_err_and(|error| error.is_eof())
    }
}

/// What lines begin with.
const BEGINNINGS: [&str; 3] =
    [r#"{"application_id":"#, r#"{"ok":true,"application_id":"#, r#"{"ok":false,"application_id":"#];

/// Whether the bytes are UTF-8, the last character perhaps not whole.
pub fn is_utf8_so_far(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// The least that a disk writes at once.
const SECTOR: usize = 512;

/// Whether a line is one of which the power failed to let a part be written: behind the first part of a line, zeros as long
/// as what is written at once. In UTF-16, every other byte is a zero instead.
pub fn is_hole(text: &[u8]) -> bool {
    let Some(first) = text.iter().position(|byte| *byte == 0) else { return false };
    let runs = text.windows(2).filter(|pair| pair[0] != 0 && pair[1] == 0).count();
    let before = &text[..first];
    runs <= 1 + text.len() / SECTOR && (Line::parse(before).is_some() || Line::is_cut_off(before))
}
