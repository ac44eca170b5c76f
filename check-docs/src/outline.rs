//! A page's Markdown as sections, each with its heading, its prose and its tables as plain text.

use std::iter::Peekable;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::description::PARTS;
use super::mend::LINE_BREAK;

/// What stands under one heading, without what stands under the headings below it.
#[derive(Debug, Default)]
pub struct Section {
    /// The heading's text; empty for what comes before the first heading.
    pub heading: String,
    /// The heading's level, from 1; 0 before the first heading.
    pub level: usize,
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug)]
pub enum Block {
    /// A paragraph that stands by itself, rather than in a list or a quotation.
    Paragraph(String),
    /// Any other prose.
    Prose(String),
    Table(Table),
}

/// A table's text.
#[derive(Debug, Default)]
pub struct Table {
    pub headings: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// The text of a cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub lines: Vec<Line>,
}

/// A line of a cell.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The bold words that the line opens with.
    pub lead: Option<String>,
    /// Everything else.
    pub text: String,
}

impl Cell {
    /// The whole text on one line.
    pub fn text(&self) -> String {
        let words = self.lines.iter().flat_map(|line| [line.lead.as_deref().unwrap_or_default(), &line.text]);
        one_line(&words.collect::<Vec<_>>().join(" "))
    }
}

/// A text with each run of white space as one space, and none at its ends.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sections of a page.
pub fn sections(markdown: &str) -> Vec<Section> {
    let mut reader = Reader { sections: vec![Section::default()], ..Reader::default() };
    let mut events = Parser::new_ext(markdown, Options::ENABLE_TABLES).peekable();
    while let Some(event) = events.next() {
        reader.take(event, &mut events);
    }
    reader.end_prose();
    reader.sections
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    within: Within,
    /// What was read of the prose, the heading, or a cell's line.
    text: String,
    lead: Option<String>,
    lines: Vec<Line>,
    table: Table,
    /// Where in `text` the bold words that are being read begin.
    bold: Option<usize>,
    /// How many lists and quotations surround what is being read.
    depth: usize,
    /// How many things surround what is being read whose text counts for nothing: code, images, links that show their
    /// target, and whatever is inside them.
    silent: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Prose,
    Heading(usize),
    TableHead,
    TableRow,
}

impl Reader {
    fn take<'a>(&mut self, event: Event<'a>, following: &mut Peekable<impl Iterator<Item = Event<'a>>>) {
        match event {
            Event::Start(_) if self.silent > 0 => self.silent += 1,
            Event::End(_) if self.silent > 0 => self.silent -= 1,
            _ if self.silent > 0 => {}
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.push_text(&text),
            Event::Code(code) => self.code(&code, following.peek()),
            Event::InlineHtml(tag) if is_break(&tag) => self.break_line(),
            Event::SoftBreak | Event::HardBreak => self.break_line(),
            Event::Html(html) => self.text.push_str(&without_tags(&html)),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.end_prose();
                self.within = Within::Heading(*level as usize);
            }
            Tag::TableHead => self.within = Within::TableHead,
            Tag::TableRow => {
                self.within = Within::TableRow;
                self.table.rows.push(Vec::new());
            }
            Tag::Table(_) | Tag::Paragraph | Tag::HtmlBlock | Tag::Item => self.end_prose(),
            Tag::BlockQuote(_) | Tag::List(_) => {
                self.end_prose();
                self.depth += 1;
            }
            Tag::Strong => self.bold = Some(self.text.len()),
            Tag::CodeBlock(_)
            | Tag::Image { .. }
            | Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. } => self.silent = 1,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let heading = one_line(&std::mem::take(&mut self.text));
                if let Within::Heading(level) = std::mem::take(&mut self.within) {
                    self.sections.push(Section { heading, level, blocks: Vec::new() });
                }
            }
            TagEnd::TableCell => self.end_cell(),
            TagEnd::Table => {
                self.within = Within::Prose;
                let table = std::mem::take(&mut self.table);
                self.push(Block::Table(table));
            }
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::Item => self.end_prose(),
            TagEnd::BlockQuote(_) | TagEnd::List(_) => {
                self.end_prose();
                self.depth = self.depth.saturating_sub(1);
            }
            TagEnd::Strong => self.end_bold(),
            _ => {}
        }
    }

    fn push(&mut self, block: Block) {
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(block);
        }
    }

    fn end_prose(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            self.push(if self.depth == 0 { Block::Paragraph(text) } else { Block::Prose(text) });
        }
    }

    fn push_text(&mut self, text: &str) {
        for (index, line) in text.split(LINE_BREAK).enumerate() {
            if index > 0 {
                self.break_line();
            }
            self.text.push_str(line);
        }
    }

    fn in_cell(&self) -> bool {
        matches!(self.within, Within::TableHead | Within::TableRow)
    }

    fn break_line(&mut self) {
        if self.in_cell() {
            self.end_line();
        } else {
            self.text.push('\n');
        }
    }

    fn end_line(&mut self) {
        self.bold = None;
        let text = std::mem::take(&mut self.text);
        let mut text = text.trim();
        let mut lead = self.lead.take();
        // Some bold words are none to a Markdown parser, for want of a space after them.
        if let (None, Some((bold, rest))) = (&lead, text.strip_prefix("**").and_then(|text| text.split_once("**"))) {
            lead = Some(bold.to_owned());
            text = rest;
        }
        if lead.is_some() || !text.is_empty() {
            self.lines.push(Line { lead, text: one_line(&text.replace("**", "")) });
        }
    }

    fn end_cell(&mut self) {
        self.end_line();
        let cell = Cell { lines: std::mem::take(&mut self.lines) };
        match (self.within, self.table.rows.last_mut()) {
            (Within::TableRow, Some(row)) => row.push(cell),
            _ => self.table.headings.push(cell.text()),
        }
    }

    /// Bold words at the start of a line are its lead; those that open a part of a cell begin a line.
    fn end_bold(&mut self) {
        let Some(begin) = self.bold.take().filter(|begin| self.in_cell() && *begin <= self.text.len()) else { return };
        let opens_line = self.lead.is_none() && self.text[..begin].trim().is_empty();
        let opens_part = PARTS.iter().any(|part| self.text[begin..].trim().starts_with(part.word));
        if opens_line || opens_part {
            let bold = self.text.split_off(begin);
            if !opens_line {
                self.end_line();
            }
            self.text.clear();
            self.lead = Some(one_line(&bold));
        }
    }

    /// Code with a colon after it is a value with its label; where a list of them stands on one line, it is broken up.
    fn code(&mut self, code: &str, next: Option<&Event<'_>>) {
        let labelled = matches!(next, Some(Event::Text(text)) if text.trim_start().starts_with([':', '：']));
        if labelled && self.in_cell() {
            let before = self.text.trim_end();
            if let Some(before) = before.strip_suffix('-').filter(|before| before.ends_with(' ')) {
                let end = before.len();
                self.text.truncate(end);
                self.end_line();
                self.text.push_str("- ");
            }
        }
        self.push_text(code);
    }
}

fn is_break(tag: &str) -> bool {
    let name = tag.trim_start_matches('<').trim_end_matches(['>', '/', ' ']);
    name.eq_ignore_ascii_case("br")
}

fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text
}
