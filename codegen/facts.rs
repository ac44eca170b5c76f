//! What a document says besides the client and the models: page, origins, limits, scopes, headers, codes.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::client::is_integer_enum;
use super::document::Document;
use super::enums::{self, Unique};
use super::patterns::{self, is_pattern};
use super::request;
use super::source::{DocumentError, step};

/// Generates the facts of a document.
///
/// # Errors
/// When a fact is missing, of the wrong kind, or stands twice.
pub fn tokens(documents: &[Document], document: &Document) -> Result<TokenStream, DocumentError> {
    let page = page(document)?;
    let origins = origins(document)?;
    let operation = operation(document)?;
    let request = request::tokens(documents, document)?;
    let parameters = query_parameters(document)?;
    let headers = header_names(document)?;
    let codes = error_codes(documents, document)?;
    notes_digest(document)?;
    let (mut enums, mut restricted) = (TokenStream::new(), TokenStream::new());
    for (name, schema) in document.schemas().filter(|(_, schema)| is_integer_enum(schema)) {
        enums.extend(enums::integer_enum(document, name, schema)?);
    }
    for (name, schema) in document.schemas().filter(|(_, schema)| is_pattern(schema)) {
        restricted.extend(patterns::restricted_string(document, name, schema)?);
    }
    unnamed(document)?;
    Ok(quote! { #page #origins #operation #request #parameters #headers #codes #enums #restricted })
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

fn origins(document: &Document) -> Result<TokenStream, DocumentError> {
    let servers = list(document, "/servers")?;
    let mut names = Vec::new();
    let mut urls = Vec::new();
    for index in 0..servers.len() {
        let at = |key: &str| step(&step("/servers", &index.to_string()), key);
        names.push(required(document, &at("x-name"))?);
        urls.push(required(document, &at("url"))?);
    }
    if urls.is_empty() {
        return Err(document.source.error("/servers", "must name at least one origin"));
    }
    let success = match document.source.get("/x-success-code") {
        None => quote!(),
        Some(code) => {
            let code = code.as_i64();
            let code = code.ok_or_else(|| document.source.error("/x-success-code", "must be an integer"))?;
            quote! {
                /// The code that means success, whatever the HTTP status.
                pub const SUCCESS_CODE: i64 = #code;
            }
        }
    };
    Ok(quote! {
        /// The origins at which the platform answers, the first one the default.
        pub const ORIGINS: &[crate::facts::NamedOrigin] =
            &[#(crate::facts::NamedOrigin { name: #names, url: #urls }),*];
        #success
    })
}

fn operation(document: &Document) -> Result<TokenStream, DocumentError> {
    let below = |key: &str| format!("{}/{key}", document.operation);
    let id = required(document, &below("operationId"))?;
    let (method, path) = (document.method.to_uppercase(), &document.path);
    let content_type = match document.operation_value("/requestBody/content").and_then(Value::as_object) {
        None => quote!(None),
        Some(content) => match content.keys().next() {
            Some(media_type) if content.len() == 1 => quote!(Some(#media_type)),
            _ => return Err(document.source.error(&below("requestBody/content"), "must be of exactly one media type")),
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
    let token = token(document)?;
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
fn token(document: &Document) -> Result<TokenStream, DocumentError> {
    let at = format!("{}/x-token-lifetime", document.operation);
    if document.source.get(&at).is_none() {
        return Ok(quote!());
    }
    let maximum = u64::from(positive(document, &step(&at, "maximum"))?);
    let renew = u64::from(positive(document, &step(&at, "renew_before_end"))?);
    let prefix = required(document, &format!("{}/x-token-prefix", document.operation))?;
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
fn query_parameters(document: &Document) -> Result<TokenStream, DocumentError> {
    let mut constants = TokenStream::new();
    let parameters = document.operation_value("/parameters").and_then(Value::as_array);
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        if parameter["in"] != "query" {
            continue;
        }
        let at = format!("{}/parameters/{index}", document.operation);
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

/// The names of the response headers that the document's own `components` describe.
fn header_names(document: &Document) -> Result<TokenStream, DocumentError> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let responses = document.operation_value("/responses").and_then(Value::as_object);
    for (status, response) in responses.into_iter().flatten() {
        for (header, reference) in response["headers"].as_object().into_iter().flatten() {
            let Some(component) = reference["$ref"].as_str().and_then(|r| r.strip_prefix("#/components/headers/"))
            else {
                continue;
            };
            let header = header.to_ascii_lowercase();
            if let Some(other) = names.insert(component.to_owned(), header.clone())
                && other != header
            {
                let at = format!("{}/responses/{status}/headers", document.operation);
                return Err(document.source.error(&at, format!("`{component}` is both `{other}` and `{header}`")));
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
fn notes_digest(document: &Document) -> Result<(), DocumentError> {
    let Some(digest) = document.operation_value("/x-notes-digest") else { return Ok(()) };
    let hex = digest.as_str().and_then(|digest| digest.strip_prefix("sha256:")).unwrap_or_default();
    if hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        return Ok(());
    }
    let at = format!("{}/x-notes-digest", document.operation);
    Err(document.source.error(&at, "must be `sha256:` and 64 hexadecimal digits, as the check of the page prints it"))
}

fn error_codes(documents: &[Document], document: &Document) -> Result<TokenStream, DocumentError> {
    // A code of the platform means the same everywhere, so no document may give it a second meaning.
    let mut seen = Unique::default();
    let mut platform = TokenStream::new();
    for other in documents {
        let codes = enums::codes(other, "/x-platform-error-codes", &mut seen)?;
        if other.module == document.module && !codes.is_empty() {
            let description = "A code that any endpoint of the platform can answer with.";
            platform = enums::code_enum("PlatformErrorCode", description, &codes);
        }
    }
    let codes = enums::codes(document, &format!("{}/x-error-codes", document.operation), &mut seen)?;
    let own = enums::code_enum("ErrorCode", "A code of this endpoint's own error table.", &codes);
    Ok(quote! { #platform #own })
}

/// What has a type of its own would have no name to generate it under outside `components/schemas`.
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

fn required<'a>(document: &'a Document, pointer: &str) -> Result<&'a str, DocumentError> {
    let value = document.source.get(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    value.ok_or_else(|| document.source.error(pointer, "must be here, and a string"))
}

fn optional(document: &Document, pointer: &str) -> TokenStream {
    match document.source.get(pointer).and_then(Value::as_str) {
        Some(value) => quote!(Some(#value)),
        None => quote!(None),
    }
}

fn list<'a>(document: &'a Document, pointer: &str) -> Result<&'a [Value], DocumentError> {
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
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
