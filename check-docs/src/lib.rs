//! The check of a published page against its document in `spec/`: every fact in which they differ, with the line of
//! the document to look at.
//!
//! A page is read in each of the forms in which it is published, and from any bytes: what is not a page is an error
//! that says what it is instead, and a part of a page that can't be read is reported as gone.
//!
//! ```
//! use feishu_cancel_onboard_check_docs as docs_page;
//!
//! let documents = docs_page::documents()?;
//! let document = documents.iter().find(|document| document.name() == "cancel_onboard").expect("it is one of them");
//! let error = document.check("page.md", b"<!doctype html><title>Log in</title>").expect_err("that is no page");
//! assert!(error.to_string().contains("log-in page"));
//! # Ok::<(), docs_page::DocumentError>(())
//! ```

mod compare;
mod description;
mod document;
mod facts;
mod mend;
mod notes;
mod outline;
mod page;
mod rate;
mod report;

use std::fmt;

/// What reading a document fails with: see [`Document::read`] for an example.
pub use feishu_cancel_onboard_codegen::DocumentError;
pub use report::{Change, Drift, Report};

use facts::Facts;
use feishu_cancel_onboard::document::SOURCES;
use feishu_cancel_onboard_codegen::Source;
use page::Page;
use report::Notes;

/// The most that is read as a page, in bytes; the longest published pages come near it.
///
/// ```
/// use feishu_cancel_onboard_check_docs::{self as docs_page, PageError};
///
/// let document = &docs_page::documents()?[0];
/// let page = vec![b' '; docs_page::SIZE_LIMIT + 1];
/// assert_eq!(document.check("page.md", &page).expect_err("it is too long"), PageError::TooLarge);
/// # Ok::<(), docs_page::DocumentError>(())
/// ```
pub const SIZE_LIMIT: usize = 1024 * 1024;

/// A document in `spec/` that names its page.
///
/// ```
/// use feishu_cancel_onboard_check_docs as docs_page;
///
/// let documents = docs_page::documents()?;
/// let document = documents.iter().find(|document| document.name() == "cancel_onboard").expect("it is one of them");
/// println!("{}, {}: {}", document.file(), document.title(), document.url());
/// println!("its Markdown is at {}", document.markdown_url().unwrap_or("no address"));
///
/// // All that is left of the page is its title and the method.
/// let page = format!("# {}\n\n## 请求\n\n| 基本 | |\n| --- | --- |\n| HTTP Method | PUT |\n", document.title());
/// let report = document.check("page.md", page.as_bytes()).expect("it is the page");
/// assert!(!report.ok);
/// println!("{report}");
/// # Ok::<(), docs_page::DocumentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    file: String,
    url: String,
    markdown_url: Option<String>,
    facts: Facts,
}

/// Every document in `spec/` that names its page, as this crate was built with it.
///
/// ```
/// let documents = feishu_cancel_onboard_check_docs::documents()?;
/// assert!(documents.iter().any(|document| document.name() == "cancel_onboard"));
/// # Ok::<(), feishu_cancel_onboard_check_docs::DocumentError>(())
/// ```
///
/// # Errors
/// When a document lacks what the check needs, which is a defect of this crate.
pub fn documents() -> Result<Vec<Document>, DocumentError> {
    Document::read(SOURCES)
}

impl Document {
    /// Reads documents that may refer to one another, each given as its name and its YAML text; those that name no page
    /// are left out.
    ///
    /// ```
    /// use feishu_cancel_onboard_check_docs::Document;
    ///
    /// let error = Document::read(&[("cancel_onboard", "openapi: 3.0.3\ninfo: [")]).expect_err("it is cut short");
    /// assert!(error.to_string().starts_with("spec/cancel_onboard.yaml:"));
    /// ```
    ///
    /// # Errors
    /// At the first thing in a document that can't be read, with its file, line and place.
    pub fn read(texts: &[(&str, &str)]) -> Result<Vec<Self>, DocumentError> {
        let parse = |(name, text): &(&str, &str)| Source::parse(&format!("spec/{name}.yaml"), text);
        let sources = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let named =
            texts.iter().zip(&sources).enumerate().filter(|(_, (_, source))| text(source, "x-doc-title").is_some());
        named
            .map(|(index, ((name, _), source))| {
                Ok(Self {
                    name: (*name).to_owned(),
                    file: source.file.clone(),
                    url: text(source, "x-doc-url").unwrap_or_default(),
                    markdown_url: text(source, "x-doc-markdown-url"),
                    facts: document::facts(&sources, index)?,
                })
            })
            .collect()
    }

