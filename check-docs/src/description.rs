//! What the description of a field says besides its prose: values, rules, a fixed value.

use super::facts::{Bounds, Choice};
use super::outline::{Cell, Line, one_line};

/// The facts in the description of a header, a parameter or a field.
#[derive(Debug, Default)]
pub struct Description {
    /// The prose before the first part.
    pub prose: String,
    pub values: Vec<Choice>,
    pub length: Bounds,
    pub range: Bounds,
    pub rules: Vec<String>,
    pub fixed_value: Option<String>,
    pub value_format: Option<String>,
}

/// A part of a description and the word that opens it.
pub struct Part {
    pub word: &'static str,
    content: Content,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Prose,
    Values,
    Rules,
    FixedValue,
    ValueFormat,
    /// What is not compared: examples, defaults, remarks.
    Other,
}

/// The parts that are known, whether or not they begin a line.
pub const PARTS: [Part; 10] = [
    Part { word: "可选值", content: Content::Values },
    Part { word: "可能值", content: Content::Values },
    Part { word: "枚举值", content: Content::Values },
    Part { word: "数据校验规则", content: Content::Rules },
    Part { word: "校验规则", content: Content::Rules },
    Part { word: "固定值", content: Content::FixedValue },
    Part { word: "值格式", content: Content::ValueFormat },
    Part { word: "示例值", content: Content::Other },
    Part { word: "示例", content: Content::Other },
    Part { word: "默认值", content: Content::Other },
];

const COLONS: [char; 2] = [':', '：'];

impl Description {
    /// Reads a cell.
    pub fn read(cell: &Cell) -> Self {
        let mut description = Self::default();
        let mut content = Content::Prose;
        for line in &cell.lines {
            let rest = match opening(line, content) {
                Some((opened, rest)) => {
                    content = opened;
                    rest
                }
                None => join(line),
            };
            if !rest.is_empty() {
                description.take(content, &rest);
            }
        }
        description
    }

    fn take(&mut self, content: Content, line: &str) {
        match content {
            Content::Prose => {
                self.prose.push_str(line);
                self.prose.push('\n');
            }
            Content::Values => self.take_values(line),
            Content::Rules => rules(line).into_iter().for_each(|rule| self.take_rule(rule)),
            Content::FixedValue => self.fixed_value = self.fixed_value.take().or_else(|| Some(unquoted(line))),
            Content::ValueFormat => self.value_format = self.value_format.take().or_else(|| Some(unquoted(line))),
            Content::Other => {}
        }
    }

    fn take_values(&mut self, line: &str) {
        let item = without_bullet(line);
        let (value, label) = match item.split_once(COLONS) {
            Some((value, label)) => (value, label),
            None if item.len() < line.len() || self.values.is_empty() => (item, ""),
            None => {
                // A label that goes on.
                if let Some(choice) = self.values.last_mut() {
                    choice.label = one_line(&format!("{} {item}", choice.label));
                }
                return;
            }
        };
        self.values.push(Choice { value: unquoted(value), label: one_line(label) });
    }

    fn take_rule(&mut self, rule: &str) {
        let rule = one_line(without_bullet(rule));
        match limits(&rule) {
            Some((Limit::Length, bounds)) if self.length.take(&bounds) => {}
            Some((Limit::Range, bounds)) if self.range.take(&bounds) => {}
            _ if rule.is_empty() => {}
            _ => self.rules.push(rule),
        }
    }
}

/// The part that a line opens, and what it says of it.
fn opening(line: &Line, current: Content) -> Option<(Content, String)> {
    let (word, rest) = match &line.lead {
        Some(lead) => (lead.as_str(), line.text.as_str()),
        None => line.text.split_once(COLONS)?,
    };
    let word = word.trim().trim_end_matches(COLONS).trim();
    let rest = rest.trim().trim_start_matches(COLONS).trim();
    let part = PARTS.iter().find(|part| {
        let after = word.strip_prefix(part.word);
        after.is_some_and(|after| matches!(after, "" | "有" | "为" | "包括"))
    });
    match part {
        Some(part) => Some((part.content, rest.to_owned())),
        // Other bold words open a remark, unless they are a value in a list of values.
        None if line.lead.is_some() && !word.is_ascii() && current != Content::Prose => {
            Some((Content::Other, rest.to_owned()))
        }
        None => None,
    }
}

fn join(line: &Line) -> String {
    one_line(&format!("{}{}", line.lead.as_deref().unwrap_or_default(), line.text))
}

