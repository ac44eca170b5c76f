//! Variables of the environment. A credential that was copied together with something else is refused: the platform would
//! only say that it is wrong. No message has a value in it.

use std::env::VarError;

use feishu_cancel_onboard::Error;

use crate::invisible::{is_invisible, number};

const QUOTES: [char; 22] = [
    '"', '\'', '`', '“', '”', '„', '‘', '’', '‚', '«', '»', '‹', '›', '「', '」', '『', '』', '〝', '〞', '＂', '＇',
    '´',
];

/// What a credential is, as far as that matters to what may stand before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The id or the secret of an app.
    OfApp,
    /// An access token.
    Token,
}

/// A variable of the environment; an empty one counts as missing.
///
/// # Errors
/// When it is not Unicode.
pub fn variable(name: &str) -> Result<Option<String>, Error> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Error::invalid_request(format!("{name} is not valid Unicode"))),
    }
}

/// A variable that holds a credential.
///
/// # Errors
/// When it is not Unicode, or has something around it that is no part of a credential.
pub fn credential(name: &str, credential: Credential) -> Result<Option<String>, Error> {
    let value = variable(name)?;
    match value.as_deref().and_then(|value| surplus(value, credential)) {
        None => Ok(value),
        Some(surplus) => Err(Error::invalid_request(format!("{name} {surplus}: set it to the bare value"))),
    }
}

/// What stands around a credential and is no part of it.
fn surplus(value: &str, credential: Credential) -> Option<String> {
    let first = value.chars().next().and_then(name_of).map(|what| format!("begins with {what}"));
    let last = value.chars().next_back().and_then(name_of).map(|what| format!("ends with {what}"));
    let scheme = || {
        let is_bearer =
            value.split_once(char::is_whitespace).is_some_and(|(word, _)| word.eq_ignore_ascii_case("bearer"));
        (credential == Credential::Token && is_bearer).then(|| "begins with `Bearer `".to_owned())
    };
    let found: Vec<_> = first.or_else(scheme).into_iter().chain(last).collect();
    (!found.is_empty()).then(|| found.join(" and "))
}

/// What a character is that no credential begins or ends with.
fn name_of(c: char) -> Option<String> {
    match c {
        '\u{feff}' => Some(format!("a byte order mark ({})", number(c))),
        '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some("a line end".to_owned()),
        ' ' => Some("a blank".to_owned()),
        '\t' => Some("a tab".to_owned()),
        c if c.is_control() => Some(format!("a control character ({})", number(c))),
        c if is_invisible(c) || c.is_whitespace() => Some(format!("an invisible character ({})", number(c))),
        c if QUOTES.contains(&c) => Some("a quote".to_owned()),
        _ => None,
    }
}
