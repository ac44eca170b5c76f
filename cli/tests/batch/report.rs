//! The report: what is begun and what becomes of it, on disk in time, in a file that is nobody else's.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use feishu_cancel_onboard::sandbox::{ApplicationState, Ending, Fault, Sandbox};
use serde_json::{Value, json as value};

use crate::command::{Folder, Ran, environment, id, run, spawn, start, unlimited, until};

/// Longer than any test takes.
const HOURS: Duration = Duration::from_secs(10_000);

#[test]
fn each_application_has_a_line_when_it_is_begun_and_one_when_it_ends() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(30);
    sandbox.set_application("7", ApplicationState::InFeishuPeople);
    sandbox.fail_cancellations([Fault::WithEffect(Ending::Reset)]);
    let ran = run(folder.batch(&["--rate", "1000"], &environment(&sandbox)));
    let text = fs::read_to_string(folder.path("report.jsonl")).expect("there is a report");
    for number in 0..30 {
        let started = format!("{{\"application_id\":\"{number}\",\"started\":true,\"at\":\"");
        let at = text.find(&started).expect("it was begun");
        let end = format!("\"application_id\":\"{number}\"");
        assert!(text[at + started.len()..].contains(&end), "the end comes behind the beginning");
        assert_eq!(text.matches(&end).count(), 2);
    }
    let ends = folder.ends();
    assert_eq!(ends.len(), 30);
    let mut attempts = 0;
    for (id, ends) in &ends {
        let line = &ends[0];
        let keys: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        match id.as_str() {
            "7" => {
                assert_eq!(keys, ["application", "application_id", "at", "elapsed_ms", "error", "ok"]);
                assert_eq!(line["error"]["kind"], "managed_by_feishu_people");
                let tried = line["error"]["attempts"].as_u64().expect("a number");
                // After a lost attempt, the refusal leaves its fate unknown.
                let (delivery, status) = if tried == 1 { ("rejected", 1) } else { ("unknown", 4) };
                assert_eq!(line["error"]["delivery"], delivery);
                ran.assert_status(status);
                attempts += tried;
            }
            _ => {
                assert_eq!(
                    keys,
                    ["application", "application_id", "at", "attempts", "elapsed_ms", "log_id", "ok", "outcome"]
                );
                assert_eq!(line["ok"], true);
                let tried = line["attempts"].as_u64().expect("a number");
                assert_eq!(line["outcome"], if tried == 1 { "cancelled" } else { "terminated" });
                attempts += tried;
            }
        }
    }
    // Whose answer was lost is not known: the one that came first, which can be any.
    assert_eq!(attempts, 31);
}

#[test]
fn what_waits_for_its_turn_or_for_a_token_has_not_begun() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(5);
    sandbox.fail_token_requests([Fault::Delay(HOURS)]);
    let mut child = spawn(&mut folder.batch(&["--rate", "1000"], &environment(&sandbox)));
    until(|| sandbox.token_requests() == 1);
    std::thread::sleep(Duration::from_millis(100));
    assert!(folder.report().is_empty());
    child.kill().expect("it is ours to end");
    child.wait().expect("it has ended");

    let (sandbox, folder) = (start(Sandbox::builder().rate_limits([]).latency(HOURS..=HOURS)), Folder::new());
    folder.list(50);
    let mut child = spawn(&mut folder.batch(&["--rate", "3"], &environment(&sandbox)));
    until(|| sandbox.calls().len() == 4);
    assert!((3..=6).contains(&folder.report().len()));
    child.kill().expect("it is ours to end");
    child.wait().expect("it has ended");
}

#[test]
fn a_report_that_exists_is_continued_only_if_that_was_asked_for() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(2);
    folder.write("report.jsonl", "");
    let ran = run(folder.batch(&[], &environment(&sandbox)));
    ran.assert_status(2);
    assert!(ran.stderr.contains("report.jsonl exists: continue it with --resume"), "{ran:?}");
    assert!(sandbox.calls().is_empty());
    run(folder.batch(&["--resume"], &environment(&sandbox))).assert_status(0);
    assert_eq!(folder.ends().len(), 2);
}