fn without_bullet(line: &str) -> &str {
    let line = line.trim();
    let item = line.strip_prefix(['-', '*', '•', '·', '+']);
    // A number below zero has no space after its sign.
    item.filter(|item| !item.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(line).trim()
}

/// The rules on a line, where several may follow one another as ` - `, as the ends of a range may.
fn rules(line: &str) -> Vec<&str> {
    let mut rules = Vec::new();
    let mut begin = 0;
    for (at, dash) in line.match_indices(" - ") {
        let next = at + dash.len();
        if !line[next..].starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            rules.push(&line[begin..at]);
            begin = next;
        }
    }
    rules.push(&line[begin..]);
    rules
}

/// A text without the quotation marks or code marks around it.
fn unquoted(text: &str) -> String {
    let marks = ['"', '\'', '`', '“', '”', '「', '」'];
    one_line(&text.replace('\\', "")).trim_matches(marks).trim().to_owned()
}

#[derive(Clone, Copy)]
enum Limit {
    Length,
    Range,
}

/// The ends that a rule can set.
#[derive(Clone, Copy)]
enum Ends {
    Both,
    Max,
    Min,
}

const LIMITS: [(&str, Limit, Ends); 14] = [
    ("长度范围", Limit::Length, Ends::Both),
    ("最大长度", Limit::Length, Ends::Max),
    ("最小长度", Limit::Length, Ends::Min),
    ("取值范围", Limit::Range, Ends::Both),
    ("数据范围", Limit::Range, Ends::Both),
    ("最大值", Limit::Range, Ends::Max),
    ("最小值", Limit::Range, Ends::Min),
    ("length range", Limit::Length, Ends::Both),
    ("maximum length", Limit::Length, Ends::Max),
    ("minimum length", Limit::Length, Ends::Min),
    ("value range", Limit::Range, Ends::Both),
    ("maximum value", Limit::Range, Ends::Max),
    ("minimum value", Limit::Range, Ends::Min),
    ("长度", Limit::Length, Ends::Both),
];

/// The limits that a rule sets, if it is one that sets limits and nothing else.
fn limits(rule: &str) -> Option<(Limit, Bounds)> {
    let lower = rule.to_lowercase();
    let (word, limit, ends) = LIMITS.iter().find(|(word, ..)| lower.starts_with(word))?;
    let numbers = numbers(&lower[word.len()..])?;
    let bounds = match (ends, numbers.as_slice()) {
        (Ends::Both, [min, max]) => Bounds { min: Some(min.clone()), max: Some(max.clone()) },
        (Ends::Max, [max]) => Bounds { min: None, max: Some(max.clone()) },
        (Ends::Min, [min]) => Bounds { min: Some(min.clone()), max: None },
        _ => return None,
    };
    Some((*limit, if matches!(limit, Limit::Length) { bounds.of_length() } else { bounds }))
}

/// The numbers in a text that says nothing else; `None` where it does.
fn numbers(text: &str) -> Option<Vec<String>> {
    const FILLERS: &str = "`\"'“”：:～~-–—至到为是 。，,[]()（）个字符条";
    let mut numbers = Vec::new();
    let mut rest = text.trim_end_matches("characters").trim_end_matches("items");
    let mut after_number = false;
    while let Some(c) = rest.chars().next() {
        let digits = rest.strip_prefix('-').filter(|_| !after_number).unwrap_or(rest);
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            let length = rest.len() - digits.len() + number_length(digits);
            numbers.push(decimal(&rest[..length].replace(',', ""))?);
            rest = &rest[length..];
            after_number = true;
        } else if FILLERS.contains(c) {
            after_number &= matches!(c, '`' | ' ');
            rest = &rest[c.len_utf8()..];
        } else {
            return None;
        }
    }
    Some(numbers)
}

/// How many bytes of a text are the number without a sign that it begins with; `100,000` is one number, `0,23` is two.
fn number_length(text: &str) -> usize {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    loop {
        match text.as_bytes().get(end) {
            Some(b'0'..=b'9') => end += 1,
            Some(b'.') if digit(end + 1) => end += 1,
            Some(b',') if (1..=3).all(|ahead| digit(end + ahead)) && !digit(end + 4) => end += 1,
            _ => return end,
        }
    }
}

/// A decimal number in the one form in which numbers are compared.
pub fn decimal(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit());
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let number = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
    is_number.then(|| if number == "0" { number } else { format!("{sign}{number}") })
}

impl Bounds {
    /// Takes over ends that are still open; returns whether none was already set otherwise.
    fn take(&mut self, other: &Self) -> bool {
        let fits = |own: &Option<String>, other: &Option<String>| own.is_none() || other.is_none() || own == other;
        let fits = fits(&self.min, &other.min) && fits(&self.max, &other.max);
        if fits {
            self.min = self.min.take().or_else(|| other.min.clone());
            self.max = self.max.take().or_else(|| other.max.clone());
        }
        fits
    }

    /// The same bounds as those of a length, where a minimum of nothing says nothing.
    pub fn of_length(mut self) -> Self {
        self.min = self.min.filter(|min| min != "0");
        self
    }
}
