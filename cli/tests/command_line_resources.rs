//! Where the system has too few threads or descriptors to give, a command says so in a line, with the exit status 5, before it
//! begins; it never panics and never waits for what does not come.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json as value};

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");
const GIB: usize = 1024 * 1024;

/// A folder with a list of cancellations, which is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("resources-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        std::fs::write(path.join("list.csv"), "application_id,termination_type\n1,1\n2,22\n")
            .expect("it can be written");
        Self(path)
    }

    /// Runs the binary after a line of shell, which limits it. A report of an earlier run is removed.
    fn run(&self, limit: &str, environment: &[(&str, String)], arguments: &[&str]) -> Output {
        let _ = std::fs::remove_file(self.0.join("report.jsonl"));
        let mut command = Command::new("sh");
        command.env_clear().current_dir(&self.0).envs(environment.iter().map(|(name, value)| (name, value)));
        command.args(["-c", &format!("{limit} && exec \"$0\" \"$@\""), BINARY]).args(arguments);
        command.output().expect("there is a shell")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is run, and how it ends where there is enough of everything.
const COMMANDS: [(&[&str], i32); 4] = [
    (&["cancel", "1", "--type", "1", "--sandbox", "--output", "json"], 0),
    (&["batch", "list.csv", "--report", "report.jsonl", "--sandbox", "--output", "json"], 0),
    (&["reasons", "--sandbox", "--output", "json"], 0),
    (&["check-docs", "/dev/null", "--output", "json"], 2),
];

/// Asserts that a command refused to begin, in one line of JSON that says why.
#[track_caller]
fn assert_refused(arguments: &[&str], output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(5), "{arguments:?} {output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!((text.matches('\n').count(), output.stderr.len()), (1, 0), "{arguments:?} {output:?}");
    let line: Value = serde_json::from_str(&text).expect("it is JSON");
    assert!(line["error"]["message"].as_str().is_some_and(|text| text.contains(why)), "{line}");
    match arguments[0] {
        "check-docs" => assert_eq!((&line["ok"], &line["spec"]), (&value!(false), &value!(null)), "{line}"),
        command => {
            let id = if command == "cancel" { value!("1") } else { value!(null) };
            let error = &line["error"];
            assert_eq!((&line["application_id"], &error["delivery"]), (&id, &value!("not_sent")), "{line}");
        }
    }
}

/// Runs every command under ever looser limits: it must refuse to begin, or end as it does without them.
fn assert_all_or_nothing(folder: &Folder, limits: &[(String, Vec<(&str, String)>)], why: &str) {
    for (arguments, status) in COMMANDS {
        let mut began = Vec::new();
        for (limit, environment) in limits {
            let output = folder.run(limit, environment, arguments);
            began.push(output.status.code() != Some(5));
            match began.last() {
                Some(true) => assert_eq!(output.status.code(), Some(status), "{limit} {arguments:?} {output:?}"),
                _ => assert_refused(arguments, &output, why),
            }
        }
        assert_eq!((began.first(), began.last()), (Some(&false), Some(&true)), "{arguments:?}: {began:?}");
    }
}

#[test]
fn with_too_few_threads_nothing_begins() {
    // Stacks so large that the room for addresses is what decides how many threads there can be: that holds for whoever runs
    // this, and for nothing else on the machine.
    let stacks = vec![("RUST_MIN_STACK", (GIB * 1024).to_string())];
    let limits: Vec<_> =
        (0..13).map(|threads| (format!("ulimit -v {}", threads * GIB + GIB * 2 / 3), stacks.clone())).collect();
    assert_all_or_nothing(&Folder::new("threads"), &limits, "threads run");
}

#[test]
fn with_too_few_descriptors_nothing_begins() {
    let limits: Vec<_> =
        (5..64).step_by(4).chain([256]).map(|most| (format!("ulimit -n {most}"), Vec::new())).collect();
    assert_all_or_nothing(&Folder::new("descriptors"), &limits, "files be open");
}

#[test]
fn without_any_thread_the_sandbox_refuses_and_what_needs_none_works() {
    let (folder, stacks) = (Folder::new("none"), [("RUST_MIN_STACK", (1_u64 << 47).to_string())]);
    let output = folder.run(":", &stacks, &["sandbox", "--output", "json"]);
    assert_refused(&["sandbox"], &output, "threads run");
    let output = folder.run(":", &stacks, &["sandbox"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: the system does not let "), "{output:?}");
    for arguments in [&["explain", "1002221"][..], &["completions", "bash"], &["man"], &["--help"]] {
        for (limit, environment) in [(":", &stacks[..]), ("ulimit -n 5", &[])] {
            assert_eq!(folder.run(limit, environment, arguments).status.code(), Some(0), "{limit} {arguments:?}");
        }
    }
}