#[test]
fn two_runs_can_not_share_a_report_and_the_lock_ends_with_the_process() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(3);
    sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(HOURS), 3));
    let mut child = spawn(&mut folder.batch(&[], &environment(&sandbox)));
    until(|| sandbox.calls().len() == 4);
    let before = fs::read(folder.path("report.jsonl")).expect("there is a report");
    for arguments in [&["--resume"][..], &["--resume", "--output", "json"]] {
        let ran = run(folder.batch(arguments, &environment(&sandbox)));
        ran.assert_status(2);
        assert!((ran.stdout + &ran.stderr).contains("report.jsonl is in use by another run"));
    }
    assert_eq!(sandbox.calls().len(), 4);
    assert_eq!(fs::read(folder.path("report.jsonl")).expect("there is a report"), before);
    child.kill().expect("it is ours to end");
    child.wait().expect("it has ended");
    let ran = run(folder.batch(&["--resume"], &environment(&sandbox)));
    ran.assert_status(0);
    assert!(ran.stdout.starts_with("3 of 3 done: 0 cancelled, 3 terminated"), "{ran:?}");
    assert_eq!((sandbox.calls().len(), sandbox.cancellations()), (8, 3));
}

/// Runs where the report can't be written, and sees to it that nothing was sent.
fn refused(folder: &Folder, file: &str, report: &str, more: &[&str]) -> Ran {
    let sandbox = unlimited();
    let all = [&["batch", file, "--report", report], more].concat();
    let ran = run(folder.command(&all, &environment(&sandbox)));
    ran.assert_status(2);
    assert_eq!((sandbox.calls().len(), sandbox.cancellations()), (0, 0));
    ran
}

#[test]
fn where_no_report_can_be_written_nothing_is_sent() {
    let folder = Folder::new();
    folder.list(3);
    folder.write("file", "");
    fs::create_dir(folder.path("folder")).expect("a folder can be made");
    for report in ["none/report.jsonl", "file/report.jsonl", "folder", "", "/proc/report.jsonl", "/sys/report.jsonl"] {
        for more in [&[][..], &["--resume"]] {
            let ran = refused(&folder, "list.csv", report, more);
            assert!(ran.stderr.contains("report"), "{report}: {ran:?}");
        }
    }
    let json = refused(&folder, "list.csv", "none/report.jsonl", &["--output", "json"]).json();
    assert_eq!((json.len(), &json[0]["error"]["kind"]), (1, &value!("invalid_request")));
}

#[cfg(unix)]
#[test]
fn a_report_in_a_folder_that_can_not_be_written_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.list(3);
    fs::create_dir(folder.path("folder")).expect("a folder can be made");
    folder.write("folder/old.jsonl", "");
    let set = |name: &str, mode| fs::set_permissions(folder.path(name), fs::Permissions::from_mode(mode));
    set("folder/old.jsonl", 0o444).expect("it is ours");
    set("folder", 0o555).expect("it is ours");
    // The superuser may write anywhere, and then there is nothing to see here.
    if fs::write(folder.path("folder/probe"), "").is_err() {
        refused(&folder, "list.csv", "folder/report.jsonl", &[]);
        refused(&folder, "list.csv", "folder/old.jsonl", &["--resume"]);
    }
    set("folder", 0o755).expect("it is ours");
}

#[test]
fn the_report_is_never_the_file_with_the_cancellations() {
    let folder = Folder::new();
    folder.list(3);
    folder.write("list.jsonl", "{\"application_id\":\"1\",\"termination_type\":1}\n");
    fs::hard_link(folder.path("list.csv"), folder.path("link")).expect("a link can be made");
    for (file, report) in [("list.csv", "list.csv"), ("list.csv", "./list.csv"), ("list.csv", "link")] {
        for more in [&[][..], &["--resume"], &["--dry-run"]] {
            assert!(refused(&folder, file, report, more).stderr.contains("must be another file"));
        }
    }
    refused(&folder, "list.jsonl", "list.jsonl", &["--resume"]);
    assert!(fs::read_to_string(folder.path("list.csv")).expect("it is there").starts_with("application_id,"));
}

