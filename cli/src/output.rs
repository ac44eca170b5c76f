//! What is printed for a cancellation, how anything is printed, and the exit statuses.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use feishu_cancel_onboard::{Cancelled, Delivery, Details, Error, ErrorKind, Outcome, printable};
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::arguments::Language;
use crate::terminal;

/// How the program ends, in the order of the statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    Refused,
    /// A published page says something else than its document.
    Drift,
    InvalidRequest,
    Credentials,
    Network,
    Defect,
    /// Ended by the operator.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Refused | Exit::Drift => 1,
            Exit::InvalidRequest => 2,
            Exit::Credentials => 3,
            Exit::Network => 4,
            Exit::Defect => 5,
            Exit::Interrupted => 130,
        })
    }
}

impl Exit {
    /// The exit status of a failed call: an unknown fate goes before everything else.
    pub fn of(error: &Error) -> Self {
        match error.delivery() {
            Delivery::Unknown => Self::Network,
            Delivery::NotSent | Delivery::Rejected => Self::of_kind(error.kind()),
        }
    }

    /// The exit status of a failure of this kind whose fate is known.
    ///
    /// # Panics
    /// For a kind that has none, which the check below turns into an error of the build.
    pub const fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::AlreadyTerminated
            | ErrorKind::ManagedByFeishuPeople
            | ErrorKind::ApplicationNotFound
            | ErrorKind::InvalidParameter
            | ErrorKind::SystemError
            | ErrorKind::RateLimited
            | ErrorKind::PermissionDenied
            | ErrorKind::Other => Self::Refused,
            ErrorKind::InvalidRequest | ErrorKind::NotRecorded => Self::InvalidRequest,
            ErrorKind::Unauthorized | ErrorKind::InvalidCredentials | ErrorKind::AppUnavailable => Self::Credentials,
            ErrorKind::Timeout
            | ErrorKind::Connect
            | ErrorKind::ConnectionLost
            | ErrorKind::UnexpectedResponse
            | ErrorKind::TokenUnavailable => Self::Network,
            ErrorKind::Interrupted => Self::Interrupted,
            _ => panic!("a kind without an exit status"),
        }
    }
}

/// The enum is `non_exhaustive`, so that the compiler does not check the match above; this does.
const _: () = {
    let mut index = 0;
    while index < ErrorKind::ALL.len() {
        Exit::of_kind(ErrorKind::ALL[index]);
        index += 1;
    }
};

/// The line for a cancellation that succeeded.
#[derive(Serialize)]
struct DoneLine<'a> {
    ok: bool,
    application_id: &'a str,
    outcome: &'static str,
    attempts: u32,
    log_id: Option<&'a str>,
    elapsed_ms: u64,
    application: NotLookedAt,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
}

/// The line for one that did not.
#[derive(Serialize)]
struct FailedLine<'a> {
    ok: bool,
    application_id: Option<&'a str>,
    error: ErrorObject<'a>,
    elapsed_ms: u64,
    application: NotLookedAt,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
}

/// What was seen of the application itself, which nothing looks at: `null`.
type NotLookedAt = ();

#[derive(Serialize)]
struct ErrorObject<'a> {
    kind: &'static str,
    code: Option<i64>,
    http_status: Option<u16>,
    message: &'a str,
    log_id: Option<&'a str>,
    delivery: &'static str,
    retryable: bool,
    retry_after_ms: Option<u64>,
    attempts: u32,
    advice: AdviceObject<'a>,
    details: Option<Value>,
}

#[derive(Serialize)]
pub struct AdviceObject<'a> {
    pub en: &'a str,
    pub zh: &'a str,
}

/// A cancellation's result as one line of JSON.
pub fn json_line(application_id: Option<&str>, result: &Result<Cancelled, Error>, elapsed: Duration) -> String {
    result_line(application_id, result, elapsed, None)
}

/// The same line as a report has it, with the time at which the result came.
pub fn dated_json_line(application_id: &str, result: &Result<Cancelled, Error>, elapsed: Duration, at: &str) -> String {
    result_line(Some(application_id), result, elapsed, Some(at))
}

