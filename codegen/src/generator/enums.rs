//! Enums whose variants are values of a document: integer values of the API, and error codes.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::document::Document;
use super::source::{DocumentError, step};

/// The enum for an integer schema with `enum`, `x-enum-varnames` and `x-enum-descriptions`.
///
/// # Errors
/// When names or labels are missing or do not pair off with the values, or a value or a name stands twice.
pub fn integer_enum(document: &Document, name: &str, schema: &Value) -> Result<TokenStream, DocumentError> {
    let source = &document.source;
    let pointer = step("/components/schemas", name);
    let list = |key: &str| {
        let at = step(&pointer, key);
        match schema.get(key).and_then(Value::as_array) {
            Some(items) => Ok((items, at)),
            None => Err(source.error(&pointer, format!("an integer enum needs the list `{key}`"))),
        }
    };
    let (values, _) = list("enum")?;
    let (names, names_at) = list("x-enum-varnames")?;
    let (labels, labels_at) = list("x-enum-descriptions")?;
    for (items, at) in [(names, &names_at), (labels, &labels_at)] {
        if items.len() != values.len() {
            let message = format!("{} entries for {} values: each value has one", items.len(), values.len());
            return Err(source.error(at, message));
        }
    }
    let mut variants = Vec::new();
    let mut seen = Unique::default();
    for (index, value) in values.iter().enumerate() {
        let index = index.to_string();
        let at = |list: &str| step(&step(&pointer, list), &index);
        let number = integer(document, &at("enum"))?;
        let variant = variant_name(document, &at("x-enum-varnames"))?;
        seen.number(document, &at("enum"), number)?;
        seen.name(document, &at("x-enum-varnames"), &variant)?;
        let label = string(document, &at("x-enum-descriptions"))?;
        debug_assert!(value.is_i64());
        variants.push((variant, number, label));
    }
    Ok(integer_enum_tokens(name, schema["description"].as_str().unwrap_or_default(), &variants))
}

fn integer_enum_tokens(name: &str, description: &str, variants: &[(String, i64, String)]) -> TokenStream {
    let ty = format_ident!("{name}");
    let idents: Vec<_> = variants.iter().map(|(variant, ..)| format_ident!("{variant}")).collect();
    let numbers: Vec<_> = variants.iter().map(|(_, number, _)| Literal::i64_unsuffixed(*number)).collect();
    let names: Vec<_> = variants.iter().map(|(variant, ..)| kebab(variant)).collect();
    let labels: Vec<_> = variants.iter().map(|(.., label)| label).collect();
    let docs: Vec<_> = variants.iter().map(|(_, number, label)| format!("`{number}`, on the page: {label}")).collect();
    let expected: Vec<_> = variants.iter().map(|(_, number, _)| number.to_string()).collect();
    let expected = format!("one of {}", expected.join(", "));
    let choices: Vec<_> = names.iter().zip(variants).map(|(name, (_, n, _))| format!("{n} ({name})")).collect();
    let choices = format!("one of {}", choices.join(", "));
    quote! {
        #[doc = #description]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum #ty { #(#[doc = #docs] #idents),* }

        impl #ty {
            /// Every value, in the document's order.
            pub const ALL: &'static [Self] = &[#(Self::#idents),*];

            /// The number that the API uses.
            #[must_use]
            pub const fn value(self) -> i64 { match self { #(Self::#idents => #numbers),* } }

            /// The name in lower case, as the command line takes it.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { #(Self::#idents => #names),* } }

            /// The page's own words.
            #[must_use]
            pub const fn label(self) -> &'static str { match self { #(Self::#idents => #labels),* } }

            /// The value for a number of the API, if there is one.
            #[must_use]
            pub const fn from_value(value: i64) -> Option<Self> {
                match value { #(#numbers => Some(Self::#idents),)* _ => None }
            }
        }

        impl ::std::fmt::Display for #ty {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.pad(self.name()) }
        }

        impl ::std::str::FromStr for #ty {
            type Err = crate::facts::UnknownValue;

            /// Takes the number or the name.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let known = Self::ALL.iter().find(|known| known.name() == text);
                known.copied().or_else(|| crate::facts::exact_integer(text).and_then(Self::from_value))
                    .ok_or(crate::facts::UnknownValue::new(#choices))
            }
        }

        impl ::serde::Serialize for #ty {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.value())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for #ty {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <i64 as ::serde::Deserialize>::deserialize(deserializer)?;
                Self::from_value(value).ok_or_else(|| {
                    ::serde::de::Error::invalid_value(::serde::de::Unexpected::Signed(value), &#expected)
                })
            }
        }
    }
}

/// One error code of a document.
pub struct Code {
    variant: String,
    number: i64,
    http_status: Option<u16>,
    label: String,
}