/// A command that can write only so many bytes to a file, as on a disk that is full then.
#[cfg(unix)]
fn with_a_full_disk(command: &Command, blocks: u32) -> Command {
    let mut shell = Command::new("/bin/sh");
    // Blocks are of 512 bytes. The signal that goes with the limit must not end the program.
    shell.arg("-c").arg(format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")).arg(command.get_program());
    shell
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(command.get_current_dir().expect("it has a folder"));
    shell
}

#[cfg(unix)]
#[test]
fn on_a_full_disk_nothing_is_sent_that_is_not_on_record() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(300);
    // So few at once that the first of them fit, however many are put on record together.
    let ran = run(with_a_full_disk(&folder.batch(&["--rate", "20"], &environment(&sandbox)), 8));
    ran.assert_status(2);
    assert!(ran.stdout.contains("stopped, because nothing may be sent that is not on record"), "{ran:?}");
    let report = folder.report();
    let begun: Vec<_> = report.iter().filter(|line| line.get("started").is_some()).map(id).collect();
    let sent: Vec<_> = sandbox.calls().into_iter().filter_map(|call| call.application_id).collect();
    assert!(!sent.is_empty() && sent.len() < 300, "{}", sent.len());
    assert!(sent.iter().all(|id| begun.contains(id)), "{sent:?} {begun:?}");
    // What ended and did not fit is told to the operator instead.
    let told = ran.stderr.lines().filter(|line| line.starts_with("not in the report: {\"ok\":true,")).count();
    assert_eq!(folder.ends().len() + told, sandbox.cancellations());
    // With room again, it goes on.
    let ran = run(folder.batch(&["--rate", "1000", "--resume"], &environment(&sandbox)));
    ran.assert_status(0);
    assert_eq!((folder.ends().len(), sandbox.cancellations()), (300, 300));
    assert!(folder.ends().values().all(|ends| ends.len() == 1 && ends[0]["ok"] == true));
}

#[cfg(unix)]
#[test]
fn on_a_disk_that_is_full_from_the_start_nothing_is_sent() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(30);
    for arguments in [&["--rate", "1000"][..], &["--rate", "1000", "--resume", "--output", "json"]] {
        let ran = run(with_a_full_disk(&folder.batch(arguments, &environment(&sandbox)), 0));
        ran.assert_status(2);
        assert!((ran.stdout + &ran.stderr).contains("report.jsonl can't be written"));
        assert_eq!(fs::read(folder.path("report.jsonl")).expect("there is a report"), b"");
    }
    assert_eq!(sandbox.cancellations(), 0);
    assert!(sandbox.calls().iter().all(|call| call.application_id.is_none()));
}

