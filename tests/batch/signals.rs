//! Being told to end.

use std::process::{Child, Command};
use std::time::Duration;

use feishu_cancel_onboard::sandbox::{Fault, Sandbox};

use crate::command::{Folder, Ran, environment, run, spawn, start, unlimited, until};

/// Longer than any test takes.
const HOURS: Duration = Duration::from_secs(10_000);

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
    for name in ["INT", "TERM"] {
        let (sandbox, folder) = (unlimited(), Folder::new());
        folder.list(500);
        sandbox.fail_cancellations(std::iter::repeat_n(Fault::Delay(Duration::from_millis(700)), 5));
        let mut child = spawn(&mut folder.batch(&["--rate", "5"], &environment(&sandbox)));
        until(|| sandbox.cancellations() == 5);
        signal(&child, name);
        let text = said(&mut child, "interrupted");
        assert!(text.contains("interrupted: nothing new is begun; waiting for 5 under way"), "{text}");
        let ran = Ran::from(child.wait_with_output().expect("it ends"));
        ran.assert_status(130);
        assert!(ran.stdout.starts_with("interrupted\n5 of 500 done: 5 cancelled"), "{ran:?}");
        assert!(
            ran.stdout.contains("495 are tried again, or tried at all, by the same command with --resume"),
            "{ran:?}"
        );
        assert_eq!((sandbox.cancellations(), folder.ends().len(), folder.report().len()), (5, 5, 10));
        let ran = run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox)));
        ran.assert_status(0);
        assert_eq!((sandbox.cancellations(), folder.ends().len()), (500, 500));
    }
}

#[test]
fn twice_ends_at_once() {
    for names in [["INT", "INT"], ["TERM", "INT"]] {
        let (sandbox, folder) = (start(Sandbox::builder().rate_limits([]).latency(HOURS..=HOURS)), Folder::new());
        folder.list(10);
        let mut child = spawn(
            &mut folder.batch(&["--rate", "5", "--timeout", "1000", "--deadline", "1000"], &environment(&sandbox)),
        );
        until(|| sandbox.cancellations() == 5);
        signal(&child, names[0]);
        let text = said(&mut child, "once more to stop at once");
        assert!(text.contains("waiting for 5 under way"), "{text}");
        signal(&child, names[1]);
        assert_eq!(child.wait().expect("it ends").code(), Some(130));
        // What was under way is found out about.
        let sandbox_2 = unlimited();
        for id in 0..5 {
            sandbox_2.set_application(id.to_string(), sandbox.application(&id.to_string()));
        }
        let ran = run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox_2)));
        ran.assert_status(0);
        assert!(ran.stdout.starts_with("10 of 10 done: 5 cancelled, 5 terminated"), "{ran:?}");
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
