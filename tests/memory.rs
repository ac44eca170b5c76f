//! What failed attempts were answered with takes a bounded part of the memory, however long and however made it is.
#![cfg(target_os = "linux")]

mod raw_server;

use std::fs;
use std::process::Command;
use std::time::Duration;

use feishu_cancel_onboard::{Client, ErrorKind, Pace, RetryPolicy, TerminationType};
use raw_server::{RawServer, SECRET, response};

/// How many cancellations are under way at once.
const AT_ONCE: usize = 256;
/// The most by which long answers may lift the peak, in KiB.
const MOST: u64 = 64 * 1024;
/// Names the server to the process that is measured.
const ORIGIN: &str = "MEMORY_TEST_ORIGIN";

/// An answer that says that the platform failed, with about so many bytes in `error`.
fn failed(entry: &str, bytes: usize) -> Vec<u8> {
    let entries = vec![entry; (bytes / (entry.len() + 1)).max(1)].join(",");
    let body = format!(
        r#"{{"code":1002001,"msg":"{}","error":{{"log_id":"L","details":[{entries}],"helps":[{{"url":"u"}}]}}}}"#,
        "m".repeat(bytes / 64)
    );
    response(500, &[("Content-Type", "application/json")], &body)
}

/// The peak, in KiB, of a process that makes all cancellations at once and keeps every failure.
async fn peak(answer: Vec<u8>) -> u64 {
    let server = RawServer::start(move |_, _| raw_server::Act::Answer(answer.clone())).await;
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", "--ignored", "--nocapture", "every_cancellation_fails"]).env(ORIGIN, &server.origin);
    let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("no panic");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.cancellations().len(), 4 * AT_ONCE);
    let line = printed.lines().find_map(|line| line.split_once("VmHWM:")).expect("it prints its peak").1;
    line.trim().trim_end_matches(" kB").trim().parse().expect("it is a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_a_mebibyte_take_a_bounded_part_of_the_memory() {
    let small = peak(failed("7", 1)).await;
    // Decoded, each of these takes ten times the room of its text.
    let entry = format!(r#"{{"a":"{}"}}"#, "t".repeat(80));
    let large = peak(failed(&entry, 1000 * 1024)).await;
    println!("{large} KiB, {small} KiB with short answers, ratio {:.2}", large as f64 / small as f64);
    assert!(large <= small + MOST, "{large} KiB, {small} KiB with short answers");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other test runs it, as a process that is measured"]
async fn every_cancellation_fails() {
    let origin = std::env::var(ORIGIN).expect("the other test runs it").parse().expect("it is an origin");
    let retry = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(4));
    let time = Duration::from_secs(600);
    let client = Client::builder().origin(origin).app("cli_test", SECRET).pace(Pace::unlimited());
    let client = client.attempt_timeout(time).retry(retry.deadline(time)).build().expect("it can be made");
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move { client.cancel_onboard(id.to_string(), TerminationType::Other).send().await })
        })
        .collect();
    let mut failures = Vec::new();
    for task in tasks {
        failures.push(task.await.expect("no panic").expect_err("it fails"));
    }
    for error in &failures {
        assert_eq!((error.kind(), error.attempts(), error.log_id()), (ErrorKind::SystemError, 4, Some("L")));
        let details = error.details().expect("some are kept");
        assert_eq!(details.helps().len(), 1);
    }
    let status = fs::read_to_string("/proc/self/status").expect("the system tells");
    println!("\n{}", status.lines().find(|line| line.starts_with("VmHWM:")).expect("it tells the peak"));
}

#[tokio::test]
async fn what_is_kept_of_a_long_answer_is_a_part_of_it_and_says_so() {
    for (long, is_truncated) in [(10, false), (100_000, true)] {
        let (id, header) = ("l".repeat(long), "h".repeat(long.min(1000)));
        let body = format!(
            r#"{{"code":1002002,"msg":"{}","error":{{"log_id":"{id}","field_violations":[{}{{"field":"notes"}}],
            "helps":[{{"url":"u"}}]}}}}"#,
            "消".repeat(long),
            r#"{"field":"termination_type","description":"d"},"#.repeat(long / 10),
        );
        let headers: &[_] = &[("X-Request-Id", header.as_str())];
        for headers in [headers, &[]] {
            let answer = response(400, headers, &body);
            let server = RawServer::start(move |_, _| raw_server::Act::Answer(answer.clone())).await;
            let client = Client::builder().origin(server.origin.parse().expect("an origin")).app("cli_test", SECRET);
            let client = client.build().expect("it can be made");
            let result = client.cancel_onboard("1", TerminationType::Other).send().await;
            let error = result.expect_err("it is refused");
            assert_eq!((error.kind(), error.code()), (ErrorKind::InvalidParameter, Some(1002002)));
            let details = error.details().expect("some are kept");
            assert_eq!(details.is_truncated(), is_truncated);
            assert_eq!(details.as_json().get("log_id"), None);
            assert_eq!(details.helps().len(), 1);
            assert!(details.field_violations().len() <= long && !details.field_violations().is_empty());
            assert_eq!(details.field_violations()[0].field.as_deref(), Some("termination_type"));
            let (message, id) = (error.message(), error.log_id().expect("there is one"));
            assert_eq!((message.ends_with('…'), id.ends_with('…')), (is_truncated, is_truncated));
            assert!(message.starts_with("消消") && message.len() <= 4 * 1024 + 3, "{}", message.len());
            assert!(id.len() <= 256 + 3 && details.as_json().to_string().len() <= 17 * 1024);
        }
    }
}
