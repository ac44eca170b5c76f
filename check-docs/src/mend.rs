//! A page as Markdown that any parser reads alike, whichever form it was published in.
//!
//! In the scraped form a row of a table runs over several lines. Here each row becomes one line with exactly as many
//! cells as the table has columns, and every `|` outside a table gives way, so that the only tables left are those that
//! were found here.

/// Wider tables than this are none of a page's: their rows could take any amount of memory.
const WIDEST: usize = 16;

/// More rows than this are none of a page's: the longest published one has a quarter of them.
const MOST_ROWS: usize = 20_000;

/// What stands in for a `|` that is no border of a cell.
pub const NO_BORDER: char = '｜';

/// What stands in for a line break within a cell.
pub const LINE_BREAK: char = '\u{2028}';

/// The first cells of the rows that say what the request is.
pub mod keys {
    pub const URL: &str = "HTTP URL";
    pub const METHOD: &str = "HTTP Method";
    pub const RATE_LIMIT: &str = "接口频率限制";
    pub const APP_TYPES: &str = "支持的应用类型";
    pub const SCOPES: &str = "权限要求";
    pub const FIELD_SCOPES: &str = "字段权限要求";
    pub const ALL: [&str; 6] = [URL, METHOD, RATE_LIMIT, APP_TYPES, SCOPES, FIELD_SCOPES];
}

/// A page's text in parts.
pub struct Mended {
    /// The title in the front matter, where there is one.
    pub front_title: Option<String>,
    /// Everything below the front matter, with its tables mended.
    pub markdown: String,
}

/// Mends a page's text; `None` where its tables are longer than those of any page.
pub fn mend(text: &str) -> Option<Mended> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (front_title, body) = front_matter(&text);
    let lines: Vec<&str> = body.lines().map(str::trim_end).collect();
    let mut markdown = String::with_capacity(body.len());
    let mut fence: Option<&str> = None;
    let mut at = 0;
    let mut rows = 0;
    while at < lines.len() {
        let line = lines[at];
        let columns = lines.get(at + 1).and_then(|next| table_begins(line, next));
        match (fence, opened_fence(line), columns) {
            (Some(open), ..) => fence = Some(open).filter(|open| !closes_fence(line, open)),
            (None, Some(open), _) => fence = Some(open),
            (None, None, Some(columns)) => {
                let (end, length) = mend_table(&lines, at, columns, &mut markdown);
                rows += length;
                if rows > MOST_ROWS {
                    return None;
                }
                at = end;
                continue;
            }
            (None, None, None) => {}
        }
        if !is_delimiter(line) {
            push_line(&mut markdown, &line.replace('|', NO_BORDER.encode_utf8(&mut [0; 4])));
        }
        at += 1;
    }
    Some(Mended { front_title, markdown })
}

fn push_line(markdown: &mut String, line: &str) {
    markdown.push_str(line);
    markdown.push('\n');
}

/// Splits off the front matter, and finds the title in it.
fn front_matter(text: &str) -> (Option<String>, &str) {
    let text = text.trim_start();
    let mut end = 0;
    let mut title = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        end += line.len();
        match (index, line.trim_end()) {
            (0, "---") => {}
            (0, _) => break,
            (_, "---") => return (title, &text[end..]),
            (_, line) => {
                let found = line.strip_prefix("title:").map(|title| title.trim().trim_matches(['"', '\'']).to_owned());
                title = title.or(found);
            }
        }
    }
    (None, text)
}

/// The mark that opens a block of code, if the line does.
fn opened_fence(line: &str) -> Option<&'static str> {
    ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark))
}

fn closes_fence(line: &str, open: &str) -> bool {
    let line = line.trim();
    line.starts_with(open) && line.chars().all(|c| open.starts_with(c))
}

/// The number of columns of the table that begins with this line and the next, if one does.
fn table_begins(line: &str, next: &str) -> Option<usize> {
    if !line.contains('|') || is_delimiter(line) || !is_delimiter(next) {
        return None;
    }
    let columns = cells(next, is_framed(next)).len();
    (2..=WIDEST).contains(&columns).then_some(columns)
}

