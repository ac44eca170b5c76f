//! Colours, and anything else that moves a terminal's cursor, are for terminals, and not for those who don't want them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");
const ESCAPE: char = '\u{1b}';

/// Runs the binary with nothing in its environment but what is given.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.env_clear().args(arguments).envs(environment.iter().copied()).output().expect("the binary runs")
}

/// All that it prints.
fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// The arguments of commands that print a help text, a complaint, and a log.
fn in_colours() -> [&'static [&'static str]; 3] {
    let log = &["cancel", "1", "--type", "1", "--sandbox"][..];
    [&["--help"], &["cancel", "--no-such-option"], log]
}

#[test]
fn there_are_no_colours_where_there_is_no_terminal() {
    for arguments in in_colours() {
        for environment in [&[][..], &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("CLICOLOR", "1")]] {
            let output = run(arguments, &[environment, &[("RUST_LOG", "debug")]].concat());
            let text = text(&output);
            assert!(text.len() > 100 && !text.contains(ESCAPE), "{arguments:?}: {text:?}");
        }
    }
}

#[test]
fn colours_can_be_forced_and_no_color_goes_before() {
    let (log, force) = (("RUST_LOG", "debug"), ("CLICOLOR_FORCE", "1"));
    for arguments in in_colours() {
        let output = run(arguments, &[log, force]);
        assert!(text(&output).contains(ESCAPE), "{arguments:?}");
        let output = run(arguments, &[log, force, ("NO_COLOR", "1")]);
        let text = text(&output);
        assert!(text.len() > 100 && !text.contains(ESCAPE), "{arguments:?}: {text:?}");
    }
}

#[test]
fn forced_colours_are_in_no_result_and_in_no_json() {
    let force = [("CLICOLOR_FORCE", "1")];
    for arguments in [
        &["cancel", "1", "--type", "1", "--sandbox"][..],
        &["reasons", "--sandbox"],
        &["explain", "1002910"],
        &["completions", "bash"],
        &["man"],
        &["cancel", "1", "--no-such-option", "--output", "json"],
    ] {
        let output = run(arguments, &force);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.is_empty() && !text.contains(ESCAPE), "{arguments:?}: {text}");
    }
}

#[test]
fn a_batch_draws_nothing_where_there_is_no_terminal() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("colours-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("list.csv"), "application_id,termination_type\n1,1\n2,1\n3,1\n").expect("it can be written");
    let mut command = Command::new(BINARY);
    command.env_clear().envs([("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1")]).current_dir(&folder);
    let arguments = ["batch", "list.csv", "--report", "report.jsonl", "--sandbox"];
    let output = command.args(arguments).output().expect("the binary runs");
    fs::remove_dir_all(&folder).expect("it is ours to remove");
    assert!(output.status.success() && !text(&output).contains([ESCAPE, '\r']), "{:?}", text(&output));
}
