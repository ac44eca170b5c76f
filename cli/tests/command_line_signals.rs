//! `cancel` that is told to end: always a line, never silence; nothing is begun, and what is under way is waited for once.

#![cfg(unix)]

use test_support::raw_server;

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use raw_server::{Act, RawServer, SECRET, json, response};
use serde_json::Value;

const OK: &str = r#"{"code":0}"#;
const LIMITED: &str = r#"{"code":99991400,"msg":"limit"}"#;

/// How long the servers here take to answer.
const LATE: Duration = Duration::from_millis(1500);

fn spawn(server: &RawServer, more: &[&str]) -> Child {
    let environment =
        [("FEISHU_BASE_URL", server.origin.as_str()), ("FEISHU_APP_ID", "cli_test"), ("FEISHU_APP_SECRET", SECRET)];
    Command::new(env!("CARGO_BIN_EXE_cancel-onboard"))
        .env_clear()
        .envs(environment)
        .args(["cancel", "1111111111", "--type", "1", "--output", "json"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

/// The signals that ask a program to end here. One that whoever started the tests ignores, as `nohup` does, is none.
fn that_ask_to_end() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    // SIGHUP is the first of the mask.
    let hang_up = ignored.is_some_and(|mask| mask & 1 == 0).then_some("HUP");
    ["INT", "TERM"].into_iter().chain(hang_up).collect()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(status.expect("it runs").success());
}

async fn ended(child: Child) -> Output {
    tokio::task::spawn_blocking(move || child.wait_with_output().expect("it ends")).await.expect("no panic")
}

/// The one line on standard output, and the exit status.
fn line(output: &Output) -> (Value, Option<i32>) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.matches('\n').count(), 1, "{output:?}");
    (serde_json::from_str(&text).expect("it is JSON"), output.status.code())
}

fn assert_interrupted(output: &Output, delivery: &str, attempts: u64, exit: i32) {
    let (line, status) = line(output);
    let error = &line["error"];
    assert_eq!((error["kind"].as_str(), error["delivery"].as_str()), (Some("interrupted"), Some(delivery)), "{line}");
    assert_eq!((error["attempts"].as_u64(), status), (Some(attempts), Some(exit)), "{line}");
    assert_eq!(line["application_id"], "1111111111");
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What the server has seen, the program has sent: it waits by now.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_before_anything_was_sent_sends_nothing_any_more() {
    for name in that_ask_to_end() {
        let server = RawServer::start_with_tokens(|_, _| Act::Hang, |_, _| json(200, OK)).await;
        for (more, delivery, exit) in [
            (&[][..], "not_sent", 130),
            (&["--after-lost-attempt"], "unknown", 4),
            (&["--reason-id", "1", "--check-reasons"], "not_sent", 130),
        ] {
            server.forget();
            let child = spawn(&server, more);
            until(|| server.token_requests() == 1).await;
            signal(&child, name);
            assert_interrupted(&ended(child).await, delivery, 0, exit);
            assert!(server.cancellations().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_while_it_waits_after_a_refusal_sends_nothing_any_more() {
    for (act, delivery, exit) in [
        (Act::Answer(response(429, &[("x-ogw-ratelimit-reset", "50")], LIMITED)), "rejected", 130),
        (Act::Answer(response(503, &[("Retry-After", "50")], "busy")), "unknown", 4),
    ] {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let child = spawn(&server, &[]);
        until(|| server.cancellations().len() == 1).await;
        signal(&child, "TERM");
        assert_interrupted(&ended(child).await, delivery, 1, exit);
        assert_eq!(server.cancellations().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_with_a_request_under_way_waits_for_its_answer() {
    for (answer, expected, exit) in [
        (response(200, &[], OK), None, 0),
        (response(400, &[], r#"{"code":1002910}"#), Some(("managed_by_feishu_people", "rejected")), 1),
        (response(429, &[], LIMITED), Some(("interrupted", "rejected")), 130),
        (response(502, &[], "<html>"), Some(("interrupted", "unknown")), 4),
    ] {
        let server = RawServer::start(move |_, _| Act::Late(LATE, answer.clone())).await;
        let child = spawn(&server, &[]);
        until(|| server.cancellations().len() == 1).await;
        signal(&child, "INT");
        let output = ended(child).await;
        let (line, status) = line(&output);
        let error = &line["error"];
        let found = error.is_object().then(|| (error["kind"].as_str(), error["delivery"].as_str()));
        assert_eq!(found, expected.map(|(kind, delivery)| (Some(kind), Some(delivery))), "{line}");
        assert_eq!(status, Some(exit), "{line}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("waiting for the answer that is under way"), "{said}");
        assert_eq!(server.cancellations().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twice_ends_at_once_with_the_true_fate() {
    let server = RawServer::start(|_, _| Act::Hang).await;
    let child = spawn(&server, &["--timeout", "600", "--deadline", "600"]);
    until(|| server.cancellations().len() == 1).await;
    signal(&child, "INT");
    tokio::time::sleep(Duration::from_millis(400)).await;
    signal(&child, "TERM");
    let output = ended(child).await;
    assert_interrupted(&output, "unknown", 1, 4);
    let advice = line(&output).0["error"]["advice"]["en"].as_str().expect("there is one").to_owned();
    assert!(advice.contains("--after-lost-attempt"), "{advice}");
    assert_eq!(server.cancellations().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_follows_a_lost_one_says_so_and_succeeds() {
    let server = RawServer::start(|_, _| json(400, r#"{"code":1002221}"#)).await;
    let (line, status) = line(&ended(spawn(&server, &["--after-lost-attempt"])).await);
    assert_eq!((&line["ok"], &line["outcome"], status), (&true.into(), &"terminated".into(), Some(0)), "{line}");
    let (line, status) = self::line(&ended(spawn(&server, &[])).await);
    assert_eq!((&line["error"]["kind"], status), (&"already_terminated".into(), Some(1)), "{line}");
    // Nothing else settles what was lost before.
    for code in [1_002_002, 1_002_910, 1_002_201] {
        let server = RawServer::start(move |_, _| json(400, &format!(r#"{{"code":{code}}}"#))).await;
        let (line, status) = self::line(&ended(spawn(&server, &["--after-lost-attempt"])).await);
        assert_eq!((&line["error"]["delivery"], status), (&"unknown".into(), Some(4)), "{line}");
    }
}
