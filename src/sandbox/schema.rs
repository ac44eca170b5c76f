//! Whether a body is what the document says, field by field.

use serde_json::Value;

use crate::generated::platform::types::FieldViolation;

/// The most characters of a value that are sent back.
const VALUE_LIMIT: usize = 100;

/// A schema of the document, without references.
pub(super) struct Schema(Value);

impl Schema {
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }

    /// Every field of a body that is not as the schema says. Fields that it doesn't know are none of its business.
    pub fn violations(&self, body: &Value) -> Vec<FieldViolation> {
        let mut found = Vec::new();
        check(&self.0, body, "", &mut found);
        found
    }
}

/// A field that is not accepted.
pub(super) fn violation(field: &str, value: &str, description: impl Into<String>) -> FieldViolation {
    FieldViolation {
        field: Some(field.to_owned()),
        value: Some(value.chars().take(VALUE_LIMIT).collect()),
        description: Some(description.into()),
    }
}

fn check(schema: &Value, value: &Value, at: &str, found: &mut Vec<FieldViolation>) {
    let mut refuse = |description: String| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        found.push(violation(if at.is_empty() { "body" } else { at }, &text, description));
    };
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if let Some(kind) = schema["type"].as_str()
        && !is_a(value, kind)
    {
        return refuse(format!("must be of type {kind}"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        let values: Vec<_> = values.iter().map(Value::to_string).collect();
        return refuse(format!("must be one of {}", values.join(", ")));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(&schema["items"], item, &format!("{at}[{index}]"), found);
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(violation(&below(at, name), "", "must be given"));
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            check(property, value, &below(at, name), found);
        }
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::{cancel_onboard, tenant_access_token};

    /// The keywords that `check` looks at.
    const KEYWORDS: [&str; 6] = ["type", "nullable", "enum", "items", "required", "properties"];

    fn assert_known(schema: &Value) {
        for (keyword, below) in schema.as_object().into_iter().flatten() {
            // Says how a string is shown, not what it may be.
            if keyword == "format" && below == "password" {
                continue;
            }
            assert!(KEYWORDS.contains(&keyword.as_str()), "the check of a body must learn the keyword `{keyword}`");
            match keyword.as_str() {
                "properties" => {
                    below.as_object().into_iter().flatten().for_each(|(_, property)| assert_known(property))
                }
                "items" => assert_known(below),
                _ => {}
            }
        }
    }

    #[test]
    fn types_are_exact_and_fields_named_by_their_path() {
        let schema = r#"{"type": "object", "properties": {"outer": {"type": "object", "required": ["inner"], "properties":
            {"inner": {"type": "array", "items": {"type": "integer"}}, "blank": {"type": "string", "nullable": true}}}}}"#;
        let schema = Schema::parse(schema).expect("it is JSON");
        let fields = |body: &str| {
            let violations = schema.violations(&serde_json::from_str(body).expect("it is JSON"));
            violations.into_iter().filter_map(|violation| violation.field).collect::<Vec<_>>()
        };
        assert_eq!(fields("{}"), [""; 0]);
        assert_eq!(fields(r#"{"outer": {}}"#), ["outer.inner"]);
        assert_eq!(fields(r#"{"outer": {"inner": [1, -1, 18446744073709551615], "blank": null}}"#), [""; 0]);
        assert_eq!(fields(r#"{"outer": {"inner": [1.0, true, "1"]}}"#), [0, 1, 2].map(|i| format!("outer.inner[{i}]")));
        assert_eq!(fields(r#"{"outer": {"inner": null, "blank": 0}}"#).len(), 2);
    }

    #[test]
    fn every_keyword_of_the_documents_is_checked() {
        for text in [cancel_onboard::REQUEST_SCHEMA, tenant_access_token::REQUEST_SCHEMA].into_iter().flatten() {
            let schema = Schema::parse(text).expect("what is generated is JSON");
            assert!(schema.0["properties"].is_object());
            assert_known(&schema.0);
        }
    }
}