/// The error codes in the list at `pointer`, none where there is no list.
///
/// # Errors
/// When an entry lacks a part, or a number or a name stands twice, in this list or in one read with the same `seen`.
pub fn codes(document: &Document, pointer: &str, seen: &mut Unique) -> Result<Vec<Code>, DocumentError> {
    let Some(value) = document.source.get(pointer) else { return Ok(Vec::new()) };
    let entries = value.as_array().ok_or_else(|| document.source.error(pointer, "must be a list"))?;
    (0..entries.len())
        .map(|index| {
            let at = |key: &str| step(&step(pointer, &index.to_string()), key);
            let number = integer(document, &at("code"))?;
            let variant = variant_name(document, &at("name"))?;
            seen.number(document, &at("code"), number)?;
            seen.name(document, &at("name"), &variant)?;
            let label = string(document, &at("label"))?;
            let http_status = match document.source.get(&at("http_status")) {
                None => None,
                Some(status) => match status.as_u64().and_then(|status| u16::try_from(status).ok()) {
                    Some(status @ 100..=599) => Some(status),
                    _ => return Err(document.source.error(&at("http_status"), "must be an HTTP status")),
                },
            };
            Ok(Code { variant, number, http_status, label })
        })
        .collect()
}

/// The enum of some error codes.
pub fn code_enum(name: &str, description: &str, codes: &[Code]) -> TokenStream {
    let ty = format_ident!("{name}");
    let idents: Vec<_> = codes.iter().map(|code| format_ident!("{}", code.variant)).collect();
    let numbers: Vec<_> = codes.iter().map(|code| Literal::i64_unsuffixed(code.number)).collect();
    let labels: Vec<_> = codes.iter().map(|code| &code.label).collect();
    let statuses = codes.iter().map(|code| match code.http_status {
        Some(status) => quote!(Some(#status)),
        None => quote!(None),
    });
    let docs = codes.iter().map(|code| format!("`{}`, {}", code.number, code.label));
    quote! {
        #[doc = #description]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum #ty { #(#[doc = #docs] #idents),* }

        impl #ty {
            /// Every code, in the document's order.
            pub const ALL: &'static [Self] = &[#(Self::#idents),*];

            /// The number in the envelope's `code`.
            #[must_use]
            pub const fn code(self) -> i64 { match self { #(Self::#idents => #numbers),* } }

            /// The HTTP status that it comes with, where the document gives one.
            #[must_use]
            pub const fn http_status(self) -> Option<u16> { match self { #(Self::#idents => #statuses),* } }

            /// Short words for it, the page's own where a page lists it.
            #[must_use]
            pub const fn label(self) -> &'static str { match self { #(Self::#idents => #labels),* } }

            /// The code with this number, if the document has it.
            #[must_use]
            pub const fn from_code(code: i64) -> Option<Self> {
                match code { #(#numbers => Some(Self::#idents),)* _ => None }
            }
        }
    }
}

/// Numbers and names that may stand only once.
#[derive(Default)]
pub struct Unique {
    numbers: BTreeSet<i64>,
    names: BTreeSet<String>,
}

impl Unique {
    fn number(&mut self, document: &Document, pointer: &str, number: i64) -> Result<(), DocumentError> {
        match self.numbers.insert(number) {
            true => Ok(()),
            false => Err(document.source.error(pointer, format!("{number} stands here a second time"))),
        }
    }

    /// Takes a name.
    ///
    /// # Errors
    /// When it stands a second time.
    pub fn name(&mut self, document: &Document, pointer: &str, name: &str) -> Result<(), DocumentError> {
        match self.names.insert(kebab(name)) {
            true => Ok(()),
            false => Err(document.source.error(pointer, format!("a second value with the name `{name}`"))),
        }
    }
}

fn integer(document: &Document, pointer: &str) -> Result<i64, DocumentError> {
    let value = document.source.get(pointer).and_then(Value::as_i64);
    value.ok_or_else(|| document.source.error(pointer, "must be here, and an integer"))
}

fn string(document: &Document, pointer: &str) -> Result<String, DocumentError> {
    let value = document.source.get(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    value.map(str::to_owned).ok_or_else(|| document.source.error(pointer, "must be here, and a string"))
}

/// The name of a variant at `pointer`.
///
/// # Errors
/// When there is none, or it can't be one in Rust.
pub fn variant_name(document: &Document, pointer: &str) -> Result<String, DocumentError> {
    let name = string(document, pointer)?;
    let first = name.starts_with(|c: char| c.is_ascii_uppercase());
    if first && name != "Self" && name.chars().all(|c| c.is_ascii_alphanumeric()) {
        Ok(name)
    } else {
        Err(document.source.error(pointer, format!("`{name}` can't name a variant: write it LikeThis")))
    }
}

/// `CandidateDeclined` as `candidate-declined`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
