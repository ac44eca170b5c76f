//! The width of the terminal, and text that keeps to it. A terminal alone would break lines in the middle of words; what is
//! printed elsewhere has no width to keep to, and lines stay whole for other programs.

use std::borrow::Cow;
use std::io;

use terminal_size::{Width, terminal_size_of};
use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::UnicodeWidthChar;

/// The least width in which it is any use to break a text.
const LEAST: usize = 12;

/// How many columns the terminal has, where both standard output and standard error are one.
pub fn width() -> Option<usize> {
    let widths = [terminal_size_of(io::stdout())?, terminal_size_of(io::stderr())?].map(|(Width(width), _)| width);
    Some(usize::from(widths[0].min(widths[1])))
}

/// A text whose first line begins at a column, and so do all others that it is broken into. Longer words stay whole: they are
/// links and ids, which can be copied then.
pub fn hanging(text: &str, column: usize) -> Cow<'_, str> {
    match width().and_then(|width| width.checked_sub(column)) {
        Some(room) if room >= LEAST => {
            let lines = textwrap::wrap(text, options(room).break_words(false));
            lines.join(&format!("\n{}", " ".repeat(column))).into()
        }
        _ => text.into(),
    }
}

/// The lines of a cell of a table, none of them wider than this.
pub fn cell(text: &str, width: usize) -> Vec<Cow<'_, str>> {
    textwrap::wrap(text, options(width))
}

fn options(width: usize) -> Options<'static> {
    Options::new(width).word_separator(WordSeparator::Custom(words)).word_splitter(WordSplitter::NoHyphenation)
}

/// The words of a line: they end at spaces, and Chinese may be broken wherever its punctuation allows that.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let is_wide = |c: char| c.width() == Some(2);
    let mut begin = 0;
    Box::new(unicode_linebreak::linebreaks(line).filter_map(move |(end, _)| {
        let (before, after) = (line[..end].chars().next_back()?, line[end..].chars().next());
        // Links have slashes, and would be broken there.
        let is_end = before == ' ' || is_wide(before) || after.is_none_or(is_wide);
        is_end.then(|| {
            let word = Word::from(&line[begin..end]);
            begin = end;
            word
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_spaces_and_between_chinese_characters_and_not_within_words_or_links() {
        let wrapped = |text, width| textwrap::wrap(text, options(width).break_words(false)).join("|");
        assert_eq!(wrapped("the pre-hire record is there", 12), "the pre-hire|record is|there");
        assert_eq!(
            wrapped("see https://open.feishu.cn/document/x-y now", 10),
            "see|https://open.feishu.cn/document/x-y|now"
        );
        assert_eq!(wrapped("请到飞书人事取消入职：该候选人", 12), "请到飞书人事|取消入职：该|候选人");
        // A full stop does not begin a line.
        assert_eq!(wrapped("请到飞书取消。完", 12), "请到飞书取|消。完");
        assert_eq!(cell("Personal plans changed", 8).join("|"), "Personal|plans|changed");
        assert_eq!(cell("unbreakable", 4).join("|"), "unbr|eaka|ble");
    }
}
