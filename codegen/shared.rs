//! What the document without an operation says: origins, headers, the codes that several endpoints share, and the models.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::client;
use super::document::Document;
use super::enums::{self, Unique};
use super::facts::{header_names, list, named_types, required};
use super::source::{DocumentError, step};

/// Generates what the endpoints have in common.
///
/// # Errors
/// When a fact is missing, of the wrong kind, or stands twice.
pub fn tokens(documents: &[Document], document: &Document) -> Result<TokenStream, DocumentError> {
    let origins = origins(document)?;
    let success_code = success_code(document)?;
    let headers = header_names(documents, document)?;
    let codes = error_codes(document)?;
    let named = named_types(document)?;
    let models = client::models(documents, document)?;
    Ok(quote! { #origins #success_code #headers #codes #named #models })
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
    Ok(quote! {
        /// The origins at which the platform answers, the first one the default.
        pub const ORIGINS: &[crate::facts::NamedOrigin] =
            &[#(crate::facts::NamedOrigin { name: #names, url: #urls }),*];
    })
}

fn success_code(document: &Document) -> Result<TokenStream, DocumentError> {
    let code = document.source.get("/x-success-code").and_then(Value::as_i64);
    let code = code.ok_or_else(|| document.source.error("/x-success-code", "must be here, and an integer"))?;
    Ok(quote! {
        /// The code that means success.
        pub const SUCCESS_CODE: i64 = #code;
    })
}

fn error_codes(document: &Document) -> Result<TokenStream, DocumentError> {
    let mut seen = Unique::default();
    let platform = enums::codes(document, "/x-platform-error-codes", &mut seen)?;
    let platform =
        enums::code_enum("PlatformErrorCode", "A code that any endpoint of the platform can answer with.", &platform);
    let service = enums::codes(document, "/x-service-error-codes", &mut seen)?;
    let service =
        enums::code_enum("ServiceErrorCode", "A code that any endpoint of the Hire service can answer with.", &service);
    Ok(quote! { #platform #service })
}
