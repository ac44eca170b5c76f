//! `explain`: what a code means, without calling anything.

use feishu_cancel_onboard::{Advice, Code, document};
use serde::Serialize;

use crate::arguments::{Common, Explain, Language, Output};
use crate::output::{self, AdviceObject, Exit};

/// The status to reckon with where none is documented.
const USUAL_STATUS: u16 = 400;

/// Whether a cancellation took effect that ended with a code that is not listed: without a log id, the answer may not be
/// the platform's.
const UNLISTED_EFFECT: (&str, &str) = (
    "nothing changed at 2xx and 4xx with a log id; otherwise not known",
    "2xx、4xx 且有日志 ID 时未发生变更；其他情况未知",
);
/// Whether such a cancellation can succeed later.
const UNLISTED_RETRY: (&str, &str) = ("at 5xx or without a log id", "5xx 或没有日志 ID 时可以");

#[derive(Serialize)]
struct Line<'a> {
    code: i64,
    label: Option<&'static str>,
    http_status: Option<u16>,
    kind: &'static str,
    /// Absent for a code that is not listed: the rest of its answer decides.
    delivery: Option<&'static str>,
    retryable: Option<bool>,
    advice: AdviceObject<'a>,
    page: &'static str,
}

/// Prints the meaning of one code, or of every listed one.
pub fn run(common: &Common, explain: &Explain) -> Exit {
    let (form, language) = (common.output(), Language::choose(common.lang));
    match explain.code {
        Some(document::SUCCESS_CODE) => success(form, language),
        Some(number) => print(Code::from_number(number), form, language),
        None => {
            let mut exits = Code::known().map(|code| match form {
                Output::Json => output::print(&json(code), Exit::Done),
                Output::Text => output::print(&summary(code, language), Exit::Done),
            });
            exits.find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done)
        }
    }
}

fn success(form: Output, language: Language) -> Exit {
    let line = match form {
        Output::Json => r#"{"code":0,"ok":true}"#,
        Output::Text => language.pick(
            "0: success at 2xx; at any other HTTP status only with a log id",
            "0：成功（2xx）；其他 HTTP 状态码须有日志 ID 才算成功",
        ),
    };
    output::print(line, Exit::Done)
}

/// The HTTP status to explain a code with.
fn status(code: Code) -> u16 {
    code.http_status().unwrap_or(USUAL_STATUS)
}

/// The page that lists a code, or else that of the endpoint that cancels.
fn page(code: Code) -> &'static str {
    match code {
        Code::TerminationReasons(_) => document::termination_reasons::PAGE.url,
        Code::Token(_) => document::tenant_access_token::PAGE.url,
        _ => document::PAGE.url,
    }
}

fn summary(code: Code, language: Language) -> String {
    let meaning = code.meaning(status(code));
    let known = language.known(meaning.delivery);
    format!("{:<9} {:<24} {}; {known}", code.number(), meaning.kind, code.label().unwrap_or_default())
}

fn print(code: Code, form: Output, language: Language) -> Exit {
    let line = match form {
        Output::Json => json(code),
        Output::Text => text(code, language),
    };
    output::print(&line, Exit::Done)
}

fn json(code: Code) -> String {
    let meaning = code.meaning(status(code));
    let Advice { en, zh, .. } = &code.advice(status(code));
    let listed = code.label().is_some();
    let line = Line {
        code: code.number(),
        label: code.label(),
        http_status: code.http_status(),
        kind: meaning.kind.as_str(),
        delivery: listed.then(|| meaning.delivery.as_str()),
        retryable: listed.then(|| meaning.is_retryable()),
        advice: AdviceObject { en, zh },
        page: page(code),
    };
    output::json(&line)
}

fn text(code: Code, language: Language) -> String {
    let meaning = code.meaning(status(code));
    let advice = code.advice(status(code));
    let label = code.label().unwrap_or(language.pick("not listed", "未列出的错误码"));
    let documented = code.http_status().map(|status| status.to_string());
    let (known, retry) = match (code, meaning.is_retryable()) {
        (Code::Unknown(_), _) => (pick(language, UNLISTED_EFFECT), pick(language, UNLISTED_RETRY)),
        (_, true) => (language.known(meaning.delivery), language.pick("yes", "可以")),
        (_, false) => (language.known(meaning.delivery), language.pick("no", "不可以")),
    };
    let rows = [
        (language.pick("kind", "错误类型"), meaning.kind.to_string()),
        (
            language.pick("HTTP status", "HTTP 状态码"),
            documented.unwrap_or_else(|| language.pick("not fixed", "不固定").to_owned()),
        ),
        (language.pick("what is known", "是否生效"), known.to_owned()),
        (language.pick("try again later", "稍后重试"), retry.to_owned()),
        ("what to do", advice.en.into_owned()),
        ("处理建议", advice.zh.into_owned()),
        (language.pick("page", "接口文档"), page(code).to_owned()),
    ];
    output::block(&format!("{}{}{label}", code.number(), language.pick(": ", "：")), &rows)
}

fn pick(language: Language, (en, zh): (&'static str, &'static str)) -> &'static str {
    language.pick(en, zh)
}
