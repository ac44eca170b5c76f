//! An OpenAPI 3.0 document that holds together: typed, every reference leading somewhere. It describes one endpoint, or
//! what the endpoints have in common.

use openapiv3::{Header, OpenAPI, Parameter, PathItem, RequestBody, Response, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::source::{DocumentError, Source, step};

/// A document of `spec/`.
pub struct Document {
    /// The module that is generated from it: the file's name without its ending.
    pub module: String,
    /// The file's content with its lines.
    pub source: Source,
    operation: Option<Operation>,
}

/// The one operation of a document.
pub struct Operation {
    /// The JSON pointer of it.
    pub pointer: String,
    /// Its path.
    pub path: String,
    /// Its method, in lower case.
    pub method: String,
}

/// A document that describes an endpoint.
#[derive(Clone, Copy)]
pub struct Endpoint<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its operation.
    pub operation: &'a Operation,
}

/// What only the document without an operation may contain: a fact that holds for every endpoint stands once.
const SHARED: [&str; 5] =
    ["servers", "x-success-code", "x-platform-error-codes", "x-service-error-codes", "x-related-endpoints"];

impl Document {
    /// Checks one file of `spec/` on its own.
    ///
    /// # Errors
    /// When it is not OpenAPI 3.0, or describes neither exactly one operation nor what all have in common.
    pub fn new(module: &str, source: Source) -> Result<Self, DocumentError> {
        match source.get("/openapi") {
            Some(Value::String(version)) if version.starts_with("3.0.") => {}
            Some(version) => {
                return Err(
                    source.error("/openapi", format!("must be OpenAPI 3.0, for example 3.0.3, and is {version}"))
                );
            }
            None => return Err(source.error("", "not an OpenAPI document: the key `openapi` is missing")),
        }
        if !is_module_name(module) {
            let message = format!("`{module}` can't name a module: name the file like_this.yaml");
            return Err(source.error("", message));
        }
        typed::<OpenAPI>(&source, "")?;
        names_of_components(&source)?;
        let operation = only_operation(&source)?;
        Ok(Self { module: module.to_owned(), source, operation })
    }

    /// The document as one that describes an endpoint; `None` for what the endpoints have in common.
    pub fn endpoint(&self) -> Option<Endpoint<'_>> {
        self.operation.as_ref().map(|operation| Endpoint { document: self, operation })
    }

    /// The schemas under `components`, by name.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        let schemas = self.source.get("/components/schemas").and_then(Value::as_object);
        schemas.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }
}

impl<'a> Endpoint<'a> {
    /// The JSON pointer of a place below the operation.
    pub fn pointer(self, below: &str) -> String {
        format!("{}{below}", self.operation.pointer)
    }

    /// The value at a pointer below the operation.
    pub fn value(self, below: &str) -> Option<&'a Value> {
        self.document.source.get(&self.pointer(below))
    }
}

/// Whether a file of this name can become a module: lower case, and no word of the language.
fn is_module_name(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    plain && syn::parse_str::<syn::Ident>(name).is_ok()
}

/// Schemas and headers become types and constants, so their names must be those of types.
fn names_of_components(source: &Source) -> Result<(), DocumentError> {
    for kind in ["schemas", "headers"] {
        let at = format!("/components/{kind}");
        for name in source.get(&at).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) {
            let starts = name.starts_with(|c: char| c.is_ascii_uppercase());
            if !starts || name == "Self" || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
                let message = format!("`{name}` can't name a type: write it LikeThis");
                return Err(source.error(&step(&at, name), message));
            }
        }
    }
    Ok(())
}

/// Checks that documents hold together: at most one says what the others have in common, and every reference leads
/// somewhere in its document or in one beside it.
///
/// # Errors
/// At the first thing for which that is not so.
pub fn check_together(documents: &[Document]) -> Result<(), DocumentError> {
    let mut shared = documents.iter().filter(|document| document.operation.is_none());
    if let (Some(first), Some(second)) = (shared.next(), shared.next()) {
        let message = format!("a second document without an operation: {} is the first", first.source.file);
        return Err(second.source.error("/paths", message));
    }
    for document in documents {
        for (pointer, reference) in references(&document.source.content) {
            resolve(documents, document, &reference).map_err(|reason| document.source.error(&pointer, reason))?;
        }
    }
    Ok(())
}

/// Finds the document and the pointer in it that a reference names.
///
/// # Errors
/// A sentence that says why there is nothing.
pub fn resolve<'a>(
    documents: &'a [Document],
    from: &'a Document,
    reference: &str,
) -> Result<(&'a Document, String), String> {
    let (file, pointer) = reference
        .split_once('#')
        .ok_or_else(|| format!("refers to `{reference}`, which names no place: `#/…` is missing"))?;
    let target = if file.is_empty() {
        from
    } else {
        documents
            .iter()
            .find(|document| file.trim_start_matches("./") == format!("{}.yaml", document.module))
            .ok_or_else(|| format!("refers to `{reference}`, and there is no such file beside it"))?
    };
    match target.source.get(pointer) {
        Some(_) => Ok((target, pointer.to_owned())),
        None => Err(format!("refers to `{reference}`, which is not there")),
    }
}

