//! What the platform says along with a refusal that a person needs: the fields that it did not accept, and links.

use serde_json::Value;

/// The most of each that are kept.
const MOST: usize = 5;
/// The most characters of each that are kept.
const LENGTH: usize = 300;

/// What the platform said along with a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Fields that it did not accept, with what is wrong with them.
    pub fields: Vec<String>,
    /// Links, with what they lead to.
    pub links: Vec<String>,
}

impl Remarks {
    /// Those in the details of a failure.
    pub fn of(details: Option<&Value>) -> Self {
        let Some(details) = details else { return Self::default() };
        Self {
            fields: entries(details, "field_violations", ["field", "description"]),
            links: entries(details, "helps", ["description", "url"]),
        }
    }
}

/// The entries of a list, each as its parts with a colon in between.
fn entries(details: &Value, list: &str, parts: [&str; 2]) -> Vec<String> {
    let mut entries = Vec::new();
    for entry in details.get(list).and_then(Value::as_array).into_iter().flatten() {
        let texts: Vec<_> = parts.iter().filter_map(|part| entry.get(part)?.as_str()).collect();
        let text: String = texts.join(": ").chars().take(LENGTH).collect();
        if !text.is_empty() && !entries.contains(&text) && entries.len() < MOST {
            entries.push(text);
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_use_is_kept_once_and_within_bounds() {
        let details = serde_json::json!({
            "field_violations": [
                {"field": "termination_type", "description": "must be known"},
                {"field": "termination_type", "description": "must be known"},
                {"field": 7}, "odd",
            ],
            "helps": [{"url": "https://open.feishu.cn/app", "description": "grant it here"}, {"url": "x".repeat(1000)}],
        });
        let remarks = Remarks::of(Some(&details));
        assert_eq!(remarks.fields, ["termination_type: must be known"]);
        assert_eq!(remarks.links[0], "grant it here: https://open.feishu.cn/app");
        assert_eq!(remarks.links[1].len(), LENGTH);
        assert_eq!((Remarks::of(None), Remarks::of(Some(&Value::Null))), (Remarks::default(), Remarks::default()));
    }
}
