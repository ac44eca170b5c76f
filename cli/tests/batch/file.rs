//! What is in a file is what is sent, whatever form it has.

use std::collections::BTreeMap;

use serde_json::{Value, json as value};

use crate::command::{Folder, Ran, header_of, run, run_with_input};
use crate::raw_server::{RawServer, TOKEN, json};

const OK: &str = r#"{"code":0,"msg":"success","data":{}}"#;

/// Runs on a file of this name and content, and returns what was sent, by application.
async fn sent(name: &'static str, content: impl AsRef<[u8]>, arguments: &'static [&str]) -> BTreeMap<String, Value> {
    let server = RawServer::start(|_, _| json(200, OK)).await;
    let content = content.as_ref().to_vec();
    let environment = environment(&server);
    let ran = tokio::task::spawn_blocking(move || {
        let folder = Folder::new();
        let all = [&["batch", name, "--report", "report.jsonl", "--rate", "1000"], arguments].concat();
        let command = |folder: &Folder| folder.command(&all, &environment);
        if name == "-" {
            return run_with_input(command(&folder), &content);
        }
        folder.write(name, content);
        run(command(&folder))
    })
    .await
    .expect("no panic");
    ran.assert_status(0);
    let seen = server.cancellations();
    let sent: BTreeMap<_, _> = seen.iter().map(|seen| (application(&seen.path), body(&seen.body))).collect();
    assert_eq!(sent.len(), seen.len(), "each was sent once");
    sent
}

