//! What the check of a page found, for people and for programs.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use feishu_cancel_onboard::printable;

/// What the check of a page found. As JSON, it is the line that the command prints; as text, what an operator reads.
///
/// ```
/// use feishu_cancel_onboard_check_docs::{self as docs_page, Change};
/// use feishu_cancel_onboard::document::OPERATION;
///
/// let documents = docs_page::documents()?;
/// let document = documents.iter().find(|document| document.name() == "cancel_onboard").expect("it is one of them");
/// let page = format!("# {}\n\n## 请求\n\n| 基本 | |\n| --- | --- |\n| HTTP Method | PUT |\n", document.title());
/// let report = document.check("page.md", page.as_bytes()).expect("it is the page");
/// assert_eq!((report.ok, report.spec.as_str(), report.page.as_str()), (false, "cancel_onboard", "page.md"));
///
/// let method = report.drift.iter().find(|drift| drift.place == "method").expect("it differs");
/// assert_eq!((&method.page, &method.document), (&"PUT".into(), &OPERATION.method.into()));
/// assert_eq!(method.change, Change::Different);
/// println!("{}:{}: {}", document.file(), method.line, method.change);
/// println!("the notes are {}", report.notes_digest().unwrap_or("none"));
///
/// let json = serde_json::to_value(&report).expect("it is JSON");
/// assert_eq!(json["drift"].as_array().map(Vec::len), Some(report.drift.len()));
/// # Ok::<(), docs_page::DocumentError>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whether the page says what the document says.
    pub ok: bool,
    /// The document's name: that of its file without the ending.
    pub spec: String,
    /// The page, as the caller named it.
    pub page: String,
    /// Every difference.
    pub drift: Vec<Drift>,
    #[serde(skip)]
    pub(super) file: String,
    #[serde(skip)]
    pub(super) notes: Notes,
}

/// The page's notes, as far as a reader of the report has to know of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub digest: Option<String>,
    /// Whether the document has a digest to compare it with.
    pub compared: bool,
}

/// One difference between a page and its document.
///
/// See [`Report`] for an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// What differs: `title`, `url`, `method`, `rate_limit`, `app_types`, `scopes`, `token_type`, `header.NAME`,
    /// `path.NAME`, `query.NAME`, `request.body.NAME`, `response.body.NAME`, `errors.CODE` or `notes`.
    #[serde(rename = "where")]
    pub place: String,
    /// What the page did, as the document sees it.
    pub change: Change,
    /// What the page says of it; null where it says nothing.
    pub page: Value,
    /// What the document says of it; null where it says nothing.
    pub document: Value,
    /// The line of the document to look at, from 1: where the fact stands, or beside which it would.
    pub line: usize,
}

/// What a page did to a fact of its document.
///
/// See [`Report`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// It is on the page and not in the document.
    Added,
    /// It is in the document and no longer on the page.
    Removed,
    /// Both say something else of it.
    Different,
}

impl Report {
    /// What stands for the text of the page's notes, to be written into the document once somebody has read them;
    /// `None` where the page has no notes.
    #[must_use]
    pub fn notes_digest(&self) -> Option<&str> {
        self.notes.digest.as_deref()
    }
}

impl Drift {
    pub(super) fn new(place: String, page: Value, document: Value, line: usize) -> Self {
        let change = match (&page, &document) {
            (_, Value::Null) => Change::Added,
            (Value::Null, _) => Change::Removed,
            _ => Change::Different,
        };
        Self { place, change, page, document, line }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added to the page",
            Self::Removed => "no longer on the page",
            Self::Different => "different",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (spec, page) = (&self.spec, printable(&self.page));
        match self.drift.len() {
            0 => write!(f, "{spec}: {page} says what {} says", self.file)?,
            1 => write!(f, "{spec}: {page} differs from {} in one thing", self.file)?,
            count => write!(f, "{spec}: {page} differs from {} in {count} things", self.file)?,
        }
        for drift in &self.drift {
            write!(f, "\n\n{}: {}", printable(&drift.place), drift.change)?;
            write!(f, "\n  page      {}", words(&drift.page))?;
            write!(f, "\n  document  {}", words(&drift.document))?;
            write!(f, "\n  look at   {}:{}", self.file, drift.line)?;
        }
        if let (Some(digest), false) = (&self.notes.digest, self.notes.compared) {
            write!(
                f,
                "\n\nnobody has noted in {} that the page's notes were read: x-notes-digest: {digest}",
                self.file
            )?;
        }
        Ok(())
    }
}

/// A value in words on one line.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => printable(text).into_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(item).collect::<Vec<_>>().join("; "),
        Value::Object(map) => {
            let parts = map.iter().map(|(name, value)| format!("{}: {}", name.replace('_', " "), words(value)));
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

/// An entry of a list in words.
fn item(value: &Value) -> String {
    let named = |name: &str| value.get(name).map(words);
    match (named("calls"), named("period_seconds"), named("value"), named("name"), named("label")) {
        (Some(calls), Some(seconds), ..) => format!("{calls} calls in {seconds} s"),
        (_, _, Some(value), _, Some(label)) => format!("{value} {label}"),
        (_, _, _, Some(name), Some(label)) => format!("{label} ({name})"),
        _ => words(value),
    }
}
