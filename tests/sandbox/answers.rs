//! What the endpoint answers to a call, check by check and in order, and what the sandbox notes of it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use feishu_cancel_onboard::sandbox::{
    APP_ID, APP_SECRET, ApplicationState, IN_FEISHU_PEOPLE, PENDING, Sandbox, TERMINATED,
};
use serde_json::{Value, json};

use crate::wire::{Answered, cancel, cancellation, client, obtain_token, request, send};

async fn sandbox() -> Sandbox {
    Sandbox::start().await.expect("it starts")
}

/// Calls with a good token, as many as are wanted.
async fn unlimited() -> Sandbox {
    Sandbox::builder().rate_limits([]).start().await.expect("it starts")
}

async fn cancel_with(sandbox: &Sandbox, body: Value) -> Answered {
    send(request(sandbox, PENDING).bearer_auth(sandbox.token()).json(&body)).await.expect("it answers")
}

#[tokio::test]
async fn a_pending_application_is_cancelled_once() {
    let sandbox = sandbox().await;
    let answer = cancel(&sandbox, "1111111111").await;
    answer.assert(200, 0);
    assert_eq!(answer.json(), json!({"code": 0, "msg": "success", "data": {}}));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(sandbox.application(PENDING), ApplicationState::Terminated);
    cancel(&sandbox, "1111111111").await.assert(400, 1002221);
    assert_eq!(sandbox.cancellations(), 1);
}

#[tokio::test]
async fn applications_are_in_the_states_that_are_promised() {
    let sandbox = sandbox().await;
    cancel(&sandbox, TERMINATED).await.assert(400, 1002221);
    cancel(&sandbox, "2222222222").await.assert(400, 1002221);
    cancel(&sandbox, IN_FEISHU_PEOPLE).await.assert(400, 1002910);
    cancel(&sandbox, "3333333333").await.assert(400, 1002910);
    assert_eq!(sandbox.cancellations(), 0);
    cancel(&sandbox, "any_other-ID").await.assert(200, 0);
    cancel(&sandbox, "any_other-ID").await.assert(400, 1002221);
    sandbox.set_application("any_other-ID", ApplicationState::Pending);
    cancel(&sandbox, "any_other-ID").await.assert(200, 0);
    assert_eq!(sandbox.cancellations(), 2);
}

#[tokio::test]
async fn a_state_can_be_given_at_the_start() {
    let builder = Sandbox::builder().application("a", ApplicationState::InFeishuPeople);
    let sandbox = builder.application(TERMINATED, ApplicationState::Pending).start().await.expect("it starts");
    cancel(&sandbox, "a").await.assert(400, 1002910);
    cancel(&sandbox, TERMINATED).await.assert(200, 0);
}

#[tokio::test]
async fn the_optional_fields_may_be_missing_and_unknown_ones_there() {
    let sandbox = sandbox().await;
    let body = json!({"termination_type": 27, "unheard_of": {"deep": [null]}});
    cancel_with(&sandbox, body).await.assert(200, 0);
}

#[tokio::test]
async fn each_field_that_is_wrong_is_named_with_its_value() {
    let sandbox = unlimited().await;
    let cases = [
        (json!({}), vec![("termination_type", "")]),
        (json!({"termination_type": null}), vec![("termination_type", "null")]),
        (json!({"termination_type": "1"}), vec![("termination_type", "1")]),
        (json!({"termination_type": 1.5}), vec![("termination_type", "1.5")]),
        (json!({"termination_type": 2}), vec![("termination_type", "2")]),
        (json!({"termination_type": u64::MAX}), vec![("termination_type", "18446744073709551615")]),
        (json!({"termination_type": 1, "termination_reason_id_list": "7"}), vec![("termination_reason_id_list", "7")]),
        (
            json!({"termination_type": 1, "termination_reason_id_list": ["7", 8, null]}),
            vec![("termination_reason_id_list[1]", "8"), ("termination_reason_id_list[2]", "null")],
        ),
        (
            json!({"termination_type": 0, "termination_reason_notes": null}),
            vec![("termination_reason_notes", "null"), ("termination_type", "0")],
        ),
        (json!([1]), vec![("body", "[1]")]),
        (json!(null), vec![("body", "null")]),
    ];
    for (body, expected) in cases {
        let answer = cancel_with(&sandbox, body.clone()).await;
        answer.assert(400, 1002002);
        let violations = answer.violations();
        let mut violations: Vec<_> = violations.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        violations.sort_unstable();
        assert_eq!(violations, expected, "{body}");
    }
    assert_eq!(sandbox.cancellations(), 0);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_as_a_parameter() {
    let sandbox = unlimited().await;
    for body in ["", "{", "termination_type=1", "{\"termination_type\":1e999}", "\u{feff}{}", &"[".repeat(100_000)] {
        let call = request(&sandbox, PENDING).bearer_auth(sandbox.token()).header("content-type", "application/json");
        let answer = send(call.body(body.to_owned())).await.expect("it answers");
        answer.assert(400, 1002002);
        assert_eq!(answer.violations()[0].0, "body");
        assert!(answer.body.len() < 1000, "what is sent back is short");
    }
    assert_eq!(sandbox.cancellations(), 0);
}

#[tokio::test]
async fn the_content_type_must_be_json_whatever_its_charset() {
    let sandbox = unlimited().await;
    let body = r#"{"termination_type":1}"#;
    let send_as = async |content_type: Option<&str>, id: &str| {
        let call = request(&sandbox, id).bearer_auth(sandbox.token()).body(body);
        let call = content_type.into_iter().fold(call, |call, value| call.header("content-type", value));
        send(call).await.expect("it answers")
    };
    for (index, good) in
        ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=gbk"].iter().enumerate()
    {
        send_as(Some(good), &format!("id-{index}")).await.assert(200, 0);
    }
    for bad in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let answer = send_as(Some(bad), PENDING).await;
        answer.assert(400, 1002002);
        assert_eq!(answer.violations(), [("content-type".to_owned(), bad.to_owned())]);
    }
    send_as(None, PENDING).await.assert(400, 1002002);
    assert_eq!(sandbox.application(PENDING), ApplicationState::Pending);
}