/// Whether a line is the one below the headings of a table.
fn is_delimiter(line: &str) -> bool {
    line.contains('|') && line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// Whether a line begins with the `|` that some tables have on their left and right.
fn is_framed(line: &str) -> bool {
    line.trim_start().starts_with('|')
}

fn is_heading(line: &str) -> bool {
    let text = line.trim_start_matches('#');
    text.len() < line.len() && text.starts_with([' ', '\t'])
}

/// Appends the table that begins at a line; returns the first line after it and the number of its rows.
fn mend_table(lines: &[&str], start: usize, columns: usize, markdown: &mut String) -> (usize, usize) {
    let framed = is_framed(lines[start]);
    let mut rows = Rows { columns, framed, done: vec![owned(&cells(lines[start], framed))], open: None };
    let mut at = start + 2;
    let mut reach = at;
    while at < lines.len() && !ends_table(lines[at]) {
        if !lines[at].trim().is_empty() {
            rows.take(lines[at]);
        } else if at >= reach {
            match rows.row_after(lines, at) {
                Some(row) => reach = row,
                None => break,
            }
        }
        at += 1;
    }
    push_line(markdown, "");
    let rows = rows.close();
    let length = rows.len();
    for (index, mut row) in rows.into_iter().enumerate() {
        row.resize(columns, String::new());
        push_line(markdown, &format!("| {} |", row.join(" | ")));
        if index == 0 {
            push_line(markdown, &"|---".repeat(columns));
        }
    }
    push_line(markdown, "");
    (at, length)
}

fn ends_table(line: &str) -> bool {
    is_heading(line) || line.starts_with(":::") || opened_fence(line).is_some()
}

/// The rows of a table, read line by line.
struct Rows {
    columns: usize,
    framed: bool,
    done: Vec<Vec<String>>,
    open: Option<Vec<String>>,
}

impl Rows {
    /// Where the table goes on after blank lines, if it does.
    fn row_after(&self, lines: &[&str], blank: usize) -> Option<usize> {
        let until = |at: &usize| {
            let begins = lines.get(at + 1).is_some_and(|next| table_begins(lines[*at], next).is_some());
            !begins && !ends_table(lines[*at])
        };
        (blank..lines.len()).take_while(until).find(|at| {
            let line = lines[*at];
            if self.framed || !line.contains('|') {
                return self.framed && is_framed(line);
            }
            let cells = cells(line, false);
            cells.len() >= self.columns && (self.columns > 2 || cells.first().is_some_and(|first| is_key(first)))
        })
    }

    fn take(&mut self, line: &str) {
        let mut cells = cells(line, self.framed);
        let begins = match &self.open {
            None => true,
            Some(_) if self.framed => is_framed(line),
            Some(row) => self.begins_row(row.len(), &cells),
        };
        if begins {
            self.end_row();
            self.open = Some(owned(&cells));
        } else if let Some(row) = &mut self.open {
            let room = self.columns - row.len().min(self.columns);
            let rest = cells.split_off(cells.len().min(room + 1));
            for (index, cell) in cells.into_iter().enumerate() {
                match row.last_mut() {
                    Some(last) if index == 0 => {
                        last.push(LINE_BREAK);
                        last.push_str(cell);
                    }
                    _ => row.push(cell.to_owned()),
                }
            }
            if let Some(last) = row.last_mut() {
                rest.into_iter().for_each(|cell| last.extend(["\\|", cell]));
            }
        }
    }

    /// Whether a line of these cells begins a new row, after a row of which so many cells were read.
    fn begins_row(&self, read: usize, found: &[&str]) -> bool {
        let first = found.first().copied().unwrap_or_default();
        match found.len() {
            // A key that runs over several lines ends with this one.
            2 if self.columns == 2 && read == 1 => is_key(first),
            width if width >= self.columns => true,
            // A row that is short of a cell.
            width if width > 1 => read >= self.columns && is_name(first),
            _ => self.columns == 2 && read == 2 && is_key(first),
        }
    }

    /// Ends the open row; what it has too many cells of goes into the last one.
    fn end_row(&mut self) {
        if let Some(mut row) = self.open.take() {
            if row.len() > self.columns {
                let rest = row.split_off(self.columns - 1);
                row.push(rest.join("\\|"));
            }
            self.done.push(row);
        }
    }

    /// The row of the headings and all others.
    fn close(mut self) -> Vec<Vec<String>> {
        self.end_row();
        self.done
    }
}

fn is_key(text: &str) -> bool {
    keys::ALL.contains(&text)
}

/// Whether a text could be the name of a field, or a number.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '\\' | '`'))
}

fn owned(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// The cells of a line, which keep their escapes.
fn cells(line: &str, framed: bool) -> Vec<&str> {
    let mut line = line.trim();
    if framed {
        line = line.strip_prefix('|').unwrap_or(line);
        line = line.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(line);
    }
    let mut cells = Vec::new();
    let mut begin = 0;
    let borders = line.match_indices('|').map(|(at, _)| at);
    for at in borders.filter(|at| !is_escaped(line, *at)) {
        cells.push(line[begin..at].trim());
        begin = at + 1;
    }
    cells.push(line[begin..].trim());
    cells
}

/// Whether what stands at a place has an odd number of backslashes before it.
fn is_escaped(line: &str, at: usize) -> bool {
    line.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}
