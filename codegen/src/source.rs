//! A YAML document as plain JSON values that still know their lines.
//!
//! Whatever is found wrong in a document can therefore be reported by file, line and place, and the check of the
//! published page can say which line of the document a fact stands on.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Number, Value};

/// One YAML file, read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file, as it is named in messages.
    pub file: String,
    /// The content.
    pub content: Value,
    lines: BTreeMap<String, usize>,
}

/// What is wrong in a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    file: String,
    line: Option<usize>,
    pointer: String,
    message: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.pointer.is_empty() {
            write!(f, ": #{}", self.pointer.escape_debug())?;
        }
        f.write_str(": ")?;
        // On one line, whatever the document holds: a build script's output is read line by line.
        self.message.chars().try_for_each(|c| match c.is_control() {
            true => f.write_char(' '),
            false => f.write_char(c),
        })
    }
}

impl std::error::Error for DocumentError {}

impl Source {
    /// Reads `text`, the content of `file`.
    ///
    /// # Errors
    /// When it is not one YAML document whose keys and values JSON can hold.
    pub fn parse(file: &str, text: &str) -> Result<Self, DocumentError> {
        let mut reader =
            Reader { events: Parser::new_from_str(text), lines: BTreeMap::new(), anchors: BTreeMap::new() };
        match reader.document() {
            Ok(content) => Ok(Self { file: file.to_owned(), content, lines: reader.lines }),
            Err(Misfit { line, pointer, message }) => {
                Err(DocumentError { file: file.to_owned(), line: Some(line), pointer, message })
            }
        }
    }

    /// The value at a JSON pointer.
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.content.pointer(pointer)
    }

    /// The line on which the value at a JSON pointer begins (for a mapping's value, the line of its key); for a
    /// pointer that leads nowhere, the line of the nearest place above it.
    pub fn line(&self, pointer: &str) -> usize {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return *line;
            }
            match pointer.rfind('/') {
                Some(end) => pointer = &pointer[..end],
                None => return 1,
            }
        }
    }

    /// An error at a place of this document.
    pub fn error(&self, pointer: &str, message: impl fmt::Display) -> DocumentError {
        DocumentError {
            file: self.file.clone(),
            line: Some(self.line(pointer)),
            pointer: pointer.to_owned(),
            message: message.to_string(),
        }
    }
}

/// Extends a JSON pointer by one step.
pub fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// What JSON can't hold, or what is no YAML, and where.
struct Misfit {
    line: usize,
    pointer: String,
    message: String,
}

impl Misfit {
    fn new(span: Span, pointer: &str, message: impl Into<String>) -> Self {
        Self { line: span.start.line(), pointer: pointer.to_owned(), message: message.into() }
    }
}

impl From<ScanError> for Misfit {
    fn from(error: ScanError) -> Self {
        let message = format!("not valid YAML: {}", error.info());
        Self { line: error.marker().line(), pointer: String::new(), message }
    }
}

/// Puts the values of a YAML stream together.
struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    lines: BTreeMap<String, usize>,
    /// What aliases can stand for: a value, and the pointer to it.
    anchors: BTreeMap<usize, (Value, String)>,
}

impl<'t> Reader<'t> {
    /// The next event; after the last one, the end of the stream again and again.
    fn next(&mut self) -> Result<(Event<'t>, Span), Misfit> {
        Ok(self.events.next().transpose()?.unwrap_or((Event::StreamEnd, Span::default())))
    }

    /// The one document of the stream.
    fn document(&mut self) -> Result<Value, Misfit> {
        let mut content = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::DocumentStart(_), span) if content.is_some() => {
                    return Err(Misfit::new(span, "", "a second YAML document where there must be one"));
                }
                (Event::DocumentStart(_), _) => {
                    let first = self.next()?;
                    content = Some(self.value(first, "")?);
                }
                _ => {}
            }
        }
        let nothing = || Misfit { line: 1, pointer: String::new(), message: "holds no YAML document".to_owned() };
        content.ok_or_else(nothing)
    }

    /// The value that begins with an event.
    fn value(&mut self, (event, span): (Event<'t>, Span), pointer: &str) -> Result<Value, Misfit> {
        self.lines.entry(pointer.to_owned()).or_insert(span.start.line());
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span, pointer),
            Event::Scalar(text, ScalarStyle::Plain, anchor, None) => {
                (anchor, plain(&text).ok_or_else(|| Misfit::new(span, pointer, "not a finite number"))?)
            }
            Event::Scalar(text, _, anchor, None) => (anchor, Value::String(text.into_owned())),
            Event::SequenceStart(anchor, None) => (anchor, Value::Array(self.sequence(pointer)?)),
            Event::MappingStart(anchor, None) => (anchor, Value::Object(self.mapping(pointer)?)),
            _ => return Err(Misfit::new(span, pointer, "a YAML tag or an unreadable value")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), pointer.to_owned()));
        }
        Ok(value)
    }

    /// What an alias stands for. What is in it stands on the lines of the original.
    fn alias(&mut self, anchor: usize, span: Span, pointer: &str) -> Result<Value, Misfit> {
        let (value, original) = self.anchors.get(&anchor).ok_or_else(|| {
            Misfit::new(span, pointer, "a YAML alias for what is not complete yet: it would contain itself")
        })?;
        let below: Vec<_> = self
            .lines
            .iter()
            .filter_map(|(place, line)| {
                let rest = place.strip_prefix(original).filter(|rest| rest.starts_with('/'))?;
                Some((format!("{pointer}{rest}"), *line))
            })
            .collect();
        self.lines.extend(below);
        Ok(value.clone())
    }

    fn sequence(&mut self, pointer: &str) -> Result<Vec<Value>, Misfit> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                first => items.push(self.value(first, &step(pointer, &items.len().to_string()))?),
            }
        }
    }

    fn mapping(&mut self, pointer: &str) -> Result<Map<String, Value>, Misfit> {
        let mut map = Map::new();
        loop {
            let (name, span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(map),
                (Event::Scalar(name, _, _, None), span) => (name.into_owned(), span),
                (_, span) => return Err(Misfit::new(span, pointer, "a key that is neither a string nor a number")),
            };
            let below = step(pointer, &name);
            self.lines.insert(below.clone(), span.start.line());
            let first = self.next()?;
            let value = self.value(first, &below)?;
            if map.contains_key(&name) {
                return Err(Misfit::new(span, pointer, format!("the key `{name}` stands here twice")));
            }
            map.insert(name, value);
        }
    }
}

/// What a scalar without quotes is, by the core schema of YAML 1.2; `None` for a number that JSON does not have.
fn plain(text: &str) -> Option<Value> {
    let radix = |prefix, radix| i64::from_str_radix(text.strip_prefix(prefix)?, radix).ok();
    let integer = || text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8));
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_infinite_or_none(text) => return None,
        _ => match integer() {
            Some(integer) => Value::from(integer),
            // Only what has a digit: Rust takes names of numbers, too.
            None => match text.parse::<f64>().ok().filter(|_| text.contains(|c: char| c.is_ascii_digit())) {
                Some(number) => Value::Number(Number::from_f64(number)?),
                None => Value::String(text.to_owned()),
            },
        },
    })
}

fn is_infinite_or_none(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}
