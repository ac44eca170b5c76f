//! Going on after whatever ended the run before: what is done is left alone, what is not is tried, and what is said of each
//! is what is known of it.

use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;

use feishu_cancel_onboard::PlatformErrorCode;
use feishu_cancel_onboard::sandbox::{Answer, ApplicationState, Ending, Fault};
use serde_json::{Value, json as value};

use crate::command::{Folder, Ran, environment, header, header_of, run, unlimited};
use crate::raw_server::{Act, RawServer, TOKEN, json};

/// Where is called, and whose reports these are, where no environment says otherwise.
const FEISHU: &str = "https://open.feishu.cn";

fn started(id: &str) -> String {
    format!("{{\"application_id\":\"{id}\",\"started\":true}}\n")
}

fn done(id: &str, outcome: &str) -> String {
    format!(
        "{{\"ok\":true,\"application_id\":\"{id}\",\"outcome\":\"{outcome}\",\"attempts\":1,\"log_id\":\"L\",\"elapsed_ms\":1}}\n"
    )
}

fn failed(id: &str, kind: &str, delivery: &str, retryable: bool) -> String {
    let error = value!({"kind": kind, "code": null, "http_status": null, "message": "m", "log_id": null, "delivery": delivery,
        "retryable": retryable, "retry_after_ms": null, "attempts": 1, "advice": {"en": "do", "zh": "做"}, "details": null});
    format!("{{\"ok\":false,\"application_id\":\"{id}\",\"error\":{error},\"elapsed_ms\":1}}\n")
}

