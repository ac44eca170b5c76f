//! The client and the models, by progenitor; of what the endpoints have in common, the models alone.

use std::collections::BTreeSet;
use std::iter;
use std::panic::{self, AssertUnwindSafe};

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, TypeImpl, TypePatch};
use quote::{format_ident, quote};
use serde::Deserialize;
use serde_json::{Value, json};

use super::document::{Document, Endpoint, references, resolve};
use super::patterns::is_pattern;
use super::source::DocumentError;

/// The type that stands in for `type: string, format: password`, so that no secret is in a plain string.
const SECRET: &str = "crate::generated::Secret";
/// The type of what is handed on as sent.
const AS_SENT: &str = "crate::raw_json::RawJson";
/// The schema that stands in for one without a name that is handed on as sent.
const AS_SENT_SCHEMA: &str = "AsSent";
/// What progenitor's client carries: the call that it makes.
const INNER: &str = "crate::generated::Exchange";

/// Generates the client of an endpoint, with its models.
///
/// # Errors
/// When progenitor can't generate it.
pub fn tokens(documents: &[Document], endpoint: Endpoint<'_>) -> Result<TokenStream, DocumentError> {
    let document = endpoint.document;
    let (mut settings, mut content) = input(documents, document);
    settings.with_hooks(HooksMode::Expected).with_inner_type(INNER.parse().unwrap_or_default());
    let answer = answer(endpoint)?;
    let object = format!("{answer}Object");
    let ty = format!("crate::json_object::Object<crate::generated::{}::types::{answer}>", document.module);
    settings.with_replacement(&object, ty, iter::empty());
    content["components"]["schemas"][&object] = json!({});
    // Every answer is read as an object: a model alone would take a list for one.
    rewrite_references(&mut content["paths"], &|reference| {
        if reference.strip_prefix("#/components/schemas/") == Some(&answer) {
            *reference = format!("#/components/schemas/{object}");
        }
    });
    let client = generate(document, &content, |api| Generator::new(&settings).generate_tokens(api))?;
    let envelope = envelope(endpoint, &answer)?;
    Ok(quote! { #client #envelope })
}

/// Generates the models of a document that has no operation.
///
/// # Errors
/// When progenitor can't generate them.
pub fn models(documents: &[Document], document: &Document) -> Result<TokenStream, DocumentError> {
    let (settings, content) = input(documents, document);
    let models = generate(document, &content, |api| {
        let mut generator = Generator::new(&settings);
        // Its client has nothing to call.
        generator.generate_tokens(api)?;
        Ok(generator.get_type_space().to_stream())
    })?;
    Ok(quote! {
        /// Types that the endpoints have in common.
        pub mod types { #models }
    })
}

/// What progenitor is given: settings, and the document with nothing in it that it does not know.
fn input(documents: &[Document], document: &Document) -> (GenerationSettings, Value) {
    let mut settings = GenerationSettings::new();
    let mut content = document.source.content.clone();
    for (name, replacement) in replacements(documents, document) {
        settings.with_replacement(&name, replacement, [TypeImpl::Display, TypeImpl::FromStr].into_iter());
        // A reference needs something to lead to, also where its type stands elsewhere.
        content["components"]["schemas"][&name] = json!({});
    }
    // The platform adds fields without notice, and a document that follows it must not break a caller.
    for name in without_secrets(documents, document) {
        settings.with_patch(name, TypePatch::default().with_derive("PartialEq").with_attr("#[non_exhaustive]"));
    }
    rewrite_references(&mut content, &make_local);
    hand_on_as_sent(&mut content);
    settings.with_replacement(AS_SENT_SCHEMA, AS_SENT, iter::empty());
    content["components"]["schemas"][AS_SENT_SCHEMA] = json!({});
    (settings, content)
}

/// Runs progenitor, which panics on what it does not support: that must end as one readable line.
fn generate(
    document: &Document,
    content: &Value,
    run: impl FnOnce(&OpenAPI) -> Result<TokenStream, progenitor::Error>,
) -> Result<TokenStream, DocumentError> {
    let api = OpenAPI::deserialize(content)
        .map_err(|error| document.source.error("", format!("not valid OpenAPI 3.0: {error}")))?;
    quietly(|| run(&api).map_err(|error| error.to_string())).map_err(|reason| {
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        document.source.error("", format!("progenitor can't generate a client from it: {reason}"))
    })
}

/// The schemas that reach no secret, so that their types can be compared.
fn without_secrets<'a>(documents: &[Document], document: &'a Document) -> impl Iterator<Item = &'a str> {
    let is_secret = |(module, pointer): &Place| {
        let at = documents.iter().find(|document| document.module == *module);
        at.and_then(|at| at.source.get(pointer)).is_some_and(|schema| schema["format"] == "password")
    };
    document.schemas().filter_map(move |(name, schema)| {
        let mut reached = BTreeSet::new();
        follow(documents, document, schema, &mut reached);
        (!reached.iter().any(is_secret)).then_some(name)
    })
}

/// The name of the answer's schema.
fn answer(endpoint: Endpoint<'_>) -> Result<String, DocumentError> {
    let content = endpoint.value("/responses/200/content").and_then(Value::as_object);
    let schema = content.and_then(|content| content.values().next()).map(|content| &content["schema"]["$ref"]);
    let name = schema.and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/components/schemas/"));
    name.map(str::to_owned).ok_or_else(|| {
        let at = endpoint.pointer("/responses/200/content");
        endpoint.document.source.error(&at, "must refer to the answer's schema in this document's components")
    })
}

/// Tells the layer by hand where the answer has what every answer of the platform has.
fn envelope(endpoint: Endpoint<'_>, name: &str) -> Result<TokenStream, DocumentError> {
    let source = &endpoint.document.source;
    for property in ["code", "msg", "error"] {
        let at = format!("/components/schemas/{name}/properties");
        if source.get(&format!("{at}/{property}")).is_none() {
            return Err(source.error(&at, format!("lacks `{property}`, which every answer of the platform has")));
        }
    }
    let ty = format_ident!("{name}");
    let purpose = match endpoint.operation.method.as_str() {
        "get" | "head" | "options" => quote!(Read),
        _ => quote!(Change),
    };
    Ok(quote! {
        impl crate::answer::Envelope for types::#ty {
            type Code = ErrorCode;
            const PURPOSE: crate::answer::Purpose = crate::answer::Purpose::#purpose;
            fn into_parts(self) -> (i64, Option<String>, Option<crate::raw_json::RawJson>) {
                (self.code, self.msg, self.error)
            }
            fn code(&self) -> i64 { self.code }
            fn error(&self) -> Option<&crate::raw_json::RawJson> { self.error.as_ref() }
        }
    })
}

