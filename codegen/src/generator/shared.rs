//! What the document without an operation says: origins, headers, the codes that several endpoints share, the endpoints
//! that are only named, and the models.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::client;
use super::document::Document;
use super::enums::{self, Unique};
use super::facts::{header_names, list, named_types, required, screaming};
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
    let related = related_endpoints(document)?;
    let named = named_types(document)?;
    let models = client::models(documents, document)?;
    Ok(quote! { #origins #success_code #headers #codes #related #named #models })
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

/// A constant for each endpoint that is only named.
fn related_endpoints(document: &Document) -> Result<TokenStream, DocumentError> {
    let pointer = "/x-related-endpoints";
    if document.source.get(pointer).is_none() {
        return Ok(TokenStream::new());
    }
    let mut constants = TokenStream::new();
    let mut seen = Unique::default();
    for index in 0..list(document, pointer)?.len() {
        let at = |key: &str| step(&step(pointer, &index.to_string()), key);
        let ident = related_name(document, &at("name"), &mut seen)?;
        let (title, method) = (required(document, &at("title"))?, required(document, &at("method"))?);
        let path = required(document, &at("path"))?;
        let scopes = (0..list(document, &at("scopes"))?.len())
            .map(|scope| required(document, &step(&at("scopes"), &scope.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        constants.extend(quote! {
            pub(crate) const #ident: crate::facts::RelatedEndpoint = crate::facts::RelatedEndpoint {
                title: #title,
                method: #method,
                path: #path,
                scopes: &[#(#scopes),*],
            };
        });
    }
    Ok(quote! {
        /// Endpoints that are not called here, and named where a person is advised.
        pub(crate) mod related { #constants }
    })
}

fn related_name(document: &Document, pointer: &str, seen: &mut Unique) -> Result<Ident, DocumentError> {
    let name = enums::variant_name(document, pointer)?;
    seen.name(document, pointer, &name)?;
    Ok(format_ident!("{}", screaming(&name)))
}
