//! `--check-reasons`: a file that names a reason that would not do is refused as a whole, before anything is sent.

use feishu_cancel_onboard::PlatformErrorCode;
use feishu_cancel_onboard::sandbox::{Answer, Ending, Fault, Sandbox};
use serde_json::{Value, json as value};

use crate::command::{Folder, Ran, environment, header, run, unlimited};

const HEADER: &str = "application_id,termination_type,termination_reason_ids\n";
/// Of those that the sandbox lists: one of each type, and a disabled one of candidates.
const REJECTED: &str = "6959090661225640001";
const DECLINED: &str = "6959090661225640011";
const DISABLED: &str = "6959090661225640014";
/// The last one of the sandbox's list, disabled, which stands on its second page.
const OTHER_DISABLED: &str = "6959090661225640022";

fn batch(folder: &Folder, sandbox: &Sandbox, file: &str, arguments: &[&str]) -> Ran {
    let all = [&["batch", file, "--report", "report.jsonl", "--check-reasons"], arguments].concat();
    run(folder.command(&all, &environment(sandbox)))
}

/// How many cancellations and how many pages of reasons were asked for.
fn calls(sandbox: &Sandbox) -> (usize, usize) {
    let calls = sandbox.calls();
    let cancellations = calls.iter().filter(|call| call.application_id.is_some()).count();
    (cancellations, calls.iter().filter(|call| call.method == "GET").count())
}

/// Runs on a file that must be refused once its reasons have been looked up.
fn refused(name: &str, content: &str, arguments: &[&str]) -> Ran {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write(name, content);
    let ran = batch(&folder, &sandbox, name, arguments);
    ran.assert_status(2);
    assert_eq!(calls(&sandbox), (0, 2), "{ran:?}");
    assert!(!folder.path("report.jsonl").exists());
    ran
}

/// Each complaint must be said, in this order, and nothing else.
#[track_caller]
fn assert_complaints(ran: &Ran, complaints: &[&str]) {
    let said: Vec<_> = ran.stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    assert_eq!(said.len(), complaints.len(), "{}", ran.stderr);
    for (said, complaint) in said.iter().zip(complaints) {
        assert!(said.starts_with(complaint), "{complaint}: {said}");
    }
    assert!(ran.stderr.ends_with("nothing was sent: the file must be right as a whole\n"), "{}", ran.stderr);
}

#[test]
fn every_reason_that_would_not_do_is_named_with_its_line() {
    let rows = format!(
        "1,22,{DECLINED}\n2,22,69590906612256400111\n\n3,22,{DECLINED};{DISABLED};{REJECTED}\n4,27,{OTHER_DISABLED}\n\
        5,1,\n6,22,nothing like it\n2,22,69590906612256400111\n"
    );
    let ran = refused("list.csv", &format!("{HEADER}{rows}"), &[]);
    let place = "column termination_reason_ids: the reason id";
    assert_complaints(
        &ran,
        &[
            &format!("line 3, {place} `69590906612256400111` is not one of the tenant's; near it: {DECLINED} (薪酬"),
            &format!("line 5, {place} `{DISABLED}` (未说明 / Not stated) is disabled; near it: "),
            &format!(
                "line 5, {place} `{REJECTED}` (岗位已关闭 / Position closed) is for the type company-rejected, not "
            ),
            &format!("line 6, {place} `{OTHER_DISABLED}` (历史数据 / Historical data) is disabled"),
            &format!("line 8, {place} `nothing like it` is not one of the tenant's; `cancel-onboard reasons --type "),
            &format!("line 9, {place} `69590906612256400111` is not one of the tenant's; near it: {DECLINED} (薪酬"),
        ],
    );
}

#[test]
fn in_json_lines_as_well_and_each_complaint_is_a_line_of_json_if_asked_for() {
    let content = format!(
        "{{\"application_id\":\"1\",\"termination_type\":22,\"termination_reason_id_list\":[\"{DECLINED}\"]}}\n\
        {{\"application_id\":\"2\",\"termination_type\":1,\"termination_reason_id_list\":[\"999\",\"{DECLINED}\"]}}\n"
    );
    let ran = refused("list.jsonl", &content, &[]);
    assert_complaints(
        &ran,
        &["line 2, reason ids: the reason id `999`", &format!("line 2, reason ids: the reason id `{DECLINED}`")],
    );
    let lines = refused("list.jsonl", &content, &["--output", "json"]).json();
    assert_eq!(lines.len(), 2);
    for (line, id) in lines.iter().zip(["999", DECLINED]) {
        assert_eq!((&line["ok"], &line["application_id"]), (&value!(false), &value!("2")));
        let error = &line["error"];
        assert_eq!((&error["kind"], &error["delivery"]), (&value!("invalid_request"), &value!("not_sent")));
        let message = error["message"].as_str().expect("it is text");
        assert!(message.starts_with(&format!("line 2, reason ids: the reason id `{id}` ")), "{message}");
    }
}

#[test]
fn a_file_whose_reasons_would_do_is_sent() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write("list.csv", format!("{HEADER}1,22,{DECLINED}\n2,1,{REJECTED};{REJECTED}\n3,27,\n"));
    batch(&folder, &sandbox, "list.csv", &[]).assert_status(0);
    assert_eq!(calls(&sandbox), (3, 2));
    assert_eq!(folder.ends().len(), 3);
}

