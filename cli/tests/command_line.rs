//! What the binary prints and how it exits, to the letter of its contract.

use test_support::raw_server;

use std::process::{Command, Output};

use raw_server::{Act, RawServer, SECRET, TOKEN, json, response};
use serde_json::{Value, json as value};

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");

/// The binary with nothing in its environment but what is given.
fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().args(arguments).envs(environment.iter().copied());
    command
}

/// Runs it beside the runtime that the servers of this test run on.
async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = command(arguments, environment);
    tokio::task::spawn_blocking(move || command.output().expect("the binary runs")).await.expect("no panic")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it prints UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it prints UTF-8")
}

/// The one line of JSON on standard output, without the time that it took.
fn line(output: &Output) -> Value {
    let text = stdout(output);
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    let mut line: Value = serde_json::from_str(&text).expect("it is JSON");
    let elapsed = line.as_object_mut().expect("an object").remove("elapsed_ms");
    assert!(elapsed.is_some_and(|elapsed| elapsed.is_u64()), "{text}");
    line
}

async fn cancel_against(act: Act, more: &[&str]) -> Output {
    let server = RawServer::start(move |_, _| act.clone()).await;
    let environment = [("FEISHU_BASE_URL", server.origin.as_str()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)];
    let arguments = [&["cancel", "1111111111", "--type", "1", "--deadline", "3", "--timeout", "1"], more].concat();
    run(&arguments, &environment).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_is_one_line_with_these_keys() {
    let output =
        run(&["cancel", "1111111111", "--type", "candidate-declined", "--sandbox", "--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut line = line(&output);
    let log_id = line["log_id"].take();
    assert!(log_id.as_str().is_some_and(|id| !id.is_empty()));
    let expected = value!({"ok": true, "application_id": "1111111111", "outcome": "cancelled", "attempts": 1, "log_id": null,
        "application": null});
    assert_eq!(line, expected);
    let keys = ["ok", "application_id", "outcome", "attempts", "log_id", "elapsed_ms", "application"];
    assert_in_order(&stdout(&output), &keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_one_line_with_these_keys() {
    let body = r#"{"code":1002221,"msg":"told so","error":{"log_id":"L","helps":[{"url":"u"}]}}"#;
    let output = cancel_against(json(400, body), &["--output", "json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let mut line = line(&output);
    let advice = line["error"]["advice"].take();
    assert!(advice["en"].as_str().is_some_and(|text| !text.is_empty()));
    assert!(advice["zh"].as_str().is_some_and(|text| !text.is_empty()));
    let expected = value!({"ok": false, "application_id": "1111111111", "error": {
        "kind": "already_terminated", "code": 1002221, "http_status": 400, "message": "told so", "log_id": "L",
        "delivery": "rejected", "retryable": false, "retry_after_ms": null, "attempts": 1, "advice": null,
        "details": {"helps": [{"url": "u"}]}}, "application": null});
    assert_eq!(line, expected);
    let keys = [
        "ok",
        "application_id",
        "error",
        "kind",
        "code",
        "http_status",
        "message",
        "log_id",
        "delivery",
        "retryable",
        "retry_after_ms",
        "attempts",
        "advice",
        "en",
        "zh",
        "details",
        "elapsed_ms",
        "application",
    ];
    assert_in_order(&stdout(&output), &keys);
}

fn assert_in_order(text: &str, keys: &[&str]) {
    let mut rest = text;
    for key in keys {
        let at =
            rest.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} is missing or out of order: {text}"));
        rest = &rest[at + key.len()..];
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_has_its_exit_status() {
    let limited = response(429, &[("x-ogw-ratelimit-reset", "600")], r#"{"code":99991400}"#);
    for (act, kind, delivery, exit) in [
        (json(400, r#"{"code":1002221}"#), "already_terminated", "rejected", 1),
        (json(400, r#"{"code":1002910}"#), "managed_by_feishu_people", "rejected", 1),
        (json(400, r#"{"code":1002002}"#), "invalid_parameter", "rejected", 1),
        (json(500, r#"{"code":1002001}"#), "system_error", "unknown", 4),
        (Act::Answer(limited), "rate_limited", "rejected", 1),
        (json(400, r#"{"code":99991672}"#), "permission_denied", "rejected", 1),
        (json(400, r#"{"code":12345,"error":{"log_id":"L"}}"#), "other", "rejected", 1),
        (json(400, r#"{"code":12345}"#), "unexpected_response", "unknown", 4),
        (json(400, r#"{"code":1002201}"#), "application_not_found", "rejected", 1),
        (json(400, r#"{"code":99991663}"#), "unauthorized", "rejected", 3),
        (json(400, r#"{"code":99991543}"#), "invalid_credentials", "rejected", 3),
        (json(400, r#"{"code":99991662}"#), "app_unavailable", "rejected", 3),
        (Act::Hang, "timeout", "unknown", 4),
        (Act::Reset, "connection_lost", "unknown", 4),
        (json(200, "<html>"), "unexpected_response", "unknown", 4),
    ] {
        let output = cancel_against(act, &["--output=json"]).await;
        let line = line(&output);
        assert_eq!((&line["error"]["kind"], &line["error"]["delivery"]), (&value!(kind), &value!(delivery)), "{line}");
        assert_eq!(output.status.code(), Some(exit), "{kind}");
        if kind == "rate_limited" {
            assert_eq!(line["error"]["retry_after_ms"], 600_000);
        }
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    let origin = format!("http://{}", free.local_addr().expect("it is bound"));
    drop(free);
    let environment = [("FEISHU_BASE_URL", origin.as_str()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)];
    let output = run(&["cancel", "1", "--type", "1", "--deadline", "1", "--output=json"], &environment).await;
    let line = line(&output);
    assert_eq!((&line["error"]["kind"], &line["error"]["delivery"]), (&value!("connect"), &value!("not_sent")));
    assert_eq!(output.status.code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_arguments_are_one_line_as_well_and_send_nothing() {
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let environment = [("FEISHU_BASE_URL", server.origin.as_str()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)];
    for (arguments, id) in [
        (&["cancel", "a/../b", "--type", "1"][..], value!("a/../b")),
        (&["cancel", "..", "--type", "1"], value!("..")),
        (&["cancel", "1", "--type", "2"], value!("1")),
        (&["cancel", "1", "--type", "Other"], value!("1")),
        (&["cancel", "1"], value!("1")),
        (&["cancel", "--type", "1"], value!(null)),
        (&["cancel", "1", "--type", "1", "--reason-id", ""], value!("1")),
        (&["cancel", "1", "--type", "1", "--timeout", "0"], value!("1")),
        (&["cancel", "1", "--type", "1", "--deadline", "soon"], value!("1")),
        (&["cancel", "1", "--type", "1", "--deadline", "NaN"], value!("1")),
        (&["cancel", "1", "--type", "1", "--base-url", "http://example.com"], value!("1")),
        (&["cancel", "1", "--type", "1", "--app-secret", "x"], value!("1")),
        (&["cancel", "1", "2", "--type", "1"], value!("1")),
    ] {
        for json_option in [&["--output", "json"][..], &["--output=json"]] {
            let output = run(&[arguments, json_option].concat(), &environment).await;
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            let line = line(&output);
            assert_eq!((&line["ok"], &line["application_id"]), (&value!(false), &id), "{line}");
            let error = &line["error"];
            assert_eq!(
                (&error["kind"], &error["delivery"]),
                (&value!("invalid_request"), &value!("not_sent")),
                "{line}"
            );
            assert_eq!(error.as_object().expect("an object").len(), 11, "{line}");
            assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{line}");
        }
        let output = run(arguments, &environment).await;
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!stderr(&output).is_empty());
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_the_environment_and_are_of_one_kind() {
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let origin = ("FEISHU_BASE_URL", server.origin.as_str());
    let (id, secret) = (("FEISHU_APP_ID", "cli_test"), ("FEISHU_APP_SECRET", SECRET));
    let token = ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN);
    let arguments = ["cancel", "1", "--type", "1", "--output", "json"];
    for environment in [
        &[origin][..],
        &[origin, id],
        &[origin, secret],
        &[origin, id, secret, token],
        &[origin, id, ("FEISHU_APP_SECRET", "")],
        &[origin, ("FEISHU_TENANT_ACCESS_TOKEN", "not a token")],
        &[("FEISHU_BASE_URL", "http://example.com"), token],
    ] {
        let output = run(&arguments, environment).await;
        assert_eq!(output.status.code(), Some(2), "{environment:?}");
        let line = line(&output);
        assert_eq!(line["error"]["kind"], "invalid_request", "{line}");
    }
    assert_eq!(server.seen().len(), 0);
    for environment in [&[origin, id, secret][..], &[origin, token], &[origin, token, ("FEISHU_APP_ID", "")]] {
        let output = run(&arguments, environment).await;
        assert_eq!(output.status.code(), Some(0), "{environment:?} {}", stdout(&output));
    }
    // An option goes before the environment.
    let output =
        run(&[&arguments[..], &["--base-url", &server.origin]].concat(), &[("FEISHU_BASE_URL", "lark"), token]).await;
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_what_happened_and_what_to_do() {
    let output = run(&["cancel", "1111111111", "--type", "22", "--sandbox"], &[]).await;
    let text = stdout(&output);
    assert!(
        text.starts_with("cancelled: the onboarding is cancelled\n  application  1111111111\n  log id       "),
        "{text}"
    );
    let output = run(&["cancel", "3333333333", "--type", "22", "--sandbox"], &[]).await;
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    for part in [
        "not cancelled: ",
        "1002910 (候选人已在飞书人事创建待入职记录)",
        "log id",
        "nothing changed",
        "Cancel the onboarding in Feishu People",
    ] {
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
    for (arguments, environment) in [
        (&["--lang", "zh"][..], &[][..]),
        (&[], &[("LANG", "zh_CN.UTF-8")]),
        (&[], &[("LANG", "en_US.UTF-8"), ("LC_ALL", "zh_CN.UTF-8")]),
    ] {
        let arguments = [&["cancel", "3333333333", "--type", "22", "--sandbox"], arguments].concat();
        let output = run(&arguments, environment).await;
        assert!(stderr(&output).contains("请到飞书人事取消入职"), "{}", stderr(&output));
        assert!(!stderr(&output).contains("Cancel the onboarding"), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_sends_never_reaches_the_terminal_raw() {
    let body = "{\"code\":1002002,\"msg\":\"\\u001b[2J\\u001b]0;owned\\u0007\\r\\u202e\",\"error\":{\"log_id\":\"\\u001b[31m\",\
        \"field_violations\":[{\"field\":\"\\u009b31m\",\"description\":\"\\u0000\\n\\u001b[1A\"}]}}";
    let output = cancel_against(json(400, body), &[]).await;
    let text = stderr(&output) + &stdout(&output);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
    assert!(text.contains(r"\u{1b}[2J"), "{text}");
    // The log goes to the terminal as well.
    let server = RawServer::start({
        let body = body.to_owned();
        move |_, _| json(400, &body)
    })
    .await;
    let environment =
        [("FEISHU_BASE_URL", server.origin.as_str()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN), ("RUST_LOG", "trace")];
    let output = run(&["cancel", "1", "--type", "1"], &environment).await;
    let text = stderr(&output);
    assert!(text.contains("TRACE") || text.contains("DEBUG"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_explained_without_calling_anything() {
    let output = run(&["explain", "1002910"], &[]).await;
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0));
    for part in
        ["候选人已在飞书人事创建待入职记录", "managed_by_feishu_people", "400", "Feishu People", "请到飞书人事取消入职"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let output = run(&["explain", "1002001", "--output", "json"], &[]).await;
    let line: Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    assert_eq!(
        (&line["code"], &line["kind"], &line["delivery"], &line["retryable"], &line["http_status"]),
        (&value!(1002001), &value!("system_error"), &value!("unknown"), &value!(true), &value!(500))
    );
    let output = run(&["explain", "77", "--output", "json"], &[]).await;
    let line: Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    assert_eq!((&line["kind"], &line["delivery"], &line["label"]), (&value!("other"), &value!(null), &value!(null)));
    let output = run(&["explain", "--output", "json"], &[]).await;
    assert_eq!(stdout(&output).lines().count(), 32);
    assert_eq!(run(&["explain", "x"], &[]).await.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_prints_what_the_shell_that_uses_it_needs() {
    use std::io::{BufRead, BufReader};
    let mut sandbox = command(&["sandbox", "--port", "0"], &[]);
    let mut sandbox = sandbox.stdout(std::process::Stdio::piped()).spawn().expect("the binary runs");
    let mut lines = BufReader::new(sandbox.stdout.take().expect("it is piped")).lines();
    let mut next = || lines.next().expect("there is a line").expect("it is text");
    let variables: Vec<(String, String)> = (0..3)
        .map(|_| {
            let line = next();
            let (name, value) = line.strip_prefix("export ").and_then(|line| line.split_once('=')).expect(&line);
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let names: Vec<_> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["FEISHU_BASE_URL", "FEISHU_APP_ID", "FEISHU_APP_SECRET"]);
    let environment: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(run(&["cancel", "1111111111", "--type", "1"], &environment).await.status.code(), Some(0));
    assert_eq!(run(&["cancel", "1111111111", "--type", "1"], &environment).await.status.code(), Some(1));
    assert!(next().starts_with("POST /open-apis/auth/v3/tenant_access_token/internal 200"));
    assert!(next().starts_with("POST /open-apis/hire/v1/applications/1111111111/cancel_onboard 200 code 0"));
    assert!(next().starts_with("POST /open-apis/auth/v3/tenant_access_token/internal 200"));
    assert!(next().starts_with("POST /open-apis/hire/v1/applications/1111111111/cancel_onboard 400 code 1002221"));
    sandbox.kill().expect("it is ours to end");
    sandbox.wait().expect("it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_shows_an_example_and_the_version_is_told() {
    let output = run(&["cancel", "--help"], &[]).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("cancel-onboard cancel 1111111111 --type candidate-declined"));
    let output = run(&["--version"], &[]).await;
    assert!(stdout(&output).contains(env!("CARGO_PKG_VERSION")));
    assert_eq!(run(&[], &[]).await.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_an_origin_is_not_repeated() {
    let arguments = ["cancel", "1", "--type", "1", "--base-url", "https://u:hunter2@example.com"];
    for more in [&[][..], &["--output", "json"]] {
        let output = run(&[&arguments[..], more].concat(), &[("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)]).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(!(stdout(&output) + &stderr(&output)).contains("hunter2"), "{output:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_cannot_be_written_is_not_lost() {
    let mut command = command(&["cancel", "1111111111", "--type", "1", "--sandbox", "--output", "json"], &[]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    let run = move || command.stdout(full).stderr(std::process::Stdio::piped()).output().expect("the binary runs");
    let output = tokio::task::spawn_blocking(run).await.expect("no panic");
    assert_eq!(output.status.code(), Some(5));
    assert!(stderr(&output).contains(r#"{"ok":true,"application_id":"1111111111""#), "{}", stderr(&output));
}
