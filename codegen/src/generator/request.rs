//! The schema of the request's body as JSON, for whoever must check a body against the document at run time.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::document::{Document, Endpoint, resolve};
use super::source::{DocumentError, step};

/// Generates the schema of the body of an endpoint, with every reference resolved.
///
/// # Errors
/// When the schema refers to itself.
pub fn tokens(documents: &[Document], endpoint: Endpoint<'_>) -> Result<TokenStream, DocumentError> {
    let content = endpoint.value("/requestBody/content").and_then(Value::as_object);
    let schema = match content.and_then(|content| content.keys().next()) {
        None => quote!(None),
        Some(media_type) => {
            let pointer = step(&step(&endpoint.pointer("/requestBody/content"), media_type), "schema");
            let text = resolved(documents, endpoint.document, &pointer, &mut Vec::new())?.to_string();
            quote!(Some(#text))
        }
    };
    Ok(quote! {
        /// The schema of the request's body as JSON, without references and annotations, where there is a body.
        pub(crate) const REQUEST_SCHEMA: Option<&str> = #schema;
    })
}

type Place = (String, String);

/// The value at a pointer without annotations, each reference replaced by what it leads to.
fn resolved(
    documents: &[Document],
    document: &Document,
    pointer: &str,
    within: &mut Vec<Place>,
) -> Result<Value, DocumentError> {
    match document.source.get(pointer) {
        Some(Value::Object(map)) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                let at = step(pointer, "$ref");
                let (target, to) =
                    resolve(documents, document, reference).map_err(|reason| document.source.error(&at, reason))?;
                let place = (target.module.clone(), to.clone());
                if within.contains(&place) {
                    let message = format!("`{reference}` leads back to itself: a request can't be checked against it");
                    return Err(document.source.error(&at, message));
                }
                within.push(place);
                let value = resolved(documents, target, &to, within);
                within.pop();
                return value;
            }
            // Below `properties` the keys are names of fields, which may be called like an annotation.
            let names = pointer.ends_with("/properties");
            map.keys()
                .filter(|key| names || !is_annotation(key))
                .map(|key| Ok((key.clone(), resolved(documents, document, &step(pointer, key), within)?)))
                .collect()
        }
        Some(Value::Array(items)) => (0..items.len())
            .map(|index| resolved(documents, document, &step(pointer, &index.to_string()), within))
            .collect(),
        other => Ok(other.cloned().unwrap_or_default()),
    }
}

fn is_annotation(key: &str) -> bool {
    matches!(key, "description" | "example" | "title" | "deprecated" | "externalDocs") || key.starts_with("x-")
}