#[test]
fn what_is_not_asked_for_or_names_no_reasons_is_not_looked_up() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write("list.csv", format!("{HEADER}9,22,999\n"));
    run(folder.batch(&[], &environment(&sandbox))).assert_status(0);
    folder.list(2);
    let all = ["batch", "list.csv", "--report", "other.jsonl", "--check-reasons"];
    run(folder.command(&all, &environment(&sandbox))).assert_status(0);
    assert_eq!(calls(&sandbox), (3, 0));
    // A file that is wrong by itself is refused without a call.
    folder.write("list.csv", format!("{HEADER}1,22,999\n2,9,999\n"));
    let before = sandbox.calls().len();
    let all = ["batch", "list.csv", "--report", "third.jsonl", "--check-reasons"];
    run(folder.command(&all, &environment(&sandbox))).assert_status(2);
    assert_eq!(sandbox.calls().len(), before);
}

#[test]
fn a_report_that_exists_is_found_before_anything_is_looked_up() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write("list.csv", format!("{HEADER}1,22,999\n"));
    folder.write("report.jsonl", "");
    let ran = batch(&folder, &sandbox, "list.csv", &[]);
    ran.assert_status(2);
    assert!(ran.stderr.contains("exists: continue it with --resume"), "{ran:?}");
    assert!(sandbox.calls().is_empty());
}

#[test]
fn of_what_has_ended_the_reasons_are_not_looked_at() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write("list.csv", format!("{HEADER}1,22,{DISABLED}\n2,22,{DECLINED}\n"));
    let report = "{\"application_id\":\"1\",\"started\":true}\n\
        {\"ok\":true,\"application_id\":\"1\",\"outcome\":\"cancelled\",\"attempts\":1,\"log_id\":\"L\",\"elapsed_ms\":1}\n";
    folder.write("report.jsonl", header(&sandbox) + report);
    let ran = batch(&folder, &sandbox, "list.csv", &["--resume"]);
    ran.assert_status(0);
    assert_eq!(calls(&sandbox), (1, 2));
    // What the report tells was counted once.
    assert!(ran.stdout.starts_with("2 of 2 done: 2 cancelled"), "{ran:?}");
    // What has not ended is looked at, and a report that is there is left as it is.
    let started = "{\"application_id\":\"1\",\"started\":true}\n";
    folder.write("report.jsonl", header(&sandbox) + started);
    let ran = batch(&folder, &sandbox, "list.csv", &["--resume"]);
    ran.assert_status(2);
    assert_complaints(&ran, &[&format!("line 2, column termination_reason_ids: the reason id `{DISABLED}`")]);
    assert_eq!(folder.report(), [value!({"application_id": "1", "started": true})]);
}

#[test]
fn a_dry_run_looks_them_up_if_asked_to() {
    let ran = refused("list.csv", &format!("{HEADER}1,22,999\n"), &["--dry-run"]);
    assert_complaints(&ran, &["line 2, column termination_reason_ids: the reason id `999`"]);
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write("list.csv", format!("{HEADER}1,22,{DECLINED}\n"));
    let ran = batch(&folder, &sandbox, "list.csv", &["--dry-run"]);
    ran.assert_status(0);
    assert!(ran.stdout.contains("would send 1 cancellations"), "{ran:?}");
    assert_eq!(calls(&sandbox), (0, 2));
    let ran = run(folder.command(&["batch", "list.csv", "--dry-run", "--check-reasons"], &[]));
    ran.assert_status(2);
    assert!(ran.stderr.contains("no credentials"), "{ran:?}");
}

#[test]
fn reasons_that_can_not_be_read_keep_everything_from_being_sent() {
    let denied = Answer::from(PlatformErrorCode::AppScopeMissing);
    for (fault, kind, exit) in [
        (Fault::WithoutEffect(denied.into()), "permission_denied", 1),
        (Fault::WithoutEffect(Ending::Close), "connection_lost", 4),
    ] {
        for output in ["json", "text"] {
            let (sandbox, folder) = (unlimited(), Folder::new());
            folder.write("list.csv", format!("{HEADER}1,22,{DECLINED}\n2,22,\n"));
            // The second page fails, as often as it is tried.
            sandbox.fail_reason_lists(std::iter::once(Fault::None).chain((0..4).map(|_| fault.clone())));
            let ran = batch(&folder, &sandbox, "list.csv", &["--output", output]);
            ran.assert_status(exit);
            assert_eq!((calls(&sandbox).0, folder.path("report.jsonl").exists()), (0, false), "{ran:?}");
            assert!(ran.stderr.contains("nothing was sent"), "{ran:?}");
            match output {
                "json" => {
                    let [line] = &ran.json()[..] else { panic!("one line: {ran:?}") };
                    let error = &line["error"];
                    assert_eq!((&line["application_id"], &error["kind"]), (&Value::Null, &value!(kind)));
                    assert_eq!((&error["delivery"], &error["attempts"]), (&value!("not_sent"), &value!(0)));
                }
                _ => assert!(ran.stdout.is_empty() && ran.stderr.contains(kind), "{ran:?}"),
            }
        }
    }
}
