//! What a document in `spec/` says of its endpoint, and the line on which it says it.

use std::collections::BTreeMap;
use std::iter;

use serde_json::Value;

use super::description::decimal;
use super::facts::{AppType, Bounds, Choice, ErrorCode, Facts, Field, Kind, RateLimit, RateLimits, Required, Scope};
use super::outline::one_line;
use feishu_cancel_onboard_codegen::{DocumentError, Source, step};

/// How deep fields may be nested, and how many references may lead from one to the next.
const DEEPEST: usize = 16;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The facts of one of several documents, which may refer to one another.
///
/// # Errors
/// At the first thing that can't be read.
pub fn facts(sources: &[Source], own: usize) -> Result<Facts, DocumentError> {
    let root = Place { sources, own, at: own, pointer: String::new(), line: 1 };
    let (path, method, operation) = operation(&root)?;
    let origin = origin(&root)?;
    let request_body = operation.get("requestBody").and_then(|body| body.get("content")).and_then(|all| all.first());
    let answer = operation.get("responses").and_then(|all| all.get("200")).and_then(|answer| answer.get("content"));
    let mut facts = Facts {
        title: Some(one_line(root.need("info")?.string("x-doc-title")?)),
        url: Some(format!("{origin}{}", colon_parameters(&path))),
        method: Some(method.to_uppercase()),
        rate_limits: rate_limits(&operation)?,
        app_types: operation.items("x-app-types").iter().map(app_type).collect::<Result<_, _>>()?,
        scopes: scopes(&operation, "x-required-scopes")?,
        field_scopes: scopes(&operation, "x-field-scopes")?,
        token_types: operation.items("x-token-types").iter().map(Place::text).collect::<Result<_, _>>()?,
        headers: headers(&root, &operation)?,
        path: parameters(&operation, "path")?,
        query: parameters(&operation, "query")?,
        errors: operation.items("x-error-codes").iter().map(error_code).collect::<Result<_, _>>()?,
        notes: operation.get("x-notes-digest").map(|digest| digest.text()).transpose()?,
        lines: lines(&root, &operation),
        ..Facts::default()
    };
    facts.token_types.sort();
    if let Some(schema) = request_body.as_ref().and_then(|(_, media)| media.get("schema")) {
        facts.lines.insert("request.body", schema.line_of("properties"));
        fields(&schema, true, 0, &mut facts.request_body)?;
    }
    if let Some(schema) = answer.and_then(|all| all.first()).and_then(|(_, media)| media.get("schema")) {
        facts.lines.insert("response.body", schema.line_of("properties"));
        fields(&schema, false, 0, &mut facts.response_body)?;
    }
    Ok(facts)
}

/// A place in one of the documents.
#[derive(Clone)]
struct Place<'a> {
    sources: &'a [Source],
    /// The document whose lines count.
    own: usize,
    /// The document that the place is in.
    at: usize,
    pointer: String,
    /// The line of the document that counts on which the place is, or on which it is referred to.
    line: usize,
}

