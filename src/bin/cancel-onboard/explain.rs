//! `explain`: what a code means, without calling anything.

use feishu_cancel_onboard::{Advice, Code, document};
use serde::Serialize;

use crate::arguments::{Common, Explain, Language, Output};
use crate::output::{self, AdviceObject, Exit};

/// The status to reckon with where the page fixes none.
const USUAL_STATUS: u16 = 400;

/// What is known of a cancellation that a code ends which is not listed.
const UNKNOWN_CODE: &str =
    "with an HTTP status of 5xx or 3xx, not whether it took effect; with any other, that nothing changed";

#[derive(Serialize)]
struct Line<'a> {
    code: i64,
    label: Option<&'static str>,
    http_status: Option<u16>,
    kind: &'static str,
    /// Absent for a code that only the HTTP status decides.
    delivery: Option<&'static str>,
    retryable: Option<bool>,
    advice: AdviceObject<'a>,
    page: &'static str,
}

/// Prints the meaning of one code, or of every known one.
pub fn run(common: &Common, explain: &Explain) -> Exit {
    match explain.code {
        Some(document::SUCCESS_CODE) => success(common.output()),
        Some(number) => print(Code::from_number(number), common.output()),
        None => {
            let language = Language::choose(common.lang);
            let mut exits = Code::known().map(|code| match common.output() {
                Output::Json => print(code, common.output()),
                Output::Text => output::print(&summary(code, language), Exit::Done),
            });
            exits.find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done)
        }
    }
}

fn success(form: Output) -> Exit {
    let line = match form {
        Output::Json => r#"{"code":0,"ok":true}"#,
        Output::Text => "0: success, whatever the HTTP status",
    };
    output::print(line, Exit::Done)
}

fn summary(code: Code, language: Language) -> String {
    let meaning = code.meaning(code.http_status().unwrap_or(USUAL_STATUS));
    let known = language.known(meaning.delivery);
    format!("{:<9} {:<24} {}; {known}", code.number(), meaning.kind, code.label().unwrap_or_default())
}

fn print(code: Code, form: Output) -> Exit {
    let status = code.http_status().unwrap_or(USUAL_STATUS);
    let advice = code.advice(status);
    let text = match form {
        Output::Json => json(code, status, &advice),
        Output::Text => text(code, status, &advice),
    };
    output::print(&text, Exit::Done)
}

fn json(code: Code, status: u16, advice: &Advice) -> String {
    let meaning = code.meaning(status);
    let known = code.label().is_some();
    let line = Line {
        code: code.number(),
        label: code.label(),
        http_status: code.http_status(),
        kind: meaning.kind.as_str(),
        delivery: known.then(|| meaning.delivery.as_str()),
        retryable: known.then(|| meaning.is_retryable()),
        advice: AdviceObject { en: &advice.en, zh: &advice.zh },
        page: document::PAGE.url,
    };
    output::json(&line)
}

fn text(code: Code, status: u16, advice: &Advice) -> String {
    let meaning = code.meaning(status);
    let label = code.label().unwrap_or("not listed by the endpoint's page or the platform");
    let status = code.http_status().map_or_else(|| "not fixed".to_owned(), |status| status.to_string());
    let (known, retry) = match (code, meaning.is_retryable()) {
        (Code::Unknown(_), _) => (UNKNOWN_CODE, "with an HTTP status of 5xx only"),
        (_, true) => (Language::En.known(meaning.delivery), "yes"),
        (_, false) => (Language::En.known(meaning.delivery), "no"),
    };
    let rows = [
        ("kind", meaning.kind.to_string()),
        ("HTTP status", status),
        ("what is known", known.to_owned()),
        ("try again later", retry.to_owned()),
        ("what to do", advice.en.to_string()),
        ("处理建议", advice.zh.to_string()),
        ("page", document::PAGE.url.to_owned()),
    ];
    output::block(&format!("{}: {label}", code.number()), &rows)
}