#[test]
fn each_standing_leads_to_what_it_must() {
    use ApplicationState::{Pending, Terminated};
    let terminated = value!("terminated");
    let cancelled = value!("cancelled");
    // What the report says, the state on the server, and the outcome or the kind of failure that is to come of it, or
    // nothing where nothing is to be sent.
    let table: [(&str, Vec<String>, ApplicationState, Option<Value>); 23] = [
        ("new", vec![], Pending, Some(cancelled.clone())),
        ("new-gone", vec![], Terminated, Some(value!("already_terminated"))),
        ("lost", vec![started("lost")], Pending, Some(cancelled.clone())),
        ("lost-gone", vec![started("lost-gone")], Terminated, Some(terminated.clone())),
        ("done", vec![started("done"), done("done", "cancelled")], Terminated, None),
        ("done-late", vec![started("done-late"), done("done-late", "terminated")], Terminated, None),
        (
            "final",
            vec![started("final"), failed("final", "managed_by_feishu_people", "rejected", false)],
            Pending,
            None,
        ),
        (
            "final-2",
            vec![started("final-2"), failed("final-2", "already_terminated", "rejected", false)],
            Pending,
            None,
        ),
        ("final-3", vec![started("final-3"), failed("final-3", "invalid_parameter", "rejected", false)], Pending, None),
        (
            "odd",
            vec![started("odd"), failed("odd", "unexpected_response", "unknown", false)],
            Terminated,
            Some(terminated.clone()),
        ),
        (
            "page",
            vec![started("page"), failed("page", "unexpected_response", "rejected", false)],
            Pending,
            Some(cancelled.clone()),
        ),
        (
            "scope",
            vec![started("scope"), failed("scope", "permission_denied", "rejected", false)],
            Pending,
            Some(cancelled.clone()),
        ),
        (
            "refused-here",
            vec![failed("refused-here", "invalid_request", "not_sent", false)],
            Pending,
            Some(cancelled.clone()),
        ),
        (
            "interrupted",
            vec![started("interrupted"), failed("interrupted", "interrupted", "unknown", false)],
            Terminated,
            Some(terminated.clone()),
        ),
        (
            "limited",
            vec![started("limited"), failed("limited", "rate_limited", "rejected", true)],
            Pending,
            Some(cancelled.clone()),
        ),
        (
            "limited-gone",
            vec![started("limited-gone"), failed("limited-gone", "rate_limited", "rejected", true)],
            Terminated,
            Some(value!("already_terminated")),
        ),
        (
            "unsent-gone",
            vec![failed("unsent-gone", "connect", "not_sent", true)],
            Terminated,
            Some(value!("already_terminated")),
        ),
        (
            "unknown",
            vec![started("unknown"), failed("unknown", "timeout", "unknown", true)],
            Pending,
            Some(cancelled.clone()),
        ),
        (
            "unknown-gone",
            vec![started("unknown-gone"), failed("unknown-gone", "system_error", "unknown", true)],
            Terminated,
            Some(terminated.clone()),
        ),
        (
            "lost-again",
            vec![started("lost-again"), failed("lost-again", "rate_limited", "rejected", true), started("lost-again")],
            Terminated,
            Some(terminated.clone()),
        ),
        (
            "lost-then-limited",
            vec![started("lost-then-limited"), failed("lost-then-limited", "rate_limited", "unknown", true)],
            Terminated,
            Some(terminated.clone()),
        ),
        (
            "no-token",
            vec![failed("no-token", "invalid_credentials", "not_sent", false)],
            Pending,
            Some(cancelled.clone()),
        ),
        (
            "token-lost",
            vec![started("token-lost"), failed("token-lost", "unauthorized", "unknown", false)],
            Terminated,
            Some(terminated),
        ),
    ];
    let (sandbox, folder) = (unlimited(), Folder::new());
    let rows: String = table.iter().map(|(id, ..)| format!("{id},other\n")).collect();
    folder.write("list.csv", format!("application_id,termination_type\n{rows}"));
    let report = header(&sandbox) + &table.iter().flat_map(|(_, lines, ..)| lines.clone()).collect::<String>();
    folder.write("report.jsonl", &report);
    for (id, _, state, _) in &table {
        sandbox.set_application(*id, *state);
    }
    let ran = run(folder.batch(&["--rate", "1000", "--resume", "--output", "json"], &environment(&sandbox)));
    let lines = ran.json();
    for (id, _, _, expected) in &table {
        let line = lines.iter().find(|line| line["application_id"] == *id);
        let came = line.map(|line| if line["ok"] == true { &line["outcome"] } else { &line["error"]["kind"] });
        assert_eq!(came, expected.as_ref(), "{id}");
    }
    let sent = table.iter().filter(|(.., expected)| expected.is_some()).count();
    let called = sandbox.calls().iter().filter(|call| call.application_id.is_some()).count();
    assert_eq!((lines.len(), called), (sent, sent));
    // The report only grew.
    assert!(fs::read_to_string(folder.path("report.jsonl")).expect("it is there").starts_with(&report));
    // Some of those that were left alone had been refused.
    ran.assert_status(1);
    // All that is left now is final.
    let again = run(folder.batch(&["--rate", "1000", "--resume"], &environment(&sandbox)));
    again.assert_status(1);
    assert_eq!(sandbox.calls().iter().filter(|call| call.application_id.is_some()).count(), sent);
    assert!(
        again.stdout.starts_with(
            "17 of 23 done: 9 cancelled, 8 terminated; 4 already terminated before, 2 failed, 0 not tried"
        ),
        "{again:?}"
    );
}

#[test]
fn a_report_torn_at_any_point_loses_no_whole_line() {
    let whole = header_of(FEISHU, Some("cli_1")) + &started("0") + &done("0", "cancelled");
    for last in [started("1"), done("1", "terminated"), failed("1", "managed_by_feishu_people", "rejected", false)] {
        let folder = Folder::new();
        folder.write("list.csv", "application_id,termination_type\n0,1\n1,1\n");
        for length in 0..=last.len() {
            folder.write("report.jsonl", [whole.as_bytes(), &last.as_bytes()[..length]].concat());
            let ran = dry_run(&folder);
            // Without the line break that ends it, the line is whole all the same.
            let is_final = length + 1 >= last.len() && last.contains("\"ok\"");
            assert_eq!(ran.json()[0]["to_send"], value!(1 - usize::from(is_final)), "{length} of {last}");
        }
    }
}

