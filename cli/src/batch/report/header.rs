//! The first line of a report: of which origin and app it is, so that a run for another one does not continue it.

use serde::{Deserialize, Serialize};

use super::line::{Line, is_utf8_so_far, now};
use crate::connection::{Caller, Identity};
use crate::output;

/// The form of report that this version writes and reads.
const FORM: u64 = 1;

/// More bytes than a first line has.
pub const LIMIT: u64 = 4096;

/// What a first line begins with, whatever form of report it announces.
const BEGINNING: &str = r#"{"report":"#;
/// What one of this form begins with.
const BEGINNING_OF_FORM: &str = r#"{"report":1,"origin":"#;

#[derive(Serialize)]
struct WrittenHeader<'a> {
    report: u64,
    origin: &'a str,
    app_id: Option<&'a str>,
    version: &'a str,
    at: &'a str,
}

/// The first line of a report that begins now.
pub fn line(identity: &Identity) -> String {
    let Identity { origin, caller } = identity;
    let app_id = caller.as_ref().and_then(Caller::app_id);
    output::json(&WrittenHeader { report: FORM, origin, app_id, version: env!("CARGO_PKG_VERSION"), at: &now() })
}

/// A first line.
#[derive(Debug, Deserialize)]
pub struct Header {
    report: u64,
    origin: String,
    app_id: Option<String>,
    #[serde(rename = "version")]
    _version: String,
    #[serde(rename = "at")]
    _at: String,
}

impl Header {
    /// Reads a whole one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let header: Self =
            text.starts_with(BEGINNING_OF_FORM.as_bytes()).then(|| serde_json::from_slice(text).ok())??;
        (header.report == FORM).then_some(header)
    }

    /// Whether the bytes can be the first part of one that was being written.
    pub fn is_cut_off(bytes: &[u8]) -> bool {
        let length = BEGINNING_OF_FORM.len().min(bytes.len());
        bytes[..length] == BEGINNING_OF_FORM.as_bytes()[..length]
            && is_utf8_so_far(bytes)
            && serde_json::from_slice::<Self>(bytes).is_err_and(|error| error.is_eof())
    }

    /// Why a run of this identity must not continue the report, in words that follow the report's name.
    pub fn objection(&self, identity: &Identity) -> Option<String> {
        let Self { origin, app_id, .. } = self;
        if *origin != identity.origin {
            return Some(format!(
                "is of another origin: it was written for {}, and this run calls {}; name another report, or call the same \
                 origin with --base-url, FEISHU_BASE_URL or --sandbox",
                place(origin),
                place(&identity.origin)
            ));
        }
        let caller = identity.caller.as_ref()?;
        (caller.app_id() != app_id.as_deref()).then(|| {
            format!(
                "is of another app: it was written with {}, and this run has {}; name another report, or set the same \
                 credentials",
                credentials(app_id.as_deref()),
                credentials(caller.app_id())
            )
        })
    }
}

fn place(origin: &str) -> &str {
    if origin == Identity::SANDBOX { "the embedded stand-in (--sandbox)" } else { origin }
}

fn credentials(app_id: Option<&str>) -> String {
    app_id.map_or_else(|| "a ready-made token".to_owned(), |id| format!("the app {id}"))
}

/// What is wrong with a file that begins with neither a first line nor a part of one, in words that follow its name.
pub fn misfit(bytes: &[u8]) -> String {
    if let Some(encoding) = other_encoding(bytes) {
        return format!(
            "is in {encoding}, so another program has written it (as > does in PowerShell): resume with the file as \
             cancel-onboard wrote it, in UTF-8"
        );
    }
    match form(bytes) {
        Some(form) if form != FORM => format!(
            "has the form {form}, which another version of cancel-onboard wrote; this one knows the form {FORM}: resume with \
             that version"
        ),
        _ if Line::parse(bytes).is_some() => {
            "has no first line that says of which origin and app it is, so an earlier version \
             of cancel-onboard wrote it: finish it with that version, or name another report"
                .to_owned()
        }
        _ => "does not begin with the first line of a report: is it the right file?".to_owned(),
    }
}

/// The number that a first line of any form begins with.
fn form(bytes: &[u8]) -> Option<u64> {
    let rest = bytes.strip_prefix(BEGINNING.as_bytes())?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

/// The encoding of a text that is not in UTF-8 as this program writes it, where its beginning tells.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => Some("UTF-16"),
        [0xef, 0xbb, 0xbf, ..] => Some("UTF-8 with a byte order mark"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_that_was_cut_off_anywhere_is_told_from_anything_else() {
        for app_id in [None, Some("cli_1")] {
            let caller = Some(app_id.map_or(Caller::Token, |id| Caller::App(id.to_owned())));
            let line = line(&Identity { origin: "https://open.feishu.cn".to_owned(), caller });
            for length in 0..line.len() {
                assert!(Header::is_cut_off(&line.as_bytes()[..length]), "{length} of {line}");
            }
            assert!(Header::parse(line.as_bytes()).is_some() && !Header::is_cut_off(line.as_bytes()));
            assert!((line.len() as u64) < LIMIT);
        }
        for other in [
            "[",
            "{\"report\":2",
            "{\"report\":1}",
            "{\"report\":1,\"origin\":1",
            "{\"report\":1,\"origin\":\"\",\"app_id\":3",
        ] {
            assert!(!Header::is_cut_off(other.as_bytes()), "{other}");
        }
    }
}
