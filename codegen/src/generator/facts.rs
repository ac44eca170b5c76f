//! What the document of an endpoint says besides the client and the models: page, limits, scopes, parameters, codes.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::client::is_integer_enum;
use super::document::{Document, Endpoint, resolve};
use super::enums::{self, Unique};
use super::patterns::{self, is_pattern};
use super::request;
use super::source::{DocumentError, step};

/// Generates the facts of an endpoint.
///
/// # Errors
/// When a fact is missing, of the wrong kind, or stands twice.
pub fn tokens(documents: &[Document], endpoint: Endpoint<'_>) -> Result<TokenStream, DocumentError> {
    let page = page(endpoint.document)?;
    let operation = operation(endpoint)?;
    let request = request::tokens(documents, endpoint)?;
    let parameters = query_parameters(endpoint)?;
    let headers = header_names(documents, endpoint.document)?;
    let codes = error_codes(documents, endpoint)?;
    notes_digest(endpoint)?;
    let named = named_types(endpoint.document)?;
    Ok(quote! { #page #operation #request #parameters #headers #codes #named })
}

/// Generates the types that progenitor does not make: integer enums and strings with a pattern.
///
/// # Errors
/// When one can't be generated, or has no name.
pub fn named_types(document: &Document) -> Result<TokenStream, DocumentError> {
    let (mut enums, mut restricted) = (TokenStream::new(), TokenStream::new());
    for (name, schema) in document.schemas().filter(|(_, schema)| is_integer_enum(schema)) {
        enums.extend(enums::integer_enum(document, name, schema)?);
    }
    for (name, schema) in document.schemas().filter(|(_, schema)| is_pattern(schema)) {
        restricted.extend(patterns::restricted_string(document, name, schema)?);
    }
    unnamed(document)?;
    Ok(quote! { #enums #restricted })
}

fn page(document: &Document) -> Result<TokenStream, DocumentError> {
    let title = required(document, "/info/x-doc-title")?;
    let url = required(document, "/info/x-doc-url")?;
    let markdown = optional(document, "/info/x-doc-markdown-url");
    let updated = optional(document, "/info/x-doc-updated");
    Ok(quote! {
        /// The published page that this was generated from.
        pub const PAGE: crate::facts::Page =
            crate::facts::Page { title: #title, url: #url, markdown_url: #markdown, updated: #updated };
    })
}

fn operation(endpoint: Endpoint<'_>) -> Result<TokenStream, DocumentError> {
    let document = endpoint.document;
    let below = |key: &str| endpoint.pointer(&step("", key));
    let id = required(document, &below("operationId"))?;
    let (method, path) = (endpoint.operation.method.to_uppercase(), &endpoint.operation.path);
    let content_type = match endpoint.value("/requestBody/content").and_then(Value::as_object) {
        None => quote!(None),
        Some(content) => match content.keys().next() {
            Some(media_type) if content.len() == 1 => quote!(Some(#media_type)),
            _ => {
                return Err(document
                    .source
                    .error(&endpoint.pointer("/requestBody/content"), "must be of exactly one media type"));
            }
        },
    };
    let mut limits = TokenStream::new();
    for index in 0..list(document, &below("x-rate-limit"))?.len() {
        let at = |key: &str| format!("{}/{index}/{key}", below("x-rate-limit"));
        let (calls, seconds) = (positive(document, &at("calls"))?, positive(document, &at("period_seconds"))?);
        let seconds = u64::from(seconds);
        limits.extend(quote! {
            crate::facts::RateLimit { calls: #calls, period: ::std::time::Duration::from_secs(#seconds) },
        });
    }
    let mut scopes = TokenStream::new();
    for index in 0..list(document, &below("x-required-scopes"))?.len() {
        let at = |key: &str| format!("{}/{index}/{key}", below("x-required-scopes"));
        let (name, label) = (required(document, &at("name"))?, required(document, &at("label"))?);
        scopes.extend(quote! { crate::facts::Scope { name: #name, label: #label }, });
    }
    let token = token(endpoint)?;
    Ok(quote! {
        /// The operation.
        pub const OPERATION: crate::facts::Operation = crate::facts::Operation {
            id: #id,
            method: #method,
            path: #path,
            content_type: #content_type,
            rate_limits: &[#limits],
            scopes: &[#scopes],
        };
        #token
    })
}

/// What is said of the tokens that the operation issues, where it does.
fn token(endpoint: Endpoint<'_>) -> Result<TokenStream, DocumentError> {
    let document = endpoint.document;
    let at = endpoint.pointer("/x-token-lifetime");
    if document.source.get(&at).is_none() {
        return Ok(quote!());
    }
    let maximum = u64::from(positive(document, &step(&at, "maximum"))?);
    let renew = u64::from(positive(document, &step(&at, "renew_before_end"))?);
    let prefix = required(document, &endpoint.pointer("/x-token-prefix"))?;
    Ok(quote! {
        /// How long a token lives at most.
        pub const TOKEN_LIFETIME_MAXIMUM: ::std::time::Duration = ::std::time::Duration::from_secs(#maximum);
        /// From when on before its end a new token is handed out while the old one still works.
        pub const TOKEN_RENEW_BEFORE_END: ::std::time::Duration = ::std::time::Duration::from_secs(#renew);
        /// What every token begins with.
        pub const TOKEN_PREFIX: &str = #prefix;
    })
}

/// The names of the query's parameters, with the default and the bounds of those that are integers.
fn query_parameters(endpoint: Endpoint<'_>) -> Result<TokenStream, DocumentError> {
    let document = endpoint.document;
    let mut constants = TokenStream::new();
    let parameters = endpoint.value("/parameters").and_then(Value::as_array);
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        if parameter["in"] != "query" {
            continue;
        }
        let at = step(&endpoint.pointer("/parameters"), &index.to_string());
        let name = required(document, &step(&at, "name"))?;
        let ident = constant(document, &step(&at, "name"), name)?;
        constants.extend(quote! { pub const #ident: &str = #name; });
        for bound in ["default", "minimum", "maximum"] {
            let Some(value) = parameter["schema"][bound].as_i64() else { continue };
            let ident = format_ident!("{ident}_{}", bound.to_ascii_uppercase());
            constants.extend(quote! { pub const #ident: i64 = #value; });
        }
    }
    Ok(quote! {
        /// Parameters of the query.
        pub mod parameters { #constants }
    })
}

/// `page_size` as `PAGE_SIZE`.
fn constant(document: &Document, pointer: &str, name: &str) -> Result<Ident, DocumentError> {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    match first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => Ok(format_ident!("{}", name.to_ascii_uppercase())),
        false => Err(document.source.error(pointer, format!("`{name}` can't name a constant: write it like_this"))),
    }
}

/// The names of the response headers that a document's `components` describe, by which the answers of any document refer
/// to them.
///
/// # Errors
/// When answers give one header two names.
pub fn header_names(documents: &[Document], document: &Document) -> Result<TokenStream, DocumentError> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for endpoint in documents.iter().filter_map(Document::endpoint) {
        let responses = endpoint.value("/responses").and_then(Value::as_object);
        for (status, response) in responses.into_iter().flatten() {
            for (header, reference) in response["headers"].as_object().into_iter().flatten() {
                let target = reference["$ref"].as_str().and_then(|r| resolve(documents, endpoint.document, r).ok());
                let Some((_, pointer)) = target.filter(|(target, _)| target.module == document.module) else {
                    continue;
                };
                let Some(component) = pointer.strip_prefix("/components/headers/") else { continue };
                let header = header.to_ascii_lowercase();
                if let Some(other) = names.insert(component.to_owned(), header.clone())
                    && other != header
                {
                    let at = endpoint.pointer(&format!("/responses/{status}/headers"));
                    let message = format!("`{component}` is both `{other}` and `{header}`");
                    return Err(endpoint.document.source.error(&at, message));
                }
            }
        }
    }
    let idents = names.keys().map(|component| format_ident!("{}", screaming(component)));
    let headers = names.values();
    Ok(quote! {
        /// Names of response headers.
        pub mod headers { #(pub const #idents: ::http::HeaderName = ::http::HeaderName::from_static(#headers);)* }
    })
}

/// Nothing is generated from the digest of a page's notes, but one that is cut short would never fit them.
fn notes_digest(endpoint: Endpoint<'_>) -> Result<(), DocumentError> {
    let Some(digest) = endpoint.value("/x-notes-digest") else { return Ok(()) };
    let hex = digest.as_str().and_then(|digest| digest.strip_prefix("sha256:")).unwrap_or_default();
    if hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        return Ok(());
    }
    let at = endpoint.pointer("/x-notes-digest");
    Err(endpoint
        .document
        .source
        .error(&at, "must be `sha256:` and 64 hexadecimal digits, as the check of the page prints it"))
}

fn error_codes(documents: &[Document], endpoint: Endpoint<'_>) -> Result<TokenStream, DocumentError> {
    // A code of the platform means the same everywhere, so no document may give it a second meaning.
    let mut seen = Unique::default();
    for other in documents {
        enums::codes(other, "/x-platform-error-codes", &mut seen)?;
    }
    let mut codes = enums::codes(endpoint.document, &endpoint.pointer("/x-error-codes"), &mut seen)?;
    codes.extend(enums::codes(endpoint.document, &endpoint.pointer("/x-unlisted-error-codes"), &mut seen)?);
    Ok(enums::code_enum("ErrorCode", "A code of this endpoint itself.", &codes))
}

/// A schema for which a type is generated would have no name to generate it under outside `components/schemas`.
fn unnamed(document: &Document) -> Result<(), DocumentError> {
    fn search(value: &Value, pointer: String) -> Option<(String, &'static str)> {
        let named = pointer.strip_prefix("/components/schemas/").is_some_and(|name| !name.contains('/'));
        if is_integer_enum(value) && !named {
            return Some((pointer, "an integer enum"));
        }
        if is_pattern(value) && !named {
            return Some((pointer, "a string with a pattern"));
        }
        match value {
            Value::Object(map) => map.iter().find_map(|(key, below)| search(below, step(&pointer, key))),
            Value::Array(items) => {
                items.iter().enumerate().find_map(|(index, below)| search(below, step(&pointer, &index.to_string())))
            }
            _ => None,
        }
    }
    match search(&document.source.content, String::new()) {
        None => Ok(()),
        Some((pointer, what)) => Err(document
            .source
            .error(&pointer, format!("{what} without a name: move it to components/schemas and refer to it"))),
    }
}

pub fn required<'a>(document: &'a Document, pointer: &str) -> Result<&'a str, DocumentError> {
    let value = document.source.get(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    value.ok_or_else(|| document.source.error(pointer, "must be here, and a string"))
}

fn optional(document: &Document, pointer: &str) -> TokenStream {
    match document.source.get(pointer).and_then(Value::as_str) {
        Some(value) => quote!(Some(#value)),
        None => quote!(None),
    }
}

pub fn list<'a>(document: &'a Document, pointer: &str) -> Result<&'a [Value], DocumentError> {
    let value = document.source.get(pointer).and_then(Value::as_array);
    value.map(Vec::as_slice).ok_or_else(|| document.source.error(pointer, "must be here, and a list, empty if need be"))
}

fn positive(document: &Document, pointer: &str) -> Result<u32, DocumentError> {
    let value = document.source.get(pointer).and_then(Value::as_u64).and_then(|value| u32::try_from(value).ok());
    value
        .filter(|value| *value > 0)
        .ok_or_else(|| document.source.error(pointer, "must be here, and a positive integer"))
}

/// `LogId` as `LOG_ID`.
pub fn screaming(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