#[test]
fn a_torn_last_line_is_repaired() {
    let last = done("1", "terminated");
    for length in [1, 10, last.len() - 2, last.len() - 1, last.len()] {
        let (sandbox, folder) = (unlimited(), Folder::new());
        let whole = header(&sandbox) + &started("0") + &done("0", "cancelled");
        folder.write("list.csv", "application_id,termination_type\n0,1\n1,1\n");
        folder.write("report.jsonl", format!("{whole}{}", &last[..length]));
        let ran = run(folder.batch(&["--resume"], &environment(&sandbox)));
        ran.assert_status(0);
        let is_there = length + 1 >= last.len();
        assert_eq!(
            ran.stderr.contains(&format!("last line was torn: {length} bytes have been cut off")),
            !is_there,
            "{ran:?}"
        );
        let text = fs::read_to_string(folder.path("report.jsonl")).expect("it is there");
        match is_there {
            true => assert_eq!(text, format!("{whole}{last}")),
            false => assert!(text.starts_with(&format!("{whole}{}", started("1").trim_end_matches("}\n"))), "{text}"),
        }
        assert_eq!((folder.ends().len(), sandbox.cancellations()), (2, usize::from(!is_there)));
    }
}

fn dry_run(folder: &Folder) -> Ran {
    let ran = run(folder.batch(&["--resume", "--dry-run", "--output", "json"], &[]));
    ran.assert_status(0);
    ran
}

#[test]
fn pages_that_a_power_cut_left_unwritten_are_no_lines() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(4);
    let zeros = "\0".repeat(100);
    let report =
        format!("{}{}{}{zeros}true}}\n{}{zeros}", header(&sandbox), started("0"), done("0", "cancelled"), started("1"));
    folder.write("report.jsonl", report);
    for id in ["0", "1"] {
        sandbox.set_application(id, ApplicationState::Terminated);
    }
    let ran = run(folder.batch(&["--resume", "--output", "json"], &environment(&sandbox)));
    ran.assert_status(0);
    let outcomes: Vec<_> =
        ran.json().iter().map(|line| (line["application_id"].clone(), line["outcome"].clone())).collect();
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes.contains(&(value!("1"), value!("terminated"))), "{outcomes:?}");
}

#[test]
fn an_application_that_the_file_no_longer_names_is_left_alone_and_named() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(2);
    let report = header(&sandbox)
        + &started("gone-lost")
        + &started("gone-done")
        + &done("gone-done", "cancelled")
        + &started("0");
    folder.write("report.jsonl", &report);
    let ran = run(folder.batch(&["--resume"], &environment(&sandbox)));
    ran.assert_status(0);
    let note = |id: &str| ran.stderr.lines().find(|line| line.ends_with(id)).expect("it is named").to_owned();
    assert!(note("gone-done").starts_with("note: in the report and not in the file"), "{ran:?}");
    assert!(note("gone-lost").starts_with("warning: in the report and not in the file"), "{ran:?}");
    assert!(sandbox.calls().iter().all(|call| call.application_id.as_deref() != Some("gone-lost")));
    assert_eq!(sandbox.cancellations(), 2);
}

#[test]
fn what_failed_for_a_reason_that_passes_is_tried_again() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(6);
    sandbox.fail_cancellations_at_random(1, [(1.0, Fault::WithEffect(Ending::Close))]);
    let first = run(folder.batch(&["--rate", "1000", "--deadline", "0.5"], &environment(&sandbox)));
    first.assert_status(4);
    assert!(
        first.stdout.contains("6 are tried again, or tried at all, by the same command with --resume"),
        "{first:?}"
    );
    sandbox.fail_cancellations_at_random(1, []);
    let second = run(folder.batch(&["--rate", "1000", "--resume"], &environment(&sandbox)));
    second.assert_status(0);
    assert!(second.stdout.starts_with("6 of 6 done: 0 cancelled, 6 terminated"), "{second:?}");
    assert!(folder.ends().values().all(|ends| ends.len() == 2 && ends[1]["outcome"] == "terminated"));
    assert_eq!(sandbox.cancellations(), 6);
}

