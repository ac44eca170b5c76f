//! Where a page and a document say different things.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::facts::{ErrorCode, Facts, Field, Scope};
use super::report::Drift;

/// Every difference between what a page says and what its document says.
pub fn compare(page: &Facts, document: &Facts) -> Vec<Drift> {
    let mut drift = Vec::new();
    for (at, page, known) in wholes(page, document) {
        drift.push(Drift::new(at.to_owned(), page, known, line(document, at)));
    }
    let fields = [
        ("header", &page.headers, &document.headers),
        ("path", &page.path, &document.path),
        ("query", &page.query, &document.query),
        ("request.body", &page.request_body, &document.request_body),
        ("response.body", &page.response_body, &document.response_body),
    ];
    for (at, page, known) in fields {
        // Names of headers are the same in any case.
        let same = if at == "header" { str::eq_ignore_ascii_case } else { same_text };
        drift.extend(entries(at, page, known, same, line(document, at)));
    }
    drift.extend(entries("errors", &page.errors, &document.errors, same_text, line(document, "errors")));
    drift
}

fn same_text(one: &str, other: &str) -> bool {
    one == other
}

fn line(document: &Facts, at: &str) -> usize {
    document.lines.get(at).copied().unwrap_or(1)
}

/// The facts that are compared as a whole and differ, each as the page and as the document has it.
fn wholes(page: &Facts, document: &Facts) -> Vec<(&'static str, Value, Value)> {
    let title = |facts: &Facts| json!(facts.title);
    let url = |facts: &Facts| json!(facts.url);
    let method = |facts: &Facts| json!(facts.method);
    let rate_limit = |facts: &Facts| facts.rate_limits.to_json();
    let token_type = |facts: &Facts| list(facts.token_types.iter().map(|token| json!(token)));
    let mut wholes: Vec<_> = [
        ("title", title(page), title(document)),
        ("url", url(page), url(document)),
        ("method", method(page), method(document)),
        ("rate_limit", rate_limit(page), rate_limit(document)),
        ("scopes", scopes(page), scopes(document)),
    ]
    .into_iter()
    .filter(|(_, page, known)| page != known)
    .collect();
    if !same_app_types(page, document) {
        wholes.push(("app_types", app_types(page), app_types(document)));
    }
    if token_types_are_stated(page, document) && page.token_types != document.token_types {
        wholes.push(("token_type", token_type(page), token_type(document)));
    }
    if document.notes.is_some() && page.notes != document.notes {
        wholes.push(("notes", json!(page.notes), json!(document.notes)));
    }
    wholes
}

/// A list as JSON, an empty one as nothing.
fn list(items: impl Iterator<Item = Value>) -> Value {
    let items: Vec<_> = items.collect();
    if items.is_empty() { Value::Null } else { Value::Array(items) }
}

/// The scopes for the call, and those for single fields of its answer; in no order.
fn scopes(facts: &Facts) -> Value {
    let sorted = |scopes: &[Scope]| {
        let mut scopes = scopes.to_vec();
        scopes.sort();
        list(scopes.iter().map(Scope::to_json))
    };
    match (sorted(&facts.scopes), sorted(&facts.field_scopes)) {
        (scopes, Value::Null) => scopes,
        (scopes, fields) => json!({ "call": scopes, "fields": fields }),
    }
}

fn same_app_types(page: &Facts, document: &Facts) -> bool {
    let covered = |some: &Facts, by: &Facts| {
        some.app_types.iter().all(|one| by.app_types.iter().any(|other| one.agrees_with(other)))
    };
    covered(page, document) && covered(document, page)
}

fn app_types(facts: &Facts) -> Value {
    list(facts.app_types.iter().filter_map(|app| app.labels.first()).map(|label| json!(label)))
}

