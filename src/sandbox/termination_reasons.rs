//! The endpoint that lists termination reasons, page by page.

use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use http::Uri;
use reqwest::Url;
use serde_json::Value;

use super::answer::Answer;
use super::connection::Cut;
use super::exchange::{Context, lock};
use super::schema::violation;
use crate::facts::{Received, exact_integer};
use crate::generated::cancel_onboard::TerminationType;
use crate::generated::platform::SUCCESS_CODE;
use crate::generated::platform::types::FieldViolation;
use crate::generated::termination_reasons::types::{
    LocalizedText, TerminationReason, TerminationReasonPage, TerminationReasonsResponse,
};
use crate::generated::termination_reasons::{ActiveStatus, ErrorCode, parameters};
use crate::raw_json::RawJson;

/// What the tokens of pages begin with; the number of the page's first reason follows.
const PAGE_TOKEN_PREFIX: &str = "sandbox-page-";
/// The most reasons on a page, unless the sandbox is told otherwise: few enough that its own take two pages, whatever size
/// is asked for.
pub(super) const PER_PAGE: usize = 10;

pub(super) async fn handle(
    State(context): State<Context>,
    Extension(cut): Extension<Cut>,
    request: Request,
) -> Response {
    let shared = context.shared.clone();
    let mut exchange = context.begin(cut, request, None);
    if let Some(refusal) = exchange.refusal(&shared.tokens, &shared.reason_limits) {
        exchange.read().await;
        return exchange.answer(refusal);
    }
    let fault = lock(&shared.reason_faults).next();
    exchange.perform(fault, Duration::ZERO, |head, _| list(&shared.reasons, shared.reasons_per_page, &head.uri)).await
}

/// The page that a query asks for, with this many reasons at most: a page may hold fewer than were asked for.
fn list(reasons: &[Value], most: usize, uri: &Uri) -> Answer {
    let mut violations = Vec::new();
    let mut keep = |outcome: Result<usize, FieldViolation>| outcome.map_err(|violation| violations.push(violation));
    let (start, size) = (keep(start(uri, reasons.len())), keep(size(uri)));
    let (Ok(start), Ok(size)) = (start, size) else {
        return Answer::from(ErrorCode::InvalidParameter).violations(violations);
    };
    let end = start.saturating_add(size.min(most)).min(reasons.len());
    let has_more = end < reasons.len();
    Answer::done(&TerminationReasonsResponse {
        code: SUCCESS_CODE,
        msg: Some("success".to_owned()),
        data: Some(TerminationReasonPage {
            items: Some(reasons[start..end].iter().map(RawJson::from).collect()),
            has_more: Some(has_more),
            page_token: has_more.then(|| format!("{PAGE_TOKEN_PREFIX}{end}")),
        }),
        error: None,
    })
}

/// The number of the page's first reason. An empty token is like none, as with the platform's own clients.
fn start(uri: &Uri, reasons: usize) -> Result<usize, FieldViolation> {
    let Some(token) = parameter(uri, parameters::PAGE_TOKEN).filter(|token| !token.is_empty()) else { return Ok(0) };
    let number = token.strip_prefix(PAGE_TOKEN_PREFIX).and_then(exact_integer);
    let number = number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number < reasons);
    number.ok_or_else(|| violation(parameters::PAGE_TOKEN, &token, "must be one that a page before this one gave"))
}

/// How many reasons a page is to hold at most.
fn size(uri: &Uri) -> Result<usize, FieldViolation> {
    let (default, maximum) = (parameters::PAGE_SIZE_DEFAULT, parameters::PAGE_SIZE_MAXIMUM);
    let size = parameter(uri, parameters::PAGE_SIZE).unwrap_or_else(|| default.to_string());
    let number = exact_integer(&size).filter(|size| (1..=maximum).contains(size));
    number
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| violation(parameters::PAGE_SIZE, &size, format!("must be an integer from 1 to {maximum}")))
}

/// The first value of a parameter of the query, decoded.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    // Only the query is looked at, and that needs an origin to stand behind.
    let url = Url::parse(&format!("http://sandbox/?{}", uri.query()?)).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The reasons that are listed unless others are given. No tenant has set them up.
pub(super) fn by_default() -> Vec<Value> {
    use ActiveStatus::{Disabled, Enabled};
    use TerminationType::{CandidateDeclined, CompanyRejected, Other};
    let reasons = [
        ("6959090661225640000", CompanyRejected, "经历与岗位不匹配", "Experience does not match the position", Enabled),
        ("6959090661225640001", CompanyRejected, "岗位已关闭", "Position closed", Enabled),
        ("6959090661225640002", CompanyRejected, "招聘计划调整", "Hiring plan changed", Enabled),
        ("6959090661225640003", CompanyRejected, "旧流程终止", "Ended by the former process", Disabled),
        ("6959090661225640010", CandidateDeclined, "接受了其他机会", "Took another offer", Enabled),
        ("6959090661225640011", CandidateDeclined, "薪酬期望不一致", "Different salary expectations", Enabled),
        ("6959090661225640012", CandidateDeclined, "工作地点不合适", "Location does not suit", Enabled),
        ("6959090661225640013", CandidateDeclined, "个人计划有变", "Personal plans changed", Enabled),
        ("6959090661225640014", CandidateDeclined, "未说明", "Not stated", Disabled),
        ("6959090661225640020", Other, "重复投递", "Duplicate application", Enabled),
        ("6959090661225640021", Other, "录入有误", "Entered by mistake", Enabled),
        ("6959090661225640022", Other, "历史数据", "Historical data", Disabled),
    ];
    let reasons = reasons.map(|(id, termination_type, zh_cn, en_us, active_status)| {
        let name = LocalizedText { zh_cn: Some(zh_cn.to_owned()), en_us: Some(en_us.to_owned()) };
        TerminationReason {
            id: id.to_owned(),
            referral_name: Some(name.clone()),
            name: Some(name),
            termination_type: Some(Received::Known(termination_type)),
            is_used_as_evaluation: Some(active_status == Enabled),
            active_status: Some(Received::Known(active_status)),
        }
    });
    reasons.iter().map(|reason| serde_json::to_value(reason).unwrap_or_default()).collect()
}
