//! Text from elsewhere, made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with control characters and characters that reorder text written out, as in `\u{1b}`.
///
/// What the platform sends, or whoever answers in its place, can hold escapes that a terminal would obey.
///
/// ```
/// use feishu_cancel_onboard::printable;
///
/// assert_eq!(printable("候选人 says \"no\""), "候选人 says \"no\"");
/// assert_eq!(printable("\u{1b}[2Jgone\n"), "\\u{1b}[2Jgone\\u{a}");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_unsafe(c) {
            true => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char) -> bool {
    let reorders = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}
