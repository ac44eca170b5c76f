//! A YAML document as plain JSON values that still know their lines.
//!
//! Whatever is found wrong in a document can therefore be reported by file, line and place, and the check of the
//! published page can say which line of the document a fact stands on.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
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
        let at = |line, pointer: &str, message: String| DocumentError {
            file: file.to_owned(),
            line: Some(line),
            pointer: pointer.to_owned(),
            message,
        };
        let documents = MarkedYaml::load_from_str(text)
            .map_err(|e| at(e.marker().line(), "", format!("not valid YAML: {}", e.info())))?;
        let [document] = documents.as_slice() else {
            let found = documents.len();
            return Err(at(1, "", format!("holds {found} YAML documents where there must be one")));
        };
        let mut lines = BTreeMap::new();
        let content = to_json(document, String::new(), &mut lines)
            .map_err(|(line, pointer, message)| at(line, &pointer, message))?;
        Ok(Self { file: file.to_owned(), content, lines })
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

type Misfit = (usize, String, String);

fn to_json(node: &MarkedYaml<'_>, pointer: String, lines: &mut BTreeMap<String, usize>) -> Result<Value, Misfit> {
    let line = node.span.start.line();
    lines.entry(pointer.clone()).or_insert(line);
    match &node.data {
        YamlData::Value(scalar) => scalar_to_json(scalar).ok_or((line, pointer, "not a finite number".to_owned())),
        YamlData::Sequence(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| to_json(item, step(&pointer, &index.to_string()), lines))
            .collect(),
        YamlData::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key_line = key.span.start.line();
                let name = match &key.data {
                    YamlData::Value(Scalar::String(name)) => name.to_string(),
                    YamlData::Value(Scalar::Integer(name)) => name.to_string(),
                    _ => return Err((key_line, pointer, "a key that is neither a string nor a number".to_owned())),
                };
                let below = step(&pointer, &name);
                lines.insert(below.clone(), key_line);
                if map.insert(name.clone(), to_json(value, below, lines)?).is_some() {
                    return Err((key_line, pointer, format!("the key `{name}` stands here twice")));
                }
            }
            Ok(Value::Object(map))
        }
        _ => Err((line, pointer, "a YAML tag or an unreadable value".to_owned())),
    }
}

fn scalar_to_json(scalar: &Scalar<'_>) -> Option<Value> {
    Some(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(*value),
        Scalar::Integer(value) => Value::from(*value),
        Scalar::FloatingPoint(value) => Value::Number(Number::from_f64(value.into_inner())?),
        Scalar::String(value) => Value::String(value.to_string()),
    })
}