impl<'a> Place<'a> {
    fn value(&self) -> &'a Value {
        self.sources[self.at].get(&self.pointer).unwrap_or(&Value::Null)
    }

    /// What stands under a key, wherever a reference there leads.
    fn get(&self, key: &str) -> Option<Self> {
        let pointer = step(&self.pointer, key);
        let source = &self.sources[self.at];
        source.get(&pointer)?;
        let line = if self.at == self.own { source.line(&pointer) } else { self.line };
        let mut place = Self { pointer, line, ..self.clone() };
        for _ in 0..DEEPEST {
            let Some(reference) = place.value().get("$ref").and_then(Value::as_str) else { break };
            let (file, pointer) = reference.split_once('#')?;
            if !file.is_empty() {
                let file = format!("/{}", file.trim_start_matches("./"));
                place.at = self.sources.iter().position(|source| format!("/{}", source.file).ends_with(&file))?;
            }
            place.pointer = pointer.to_owned();
        }
        Some(place)
    }

    fn need(&self, key: &str) -> Result<Self, DocumentError> {
        self.get(key).ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    fn items(&self, key: &str) -> Vec<Self> {
        let Some(list) = self.get(key) else { return Vec::new() };
        let length = list.value().as_array().map_or(0, Vec::len);
        (0..length).filter_map(|index| list.get(&index.to_string())).collect()
    }

    /// The entries of a mapping, in the order of their lines.
    fn entries(&self) -> Vec<(String, Self)> {
        let keys = self.value().as_object().into_iter().flat_map(|map| map.keys());
        let mut entries: Vec<_> = keys.filter_map(|key| Some((key.clone(), self.get(key)?))).collect();
        entries.sort_by_key(|(_, place)| place.line);
        entries
    }

    fn first(&self) -> Option<(String, Self)> {
        self.entries().into_iter().next()
    }

    fn error(&self, message: String) -> DocumentError {
        self.sources[self.at].error(&self.pointer, message)
    }

    fn text(&self) -> Result<String, DocumentError> {
        match self.value() {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(value) => Ok(value.to_string()),
            _ => Err(self.error("must be a string or a number".to_owned())),
        }
    }

    fn string(&self, key: &str) -> Result<&'a str, DocumentError> {
        let value = self.need(key)?.value();
        value.as_str().ok_or_else(|| self.error(format!("`{key}` must be a string")))
    }

    fn count(&self, key: &str) -> Result<u64, DocumentError> {
        let value = self.need(key)?.value();
        value.as_u64().ok_or_else(|| self.error(format!("`{key}` must be a positive integer")))
    }

    fn line_of(&self, key: &str) -> usize {
        self.get(key).map_or(self.line, |place| place.line)
    }
}

/// The one operation, with its path and its method.
fn operation<'a>(root: &Place<'a>) -> Result<(String, String, Place<'a>), DocumentError> {
    let paths = root.need("paths")?;
    let operations = paths.entries().into_iter().flat_map(|(path, item)| {
        let methods = item.entries().into_iter().filter(|(method, _)| METHODS.contains(&method.as_str()));
        methods.map(move |(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    });
    let found = operations.into_iter().next();
    found.ok_or_else(|| paths.error("describes no operation".to_owned()))
}

/// The origin that pages name: the first one of the document, or of the one that says what all have in common.
fn origin<'a>(root: &Place<'a>) -> Result<&'a str, DocumentError> {
    let has_servers = |index: &usize| root.sources[*index].get("/servers").is_some();
    let mut places = iter::once(root.own).chain(0..root.sources.len()).filter(has_servers);
    let servers = places.next().map(|at| Place { at, ..root.clone() }.items("servers")).unwrap_or_default();
    servers.first().map_or(Ok(""), |server| server.string("url"))
}

/// A path as pages write it: `{name}` is `:name` there.
pub fn colon_parameters(path: &str) -> String {
    path.replace('{', ":").replace('}', "")
}

fn rate_limits(operation: &Place<'_>) -> Result<RateLimits, DocumentError> {
    let mut limits = operation
        .items("x-rate-limit")
        .iter()
        .map(|limit| Ok(RateLimit { period_seconds: limit.count("period_seconds")?, calls: limit.count("calls")? }))
        .collect::<Result<Vec<_>, _>>()?;
    limits.sort();
    Ok(RateLimits::Stated(limits))
}

/// A kind of app under all its names: its labels first, then the name that some forms of a page use for it.
fn app_type(place: &Place<'_>) -> Result<AppType, DocumentError> {
    let labels = place.items("labels").iter().map(Place::text).collect::<Result<Vec<_>, _>>()?;
    let name = place.string("name")?.to_owned();
    Ok(AppType { labels: labels.into_iter().chain([name]).collect() })
}

