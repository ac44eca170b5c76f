//! `check-docs`: what a published page says otherwise than its document in `spec/`.

use std::ffi::OsString;
use std::time::Duration;

use feishu_cancel_onboard::printable;
use feishu_cancel_onboard_check_docs::{self as docs_page, Document, PageError, Report};
use serde::Serialize;

use crate::arguments::{CheckDocs, Common, Output};
use crate::output::{self, Exit};
use crate::page_source::{Failure, PageSource};

/// The line for a page that can't be checked; that of one that was checked is the library's.
#[derive(Serialize)]
struct FailedLine<'a> {
    ok: bool,
    spec: Option<&'a str>,
    page: Option<&'a str>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
}

/// What is done with results, and how long the network may take.
#[derive(Clone, Copy)]
struct Check {
    form: Output,
    timeout: Duration,
}

/// Checks a page, or each published one, and prints a result for each document.
pub async fn run(common: &Common, arguments: CheckDocs) -> Exit {
    let check = Check { form: common.output(), timeout: common.timeout };
    let documents = match docs_page::documents() {
        Ok(documents) => documents,
        Err(error) => {
            return check.fail(None, None, &error.to_string(), Exit::Defect);
        }
    };
    let CheckDocs { page, spec, all } = arguments;
    if !all {
        return match documents.iter().find(|document| document.name() == spec) {
            Some(document) => check.one(document, page).await,
            None => check.unknown(&spec, &documents),
        };
    }
    match page {
        Some(page) => check.whichever(&documents, page).await,
        None => check.published(&documents).await,
    }
}

impl Check {
    /// Checks a page, or else the published one, against one document.
    async fn one(self, document: &Document, page: Option<OsString>) -> Exit {
        let Some(page) = page.or_else(|| document.markdown_url().map(OsString::from)) else {
            let (file, url) = (document.file(), document.url());
            let message = format!("{file} names no Markdown address of its page; give PAGE, a copy of {url}");
            return self.conclude(Some(document.name()), None, Err(Failure::Page(message)));
        };
        match self.read(page).await {
            Ok((name, content)) => {
                let result = document.check(&name, &content).map_err(|error| Failure::Page(error.to_string()));
                self.conclude(Some(document.name()), Some(&name), result)
            }
            Err((name, failure)) => self.conclude(Some(document.name()), name.as_deref(), Err(failure)),
        }
    }

    /// Checks the published page of every document that has one.
    async fn published(self, documents: &[Document]) -> Exit {
        let mut worst = None;
        for document in documents {
            if document.markdown_url().is_some() {
                worst = worst.max(Some(self.one(document, None).await));
            } else {
                let (name, file) = (document.name(), document.file());
                output::complain(&format!("skipped {name}: {file} names no Markdown address of its page"));
            }
        }
        worst.unwrap_or_else(|| {
            self.conclude(None, None, Err(Failure::Page("no document names a Markdown address of its page".to_owned())))
        })
    }

    /// Checks a page against the document that it is the page of.
    async fn whichever(self, documents: &[Document], page: OsString) -> Exit {
        let (name, content) = match self.read(page).await {
            Ok(read) => read,
            Err((name, failure)) => return self.conclude(None, name.as_deref(), Err(failure)),
        };
        let (mut worst, mut errors) = (None, Vec::new());
        for document in documents {
            match document.check(&name, &content) {
                Ok(report) => worst = worst.max(Some(self.conclude(None, None, Ok(report)))),
                Err(error) => errors.push(error),
            }
        }
        worst.unwrap_or_else(|| self.conclude(None, Some(&name), Err(Failure::Page(of_none(&errors)))))
    }

    /// Reads a page; gives its name beside its content, or beside what went wrong.
    async fn read(self, page: OsString) -> Result<(String, Vec<u8>), (Option<String>, Failure)> {
        let source = PageSource::parse(page).map_err(|failure| (None, failure))?;
        let name = source.name(self.form);
        match source.read(self.timeout).await {
            Ok(content) => Ok((name, content)),
            Err(failure) => Err((Some(name), failure)),
        }
    }

    fn unknown(self, spec: &str, documents: &[Document]) -> Exit {
        let names: Vec<_> = documents.iter().map(Document::name).collect();
        let message = format!("no document has this name; --spec takes {}", names.join(" or "));
        self.conclude(Some(spec), None, Err(Failure::Page(message)))
    }

    /// Prints a result and says how the program is to end.
    fn conclude(self, spec: Option<&str>, page: Option<&str>, result: Result<Report, Failure>) -> Exit {
        let (exit, message) = match result {
            Ok(report) => {
                let text = match self.form {
                    Output::Json => output::json(&report),
                    Output::Text => report.to_string(),
                };
                return output::print(&text, if report.ok { Exit::Done } else { Exit::Drift });
            }
            Err(Failure::Page(message)) => (Exit::InvalidRequest, message),
            Err(Failure::Network(message)) => (Exit::Network, message),
        };
        self.fail(spec, page, &message, exit)
    }

    /// Says what went wrong, and returns how that ends the program.
    fn fail(self, spec: Option<&str>, page: Option<&str>, message: &str, exit: Exit) -> Exit {
        match self.form {
            Output::Json => output::print(&failed_line(spec, page, message), exit),
            Output::Text => {
                let parts: Vec<_> = [Some("error"), spec, page, Some(message)].into_iter().flatten().collect();
                output::complain(&printable(&parts.join(": ")));
                exit
            }
        }
    }
}

/// Why a page is that of none of the documents, from what was said for each.
fn of_none(errors: &[PageError]) -> String {
    let expected = errors.iter().filter_map(|error| match error {
        PageError::AnotherPage { expected, .. } => Some(expected.as_str()),
        _ => None,
    });
    match errors.first() {
        Some(PageError::AnotherPage { title, path, .. }) => {
            let expected = expected.collect::<Vec<_>>().join(" or ");
            PageError::AnotherPage { title: title.clone(), path: path.clone(), expected }.to_string()
        }
        Some(error) => error.to_string(),
        None => "there is no document that names its page".to_owned(),
    }
}

fn failed_line(spec: Option<&str>, page: Option<&str>, message: &str) -> String {
    let line = FailedLine { ok: false, spec, page, error: ErrorObject { message } };
    output::json(&line)
}

/// Prints the JSON line for arguments that could not be read, and returns how that ends the program.
#[must_use]
pub fn refused_here(message: &str) -> Exit {
    output::print(&failed_line(None, None, message), Exit::InvalidRequest)
}