fn result_line(
    application_id: Option<&str>,
    result: &Result<Cancelled, Error>,
    elapsed: Duration,
    at: Option<&str>,
) -> String {
    match result {
        Ok(done) => json(&DoneLine {
            ok: true,
            application_id: application_id.unwrap_or_default(),
            outcome: done.outcome().as_str(),
            attempts: done.attempts(),
            log_id: done.log_id(),
            elapsed_ms: millis(elapsed),
            application: (),
            at,
        }),
        Err(error) => {
            let advice = error.advice();
            json(&FailedLine {
                ok: false,
                application_id,
                error: ErrorObject {
                    kind: error.kind().as_str(),
                    code: error.code(),
                    http_status: error.http_status(),
                    message: &error.message(),
                    log_id: error.log_id(),
                    delivery: error.delivery().as_str(),
                    retryable: error.is_retryable(),
                    retry_after_ms: error.retry_after().map(millis),
                    attempts: error.attempts(),
                    advice: AdviceObject { en: &advice.en, zh: &advice.zh },
                    details: error.details().map(Details::into_json),
                },
                elapsed_ms: millis(elapsed),
                application: (),
                at,
            })
        }
    }
}

/// A line of JSON in which every character that could do something to a terminal is escaped as JSON escapes it.
pub fn json(line: &impl Serialize) -> String {
    escaped(&serde_json::to_string(line).unwrap_or_default())
}

/// JSON that says the same without such characters, which occur in strings only.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let mut buffer = [0; 4];
        match printable(c.encode_utf8(&mut buffer)) {
            Cow::Borrowed(_) => out.push(c),
            Cow::Owned(_) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out
}

/// A cancellation's result for an operator.
pub fn text(application_id: &str, result: &Result<Cancelled, Error>, language: Language) -> String {
    match result {
        Ok(done) => done_text(application_id, done, language),
        Err(error) => failed_text(application_id, error, language),
    }
}

fn done_text(application_id: &str, done: &Cancelled, language: Language) -> String {
    let headline = match done.outcome() {
        Outcome::Terminated => language.pick(
            "terminated: an attempt whose answer was lost most likely cancelled the onboarding, but somebody may have \
             terminated the application before; its history in Feishu Hire tells",
            "已终止：某次未收到响应的请求很可能已取消入职，但也可能此前已由他人终止；可在飞书招聘的投递记录中核实",
        ),
        _ => language.pick("cancelled: the onboarding is cancelled", "已取消：入职已取消"),
    };
    let mut rows = vec![(language.pick("application", "投递 ID"), application_id.to_owned())];
    rows.extend(done.log_id().map(|id| (language.pick("log id", "日志 ID"), id.to_owned())));
    rows.push((language.pick("attempts", "请求次数"), done.attempts().to_string()));
    block(headline, &rows)
}

fn failed_text(application_id: &str, error: &Error, language: Language) -> String {
    let headline = match error.delivery() {
        Delivery::Unknown => language.pick("not known", "结果未知"),
        Delivery::NotSent | Delivery::Rejected => language.pick("not cancelled", "未取消"),
    };
    let headline = format!("{headline}: {}", without_cause(error));
    let mut rows = vec![(language.pick("application", "投递 ID"), application_id.to_owned())];
    rows.extend(what_happened(error, language));
    rows.push((language.pick("what is known", "目前所知"), language.known(error.delivery()).to_owned()));
    rows.extend(what_to_do(error, language));
    block(&headline, &rows)
}

/// A list of termination reasons that could not be read, for an operator.
pub fn unlisted_text(error: &Error, language: Language) -> String {
    let headline = format!("{}: {}", language.pick("not listed", "未获取到终止原因"), without_cause(error));
    let mut rows = what_happened(error, language);
    rows.extend(what_to_do(error, language));
    block(&headline, &rows)
}

/// The message of a failure, without the cause that has a row of its own.
fn without_cause(error: &Error) -> String {
    let message = error.message();
    let cause = error.cause().map(|cause| format!(": {cause}"));
    cause.and_then(|cause| message.strip_suffix(&cause)).unwrap_or(&message).to_owned()
}