#[test]
fn credentials_that_are_refused_end_the_run_and_once_they_are_right_it_goes_on() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(40);
    let mut wrong = environment(&sandbox);
    wrong[2].1 = "not-the-secret".to_owned();
    let ran = run(folder.batch(&[], &wrong));
    ran.assert_status(3);
    assert!(ran.stdout.starts_with("stopped, because the credentials were refused"), "{ran:?}");
    assert_eq!(ran.stdout.matches("The app id or the app secret is wrong").count(), 1, "{ran:?}");
    assert!(sandbox.calls().iter().all(|call| call.application_id.is_none()));
    assert!(folder.report().iter().all(|line| line.get("started").is_none()));
    // The same where it is the call that refuses them, in the middle of the run.
    // Only once, since another one could wait for the next run.
    let refusal = Answer::from(PlatformErrorCode::AppDisabled);
    sandbox.fail_cancellations(std::iter::repeat_n(Fault::None, 5));
    sandbox.fail_cancellations([Fault::WithoutEffect(refusal.into())]);
    let ran = run(folder.batch(&["--resume", "--rate", "5"], &environment(&sandbox)));
    ran.assert_status(3);
    assert!(sandbox.cancellations() < 40, "{ran:?}");
    let ran = run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox)));
    ran.assert_status(0);
    assert!(ran.stdout.starts_with("40 of 40 done: 40 cancelled"), "{ran:?}");
    assert_eq!(sandbox.cancellations(), 40);
    let done = |ends: &Vec<Value>| ends.iter().filter(|line| line["ok"] == true).count();
    assert!(folder.ends().values().all(|ends| done(ends) == 1));
}

#[test]
fn a_line_that_was_changed_since_matters_only_for_what_has_not_ended() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(2);
    run(folder.batch(&[], &environment(&sandbox))).assert_status(0);
    folder.write("list.csv", "application_id,termination_type\n0,1\n1,22\n2,1\n");
    let ran = run(folder.batch(&["--resume", "--output", "json"], &environment(&sandbox)));
    ran.assert_status(0);
    assert_eq!(ran.json().len(), 1);
    assert_eq!(sandbox.cancellations(), 3);
}

#[test]
fn what_the_platform_refused_is_tried_again_if_that_is_asked_for() {
    use ApplicationState::{InFeishuPeople, Pending};
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(3);
    sandbox.set_application("1", InFeishuPeople);
    sandbox.set_application("2", InFeishuPeople);
    run(folder.batch(&["--rate", "1000"], &environment(&sandbox))).assert_status(1);
    let calls = || sandbox.calls().iter().filter(|call| call.application_id.is_some()).count();
    assert_eq!(calls(), 3);
    run(folder.batch(&["--resume"], &environment(&sandbox))).assert_status(1);
    assert_eq!(calls(), 3);
    let ran = run(folder.batch(&["--retry-rejected"], &environment(&sandbox)));
    ran.assert_status(2);
    assert!(ran.stderr.contains("--resume"), "{ran:?}");

    sandbox.set_application("1", Pending);
    let all = ["--resume", "--retry-rejected"];
    let ran = run(folder.batch(&[&all[..], &["--dry-run", "--output", "json"]].concat(), &environment(&sandbox)));
    assert_eq!(ran.json()[0]["to_send"], 2, "{ran:?}");
    let ran = run(folder.batch(&all, &environment(&sandbox)));
    ran.assert_status(1);
    assert!(ran.stdout.starts_with("2 of 3 done: 2 cancelled, 0 terminated; 1 failed, 0 not tried"), "{ran:?}");
    assert!(ran.stdout.contains("managed_by_feishu_people 1: 2\n"), "{ran:?}");
    assert_eq!((calls(), sandbox.cancellations()), (5, 2));
    // What came later is what holds: of each there is one result.
    let ran = run(folder.batch(&["--resume"], &environment(&sandbox)));
    assert!(ran.stdout.starts_with("2 of 3 done: 2 cancelled, 0 terminated; 1 failed, 0 not tried"), "{ran:?}");
    assert_eq!(calls(), 5);
}

#[test]
fn a_refusal_that_was_tried_again_and_lost_is_lost() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write("list.csv", "application_id,termination_type\na,1\n");
    sandbox.set_application("a", ApplicationState::Terminated);
    let refused = started("a") + &failed("a", "managed_by_feishu_people", "rejected", false);
    folder.write("report.jsonl", header(&sandbox) + &refused + &started("a"));
    let ran = run(folder.batch(&["--resume"], &environment(&sandbox)));
    ran.assert_status(0);
    assert!(ran.stdout.starts_with("1 of 1 done: 0 cancelled, 1 terminated; 0 failed"), "{ran:?}");
}

/// More than are under way at once.
const MANY: usize = 400;

