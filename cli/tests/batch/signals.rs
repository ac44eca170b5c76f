//! Being told to end.

use std::process::{Child, Command};
use std::time::Duration;

use feishu_cancel_onboard::sandbox::Fault;

use crate::command::{Folder, Ran, environment, run, spawn, unlimited, until};

/// Longer than any test takes.
const HOURS: Duration = Duration::from_secs(10_000);

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

/// Waits until the program has said something on standard error that has `part` in it, and returns what it said.
fn said(child: &mut Child, part: &str) -> String {
    use std::io::{BufRead, BufReader};
    let stderr = child.stderr.take().expect("it is piped");
    let mut lines = String::new();
    let mut reader = BufReader::new(stderr);
    while !lines.contains(part) {
        assert!(reader.read_line(&mut lines).expect("it is text") > 0, "{lines}");
    }
    // The rest is read, so that nobody waits for it.
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    lines
}

#[test]
fn once_lets_what_is_under_way_end_and_begins_nothing_new() {
    for name in that_ask_to_end() {
        let (sandbox, folder) = (unlimited(), Folder::new());
        folder.list(500);
        sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(Duration::from_millis(700)), 5));
        let mut child = spawn(&mut folder.batch(&["--rate", "5"], &environment(&sandbox)));
        until(|| sandbox.cancellations() == 5);
        signal(&child, name);
        let text = said(&mut child, "interrupted");
        // Those whose turn it was by then are on record too, and are not sent.
        let waiting: Vec<_> =
            (5..=10).map(|count| format!("nothing new is begun; waiting for {count} under way")).collect();
        assert!(waiting.iter().any(|waiting| text.contains(waiting)), "{text}");
        let ran = Ran::from(child.wait_with_output().expect("it ends"));
        ran.assert_status(130);
        assert!(ran.stdout.starts_with("interrupted\n5 of 500 done: 5 cancelled"), "{ran:?}");
        assert!(
            ran.stdout.contains("495 are tried again, or tried at all, by the same command with --resume"),
            "{ran:?}"
        );
        let ends = folder.ends();
        let unsent = ends.values().filter(|ends| ends[0]["error"]["delivery"] == "not_sent").count();
        assert_eq!((sandbox.cancellations(), ends.len() - unsent, folder.report().len()), (5, 5, 2 * ends.len()));
        let ran = run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox)));
        ran.assert_status(0);
        assert_eq!((sandbox.cancellations(), folder.ends().len()), (500, 500));
    }
}

#[test]
fn twice_ends_at_once() {
    for names in [["INT", "INT"], ["TERM", "INT"]] {
        let (sandbox, folder) = (unlimited(), Folder::new());
        // No more than have their turn at once, so that all are under way.
        folder.list(5);
        sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(HOURS), 5));
        let mut child = spawn(
            &mut folder.batch(&["--rate", "5", "--timeout", "1000", "--deadline", "1000"], &environment(&sandbox)),
        );
        until(|| sandbox.cancellations() == 5);
        signal(&child, names[0]);
        let text = said(&mut child, "once more to stop at once");
        assert!(text.contains("waiting for 5 under way"), "{text}");
        signal(&child, names[1]);
        let ran = Ran::from(child.wait_with_output().expect("it ends"));
        ran.assert_status(130);
        let summary =
            "0 of 5 done: 0 cancelled, 0 terminated; 0 failed, 5 under way, 0 not tried\n5 of which it is not known";
        assert!(ran.stdout.starts_with("stopped at once: 5 were under way") && ran.stdout.contains(summary), "{ran:?}");
        // What was under way is found out about.
        let ran = run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox)));
        ran.assert_status(0);
        assert!(ran.stdout.starts_with("5 of 5 done: 0 cancelled, 5 terminated"), "{ran:?}");
    }
}

#[test]
fn while_nothing_is_under_way_once_is_enough() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(10);
    sandbox.fail_token_requests([Fault::Delay(HOURS)]);
    let child = spawn(&mut folder.batch(&["--timeout", "1000", "--deadline", "1000"], &environment(&sandbox)));
    until(|| sandbox.token_requests() == 1);
    signal(&child, "TERM");
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    ran.assert_status(130);
    assert!(ran.stdout.contains("0 of 10 done"), "{ran:?}");
    assert!(folder.report().is_empty());
}

/// A command whose terminal can be closed without harm, as `nohup` makes it.
fn ignoring_hangups(command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg("trap '' HUP; exec \"$0\" \"$@\"").arg(command.get_program()).args(command.get_args());
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(command.get_current_dir().expect("it has a folder"));
    shell
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_is_closed_does_not_matter_where_that_is_ignored() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(8);
    sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(Duration::from_millis(300)), 2));
    let child = spawn(&mut ignoring_hangups(&folder.batch(&["--rate", "4"], &environment(&sandbox))));
    until(|| sandbox.cancellations() >= 2);
    signal(&child, "HUP");
    signal(&child, "HUP");
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    ran.assert_status(0);
    assert!(ran.stdout.starts_with("8 of 8 done: 8 cancelled"), "{ran:?}");
}