/// Every `$ref` below a value, with the pointer at which it stands.
pub fn references(value: &Value) -> Vec<(String, String)> {
    fn collect(value: &Value, pointer: String, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) => {
                for (key, below) in map {
                    match below {
                        Value::String(target) if key == "$ref" => found.push((step(&pointer, key), target.clone())),
                        _ => collect(below, step(&pointer, key), found),
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    collect(item, step(&pointer, &index.to_string()), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, String::new(), &mut found);
    found
}

/// Reads the value at a pointer as a type of `openapiv3`.
///
/// That crate reads many things as "a reference, or the thing itself", and then does not say what is wrong with the thing.
/// So on an error the parts are read alone, down to the one that is wrong.
fn typed<T: DeserializeOwned>(source: &Source, pointer: &str) -> Result<(), DocumentError> {
    let value = source.get(pointer).unwrap_or(&Value::Null);
    let Err(error) = T::deserialize(value) else {
        return Ok(());
    };
    parts(source, pointer)?;
    let place = format!("{pointer}{}", culprit::<T>(value, &error.to_string()));
    Err(source.error(&place, format!("not valid OpenAPI 3.0: {error}")))
}

/// The place in a value that does not read as `T` without which it would, or would fail in another way.
fn culprit<T: DeserializeOwned>(value: &Value, error: &str) -> String {
    let mut place = String::new();
    'descend: loop {
        let parent = value.pointer(&place).unwrap_or(value);
        let steps: Vec<String> = match parent {
            Value::Object(map) => map.keys().map(|key| step(&place, key)).collect(),
            Value::Array(items) => (0..items.len()).map(|index| step(&place, &index.to_string())).collect(),
            _ => Vec::new(),
        };
        for below in steps {
            let changed = T::deserialize(&without(value, &below)).err().map(|error| error.to_string());
            // A field that must be there fails in another way without it, also where the next one is to blame.
            let holds_more = value.pointer(&below).is_some_and(|value| value.is_object() || value.is_array());
            if changed.is_none_or(|changed| changed != error && holds_more) {
                place = below;
                continue 'descend;
            }
        }
        return place;
    }
}

/// A value without what is at a pointer in it.
fn without(value: &Value, pointer: &str) -> Value {
    let mut value = value.clone();
    let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
    let name = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(&name)),
        Some(Value::Array(items)) => {
            if let Ok(index) = name.parse::<usize>() {
                items.remove(index);
            }
        }
        _ => {}
    }
    value
}

/// Reads each part of the value at a pointer alone.
fn parts(source: &Source, pointer: &str) -> Result<(), DocumentError> {
    match source.get(pointer) {
        Some(Value::Object(map)) => map
            .keys()
            .filter(|key| !matches!(key.as_str(), "example" | "default" | "enum") && !key.starts_with("x-"))
            .try_for_each(|key| part(source, &step(pointer, key))),
        Some(Value::Array(items)) => {
            (0..items.len()).try_for_each(|index| part(source, &step(pointer, &index.to_string())))
        }
        _ => Ok(()),
    }
}

/// Reads the value at a pointer alone, as what its place in the document makes it.
fn part(source: &Source, pointer: &str) -> Result<(), DocumentError> {
    if source.get(pointer).is_some_and(|value| value.get("$ref").is_some()) {
        return Ok(());
    }
    let mut keys = pointer.rsplit('/');
    let (last, parent) = (keys.next().unwrap_or(""), keys.next().unwrap_or(""));
    match (last, parent) {
        (_, "paths") => typed::<PathItem>(source, pointer),
        (_, "schemas" | "properties") | ("schema" | "items", _) => typed::<Schema>(source, pointer),
        (_, "parameters") => typed::<Parameter>(source, pointer),
        (_, "responses") => typed::<Response>(source, pointer),
        (_, "headers") => typed::<Header>(source, pointer),
        (_, "requestBodies") | ("requestBody", _) => typed::<RequestBody>(source, pointer),
        (method, _) if METHODS.contains(&method) => typed::<openapiv3::Operation>(source, pointer),
        _ => parts(source, pointer),
    }
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The one operation; `None` in a document that has no path and says what all endpoints have in common.
fn only_operation(source: &Source) -> Result<Option<Operation>, DocumentError> {
    let paths = source.get("/paths").and_then(Value::as_object);
    let shared = SHARED.iter().map(|key| step("", key)).find(|at| source.get(at).is_some());
    let mut operations = paths.into_iter().flatten().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.as_str());
        methods.filter(|method| METHODS.contains(method)).map(move |method| (path.clone(), method.to_owned()))
    });
    let pointer = |path: &str, method: &str| step(&step("/paths", path), method);
    match (operations.next(), operations.next(), shared) {
        (Some((path, method)), None, None) => {
            Ok(Some(Operation { pointer: pointer(&path, &method), path, method }))
        }
        (Some(_), None, Some(at)) => {
            let message = "holds for every endpoint: it belongs in the document without an operation";
            Err(source.error(&at, message))
        }
        (Some(_), Some((path, method)), _) => Err(source.error(
            &pointer(&path, &method),
            "a second operation: a document is one page's endpoint, so this belongs in its own file",
        )),
        (None, _, Some(_)) if paths.is_some_and(Map::is_empty) => Ok(None),
        (None, ..) => Err(source.error(
            "/paths",
            "describes no operation: a document is one page's endpoint, or has no path and says what all endpoints have \
             in common, such as `x-platform-error-codes`",
        )),
    }
}
