//! What the binary prints is whole and harmless: output that can't be written is no success, and nothing that it prints can
//! do anything to a terminal.

use test_support::pages;
use test_support::raw_server;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use pages::{FORMS, Page};
use raw_server::{RawServer, TOKEN, json};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");

/// Everything that a terminal could obey, and characters that reorder text, one of each kind.
const HARMFUL: &str = "\u{1b}[2J\u{7}\u{7f}\u{85}\u{9b}31m\u{61c}\u{200e}\u{202e}\u{2066}\u{2028}\u{2029}\u{feff}";

/// A folder that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("output-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        fs::write(path.join("list.csv"), "application_id,termination_type\n1,1\n2222222222,1\n")
            .expect("a file can be");
        fs::write(path.join("wrong.csv"), "application_id,termination_type\n1,3\n").expect("a file can be written");
        fs::write(path.join("page.md"), Page::new().write(FORMS[1])).expect("a file can be written");
        Self(path)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(&self.0).env_clear().args(arguments).stdin(Stdio::null());
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it prints UTF-8")
}

/// Arguments with which each command prints something to standard output, in every form that it has.
fn that_print() -> Vec<Vec<&'static str>> {
    let in_json = |arguments: &[&'static str]| [arguments, &["--output", "json"]].concat();
    let mut all: Vec<Vec<&str>> = vec![
        vec!["--help"],
        vec!["cancel", "--help"],
        vec!["--version"],
        vec!["completions", "bash"],
        vec!["man"],
        vec!["man", "--dir", "pages"],
        vec!["reasons", "--sandbox", "--output", "csv"],
        // Refused, which is said on standard output in this form.
        in_json(&["reasons"]),
        in_json(&["cancel", "1", "--type", "1"]),
        in_json(&["cancel", "1", "--type", "3"]),
        in_json(&["batch", "list.csv"]),
        in_json(&["batch", "missing.csv", "--dry-run"]),
        in_json(&["batch", "wrong.csv", "--dry-run"]),
        in_json(&["batch", "list.csv", "--report", "r.jsonl"]),
        in_json(&["check-docs", "missing.md"]),
        in_json(&["check-docs", "--no-such-option"]),
    ];
    for arguments in [
        &["cancel", "1", "--type", "1", "--sandbox"][..],
        &["batch", "list.csv", "--dry-run"],
        &["batch", "list.csv", "--report", "r.jsonl", "--sandbox"],
        &["reasons", "--sandbox"],
        &["explain"],
        &["explain", "0"],
        &["explain", "1002221"],
        &["sandbox"],
        &["check-docs", "page.md"],
        &["check-docs", "page.md", "--all"],
    ] {
        all.extend([arguments.to_vec(), in_json(arguments)]);
    }
    all
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_can_not_be_written_is_no_success_of_any_command() {
    let folder = Folder::new("full");
    for arguments in that_print() {
        let _ = fs::remove_file(folder.0.join("r.jsonl"));
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
        let output = folder.command(&arguments).stdout(full).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {}", stderr(&output));
        let said = stderr(&output).matches("standard output can't be written").count();
        assert_eq!(said, 1, "{arguments:?}: {}", stderr(&output));
    }
    // What became of the cancellations is in the report, and told besides.
    let arguments = ["batch", "list.csv", "--report", "kept.jsonl", "--sandbox"];
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    let output = folder.command(&arguments).stdout(full).output().expect("the binary runs");
    assert!(stderr(&output).contains("1 of 2 done"), "{}", stderr(&output));
    let report = fs::read_to_string(folder.0.join("kept.jsonl")).expect("there is a report");
    assert_eq!(report.matches("\"ok\":").count(), 2, "{report}");
}

/// Runs with a standard output whose reader has left before.
#[cfg(unix)]
fn unread(mut command: Command) -> Output {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    command.stdout(writer).stderr(Stdio::piped()).spawn().expect("it runs").wait_with_output().expect("it ends")
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_left_is_no_failure() {
    let folder = Folder::new("unread");
    for (arguments, exit) in [
        (&["reasons", "--sandbox", "--output", "json"][..], 0),
        (&["explain"], 0),
        (&["--help"], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["batch", "list.csv", "--dry-run"], 0),
        (&["batch", "list.csv", "--report", "a.jsonl", "--sandbox"], 1),
        (&["batch", "list.csv", "--report", "b.jsonl", "--sandbox", "--output", "json"], 1),
        (&["check-docs", "page.md"], 1),
    ] {
        let output = unread(folder.command(arguments));
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("can't be written"), "{arguments:?}: {}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_left_hides_no_cancellation() {
    let folder = Folder::new("hidden");
    for (more, part) in [(&["--output", "json"][..], "{\"ok\":true,\"application_id\":\"1\""), (&[], "application  1")]
    {
        let output = unread(folder.command(&[&["cancel", "1", "--type", "1", "--sandbox"], more].concat()));
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_holds_nothing_that_a_terminal_obeys_and_says_what_was_sent() {
    let body = serde_json::json!({"code": 1002002, "msg": HARMFUL, "error": {"log_id": HARMFUL, "message": HARMFUL,
        HARMFUL: [HARMFUL]}});
    let server = RawServer::start(move |_, _| json(400, &body.to_string())).await;
    let environment = [("FEISHU_BASE_URL", server.origin.clone()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN.to_owned())];
    let id = format!("1{HARMFUL}");
    let page = format!("page{HARMFUL}.md");
    for (arguments, pointer, expected) in [
        (&["cancel", "1", "--type", "1"][..], "/error/message", HARMFUL),
        (&["batch", "list.csv", "--report", "report.jsonl"], "/error/message", HARMFUL),
        (&["cancel", &id, "--type", "1"], "/application_id", &id),
        (&["reasons"], "/error/message", HARMFUL),
        (&["check-docs", &page], "/page", &page),
        (&["batch", &page, "--dry-run"], "/error/kind", "invalid_request"),
    ] {
        let folder = Folder::new("harmful");
        let mut command = folder.command(&[arguments, &["--output", "json"]].concat());
        command.envs(environment.clone());
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("no panic");
        let text = String::from_utf8(output.stdout.clone()).expect("it prints UTF-8");
        let report = fs::read_to_string(folder.0.join("report.jsonl")).unwrap_or_default();
        for printed in [&text, &stderr(&output), &report] {
            let harmless = |c: char| c == '\n' || !HARMFUL.contains(c) || c.is_ascii_graphic();
            assert!(printed.chars().all(harmless), "{arguments:?}: {printed:?}");
        }
        let line: Value = serde_json::from_str(text.lines().next().expect("there is a line")).expect("it is JSON");
        assert_eq!(line.pointer(pointer).and_then(Value::as_str), Some(expected), "{line}");
    }
}

#[test]
fn a_folder_that_man_pages_can_not_be_written_to_is_named_harmlessly() {
    let folder = Folder::new("man");
    let name = format!("list.csv/{}", HARMFUL.replace('\u{feff}', ""));
    let output = folder.command(&["man", "--dir", &name]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains(r"\u{1b}[2J") && text.lines().count() == 1, "{text:?}");
    assert!(text.chars().all(|c| c == '\n' || c.is_ascii_graphic() || c == ' '), "{text:?}");
}
