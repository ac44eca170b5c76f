//! The list of termination reasons: its pages, what is refused, its own limits, and what the library makes of it.

use std::collections::BTreeSet;

use feishu_cancel_onboard::sandbox::{Ending, Fault, Sandbox};
use feishu_cancel_onboard::{Client, PlatformErrorCode, RateLimit, Received, TerminationType};
use serde_json::{Value, json};

use crate::wire::{Answered, cancel, client, exchange, head, parse, send};

async fn sandbox() -> Sandbox {
    Sandbox::start().await.expect("it starts")
}

fn request(sandbox: &Sandbox, query: &str) -> reqwest::RequestBuilder {
    client().get(format!("{}/open-apis/hire/v1/termination_reasons{query}", sandbox.base_url()))
}

async fn list(sandbox: &Sandbox, query: &str) -> Answered {
    send(request(sandbox, query).bearer_auth(sandbox.token())).await.expect("it answers")
}

fn library(sandbox: &Sandbox) -> Client {
    let origin = sandbox.base_url().parse().expect("it is an origin");
    let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build();
    client.expect("it can be made")
}

fn items(answer: &Answered) -> Vec<Value> {
    answer.assert(200, 0);
    answer.json()["data"]["items"].as_array().expect("there are items").clone()
}

/// Every item, over pages of this size, and how many pages there were.
async fn all(sandbox: &Sandbox, size: &str) -> (Vec<Value>, usize) {
    let (mut found, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let answer = list(sandbox, &format!("?page_token={token}{size}")).await;
        found.extend(items(&answer));
        pages += 1;
        let data = &answer.json()["data"];
        if data["has_more"] == false {
            assert_eq!(data.get("page_token"), None);
            return (found, pages);
        }
        token = data["page_token"].as_str().expect("there is a token").to_owned();
        assert!(!token.is_empty() && pages < 20);
    }
}

#[tokio::test]
async fn the_reasons_come_over_two_pages_or_more_whatever_size_is_asked_for() {
    let sandbox = sandbox().await;
    let first = list(&sandbox, "").await;
    assert_eq!(items(&first).len(), 10);
    assert_eq!(first.json()["data"]["has_more"], true);
    let (found, pages) = all(&sandbox, "").await;
    assert_eq!((found.len(), pages), (12, 2));
    for (size, expected) in [(1, 12), (5, 3), (6, 2), (12, 2), (200, 2)] {
        assert_eq!(all(&sandbox, &format!("&page_size={size}")).await, (found.clone(), expected), "{size}");
    }
}

#[tokio::test]
async fn how_many_reasons_a_page_holds_at_most_can_be_set() {
    for (most, size, expected) in [(12, 200, 1), (11, 200, 2), (3, 200, 4), (3, 2, 6), (0, 200, 12)] {
        let sandbox = Sandbox::builder().reasons_per_page(most).start().await.expect("it starts");
        let (found, pages) = all(&sandbox, &format!("&page_size={size}")).await;
        assert_eq!((found.len(), pages), (12, expected), "{most} {size}");
    }
}

#[tokio::test]
async fn the_library_reads_two_pages_though_it_asks_for_as_many_as_it_may() {
    let sandbox = sandbox().await;
    let mut reasons = library(&sandbox).termination_reasons();
    let mut ids = BTreeSet::new();
    while let Some(reason) = reasons.next().await {
        ids.insert(reason.expect("it is listed").id().to_owned());
    }
    let pages = sandbox.calls().into_iter().filter(|call| call.method == "GET").map(|call| call.status);
    assert_eq!((ids.len(), pages.collect::<Vec<_>>()), (12, vec![Some(200); 2]));
}

#[tokio::test]
async fn the_reasons_are_of_every_type_and_some_are_disabled() {
    let (found, _) = all(&sandbox().await, "").await;
    let distinct = |key: &str| found.iter().map(|item| item[key].to_string()).collect::<BTreeSet<_>>();
    assert_eq!(distinct("id").len(), 12);
    assert_eq!(distinct("termination_type"), ["1", "22", "27"].map(str::to_owned).into());
    assert_eq!(distinct("active_status"), ["1", "2"].map(str::to_owned).into());
    for item in &found {
        let keys: Vec<_> = item.as_object().expect("it is an object").keys().map(String::as_str).collect();
        let expected =
            ["active_status", "id", "is_used_as_evaluation", "name", "referral_name", "termination_type"].to_vec();
        assert_eq!(keys.iter().copied().collect::<BTreeSet<_>>(), expected.into_iter().collect());
        for name in ["name", "referral_name"] {
            assert!(item[name]["zh_cn"].as_str().is_some_and(|name| !name.is_ascii()), "{item}");
            assert!(item[name]["en_us"].as_str().is_some_and(|name| name.is_ascii()), "{item}");
        }
        assert!(item["is_used_as_evaluation"].is_boolean());
    }
}