#[test]
fn in_json_standard_output_has_the_final_lines_and_nothing_else() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(20);
    sandbox.set_application("3", ApplicationState::Terminated);
    let ran = run(folder.batch(&["--rate", "1000", "--output", "json"], &environment(&sandbox)));
    ran.assert_status(1);
    let mut printed = ran.json();
    let mut recorded: Vec<Value> = folder.ends().into_values().flatten().collect();
    assert_eq!(printed.len(), 20);
    for lines in [&mut printed, &mut recorded] {
        lines.sort_by_key(id);
    }
    assert_eq!(printed, recorded);
    assert!(ran.stderr.starts_with("19 of 20 done"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_report_that_is_removed_or_replaced_while_the_run_goes_on_stops_it() {
    type Harm = fn(&Folder);
    let harms: [(&str, Harm); 4] = [
        ("removed", |folder| fs::remove_file(folder.path("report.jsonl")).expect("it is there")),
        ("moved away", |folder| fs::rename(folder.path("report.jsonl"), folder.path("moved")).expect("it is there")),
        ("replaced", |folder| {
            folder.write("other", "another file");
            fs::rename(folder.path("other"), folder.path("report.jsonl")).expect("it is there");
        }),
        ("replaced by a pipe", |folder| {
            fs::remove_file(folder.path("report.jsonl")).expect("it is there");
            let made = Command::new("mkfifo").arg(folder.path("report.jsonl")).status().expect("it runs");
            assert!(made.success());
        }),
    ];
    for (name, harm) in harms {
        for form in ["text", "json"] {
            let (sandbox, folder) = (unlimited(), Folder::new());
            folder.list(500);
            // Two are under way when it happens, and the others wait for their turn.
            sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(Duration::from_millis(300)), 2));
            let child = spawn(&mut folder.batch(&["--rate", "2", "--output", form], &environment(&sandbox)));
            until(|| sandbox.cancellations() == 2);
            let begun = fs::read_to_string(folder.path("report.jsonl")).expect("there is a report");
            harm(&folder);
            let ran = Ran::from(child.wait_with_output().expect("it ends"));
            ran.assert_status(2);
            assert!(!ran.stderr.contains("panicked"), "{ran:?}");
            let said = "stopped, because nothing may be sent that is not on record: the report was removed or replaced";
            assert!((ran.stdout.clone() + &ran.stderr).contains(said), "{name}: {ran:?}");
            // What had been sent is told, and nothing was sent that is not on record.
            let told = ran.stderr.lines().filter(|line| line.starts_with("not in the report: {\"ok\":true,")).count();
            assert_eq!((told, sandbox.cancellations()), (2, 2), "{name}: {ran:?}");
            if form == "json" {
                assert_eq!(ran.json().len(), 2, "{ran:?}");
            }
            match name {
                "replaced" => {
                    let text = fs::read_to_string(folder.path("report.jsonl")).expect("it is there");
                    assert_eq!(text, "another file");
                }
                "moved away" => {
                    // Put back, it says nothing of those that were not sent, and the run continues.
                    fs::rename(folder.path("moved"), folder.path("report.jsonl")).expect("it is there");
                    let text = fs::read_to_string(folder.path("report.jsonl")).expect("there is a report");
                    assert!(text.starts_with(&begun), "{text}");
                    assert_eq!(text.matches("\"started\"").count(), 2, "{text}");
                    folder.list(4);
                    run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox))).assert_status(0);
                    assert_eq!(sandbox.cancellations(), 4);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_report_that_another_program_empties_or_writes_to_during_the_run_stops_it_and_is_left_as_it_is() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 3] = [
        ("emptied", |report| drop(File::create(report).expect("it is there"))),
        ("cut", |report| {
            let file = File::options().write(true).open(report).expect("it is there");
            file.set_len(100).expect("it can be cut");
        }),
        ("added to", |report| {
            let mut file = File::options().append(true).open(report).expect("it is there");
            file.write_all(b"a note").expect("it can be written");
        }),
    ];
    for (name, harm) in harms {
        let (sandbox, folder) = (unlimited(), Folder::new());
        folder.list(50);
        // Two are under way when it happens, and the others wait for their turn.
        sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(Duration::from_millis(700)), 2));
        let child = spawn(&mut folder.batch(&["--rate", "2"], &environment(&sandbox)));
        until(|| sandbox.cancellations() == 2);
        harm(&folder.path("report.jsonl"));
        let left = fs::read(folder.path("report.jsonl")).expect("it is there");
        let ran = Ran::from(child.wait_with_output().expect("it ends"));
        ran.assert_status(2);
        assert!((ran.stdout.clone() + &ran.stderr).contains("another program has changed it"), "{name}: {ran:?}");
        // What had been sent is told, and nothing was sent that is not on record.
        let told = ran.stderr.lines().filter(|line| line.starts_with("not in the report: {\"ok\":true,")).count();
        assert_eq!((told, sandbox.cancellations()), (2, 2), "{name}: {ran:?}");
        assert_eq!(fs::read(folder.path("report.jsonl")).expect("it is there"), left, "{name}");
    }
}