#[tokio::test]
async fn an_application_id_that_is_not_well_formed_is_named() {
    let sandbox = unlimited().await;
    let long = "1".repeat(65);
    for (sent, decoded) in [("a.b", "a.b"), ("a%2Fb", "a/b"), ("%E5%80%99", "候"), ("1%00", "1\0"), (&long, &long)] {
        let answer = cancel(&sandbox, sent).await;
        answer.assert(400, 1002002);
        assert_eq!(answer.violations(), [("application_id".to_owned(), decoded.to_owned())]);
    }
    cancel(&sandbox, &"1".repeat(64)).await.assert(200, 0);
    // The same id, written otherwise.
    cancel(&sandbox, "%31111111111").await.assert(200, 0);
    cancel(&sandbox, PENDING).await.assert(400, 1002221);
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named_at_once() {
    let sandbox = sandbox().await;
    let call = request(&sandbox, "a.b").bearer_auth(sandbox.token()).json(&json!({"termination_type": 3}));
    let fields: HashSet<_> = send(call).await.expect("it answers").violations().into_iter().map(|(f, _)| f).collect();
    assert_eq!(fields, HashSet::from(["application_id".to_owned(), "termination_type".to_owned()]));
}

/// Each call is wrong in everything that comes after what it is refused for.
#[tokio::test]
async fn the_checks_come_in_the_documented_order() {
    let one = feishu_cancel_onboard::RateLimit { calls: 1, period: std::time::Duration::from_secs(3600) };
    let sandbox = Sandbox::builder().rate_limits([one]).start().await.expect("it starts");
    let wrong = |id: &str| request(&sandbox, id).header("content-type", "text/plain").body("[");

    let call = client().get(format!("{}/open-apis/hire/v1", sandbox.base_url()));
    assert_eq!(send(call).await.expect("it answers").status, 404);
    send(wrong("a.b")).await.expect("it answers").assert(400, 99991661);
    send(wrong("a.b").bearer_auth("u-1")).await.expect("it answers").assert(400, 99991671);
    send(wrong("a.b").bearer_auth("t-1")).await.expect("it answers").assert(400, 99991663);
    // None of those counted: the limit lets one through, which is refused for what it says.
    send(wrong("a.b").bearer_auth(sandbox.token())).await.expect("it answers").assert(400, 1002002);
    send(wrong("a.b").bearer_auth(sandbox.token())).await.expect("it answers").assert(429, 99991400);
    send(wrong("a.b").bearer_auth("t-1")).await.expect("it answers").assert(400, 99991663);
}

#[tokio::test]
async fn body_and_id_come_before_the_state() {
    let sandbox = sandbox().await;
    let call = request(&sandbox, TERMINATED).bearer_auth(sandbox.token()).json(&json!({"termination_type": 3}));
    send(call).await.expect("it answers").assert(400, 1002002);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_as_a_gateway_does() {
    let sandbox = sandbox().await;
    let url = |path: &str| format!("{}{path}", sandbox.base_url());
    let cancel = "/open-apis/hire/v1/applications/1111111111/cancel_onboard";
    for path in ["/", "/open-apis/hire/v1/applications/cancel_onboard", &format!("{cancel}/"), &format!("/x{cancel}")] {
        let answer = send(client().post(url(path)).bearer_auth(sandbox.token())).await.expect("it answers");
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.header("x-tt-logid").is_some());
    }
    for path in [cancel, "/open-apis/auth/v3/tenant_access_token/internal"] {
        for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"] {
            let method = method.parse().expect("it is a method");
            let answer =
                send(client().request(method, url(path)).bearer_auth(sandbox.token())).await.expect("it answers");
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{path}");
            assert!(answer.header("x-tt-logid").is_some());
        }
    }
    assert_eq!(sandbox.application(PENDING), ApplicationState::Pending);
    assert_eq!(sandbox.token_requests(), 0);
}