/// The schemas whose type progenitor is not to make, with the type to use.
fn replacements(documents: &[Document], document: &Document) -> Vec<(String, String)> {
    let sent = sent(documents, document);
    let own = document.schemas().map(|(name, schema)| (document, name.to_owned(), schema));
    let referred = references(&document.source.content).into_iter().filter_map(|(_, reference)| {
        let (target, pointer) = resolve(documents, document, &reference).ok()?;
        let name = pointer.strip_prefix("/components/schemas/")?.to_owned();
        (target.module != document.module).then(|| (target, name, target.source.get(&pointer)))
    });
    own.map(|(at, name, schema)| (at, name, Some(schema)))
        .chain(referred)
        .filter_map(|(at, name, schema)| {
            let schema = schema?;
            let replacement = if is_integer_enum(schema) {
                let exact = format!("crate::generated::{}::{name}", at.module);
                match sent.contains(&place(at, &format!("/components/schemas/{name}"))) {
                    true => exact,
                    // What is only received can have a value that the document does not know yet.
                    false => format!("crate::facts::Received<{exact}>"),
                }
            } else if is_pattern(schema) {
                format!("crate::generated::{}::{name}", at.module)
            } else if schema["format"] == "password" {
                SECRET.to_owned()
            } else if schema["x-keep-as-sent"] == true {
                AS_SENT.to_owned()
            } else if at.module != document.module {
                format!("crate::generated::{}::types::{name}", at.module)
            } else {
                return None;
            };
            Some((name, replacement))
        })
        .collect()
}

/// Every place that the request of a document's operation reaches; none where it has no operation.
fn sent(documents: &[Document], document: &Document) -> BTreeSet<Place> {
    let mut reached = BTreeSet::new();
    let parts = ["/requestBody", "/parameters"].into_iter();
    for value in parts.filter_map(|part| document.endpoint()?.value(part)) {
        follow(documents, document, value, &mut reached);
    }
    reached
}

/// A module, and a pointer in its document.
type Place = (String, String);

fn place(document: &Document, pointer: &str) -> Place {
    (document.module.clone(), pointer.to_owned())
}

fn follow(documents: &[Document], from: &Document, value: &Value, reached: &mut BTreeSet<Place>) {
    for (_, reference) in references(value) {
        let Ok((target, pointer)) = resolve(documents, from, &reference) else { continue };
        if reached.insert(place(target, &pointer))
            && let Some(value) = target.source.get(&pointer)
        {
            follow(documents, target, value, reached);
        }
    }
}

/// Whether a schema is an integer with named values, for which `enums` generates the type.
pub fn is_integer_enum(schema: &Value) -> bool {
    schema["type"] == "integer" && schema.get("enum").is_some()
}

/// Changes every `$ref` below a value.
fn rewrite_references(value: &mut Value, rewrite: &impl Fn(&mut String)) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref") {
                rewrite(reference);
            }
            map.values_mut().for_each(|below| rewrite_references(below, rewrite));
        }
        Value::Array(items) => items.iter_mut().for_each(|below| rewrite_references(below, rewrite)),
        _ => {}
    }
}

fn make_local(reference: &mut String) {
    if let Some(hash) = reference.find('#') {
        reference.replace_range(..hash, "");
    }
}

/// Has what a schema that is marked so describes kept as its text, so that decoding an answer does not depend on it.
fn hand_on_as_sent(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("x-keep-as-sent") == Some(&Value::Bool(true)) {
                map.clear();
                map.insert("$ref".to_owned(), json!(format!("#/components/schemas/{AS_SENT_SCHEMA}")));
            }
            map.values_mut().for_each(hand_on_as_sent);
        }
        Value::Array(items) => items.iter_mut().for_each(hand_on_as_sent),
        _ => {}
    }
}

fn quietly<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    outcome.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        Err(text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned())
    })
}