    /// The document's name: that of its file without the ending.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The document's file, from the root of the repository.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The title of the page.
    #[must_use]
    pub fn title(&self) -> &str {
        self.facts.title.as_deref().unwrap_or_default()
    }

    /// The address of the page, for people.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of the page's Markdown form, where one is published.
    #[must_use]
    pub fn markdown_url(&self) -> Option<&str> {
        self.markdown_url.as_deref()
    }

    /// Compares a page with the document. `page` names the page in the report.
    ///
    /// # Errors
    /// When the content is not the page that the document is about.
    pub fn check(&self, page: &str, content: &[u8]) -> Result<Report, PageError> {
        let read = Page::read(content)?;
        self.is_about(&read)?;
        let drift = compare::compare(&read.facts, &self.facts);
        let notes = Notes { digest: read.facts.notes, compared: self.facts.notes.is_some() };
        Ok(Report {
            ok: drift.is_empty(),
            spec: self.name.clone(),
            page: page.to_owned(),
            drift,
            file: self.file.clone(),
            notes,
        })
    }

    /// A page is the document's if its title or the path of its request is.
    fn is_about(&self, page: &Page) -> Result<(), PageError> {
        let title = page.facts.title.as_deref().or(page.front_title.as_deref());
        let path = self.facts.url.as_deref().map(page::path_of);
        if [title, page.front_title.as_deref()].contains(&Some(self.title())) || page.path() == path {
            return Ok(());
        }
        Err(PageError::AnotherPage {
            title: title.map(str::to_owned),
            path: page.path().map(str::to_owned),
            expected: format!("{} ({})", self.title(), path.unwrap_or_default()),
        })
    }
}

fn text(source: &Source, key: &str) -> Option<String> {
    source.get("/info")?.get(key)?.as_str().map(str::to_owned)
}

/// Why a content can't be checked as a page.
///
/// ```
/// use feishu_cancel_onboard_check_docs::{self as docs_page, PageError};
///
/// let document = &docs_page::documents()?[0];
/// let check = |page: &[u8]| document.check("page.md", page).map(drop);
/// assert_eq!(check(b""), Err(PageError::Empty));
/// assert_eq!(check(b"\xff"), Err(PageError::NotText { valid_up_to: 0 }));
/// assert_eq!(check(b"<html><body></body></html>"), Err(PageError::Html { log_in: false }));
/// assert_eq!(check(b"A text."), Err(PageError::NotAPage));
/// assert!(matches!(check("# 获取员工".as_bytes()), Err(PageError::AnotherPage { .. })));
/// # Ok::<(), docs_page::DocumentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageError {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`SIZE_LIMIT`], or its tables are longer than those of any page.
    TooLarge,
    /// It is not UTF-8.
    NotText {
        /// How many bytes from the start are.
        valid_up_to: usize,
    },
    /// It is HTML.
    Html {
        /// Whether it asks to log in.
        log_in: bool,
    },
    /// It is a text without anything that a page of an endpoint has.
    NotAPage,
    /// It is a page about something else.
    AnotherPage {
        /// Its title, if it has one.
        title: Option<String>,
        /// The path of its request, if it names one.
        path: Option<String>,
        /// The page that it was to be.
        expected: String,
    },
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the page is empty; fetch it again"),
            Self::TooLarge => {
                write!(f, "longer than any page, which has {SIZE_LIMIT} bytes at most; give the page alone")
            }
            Self::NotText { valid_up_to } => {
                write!(f, "not UTF-8 text from byte {valid_up_to} on; save the page as UTF-8")
            }
            Self::Html { log_in: true } => {
                f.write_str("an HTML log-in page instead of the page; give the page's Markdown, which needs no log-in")
            }
            Self::Html { log_in: false } => f.write_str("HTML instead of Markdown; give the page's Markdown form"),
            Self::NotAPage => f.write_str(
                "not a page of an endpoint: it has neither a title nor a request address; give the page's Markdown",
            ),
            Self::AnotherPage { title, path, expected } => {
                f.write_str("another page")?;
                if let Some(title) = title {
                    write!(f, ", titled {title:?}")?;
                }
                if let Some(path) = path {
                    write!(f, ", about {path:?}")?;
                }
                write!(f, ", and not {expected}; give that one, or choose the document of this one")
            }
        }
    }
}

impl std::error::Error for PageError {}