#[test]
fn a_run_that_nobody_answers_stops_and_goes_on_once_that_is_put_right() {
    for fault in [
        Fault::WithoutEffect(Ending::Close),
        Fault::WithoutEffect(Ending::Hang),
        Fault::WithoutEffect(Answer::html(http::StatusCode::FORBIDDEN).into()),
        Fault::WithoutEffect(Answer::html(http::StatusCode::BAD_GATEWAY).into()),
    ] {
        let (sandbox, folder) = (unlimited(), Folder::new());
        folder.list(MANY);
        sandbox.fail_cancellations_at_random(1, [(1.0, fault)]);
        let all = ["--rate", "200", "--deadline", "0.2", "--timeout", "0.1"];
        let ran = run(folder.batch(&all, &environment(&sandbox)));
        ran.assert_status(4);
        let said = "stopped, because 10 in a row ended without an answer of the platform: check the network, the proxy and the \
            origin, put it right, then --resume\n";
        assert!(ran.stdout.starts_with(said), "{ran:?}");
        let ends = folder.ends().len();
        assert!((10..MANY).contains(&ends), "{ends}: {ran:?}");
        sandbox.fail_cancellations_at_random(1, []);
        let ran = run(folder.batch(&["--rate", "1000", "--resume"], &environment(&sandbox)));
        ran.assert_status(0);
        assert_eq!(sandbox.cancellations(), MANY);
    }
}

#[test]
fn a_run_that_no_connection_can_be_made_for_stops_as_well() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(MANY);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    let mut nowhere = environment(&sandbox);
    nowhere[0].1 = format!("http://{}", free.local_addr().expect("it is bound"));
    drop(free);
    let ran = run(folder.batch(&["--rate", "200", "--deadline", "0.2", "--lang", "zh"], &nowhere));
    ran.assert_status(4);
    assert!(ran.stdout.starts_with("连续 10 条未收到平台的响应，已停止："), "{ran:?}");
    assert!(folder.report().iter().all(|line| line.get("started").is_none()), "nothing was sent");
    assert!((10..MANY).contains(&folder.ends().len()), "{ran:?}");
}

/// Runs on a list of 40 with a server that does this with each attempt, counted from 0, of each application.
async fn served(script: fn(usize, usize) -> Act) -> (Ran, usize) {
    let attempts = Mutex::new(HashMap::<usize, usize>::new());
    let server = RawServer::start(move |_, seen| {
        let id = seen.path.split('/').rev().nth(1).and_then(|id| id.parse().ok()).expect("it is a number");
        let mut attempts = attempts.lock().expect("no test panics with it");
        let attempt = attempts.entry(id).or_default();
        *attempt += 1;
        script(id, *attempt - 1)
    })
    .await;
    let pairs = [("FEISHU_BASE_URL", server.origin.as_str()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)];
    let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let of_run = move || {
        let folder = Folder::new();
        folder.list(40);
        let ran = run(folder.batch(&["--rate", "100", "--deadline", "3"], &environment));
        (ran, folder.ends().len())
    };
    tokio::task::spawn_blocking(of_run).await.expect("no panic")
}

const PASSING: &str = r#"{"code":1002001,"msg":"m","error":{"log_id":"L"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_between_keeps_a_run_going() {
    // None of these ends with an answer, and each of them had one before.
    let (ran, ends) = served(|_, attempt| if attempt == 0 { json(500, PASSING) } else { Act::Close }).await;
    ran.assert_status(4);
    assert!(ran.stdout.starts_with("0 of 40 done: ") && ends == 40, "{ran:?}");
}

#[test]
fn a_report_of_a_million_others_is_told_in_one_short_line() {
    const COUNT: usize = 1_000_000;
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(2);
    let mut report = header(&sandbox);
    for number in 0..COUNT {
        report += &started(&format!("gone-{number:07}"));
    }
    report += &done("gone-0000000", "cancelled");
    folder.write("report.jsonl", &report);
    let ran = run(folder.batch(&["--resume"], &environment(&sandbox)));
    ran.assert_status(0);
    assert!(ran.stderr.len() < 1000, "{} bytes", ran.stderr.len());
    assert!(ran.stderr.contains("therefore left alone: 1: gone-0000000\n"), "{ran:?}");
    assert!(
        ran.stderr.contains("nobody knows whether they took effect: 999999: gone-0000001 gone-0000002 "),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("gone-0000010 and 999989 more\n"), "{ran:?}");
}