type Rows = Vec<(&'static str, String)>;

fn what_happened(error: &Error, language: Language) -> Rows {
    let mut rows = vec![(language.pick("kind", "错误类型"), error.kind().to_string())];
    if let Some(code) = error.known_code() {
        let label = code.label().map(|label| format!(" ({label})")).unwrap_or_default();
        rows.push((language.pick("code", "错误码"), format!("{}{label}", code.number())));
    }
    rows.extend(error.http_status().map(|status| (language.pick("HTTP status", "HTTP 状态码"), status.to_string())));
    rows.extend(error.log_id().map(|id| (language.pick("log id", "日志 ID"), id.to_owned())));
    if let Some(cause) = error.cause() {
        rows.push((language.pick("cause", "原因"), language.pick(&cause.to_string(), &cause.zh()).to_owned()));
    }
    rows.push((language.pick("attempts", "请求次数"), error.attempts().to_string()));
    rows
}

fn what_to_do(error: &Error, language: Language) -> Rows {
    let mut rows = Vec::new();
    if let Some(wait) = error.retry_after() {
        rows.push((language.pick("wait", "需等待"), format!("{} s", wait.as_secs_f64().ceil())));
    }
    for violation in error.details().map(|details| details.field_violations()).unwrap_or_default() {
        let parts = [violation.field, violation.description].into_iter().flatten().collect::<Vec<_>>();
        rows.push((language.pick("field", "字段"), parts.join(": ")));
    }
    for violation in error.details().map(|details| details.permission_violations()).unwrap_or_default() {
        rows.extend(violation.subject.map(|scope| (language.pick("missing scope", "缺少权限"), scope)));
    }
    rows.push((language.pick("what to do", "处理建议"), language.advice(&error.advice()).to_owned()));
    for help in error.details().map(|details| details.helps()).unwrap_or_default() {
        let parts = [help.description, help.url].into_iter().flatten().collect::<Vec<_>>();
        rows.push((language.pick("link", "链接"), parts.join(": ")));
    }
    rows.dedup();
    rows
}

/// A headline, and rows of a label and a text below it.
pub fn block(headline: &str, rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(label, _)| columns(label)).max().unwrap_or_default();
    let mut out = printable(headline).into_owned();
    for (label, text) in rows {
        let padding = " ".repeat(width - columns(label));
        let _ = write!(out, "\n  {label}{padding}  {}", terminal::hanging(&printable(text), width + 4));
    }
    out
}

/// How many columns of a terminal a text takes: a Chinese character takes two.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Prints the JSON line of a request that was refused before there was one, and returns how that ends the program.
#[must_use]
pub fn refused_here(application_id: Option<&str>, message: &str) -> Exit {
    // The library words and advises this kind of failure; only the message comes from the command line.
    let result = Err(Error::invalid_request(message));
    print(&json_line(application_id, &result, Duration::ZERO), Exit::InvalidRequest)
}

/// Prints a result to standard output. Where that can't be done the result must not be lost: it is then on standard error,
/// and the program ends otherwise than it would have. A reader that has left makes no difference to that.
#[must_use]
pub fn print_result(line: &str, exit: Exit) -> Exit {
    match write(line) {
        Ok(()) => exit,
        Err(error) => {
            complain(&format!("error: standard output can't be written: {error}; the result is:\n{line}"));
            Exit::Defect
        }
    }
}

/// Prints a line to standard output, and returns `exit`, or how a program ends whose output can't be written.
#[must_use]
pub fn print(line: &str, exit: Exit) -> Exit {
    unless_unwritten(write(line), exit)
}

/// Prints a document to standard output, as it is. One that can't be written whole is of no use to anybody.
#[must_use]
pub fn print_document(bytes: &[u8]) -> Exit {
    let mut out = io::stdout().lock();
    unless_unwritten(out.write_all(bytes).and_then(|()| out.flush()), Exit::Done)
}

/// How the program ends after something was written to standard output, or could not be, which is said.
#[must_use]
pub fn unless_unwritten(written: io::Result<()>, exit: Exit) -> Exit {
    match written {
        Ok(()) => exit,
        // Whoever read it has left, and does not want to know.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            complain(&format!("error: standard output can't be written: {error}"));
            Exit::Defect
        }
    }
}

fn write(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush())
}

/// Prints a line to standard error.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
