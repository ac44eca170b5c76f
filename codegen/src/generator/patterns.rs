//! Strings that a pattern restricts: a type each, whose values are checked when they are made.
//!
//! progenitor would have a regular expression engine check them at run time. The patterns of ids are far simpler: one class of
//! characters and a length, for which a comparison of bytes does, and no error can be better than one that says just this.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::document::Document;
use super::source::{DocumentError, step};

/// What a pattern of the form `^[class]{least,most}$` says.
struct Pattern {
    /// First and last of each range of characters, single ones as both.
    ranges: Vec<(char, char)>,
    least: usize,
    most: usize,
}

/// Whether a schema is a string with a pattern, for which the type is generated here.
pub fn is_pattern(schema: &Value) -> bool {
    schema["type"] == "string" && schema.get("pattern").is_some()
}

/// The type for a string schema with `pattern`.
///
/// # Errors
/// When the pattern has another form than `^[class]{least,most}$`, or another keyword restricts the string as well.
pub fn restricted_string(document: &Document, name: &str, schema: &Value) -> Result<TokenStream, DocumentError> {
    let pointer = step("/components/schemas", name);
    for keyword in ["enum", "format", "maxLength", "minLength"] {
        if schema.get(keyword).is_some() {
            let message = format!("`{keyword}` beside `pattern` is not checked: have the pattern say it");
            return Err(document.source.error(&step(&pointer, keyword), message));
        }
    }
    let pattern = schema["pattern"].as_str().and_then(Pattern::parse).ok_or_else(|| {
        let message = "must have the form ^[characters and ranges, in ASCII]{least,most}$: no other is checked";
        document.source.error(&step(&pointer, "pattern"), message)
    })?;
    Ok(pattern.tokens(name, schema["description"].as_str().unwrap_or_default()))
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (class, length) = text.strip_prefix("^[")?.strip_suffix("}$")?.split_once("]{")?;
        let (least, most) = length.split_once(',')?;
        let (least, most) = (least.parse().ok()?, most.parse().ok()?);
        let mut ranges = Vec::new();
        let mut rest: Vec<char> = class.chars().collect();
        rest.reverse();
        while let Some(first) = rest.pop() {
            // What has a meaning of its own in a class, and what may be meant as a range and is none.
            if !first.is_ascii_graphic() || matches!(first, '\\' | '[' | ']' | '^') || first == '-' && !rest.is_empty()
            {
                return None;
            }
            let last = match rest.as_slice() {
                [.., last, '-'] => *last,
                _ => first,
            };
            if last != first {
                rest.truncate(rest.len() - 2);
            }
            let kinds = [char::is_ascii_digit, char::is_ascii_uppercase, char::is_ascii_lowercase];
            if last < first || last != first && !kinds.iter().any(|kind| kind(&first) && kind(&last)) {
                return None;
            }
            ranges.push((first, last));
        }
        (least <= most && !ranges.is_empty()).then_some(Self { ranges, least, most })
    }

    /// What is taken, in words.
    fn words(&self) -> String {
        let letters = [('A', 'Z'), ('a', 'z')];
        let mut names = Vec::new();
        if letters.iter().all(|range| self.ranges.contains(range)) {
            names.push("letters".to_owned());
        }
        for range in &self.ranges {
            names.push(match range {
                ('0', '9') => "digits".to_owned(),
                range if letters.contains(range) && names.first().is_some_and(|name| name == "letters") => continue,
                (first, last) if first == last => format!("`{first}`"),
                (first, last) => format!("`{first}` to `{last}`"),
            });
        }
        let last = names.pop().unwrap_or_default();
        let names = if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) };
        format!("{} to {} {names}", self.least, self.most)
    }

    fn tokens(&self, name: &str, description: &str) -> TokenStream {
        let ty = format_ident!("{name}");
        let byte = |c: char| Literal::byte_character(c as u8);
        let arms = self.ranges.iter().map(|&(first, last)| {
            let (first, last) = (byte(first), byte(last));
            if first.to_string() == last.to_string() { quote!(#first) } else { quote!(#first..=#last) }
        });
        let (least, most, words) = (self.least, self.most, self.words());
        quote! {
            #[doc = #description]
            #[derive(Clone, Debug, PartialEq, Eq, Hash)]
            pub struct #ty(String);

            impl #ty {
                /// What is taken, in words.
                pub const ACCEPTED: &'static str = #words;
            }

            impl ::std::str::FromStr for #ty {
                type Err = crate::facts::UnknownValue;

                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    let fits = matches!(text.len(), #least..=#most) && text.bytes().all(|byte| matches!(byte, #(#arms)|*));
                    if fits { Ok(Self(text.to_owned())) } else { Err(crate::facts::UnknownValue::new(Self::ACCEPTED)) }
                }
            }

            impl ::std::fmt::Display for #ty {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.pad(&self.0) }
            }

            impl ::serde::Serialize for #ty {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(&self.0)
                }
            }

            impl<'de> ::serde::Deserialize<'de> for #ty {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                    text.parse().map_err(::serde::de::Error::custom)
                }
            }
        }
    }
}
