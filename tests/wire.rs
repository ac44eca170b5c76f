//! What goes over the wire for a cancellation, and what each answer is taken for.

use test_support::raw_server;

use std::collections::BTreeSet;
use std::time::Duration;

use feishu_cancel_onboard::{
    Client, Code, Delivery, Error, ErrorCode, ErrorKind, Origin, Outcome, Pace, PlatformErrorCode, RetryPolicy,
    ServiceErrorCode, TerminationType, TokenErrorCode,
};
use raw_server::{Act, RawServer, SECRET, TOKEN, json, response};
use serde_json::{Value, json};

fn client(server: &RawServer) -> Client {
    let origin: Origin = server.origin.parse().expect("loopback is an origin");
    Client::builder().origin(origin).app("cli_test", SECRET).retry(RetryPolicy::off()).build().expect("it can be made")
}

async fn cancel_with(act: Act) -> Result<feishu_cancel_onboard::Cancelled, Error> {
    let server = RawServer::start(move |_, _| act.clone()).await;
    client(&server).cancel_onboard("1111111111", TerminationType::CompanyRejected).send().await
}

#[tokio::test]
async fn the_example_of_the_page_goes_out_as_the_page_says() {
    let server = RawServer::start(|_, _| json(200, r#"{"code":0,"msg":"success","data":{}}"#)).await;
    let done = client(&server)
        .cancel_onboard("1111111111", TerminationType::CompanyRejected)
        .reason_ids(["6959090661225640000"])
        .notes("候选人经历不匹配")
        .send()
        .await
        .expect("it is cancelled");
    assert_eq!(done.outcome(), Outcome::Cancelled);
    assert_eq!(done.attempts(), 1);

    let [token, call] = &server.seen()[..] else { panic!("two requests, not {:?}", server.seen()) };
    assert_eq!(
        (token.method.as_str(), token.path.as_str()),
        ("POST", "/open-apis/auth/v3/tenant_access_token/internal")
    );
    let body: Value = serde_json::from_str(&token.body).expect("it is JSON");
    assert_eq!(body, json!({"app_id": "cli_test", "app_secret": SECRET}));
    assert_eq!(token.header("content-type"), ["application/json; charset=utf-8"]);
    assert!(token.header("authorization").is_empty());

    assert_eq!(call.method, "POST");
    assert_eq!(call.path, "/open-apis/hire/v1/applications/1111111111/cancel_onboard");
    assert_eq!(call.header("authorization"), [format!("Bearer {TOKEN}")]);
    assert_eq!(call.header("content-type"), ["application/json; charset=utf-8"]);
    assert_eq!(call.header("accept"), ["application/json"]);
    assert_eq!(call.header("host"), [server.origin.trim_start_matches("http://")]);
    assert!(call.header("user-agent")[0].starts_with("feishu-cancel-onboard/"));
    let mut names: Vec<_> = call.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let expected =
        ["accept", "accept-encoding", "authorization", "content-length", "content-type", "host", "user-agent"];
    assert_eq!(names, expected);
    assert_eq!(call.header("accept-encoding"), ["identity"]);
    let body: Value = serde_json::from_str(&call.body).expect("it is JSON");
    assert_eq!(
        body,
        json!({
            "termination_type": 1,
            "termination_reason_id_list": ["6959090661225640000"],
            "termination_reason_notes": "候选人经历不匹配"
        })
    );
}

#[tokio::test]
async fn what_was_not_given_is_not_sent() {
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let client = client(&server);
    for kind in TerminationType::ALL {
        client.cancel_onboard("1111111111", *kind).send().await.expect("it is cancelled");
    }
    let bodies: Vec<_> = server.cancellations().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, [r#"{"termination_type":1}"#, r#"{"termination_type":22}"#, r#"{"termination_type":27}"#]);
}

#[tokio::test]
async fn code_0_is_success_whatever_else_is_missing_but_a_log_id_where_the_status_says_otherwise() {
    for (status, body) in [
        (200, r#"{"code":0,"msg":"success","data":{}}"#),
        (200, r#"{"code":0,"msg":"success","data":null}"#),
        (200, r#"{"code":0,"msg":"success"}"#),
        (200, r#"{"code":0}"#),
        (200, r#"{"code":0,"msg":null,"data":"?","error":[]}"#),
        (200, r#"{"code":0,"msg":7,"data":[],"error":{"log_id":"x"},"new":{"part":1}}"#),
        (201, r#"{"code":0}"#),
        (400, r#"{"code":0,"error":{"log_id":"L"}}"#),
        (500, r#"{"code":0,"msg":{},"error":{"log_id":"L"}}"#),
    ] {
        let done = cancel_with(json(status, body)).await;
        assert_eq!(done.expect(body).outcome(), Outcome::Cancelled, "{status} {body}");
    }
    for status in [302, 400, 404, 500, 504] {
        let signed = cancel_with(Act::Answer(response(status, &[("X-Tt-Logid", "L")], r#"{"code":0}"#))).await;
        assert_eq!(signed.expect("it has a log id").outcome(), Outcome::Cancelled, "{status}");
        let unsigned = cancel_with(Act::Answer(response(status, &[("X-Request-Id", "R")], r#"{"code":0}"#))).await;
        let error = unsigned.expect_err("a gateway can say that too");
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::UnexpectedResponse, Delivery::Unknown), "{status}");
        assert_eq!((error.code(), error.log_id(), error.http_status()), (None, Some("R"), Some(status)));
    }
}

#[tokio::test]
async fn the_log_id_comes_from_the_header_the_body_or_the_fallback() {
    let headers = [("X-Tt-Logid", "from-header"), ("X-Request-Id", "fallback")];
    let done = cancel_with(Act::Answer(response(200, &headers, r#"{"code":0}"#))).await.expect("it is cancelled");
    assert_eq!(done.log_id(), Some("from-header"));
    let done = cancel_with(Act::Answer(response(200, &headers[1..], r#"{"code":0}"#))).await.expect("it is cancelled");
    assert_eq!(done.log_id(), Some("fallback"));
    let body = r#"{"code":1002002,"error":{"log_id":"from-body"}}"#;
    let error = cancel_with(json(400, body)).await.expect_err("it is refused");
    assert_eq!(error.log_id(), Some("from-body"));
}

/// What each code means: its kind, whether anything can have changed, whether a later call can succeed.
const MEANINGS: [(i64, ErrorKind, Delivery, bool); 30] = [
    (1002001, ErrorKind::SystemError, Delivery::Unknown, true),
    (1002002, ErrorKind::InvalidParameter, Delivery::Rejected, false),
    (1002221, ErrorKind::AlreadyTerminated, Delivery::Rejected, false),
    (1002910, ErrorKind::ManagedByFeishuPeople, Delivery::Rejected, false),
    (99991400, ErrorKind::RateLimited, Delivery::Rejected, true),
    (99991661, ErrorKind::Unauthorized, Delivery::Rejected, false),
    (99991663, ErrorKind::Unauthorized, Delivery::Rejected, false),
    (99991664, ErrorKind::Unauthorized, Delivery::Rejected, false),
    (99991668, ErrorKind::Unauthorized, Delivery::Rejected, false),
    (99991671, ErrorKind::Unauthorized, Delivery::Rejected, false),
    (99991677, ErrorKind::Unauthorized, Delivery::Rejected, false),
    (99991672, ErrorKind::PermissionDenied, Delivery::Rejected, false),
    (99991676, ErrorKind::PermissionDenied, Delivery::Rejected, false),
    (99991543, ErrorKind::InvalidCredentials, Delivery::Rejected, false),
    (99991662, ErrorKind::AppUnavailable, Delivery::Rejected, false),
    (99991673, ErrorKind::AppUnavailable, Delivery::Rejected, false),
    (2200, ErrorKind::SystemError, Delivery::Unknown, true),
    (99992402, ErrorKind::InvalidParameter, Delivery::Rejected, false),
    (1002201, ErrorKind::ApplicationNotFound, Delivery::Rejected, false),
    (1002202, ErrorKind::Other, Delivery::Rejected, false),
    (1002203, ErrorKind::Other, Delivery::Rejected, false),
    (1002204, ErrorKind::Other, Delivery::Rejected, false),
    (1002209, ErrorKind::Other, Delivery::Rejected, false),
    (1002210, ErrorKind::Other, Delivery::Rejected, false),
    (1002212, ErrorKind::Other, Delivery::Unknown, true),
    (1002216, ErrorKind::Other, Delivery::Rejected, false),
    (1002218, ErrorKind::Other, Delivery::Rejected, true),
    (1002902, ErrorKind::Other, Delivery::Rejected, false),
    (1002903, ErrorKind::Other, Delivery::Rejected, false),
    (1002908, ErrorKind::Other, Delivery::Rejected, false),
];

#[tokio::test]
async fn every_documented_code_has_its_meaning_under_any_status() {
    let known = ErrorCode::ALL.len() + PlatformErrorCode::ALL.len() + ServiceErrorCode::ALL.len();
    assert_eq!(MEANINGS.len(), known, "a code that this test does not know");
    for (code, kind, delivery, retryable) in MEANINGS {
        let listed = Code::from_number(code);
        assert_ne!(listed, Code::Unknown(code));
        let documented = listed.http_status();
        for status in [documented.unwrap_or(400), 200, 401, 403, 429, 500, 503, 418] {
            let body = format!(r#"{{"code":{code},"msg":"told so","error":{{"log_id":"L1","troubleshooter":"T"}}}}"#);
            let error = cancel_with(json(status, &body)).await.expect_err("it is refused");
            assert_eq!(error.kind(), kind, "{code} at {status}");
            assert_eq!(error.delivery(), delivery, "{code} at {status}");
            assert_eq!(error.is_retryable(), retryable, "{code} at {status}");
            assert_eq!((error.code(), error.known_code()), (Some(code), Some(listed)));
            let meaning = listed.meaning(status);
            assert_eq!((meaning.kind, meaning.delivery, meaning.is_retryable()), (kind, delivery, retryable));
            assert_eq!(error.http_status(), Some(status));
            assert_eq!(error.log_id(), Some("L1"));
            assert_eq!(error.message(), "told so");
            assert_eq!(error.attempts(), 1);
            assert!(error.reached_platform());
            assert_eq!(error.details().expect("there are details").troubleshooter(), Some("T"));
            assert!(!error.advice().en.is_empty() && !error.advice().zh.is_empty());
        }
    }
}

#[test]
fn every_listed_code_is_known_once_and_found_by_its_number() {
    let known: Vec<_> = Code::known().collect();
    let of_token = TokenErrorCode::ALL.iter().map(|code| code.code());
    let numbers: BTreeSet<_> = MEANINGS.iter().map(|(code, ..)| *code).chain(of_token).collect();
    assert_eq!(known.iter().map(|code| code.number()).collect::<BTreeSet<_>>(), numbers);
    assert_eq!(known.len(), numbers.len());
    for code in known {
        assert_eq!(Code::from_number(code.number()), code);
        assert!(code.label().is_some_and(|label| !label.is_empty()), "{code:?}");
        let advice = code.advice(400);
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese(&advice.zh) && !advice.en.starts_with("Look the code up"), "{code:?}: {advice:?}");
    }
}

/// The facts of the endpoints that are only named, as the document says them.
#[test]
fn advice_names_the_endpoint_that_does_the_job_instead_and_its_scope() {
    let document = include_str!("../spec/platform.yaml");
    let employee = ["PATCH", "/open-apis/hire/v1/employees/{employee_id}", "hire:employee"];
    let withdraw =
        ["POST", "/open-apis/corehr/v2/pre_hires/withdraw_onboarding", "corehr:pre_hire:withdraw_onboarding"];
    for (code, endpoint) in [(1002910, withdraw), (1002002, employee), (1002209, employee), (1002902, employee)] {
        let advice = Code::from_number(code).advice(400);
        for part in endpoint {
            assert!(advice.en.contains(part) && advice.zh.contains(part), "{code} lacks {part}: {advice:?}");
            assert!(document.contains(part), "{part}");
        }
        assert!(!advice.en.contains("{endpoint}") && !advice.zh.contains("{endpoint}"), "{advice:?}");
    }
}

#[tokio::test]
async fn the_wait_of_the_clients_own_rate_is_told_apart_from_one_that_the_platform_asks_for() {
    let server =
        RawServer::start(|nth, _| json(200, if nth == 0 { r#"{"code":0}"# } else { r#"{"code":99991400}"# })).await;
    let origin: Origin = server.origin.parse().expect("loopback is an origin");
    let builder = || Client::builder().origin(origin.clone()).app("cli_test", SECRET).retry(RetryPolicy::off());
    let slow = builder().pace(Pace::new(1, Duration::from_secs(86_400))).build().expect("it can be made");
    slow.cancel_onboard("1", TerminationType::Other).send().await.expect("the first one is let through");
    let own = slow.cancel_onboard("1", TerminationType::Other).send().await.expect_err("it is not its turn");
    let other = builder().build().expect("it can be made");
    let asked = other.cancel_onboard("1", TerminationType::Other).send().await.expect_err("it is limited");
    for (error, code) in [(&own, None), (&asked, Some(99991400))] {
        assert_eq!((error.kind(), error.code()), (ErrorKind::RateLimited, code));
        let advice = error.advice();
        let asks = (advice.en.contains("the platform asks"), advice.zh.contains("平台要求"));
        assert_eq!(asks, (code.is_some(), code.is_some()), "{advice:?}");
    }
    assert_eq!(server.cancellations().len(), 2);
}

#[tokio::test]
async fn a_code_of_the_token_endpoint_is_not_listed_for_a_cancellation() {
    let body = r#"{"code":10014,"error":{"log_id":"L1"}}"#;
    let error = cancel_with(json(200, body)).await.expect_err("it is refused");
    assert_eq!((error.kind(), error.known_code()), (ErrorKind::Other, Some(Code::Unknown(10014))));
}

#[tokio::test]
async fn an_unknown_code_is_reported_as_itself() {
    for (status, delivery, retryable) in
        [(200, Delivery::Rejected, false), (404, Delivery::Rejected, false), (502, Delivery::Unknown, true)]
    {
        let body = r#"{"code":424242,"msg":"news","error":{"log_id":"L"}}"#;
        let error = cancel_with(json(status, body)).await.expect_err("it is refused");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Other, Some(424242)));
        assert_eq!(error.known_code(), Some(Code::Unknown(424242)));
        assert_eq!((error.delivery(), error.is_retryable()), (delivery, retryable), "{status}");
        assert!(error.advice().en.contains("424242") && error.advice().zh.contains("424242"));
    }
}

#[tokio::test]
async fn what_the_platform_adds_is_there_as_sent_and_read_where_it_can_be() {
    let body = r#"{"code":1002002,"msg":"m","x":[1],"error":{"log_id":"L","message":"n","brand_new":{"a":[null]},
        "field_violations":[{"field":"termination_type","value":"2","description":"d","more":1},{"field":7}],
        "permission_violations":[{"type":"scope","subject":"hire:application"}],
        "helps":[{"url":"https://example.com","description":"h"}],"details":[{"key":"k","value":"v"}]}}"#;
    let error = cancel_with(json(400, body)).await.expect_err("it is refused");
    let details = error.details().expect("there are details");
    let mut sent: Value = serde_json::from_str::<Value>(body).expect("it is JSON")["error"].take();
    sent.as_object_mut().expect("an object").remove("log_id");
    assert_eq!(details.as_json(), &sent);
    let fields = details.field_violations();
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].field.as_deref(), Some("termination_type"));
    assert_eq!(details.permission_violations()[0].subject.as_deref(), Some("hire:application"));
    assert_eq!(details.helps()[0].url.as_deref(), Some("https://example.com"));
    assert_eq!(details.further()[0].value.as_deref(), Some("v"));
}

#[tokio::test]
async fn an_id_that_could_lead_elsewhere_is_refused_and_nothing_is_sent() {
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let client = client(&server);
    let long = "1".repeat(65);
    for id in [
        "",
        ".",
        "..",
        "a/../b",
        r"a\..\b",
        "../../x",
        "a/b",
        "%2e%2e",
        "a%2fb",
        "a?b",
        "a#b",
        "a b",
        " 1",
        "1\n",
        "1\r\n",
        "１１１",
        "投递",
        "a\0b",
        "1;2",
        "a.b",
        &long,
    ] {
        let error = client.cancel_onboard(id, TerminationType::Other).send().await.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}");
        assert_eq!(error.delivery(), Delivery::NotSent, "{id:?}");
        assert_eq!((error.attempts(), error.reached_platform(), error.is_retryable()), (0, false, false), "{id:?}");
        assert!(error.message().contains("application id"), "{id:?}");
    }
    assert_eq!(server.seen().len(), 0);

    let longest = "Az09_-".repeat(10) + "1234";
    client.cancel_onboard(&longest, TerminationType::Other).send().await.expect("it is cancelled");
    assert_eq!(server.cancellations()[0].path, format!("/open-apis/hire/v1/applications/{longest}/cancel_onboard"));
}

#[test]
fn the_integer_enum_takes_its_values_and_nothing_else() {
    let read = |text: &str| serde_json::from_str::<TerminationType>(text).ok();
    assert_eq!(read("1"), Some(TerminationType::CompanyRejected));
    assert_eq!(read("22"), Some(TerminationType::CandidateDeclined));
    assert_eq!(read("27"), Some(TerminationType::Other));
    for text in ["0", "2", "-1", "28", "1.0", "\"1\"", "null", "[1]", "4294967297", "18446744073709551617"] {
        assert_eq!(read(text), None, "{text}");
    }
    for kind in TerminationType::ALL {
        assert_eq!(serde_json::to_string(kind).expect("it is a number"), kind.value().to_string());
        assert_eq!(kind.value().to_string().parse(), Ok(*kind));
        assert_eq!(kind.name().parse(), Ok(*kind));
    }
    assert_eq!("candidate-declined".parse(), Ok(TerminationType::CandidateDeclined));
    for text in ["", "2", "+1", "01", " 1", "Other", "OTHER", "1.0"] {
        let error = text.parse::<TerminationType>().expect_err(text).to_string();
        assert_eq!(error, "must be one of 1 (company-rejected), 22 (candidate-declined), 27 (other)");
    }
}

#[tokio::test]
async fn no_secret_is_in_anything_that_can_be_printed() {
    let echo = format!(
        r#"{{"code":1002002,"msg":"bad {TOKEN}","error":{{"log_id":"L-{TOKEN}","{TOKEN}":["{SECRET}","{TOKEN}"]}}}}"#
    );
    let server = RawServer::start(move |_, _| json(400, &echo)).await;
    let client = client(&server);
    let call = client.cancel_onboard("1111111111", TerminationType::Other);
    let mut printed = format!("{client:?} {call:?}");
    let error = call.send().await.expect_err("it is refused");
    printed += &format!("{error} {error:?} {:#?} {:?} {}", error, error.details(), error.message());
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        printed += &format!("{cause} {cause:?}");
        source = cause.source();
    }
    assert!(!printed.contains(TOKEN), "{printed}");
    assert!(printed.contains("bad [redacted]"), "{printed}");

    let refusal =
        format!(r#"{{"code":10014,"msg":"secret {SECRET} invalid","tenant_access_token":5,"expire":"{SECRET}"}}"#);
    let server = RawServer::start_with_tokens(move |_, _| json(400, &refusal), |_, _| Act::Hang).await;
    let builder = Client::builder().app("cli_test", SECRET);
    let mut printed = format!("{builder:?}");
    let error = self::client(&server).cancel_onboard("1", TerminationType::Other).send().await.expect_err("no token");
    printed += &format!("{error} {error:?}");
    assert!(!printed.contains(SECRET), "{printed}");
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidCredentials, Delivery::NotSent));
    assert_eq!((error.code(), error.attempts()), (Some(10014), 0));
}

#[test]
fn errors_can_cross_threads_and_clients_can_be_shared() {
    fn holds<T: Send + Sync + 'static>() {}
    fn is_error<T: std::error::Error + Send + Sync + 'static>() {}
    holds::<Client>();
    is_error::<Error>();
    is_error::<feishu_cancel_onboard::Failure>();
    is_error::<feishu_cancel_onboard::TokenError>();
    assert!(size_of::<Error>() <= size_of::<usize>());
}

#[test]
fn an_origin_is_https_or_loopback_and_has_no_path() {
    for (text, expected) in [
        ("feishu", "https://open.feishu.cn"),
        ("Lark", "https://open.larksuite.com"),
        ("https://open.feishu.cn/", "https://open.feishu.cn"),
        ("https://gateway.example.com:8443", "https://gateway.example.com:8443"),
        ("http://127.0.0.1:8099", "http://127.0.0.1:8099"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("http://localhost:8099/", "http://localhost:8099"),
    ] {
        assert_eq!(text.parse::<Origin>().expect(text).as_str(), expected);
    }
    for text in [
        "",
        "open.feishu.cn",
        "http://open.feishu.cn",
        "ftp://open.feishu.cn",
        "https://user:pass@open.feishu.cn",
        "https://user@open.feishu.cn",
        "https://open.feishu.cn/open-apis",
        "https://open.feishu.cn?x",
        "https://",
        "https://open.feishu.cn#x",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "file:///etc/passwd",
        "http://0.0.0.0:80",
    ] {
        let error = text.parse::<Origin>().expect_err(text);
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent), "{text}");
        assert!(!error.to_string().contains("pass@"), "{error}");
    }
}

#[test]
fn a_client_without_credentials_cannot_be_made() {
    for builder in [
        Client::builder(),
        Client::builder().app("", "s"),
        Client::builder().app("a", ""),
        Client::builder().tenant_access_token(""),
        Client::builder().tenant_access_token("t-1\r\nX: y"),
        Client::builder().tenant_access_token("t-1").attempt_timeout(std::time::Duration::ZERO),
    ] {
        let error = builder.build().expect_err("nothing to call with");
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
    }
}