#[tokio::test]
async fn every_call_has_a_log_id_of_its_own() {
    let sandbox = unlimited().await;
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let answer = cancel(&sandbox, TERMINATED).await;
        assert!(seen.insert(answer.header("x-tt-logid").expect("there is one").to_owned()));
    }
    let noted: HashSet<_> = sandbox.calls().into_iter().map(|call| call.log_id).collect();
    assert_eq!(noted, seen);
}

#[tokio::test]
async fn what_came_is_noted_without_tokens_and_secrets() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let builder = Sandbox::builder().on_call(move |call| teller.lock().expect("it is whole").push(call.clone()));
    let sandbox = builder.start().await.expect("it starts");
    let (token, _) = obtain_token(&sandbox).await;
    cancel(&sandbox, "a%2Fb").await;
    cancel(&sandbox, PENDING).await;
    let call = client().get(format!("{}/nothing?token={token}", sandbox.base_url()));
    send(call).await.expect("it answers");

    let calls = sandbox.calls();
    let noted: Vec<_> = calls
        .iter()
        .map(|call| {
            assert!(call.delivered);
            (call.method.as_str(), call.path.as_str(), call.application_id.as_deref(), call.status, call.code)
        })
        .collect();
    let path = |id: &str| format!("/open-apis/hire/v1/applications/{id}/cancel_onboard");
    assert_eq!(
        noted,
        [
            ("POST", "/open-apis/auth/v3/tenant_access_token/internal", None, Some(200), Some(0)),
            ("POST", path("a%2Fb").as_str(), Some("a/b"), Some(400), Some(1002002)),
            ("POST", path("1111111111").as_str(), Some("1111111111"), Some(200), Some(0)),
            ("GET", "/nothing", None, Some(404), None),
        ]
    );
    assert!(calls.windows(2).all(|pair| pair[0].at <= pair[1].at));

    let told = told.lock().expect("it is whole");
    assert_eq!(format!("{told:?}"), format!("{calls:?}"));
    let shown = format!("{calls:?} {sandbox:?} {:?}", Sandbox::builder());
    assert!(!shown.contains(&token) && !shown.contains(sandbox.app_secret()), "{shown}");
}

#[tokio::test]
async fn only_the_newest_calls_are_kept_where_that_is_asked_for() {
    let sandbox = Sandbox::builder().keep_calls(2).start().await.expect("it starts");
    for id in ["a", "b", "c"] {
        cancel(&sandbox, id).await.assert(200, 0);
    }
    let ids: Vec<_> = sandbox.calls().into_iter().map(|call| (call.application_id, call.status)).collect();
    assert_eq!(ids, [(Some("b".to_owned()), Some(200)), (Some("c".to_owned()), Some(200))]);
}

#[tokio::test]
async fn credentials_are_plainly_not_real_and_can_be_others() {
    let sandbox = sandbox().await;
    assert_eq!((sandbox.app_id(), sandbox.app_secret()), (APP_ID, APP_SECRET));
    assert!(APP_ID.contains("sandbox") && APP_SECRET.contains("sandbox"));
    let other = Sandbox::builder().credentials("cli_other", "other").start().await.expect("it starts");
    assert_eq!((other.app_id(), other.app_secret()), ("cli_other", "other"));
    obtain_token(&other).await;
}

#[tokio::test]
async fn the_port_can_be_given_and_is_free_after_the_end() {
    let first = sandbox().await;
    let port: u16 = first.base_url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("there is a port");
    assert!(Sandbox::builder().port(port).start().await.is_err(), "the port is taken");
    cancel(&first, PENDING).await.assert(200, 0);
    first.shutdown().await;
    let second = Sandbox::builder().port(port).start().await.expect("the port is free");
    assert_eq!(second.base_url(), format!("http://127.0.0.1:{port}"));
    cancel(&second, PENDING).await.assert(200, 0);
}

#[tokio::test]
async fn dropping_it_ends_the_server_and_its_connections() {
    let sandbox = sandbox().await;
    let client = reqwest::Client::new();
    let url = format!("{}/", sandbox.base_url());
    assert_eq!(send(client.get(&url)).await.expect("it answers").status, 404);
    drop(sandbox);
    let mut answers = 0;
    // The thread ends by itself, soon.
    while send(client.get(&url)).await.is_ok() {
        answers += 1;
        assert!(answers < 1000, "it still answers");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_caller_that_blocks_its_own_runtime_is_answered_too() {
    use std::io::{Read, Write};
    let sandbox = sandbox().await;
    let address = sandbox.base_url().strip_prefix("http://").expect("it is an HTTP origin");
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n").expect("it takes the request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn calls_at_once_cancel_an_application_once() {
    let sandbox = unlimited().await;
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(send(cancellation(&sandbox, PENDING)))).collect();
    let mut codes = Vec::new();
    for call in calls {
        codes.push(call.await.expect("it runs").expect("it answers").code());
    }
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == 1002221).count(), 49);
    assert_eq!(sandbox.cancellations(), 1);
}