fn scopes(operation: &Place<'_>, key: &str) -> Result<Vec<Scope>, DocumentError> {
    let scope = |place: &Place<'_>| {
        Ok(Scope { name: Some(place.string("name")?.to_owned()), label: place.string("label")?.to_owned() })
    };
    operation.items(key).iter().map(scope).collect()
}

fn error_code(place: &Place<'_>) -> Result<ErrorCode, DocumentError> {
    let http_status = place.get("http_status").map(|status| status.text()).transpose()?;
    let lines = ["http_status", "label"].into_iter().map(|key| (key, place.line_of(key)));
    Ok(ErrorCode {
        code: place.need("code")?.text()?,
        http_status,
        label: place.string("label")?.to_owned(),
        line: place.line_of("code"),
        lines: lines.collect(),
    })
}

/// The headers: from the security scheme, from the media type of the body, and those that are parameters.
fn headers(root: &Place<'_>, operation: &Place<'_>) -> Result<Vec<Field>, DocumentError> {
    let string = || Some(Kind::of_schema("string", None, None));
    let mut headers = Vec::new();
    let schemes = root.get("components").and_then(|components| components.get("securitySchemes"));
    let required = operation.get("security").map_or_else(|| root.items("security"), |_| operation.items("security"));
    for scheme in required.iter().filter_map(|one| schemes.as_ref()?.get(&one.first()?.0)) {
        if scheme.value()["type"] == "http" && scheme.value()["scheme"] == "bearer" {
            headers.push(Field {
                name: "Authorization".to_owned(),
                kind: string(),
                required: Some(Required::Yes),
                value_format: Some("Bearer access_token".to_owned()),
                line: scheme.line,
                ..Field::default()
            });
        }
    }
    let content = operation.get("requestBody").and_then(|body| body.get("content"));
    for (media_type, place) in content.iter().flat_map(Place::entries) {
        headers.push(Field {
            name: "Content-Type".to_owned(),
            kind: string(),
            required: Some(Required::Yes),
            fixed_value: Some(media_type),
            line: place.line,
            ..Field::default()
        });
    }
    headers.extend(parameters(operation, "header")?);
    Ok(headers)
}

fn parameters(operation: &Place<'_>, wanted: &str) -> Result<Vec<Field>, DocumentError> {
    let parameters = operation.items("parameters").into_iter().filter(|parameter| parameter.value()["in"] == wanted);
    parameters
        .map(|parameter| {
            let schema = parameter.need("schema")?;
            let mut field = field(parameter.string("name")?, &schema)?;
            field.line = parameter.line_of("name");
            // A path has no place for what is not given, so pages do not say whether it must be.
            if wanted != "path" {
                let required = parameter.value()["required"] == true;
                field.required = Some(if required { Required::Yes } else { Required::No });
                field.lines.insert("required", parameter.line_of("required"));
            }
            Ok(field)
        })
        .collect()
}

/// Appends the fields of an object, each followed by the fields within it, as pages list them.
fn fields(schema: &Place<'_>, requests: bool, depth: usize, into: &mut Vec<Field>) -> Result<(), DocumentError> {
    if depth == DEEPEST {
        return Err(schema.error(format!("nested more than {DEEPEST} deep")));
    }
    for part in parts(schema) {
        let required: Vec<_> = part.items("required").iter().map(Place::text).collect::<Result<_, _>>()?;
        for (name, property) in part.get("properties").iter().flat_map(Place::entries) {
            if property.value()["x-not-on-page"] == true {
                continue;
            }
            let mut field = field(&name, &property)?;
            if requests {
                field.required = Some(if required.contains(&name) { Required::Yes } else { Required::No });
                let line = part.get("required").map_or(field.line, |place| place.line);
                field.lines.insert("required", line);
            }
            into.push(field);
            fields(&innermost(&property), requests, depth + 1, into)?;
        }
    }
    Ok(())
}