fn environment(server: &RawServer) -> Vec<(String, String)> {
    let pairs = [("FEISHU_BASE_URL", server.origin.as_str()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn application(path: &str) -> String {
    path.split('/').nth(5).expect("the path has the id").to_owned()
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).expect("a body is JSON")
}

/// What all files below say.
fn expected() -> BTreeMap<String, Value> {
    [
        ("1", value!({"termination_type": 1})),
        ("2", value!({"termination_type": 22, "termination_reason_id_list": ["7", "8"]})),
        ("3", value!({"termination_type": 27, "termination_reason_notes": "said \"no\", twice\nin two lines; 不来了"})),
    ]
    .map(|(id, body)| (id.to_owned(), body))
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_in_all_its_forms_is_read() {
    let rows = "1,1,,\n2,candidate-declined,7;8,\n3,27,,\"said \"\"no\"\", twice\nin two lines; 不来了\"\n";
    let plain = format!("application_id,termination_type,termination_reason_ids,termination_reason_notes\n{rows}");
    assert_eq!(sent("list.csv", &plain, &[]).await, expected());
    let other_order = "termination_reason_notes,termination_type,application_id,termination_reason_ids\n\
        ,company-rejected,1,\n,22,2,\"7; 8\"\n\"said \"\"no\"\", twice\nin two lines; 不来了\",other,3,";
    assert_eq!(sent("list.csv", other_order, &[]).await, expected());
    assert_eq!(sent("list.csv", format!("\u{feff}{plain}"), &[]).await, expected());
    assert_eq!(sent("LIST.CSV", &plain, &[]).await, expected());
    assert_eq!(sent("list.txt", &plain, &["--format", "csv"]).await, expected());
    assert_eq!(sent("-", &plain, &["--format=csv"]).await, expected());
    let quoted = "\"application_id\",\"termination_type\"\n\"1\",\"1\"\n";
    assert_eq!(sent("list.csv", quoted, &[]).await.len(), 1);
    // The line break within a field is the author's, so it stays as it is.
    let crlf = plain.replace('\n', "\r\n");
    let mut with_crlf = expected();
    let notes = "said \"no\", twice\r\nin two lines; 不来了";
    with_crlf.insert("3".to_owned(), value!({"termination_type": 27, "termination_reason_notes": notes}));
    assert_eq!(sent("list.csv", crlf, &[]).await, with_crlf);
}

#[tokio::test(flavor = "multi_thread")]
async fn blank_lines_and_rows_are_nothing() {
    let csv = "\n\napplication_id,termination_type\n\n1,1\n\r\n,\n2,22\n\n\n";
    assert_eq!(sent("list.csv", csv, &[]).await.len(), 2);
    let lines =
        "\n{\"application_id\":\"1\",\"termination_type\":1}\n\n  \n{\"application_id\":\"2\",\"termination_type\":1}";
    assert_eq!(sent("list.jsonl", lines, &[]).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_have_the_fields_of_the_request() {
    let lines = r#"{"application_id":"1","termination_type":1}
{"termination_reason_id_list":["7","8"],"termination_type":22,"application_id":"2"}
{"application_id":"3","termination_type":27,"termination_reason_notes":"said \"no\", twice\nin two lines; 不来了","termination_reason_id_list":[]}"#;
    assert_eq!(sent("list.jsonl", lines, &[]).await, expected());
    assert_eq!(sent("list.ndjson", lines.replace('\n', "\r\n"), &[]).await, expected());
    assert_eq!(sent("list.jsonl", format!("\u{feff}{lines}\n"), &[]).await, expected());
    assert_eq!(sent("-", lines, &["--format", "jsonl"]).await, expected());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_with_the_same_request_is_one_call() {
    let csv =
        "application_id,termination_type,termination_reason_ids\n1,1,7;8\n2,22,\n1,company-rejected,7; 8\n1,1,7;8\n";
    let sent = sent("list.csv", csv, &[]).await;
    assert_eq!(sent.keys().collect::<Vec<_>>(), ["1", "2"]);
    let folder = Folder::new();
    folder.write("list.csv", csv);
    let ran = run(folder.command(&["batch", "list.csv", "--dry-run"], &[]));
    assert!(ran.stderr.contains("2 lines repeat an earlier one"), "{ran:?}");
}

#[test]
fn a_list_of_nothing_is_done_at_once() {
    let folder = Folder::new();
    for (name, content) in [("list.csv", "application_id,termination_type\n"), ("list.jsonl", "\n")] {
        folder.write(name, content);
        let report = format!("{name}.report");
        let ran = run(folder.command(&["batch", name, "--report", &report, "--sandbox"], &[]));
        ran.assert_status(0);
        assert!(ran.stdout.starts_with("0 of 0 done"), "{ran:?}");
    }
}

fn dry_run(folder: &Folder, arguments: &[&str]) -> Ran {
    run(folder.command(&[&["batch", "list.csv", "--dry-run"], arguments].concat(), &[]))
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_sends_nothing() {
    let folder = Folder::new();
    let rows: String = (0..95).map(|id| format!("{id},{}\n", if id < 60 { "1" } else { "other" })).collect();
    folder.write("list.csv", format!("application_id,termination_type\n{rows}"));
    // There are no credentials in the environment, and nowhere to send anything.
    let ran = dry_run(&folder, &[]);
    ran.assert_status(0);
    for part in ["would send 95 cancellations (company-rejected 60, other 35)", "at least 9 s", "nothing was sent"] {
        assert!(ran.stdout.contains(part), "{part}: {ran:?}");
    }
    assert!(dry_run(&folder, &["--rate", "1"]).stdout.contains("at least 1:34"));
    let ran = dry_run(&folder, &["--output", "json", "--rate", "2", "--report", "report.jsonl"]);
    let expected = value!({"dry_run": true, "to_send": 95, "by_type": {"company-rejected": 60, "other": 35},
        "repeated_lines": 0, "ended_already": 0, "fate_unknown": 0, "least_seconds": 47.0});
    assert_eq!(ran.json(), [expected]);
    assert!(!folder.path("report.jsonl").exists());
}

#[test]
fn a_dry_run_takes_a_report_into_account_and_leaves_it_as_it_is() {
    let folder = Folder::new();
    folder.list(5);
    let lines = "{\"ok\":true,\"application_id\":\"0\",\"outcome\":\"cancelled\",\"attempts\":1,\"log_id\":null,\"elapsed_ms\":1}\n\
        {\"application_id\":\"1\",\"started\":true}\n{\"application_id\":\"2\",\"star";
    let report = header_of("https://open.feishu.cn", None) + lines;
    folder.write("report.jsonl", &report);
    dry_run(&folder, &["--report", "report.jsonl"]).assert_status(2);
    let ran = dry_run(&folder, &["--report", "report.jsonl", "--resume", "--output", "json"]);
    let line = &ran.json()[0];
    assert_eq!((&line["to_send"], &line["ended_already"], &line["fate_unknown"]), (&value!(4), &value!(1), &value!(1)));
    assert_eq!(std::fs::read_to_string(folder.path("report.jsonl")).expect("it is there"), report);
}
