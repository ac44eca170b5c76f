//! Characters that nobody can see, made visible: an id with one of them looks faultless and is not.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with each invisible character replaced by its number, as in `<U+200B>`. A space within a text can be seen, and
/// control characters are the business of [`printable`](feishu_cancel_onboard::printable).
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_invisible(c) {
            true => drop(write!(out, "<{}>", number(c))),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A character by its number, as in `U+200B`.
pub fn number(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Whether a character shows nothing, or nothing that can be told from a space.
pub fn is_invisible(c: char) -> bool {
    if c.is_ascii() || c.is_control() {
        return false;
    }
    // Fillers and selectors, which count as letters and marks.
    let blank = matches!(
        c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
    ) || matches!(c, '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}');
    // The standard library knows what can be printed. Behind another character, since a mark alone is not printed either.
    blank || ['a', c].iter().collect::<String>().escape_debug().nth(1) == Some('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_seen_is_numbered_and_everything_else_left_alone() {
        for (text, expected) in [
            ("71\u{200b}27", "71<U+200B>27"),
            ("\u{a0}1\u{3000}", "<U+00A0>1<U+3000>"),
            ("\u{feff}1\u{2060}\u{ad}", "<U+FEFF>1<U+2060><U+00AD>"),
            ("1\u{fe0f}\u{3164}\u{e0001}", "1<U+FE0F><U+3164><U+E0001>"),
        ] {
            assert_eq!(visible(text), expected);
        }
        for text in ["a b", "薪酬期望不一致，“好”", "cafe\u{301} हिन्दी", "🙂", "\u{1b}[2J\t", "\\n \"'"]
        {
            assert_eq!(visible(text), text);
        }
    }
}
