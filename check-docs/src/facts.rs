//! What is said of an endpoint, by its page or by its document: the one shape in which both are compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What a page or a document says of an endpoint. Whatever is not stated is empty.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub title: Option<String>,
    pub url: Option<String>,
    pub method: Option<String>,
    pub rate_limits: RateLimits,
    pub app_types: Vec<AppType>,
    pub scopes: Vec<Scope>,
    pub field_scopes: Vec<Scope>,
    pub token_types: Vec<String>,
    pub headers: Vec<Field>,
    pub path: Vec<Field>,
    pub query: Vec<Field>,
    pub request_body: Vec<Field>,
    pub response_body: Vec<Field>,
    pub errors: Vec<ErrorCode>,
    /// What stands for the notes' text; in a document, missing where nobody has read them yet.
    pub notes: Option<String>,
    /// In a document, the line on which a fact stands, or the one beside which it would.
    pub lines: BTreeMap<&'static str, usize>,
}

/// How often the endpoint may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateLimits {
    /// Limits that hold together, in order of their periods.
    Stated(Vec<RateLimit>),
    /// Words that are no number of calls in a period.
    Words(String),
}

/// A number of calls in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RateLimit {
    pub period_seconds: u64,
    pub calls: u64,
}

/// A kind of app, under each of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppType {
    pub labels: Vec<String>,
}

/// A permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Its name in the API, which may be missing from a page that can't be read.
    pub name: Option<String>,
    pub label: String,
}

/// A header, a parameter, or a field of a body.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub name: String,
    pub kind: Option<Kind>,
    pub required: Option<Required>,
    pub values: Vec<Choice>,
    pub length: Bounds,
    pub range: Bounds,
    /// Rules that are neither a length nor a range, in the page's words.
    pub rules: Vec<String>,
    pub fixed_value: Option<String>,
    pub value_format: Option<String>,
    /// In a document, the field's own line.
    pub line: usize,
    /// In a document, the lines of what it says of the field.
    pub lines: BTreeMap<&'static str, usize>,
}

/// Whether a field must be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    Yes,
    No,
    /// Words that are neither.
    Words(String),
}

/// One of the values that a field can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

/// The ends of a range, both of which belong to it, as decimal numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub min: Option<String>,
    pub max: Option<String>,
}

/// A row of the error table.
#[derive(Clone, Debug, Default)]
pub struct ErrorCode {
    pub code: String,
    pub http_status: Option<String>,
    pub label: String,
    pub line: usize,
    pub lines: BTreeMap<&'static str, usize>,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// As the page writes it, or would.
    pub text: String,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    String,
    Boolean,
    Number,
    Integer {
        bits: Option<u8>,
    },
    List(Box<Shape>),
    /// Something with fields, whatever its name.
    Object,
    /// A list of things that are not said.
    Anything,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self::Stated(Vec::new())
    }
}

impl RateLimits {
    pub fn to_json(&self) -> Value {
        match self {
            Self::Words(words) => json!(words),
            Self::Stated(limits) if limits.is_empty() => Value::Null,
            Self::Stated(limits) => limits
                .iter()
                .map(|limit| json!({ "calls": limit.calls, "period_seconds": limit.period_seconds }))
                .collect(),
        }
    }
}

impl AppType {
    /// Whether two names are of the same kind of app.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.labels.iter().any(|label| other.labels.iter().any(|known| known.eq_ignore_ascii_case(label)))
    }
}

impl Scope {
    pub fn to_json(&self) -> Value {
        json!({ "name": self.name, "label": self.label })
    }
}

impl Required {
    fn to_json(&self) -> Value {
        match self {
            Self::Yes => json!(true),
            Self::No => json!(false),
            Self::Words(words) => json!(words),
        }
    }
}

impl Choice {
    fn to_json(&self) -> Value {
        let number = self.value.parse::<i64>().ok().filter(|number| number.to_string() == self.value);
        json!({ "value": number.map_or_else(|| json!(self.value), |number| json!(number)), "label": self.label })
    }
}