#[tokio::test]
async fn parameters_that_are_not_as_documented_are_refused() {
    let sandbox = sandbox().await;
    for (query, field, value) in [
        ("?page_size=0", "page_size", "0"),
        ("?page_size=201", "page_size", "201"),
        ("?page_size=-1", "page_size", "-1"),
        ("?page_size=", "page_size", ""),
        ("?page_size=1.5", "page_size", "1.5"),
        ("?page_size=%2B5", "page_size", "+5"),
        ("?page_size=99999999999999999999", "page_size", "99999999999999999999"),
        ("?page_token=else", "page_token", "else"),
        ("?page_token=sandbox-page-12", "page_token", "sandbox-page-12"),
        ("?page_token=sandbox-page--1", "page_token", "sandbox-page--1"),
        ("?page_token=%E5%80%99", "page_token", "候"),
    ] {
        let answer = list(&sandbox, query).await;
        answer.assert(400, 1002002);
        assert_eq!(answer.violations(), [(field.to_owned(), value.to_owned())], "{query}");
    }
    let both = list(&sandbox, "?page_size=x&page_token=y").await;
    both.assert(400, 1002002);
    assert_eq!(both.violations().len(), 2);
    for query in ["?", "?other=1", "?page_token=", "?page_size=200&page_size=0"] {
        list(&sandbox, query).await.assert(200, 0);
    }
}

#[tokio::test]
async fn a_token_is_needed_and_the_method_is_get() {
    let sandbox = sandbox().await;
    send(request(&sandbox, "?page_size=0")).await.expect("it answers").assert(400, 99991661);
    send(request(&sandbox, "").bearer_auth("t-wrong")).await.expect("it answers").assert(400, 99991663);
    let url = format!("{}/open-apis/hire/v1/termination_reasons", sandbox.base_url());
    let answer = send(client().post(url).bearer_auth(sandbox.token())).await.expect("it answers");
    assert_eq!(answer.status, 405);
    let calls = sandbox.calls();
    assert!(calls.iter().all(|call| call.application_id.is_none()));
    assert_eq!(calls[0].path, "/open-apis/hire/v1/termination_reasons");
    // A query that is no text, which no client would send.
    let bytes = head(&sandbox, "/open-apis/hire/v1/termination_reasons?page_size=%FF%00", "").replace("POST", "GET");
    let (status, envelope) = parse(&exchange(&sandbox, bytes.as_bytes()).await.expect("it answers"));
    assert_eq!((status, &envelope["code"]), (400, &json!(1002002)));
}

#[tokio::test]
async fn fifty_calls_in_a_second_are_let_through_apart_from_cancellations() {
    let sandbox = sandbox().await;
    let mut refused = 0;
    for _ in 0..120 {
        let answer = list(&sandbox, "?page_size=1").await;
        if answer.code() == 99991400 {
            refused += 1;
            answer.assert(429, 99991400);
            assert_eq!(answer.header("x-ogw-ratelimit-limit"), Some("50"));
            assert_eq!(answer.header("x-ogw-ratelimit-reset"), Some("1"));
        }
    }
    cancel(&sandbox, "1111111111").await.assert(200, 0);
    let calls = sandbox.calls();
    let let_through: Vec<_> =
        calls.iter().filter(|call| call.status == Some(200) && call.method == "GET").map(|call| call.at).collect();
    assert_eq!(let_through.len() + refused, 120);
    for more in let_through.windows(51) {
        assert!(more[50].duration_since(more[0]).as_secs() >= 1);
    }
}

#[tokio::test]
async fn both_limits_hold_unless_others_are_given() {
    let minute = |calls| RateLimit { calls, period: std::time::Duration::from_secs(60) };
    let second = RateLimit { calls: 100, period: std::time::Duration::from_secs(1) };
    let sandbox = Sandbox::builder().reason_rate_limits([second, minute(3)]).start().await.expect("it starts");
    for _ in 0..3 {
        list(&sandbox, "").await.assert(200, 0);
    }
    let answer = list(&sandbox, "").await;
    answer.assert(429, 99991400);
    assert_eq!(answer.header("x-ogw-ratelimit-limit"), Some("3"));
    let sandbox = Sandbox::builder().reason_rate_limits([]).start().await.expect("it starts");
    for _ in 0..120 {
        list(&sandbox, "?page_size=1").await.assert(200, 0);
    }
}

#[tokio::test]
async fn the_library_reads_every_page_whatever_goes_wrong_on_the_way() {
    let sandbox = sandbox().await;
    sandbox.fail_reason_lists([
        Fault::WithEffect(Ending::Reset),
        Fault::None,
        Fault::WithoutEffect(PlatformErrorCode::AccessTokenExpired.into()),
        Fault::WithEffect(Ending::Truncated(40)),
    ]);
    let mut reasons = library(&sandbox).termination_reasons().page_size(5);
    let mut declined = Vec::new();
    let mut count = 0;
    while let Some(reason) = reasons.next().await {
        let reason = reason.expect("it is listed");
        count += 1;
        if reason.termination_type() == Some(Received::Known(TerminationType::CandidateDeclined)) {
            declined.push((reason.id().to_owned(), reason.is_disabled()));
        }
    }
    assert_eq!((count, declined.len()), (12, 5));
    assert_eq!(declined.iter().filter(|(_, disabled)| *disabled).count(), 1);
    let calls = sandbox.calls();
    assert_eq!(calls.iter().filter(|call| call.method == "GET").count(), 6);
}

#[tokio::test]
async fn other_reasons_can_be_given_as_they_are_to_be_sent() {
    let odd = json!({"id": "1", "termination_type": 99, "more": null});
    let sandbox = Sandbox::builder().termination_reasons([odd.clone()]).start().await.expect("it starts");
    assert_eq!(items(&list(&sandbox, "").await), [odd]);
    let sandbox = Sandbox::builder().termination_reasons([]).start().await.expect("it starts");
    assert_eq!(items(&list(&sandbox, "").await), [json!(null); 0]);
}