/// Whether the kinds of token are a fact of their own: they stand in the row of the Authorization header, and where
/// that row alone is new or gone, it says so itself.
fn token_types_are_stated(page: &Facts, document: &Facts) -> bool {
    let authorization =
        |facts: &Facts| facts.headers.iter().any(|header| header.name.eq_ignore_ascii_case("Authorization"));
    authorization(page) == authorization(document) || page.headers.is_empty()
}

/// One of several things of a kind, each with a name.
trait Entry {
    fn name(&self) -> &str;
    /// What is said of it.
    fn aspects(&self) -> Map<String, Value>;
    /// The names of the aspects in which the page's entry differs from the document's.
    fn differing(&self, document: &Self) -> Vec<String>;
    fn lines(&self) -> (usize, &BTreeMap<&'static str, usize>);
}

impl Entry for Field {
    fn name(&self) -> &str {
        &self.name
    }

    fn aspects(&self) -> Map<String, Value> {
        self.aspects()
    }

    fn differing(&self, document: &Self) -> Vec<String> {
        let mut differing = differing(&self.aspects(), &document.aspects());
        differing.retain(|aspect| match (aspect.as_str(), &self.kind, &document.kind) {
            ("type", Some(page), Some(known)) => !page.agrees_with(known),
            // Not every table says it.
            ("required", ..) => document.required.is_some(),
            _ => true,
        });
        differing
    }

    fn lines(&self) -> (usize, &BTreeMap<&'static str, usize>) {
        (self.line, &self.lines)
    }
}

impl Entry for ErrorCode {
    fn name(&self) -> &str {
        &self.code
    }

    fn aspects(&self) -> Map<String, Value> {
        self.aspects()
    }

    fn differing(&self, document: &Self) -> Vec<String> {
        differing(&self.aspects(), &document.aspects())
    }

    fn lines(&self) -> (usize, &BTreeMap<&'static str, usize>) {
        (self.line, &self.lines)
    }
}

fn differing(page: &Map<String, Value>, document: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<_> = page.keys().chain(document.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| page.get(name) != document.get(name));
    names
}

/// Compares entries by name. Of several of one name, those that are alike belong together, then those that come first.
fn entries<E: Entry>(
    at: &str,
    page: &[E],
    document: &[E],
    same: fn(&str, &str) -> bool,
    list_line: usize,
) -> Vec<Drift> {
    let mut left: Vec<Option<&E>> = page.iter().map(Some).collect();
    let mut partners: Vec<Option<&E>> = vec![None; document.len()];
    for alike in [true, false] {
        for (known, partner) in document.iter().zip(&mut partners).filter(|(_, partner)| partner.is_none()) {
            let fits = |page: &E| same(page.name(), known.name()) && (!alike || page.differing(known).is_empty());
            let found = left.iter_mut().find(|page| page.is_some_and(&fits));
            *partner = found.and_then(Option::take);
        }
    }
    let known = document.iter().zip(partners).filter_map(|(known, partner)| entry_drift(at, partner, known));
    let added = left
        .into_iter()
        .flatten()
        .map(|page| Drift::new(format!("{at}.{}", page.name()), Value::Object(page.aspects()), Value::Null, list_line));
    known.chain(added).collect()
}

fn entry_drift<E: Entry>(at: &str, page: Option<&E>, document: &E) -> Option<Drift> {
    let place = format!("{at}.{}", document.name());
    let (line, lines) = document.lines();
    let known = document.aspects();
    let Some(page) = page else {
        return Some(Drift::new(place, Value::Null, Value::Object(known), line));
    };
    let differing = page.differing(document);
    let line = match differing.as_slice() {
        [] => return None,
        [only] => lines.get(only.as_str()).copied().unwrap_or(line),
        _ => line,
    };
    let of = |aspects: &Map<String, Value>| {
        let aspect = |name: &String| (name.clone(), aspects.get(name).cloned().unwrap_or_default());
        Value::Object(differing.iter().map(aspect).collect())
    };
    Some(Drift::new(place, of(&page.aspects()), of(&known), line))
}