impl Bounds {
    fn to_json(&self) -> Option<Value> {
        let number = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        let ends = [("min", &self.min), ("max", &self.max)];
        let ends: Map<_, _> =
            ends.into_iter().filter_map(|(name, end)| Some((name.to_owned(), number(end.as_ref()?)))).collect();
        (!ends.is_empty()).then_some(Value::Object(ends))
    }
}

impl Field {
    /// What is said of the field, by the names under which it is reported.
    pub fn aspects(&self) -> Map<String, Value> {
        let list = |items: Vec<Value>| (!items.is_empty()).then_some(Value::Array(items));
        let aspects = [
            ("type", self.kind.as_ref().map(|kind| json!(kind.text))),
            ("required", self.required.as_ref().map(Required::to_json)),
            ("values", list(self.values.iter().map(Choice::to_json).collect())),
            ("length", self.length.to_json()),
            ("range", self.range.to_json()),
            ("rules", list(self.rules.iter().map(|rule| json!(rule)).collect())),
            ("fixed_value", self.fixed_value.as_ref().map(|value| json!(value))),
            ("value_format", self.value_format.as_ref().map(|format| json!(format))),
        ];
        aspects.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl ErrorCode {
    /// What is said of the code, by the names under which it is reported.
    pub fn aspects(&self) -> Map<String, Value> {
        let status = self.http_status.as_ref().map(|status| status.parse::<u16>().map_or(json!(status), |n| json!(n)));
        let aspects = [("http_status", status), ("label", Some(json!(self.label)))];
        aspects.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl Kind {
    /// The type that a page's words name; `None` for no words.
    pub fn of_page(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| *c != '\\').collect::<String>().trim().to_owned();
        (!text.is_empty()).then(|| Self { shape: Shape::of_page(&text, 0), text })
    }

    /// The type that `type`, `format` and `items` of a schema name.
    pub fn of_schema(kind: &str, format: Option<&str>, items: Option<Self>) -> Self {
        let (text, shape) = match kind {
            "string" => ("string".to_owned(), Shape::String),
            "boolean" => ("boolean".to_owned(), Shape::Boolean),
            "number" => ("number".to_owned(), Shape::Number),
            "integer" => {
                let bits = match format {
                    Some("int64") => Some(64),
                    Some("int32") => Some(32),
                    _ => None,
                };
                ("int".to_owned(), Shape::Integer { bits })
            }
            "array" => match items {
                Some(items) => (format!("{}[]", items.text), Shape::List(Box::new(items.shape))),
                None => ("list".to_owned(), Shape::List(Box::new(Shape::Anything))),
            },
            _ => ("object".to_owned(), Shape::Object),
        };
        Self { text, shape }
    }

    /// Whether a page's type is a document's, where `int` on a page leaves the width open.
    pub fn agrees_with(&self, document: &Self) -> bool {
        self.shape.agrees_with(&document.shape)
    }
}

impl Shape {
    fn of_page(text: &str, depth: usize) -> Self {
        /// Lists of lists beyond this are no type that a page names.
        const DEEPEST: usize = 8;
        let text = text.trim();
        let name = text.to_ascii_lowercase();
        let within = |open: &str| name.strip_prefix(open).and_then(|rest| rest.strip_suffix('>')).map(str::to_owned);
        if depth < DEEPEST {
            if let Some(items) = name.strip_suffix("[]") {
                return Self::List(Box::new(Self::of_page(items, depth + 1)));
            }
            if let Some(items) = within("array<").or_else(|| within("list<")) {
                return Self::List(Box::new(Self::of_page(&items, depth + 1)));
            }
        }
        match name.as_str() {
            "string" | "str" => Self::String,
            "boolean" | "bool" => Self::Boolean,
            "number" | "float" | "double" | "number(float)" | "number(double)" => Self::Number,
            "int" | "integer" => Self::Integer { bits: None },
            "int32" => Self::Integer { bits: Some(32) },
            "int64" | "long" => Self::Integer { bits: Some(64) },
            "array" | "list" => Self::List(Box::new(Self::Anything)),
            _ => Self::Object,
        }
    }

    fn agrees_with(&self, document: &Self) -> bool {
        match (self, document) {
            (Self::Integer { bits: None }, Self::Integer { .. }) => true,
            (Self::List(page), Self::List(document)) => page.agrees_with(document),
            _ => self == document,
        }
    }
}