/// A schema and those that it is made of.
fn parts<'a>(schema: &Place<'a>) -> Vec<Place<'a>> {
    [schema.clone()].into_iter().chain(schema.items("allOf")).collect()
}

/// What a list is of, or a list of lists; anything else is itself.
fn innermost<'a>(schema: &Place<'a>) -> Place<'a> {
    let mut place = schema.clone();
    for _ in 0..DEEPEST {
        match parts(&place).iter().find_map(|part| part.get("items")) {
            Some(items) => place = items,
            None => break,
        }
    }
    place
}

/// What a schema says of a field, except whether it is required.
fn field(name: &str, schema: &Place<'_>) -> Result<Field, DocumentError> {
    let parts = parts(schema);
    let find = |keys: &[&str]| parts.iter().find_map(|part| keys.iter().find_map(|key| part.get(key)));
    let number =
        |keys: &[&str]| find(keys).and_then(|place| place.text().ok()).map(|text| decimal(&text).unwrap_or(text));
    let innermost = innermost(schema);
    let lines = [
        ("type", find(&["type"])),
        ("values", innermost.get("enum")),
        ("length", find(&["maxLength", "minLength", "maxItems", "minItems"])),
        ("range", find(&["maximum", "minimum"])),
        ("rules", find(&["x-page-rules"])),
    ];
    let lines: BTreeMap<_, _> = lines.into_iter().filter_map(|(name, place)| Some((name, place?.line))).collect();
    Ok(Field {
        name: name.to_owned(),
        kind: Some(kind(schema, 0)),
        values: values(&innermost)?,
        length: Bounds { min: number(&["minLength", "minItems"]), max: number(&["maxLength", "maxItems"]) }.of_length(),
        range: Bounds { min: number(&["minimum"]), max: number(&["maximum"]) },
        rules: schema.items("x-page-rules").iter().map(Place::text).collect::<Result<_, _>>()?,
        line: schema.line,
        lines,
        ..Field::default()
    })
}

fn kind(schema: &Place<'_>, depth: usize) -> Kind {
    let parts = parts(schema);
    let find = |key| parts.iter().find_map(|part| part.value().get(key)?.as_str());
    let items = parts.iter().find_map(|part| part.get("items")).filter(|_| depth < DEEPEST);
    Kind::of_schema(find("type").unwrap_or("object"), find("format"), items.map(|items| kind(&items, depth + 1)))
}

fn values(schema: &Place<'_>) -> Result<Vec<Choice>, DocumentError> {
    let labels = schema.items("x-enum-descriptions");
    let values = schema.items("enum").into_iter().enumerate().map(|(index, value)| {
        let label = labels.get(index).map(Place::text).transpose()?.unwrap_or_default();
        Ok(Choice { value: value.text()?, label: one_line(&label) })
    });
    values.collect()
}

fn lines(root: &Place<'_>, operation: &Place<'_>) -> BTreeMap<&'static str, usize> {
    let keys = [
        ("rate_limit", "x-rate-limit"),
        ("app_types", "x-app-types"),
        ("scopes", "x-required-scopes"),
        ("token_type", "x-token-types"),
        ("header", "parameters"),
        ("path", "parameters"),
        ("query", "parameters"),
        ("request.body", "requestBody"),
        ("response.body", "responses"),
        ("errors", "x-error-codes"),
        ("notes", if operation.get("x-notes-digest").is_some() { "x-notes-digest" } else { "x-notes" }),
        // The operation itself.
        ("method", ""),
    ];
    let mut lines: BTreeMap<_, _> = keys.into_iter().map(|(fact, key)| (fact, operation.line_of(key))).collect();
    lines.insert("title", root.get("info").map_or(1, |info| info.line_of("x-doc-title")));
    lines.insert("url", root.get("paths").and_then(|paths| paths.first()).map_or(1, |(_, path)| path.line));
    lines
}
