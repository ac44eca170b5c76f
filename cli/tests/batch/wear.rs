//! A run that is killed again and again, a platform that loses answers, and lists of any length.

use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::process::{Child, Stdio};
use std::time::Duration;

use feishu_cancel_onboard::ErrorCode;
use feishu_cancel_onboard::sandbox::{Answer, ApplicationState, Ending, Fault, Sandbox};
use http::StatusCode;
use serde_json::Value;

use crate::command::{Folder, environment, run, spawn, start, until};

/// A sandbox that loses a quarter of its answers or fails, with effect or without, and that takes a little while.
fn unreliable(seed: u64) -> Sandbox {
    let latency = Duration::from_millis(1)..=Duration::from_millis(25);
    let sandbox = start(Sandbox::builder().rate_limits([]).latency(latency));
    sandbox.fail_cancellations_at_random(
        seed,
        [
            (0.05, Fault::WithEffect(Ending::Reset)),
            (0.05, Fault::WithoutEffect(Ending::Reset)),
            (0.05, Fault::WithEffect(Ending::Truncated(3))),
            (0.03, Fault::WithEffect(Answer::html(StatusCode::BAD_GATEWAY).into())),
            (0.03, Fault::WithoutEffect(Answer::html(StatusCode::SERVICE_UNAVAILABLE).into())),
            (0.04, Fault::WithoutEffect(ErrorCode::SystemError.into())),
        ],
    );
    sandbox
}

/// What the report says of each application: its final lines that are whole.
fn told(folder: &Folder) -> HashMap<String, Vec<Value>> {
    let text = fs::read_to_string(folder.path("report.jsonl")).unwrap_or_default();
    let mut told: HashMap<_, Vec<_>> = HashMap::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if line.get("ok").is_some() {
            told.entry(crate::command::id(&line)).or_default().push(line);
        }
    }
    told
}

/// Nothing is said to be done that is not, or to have changed nothing that did.
#[track_caller]
fn assert_agrees(folder: &Folder, sandbox: &Sandbox) {
    for (id, lines) in told(folder) {
        let holds = sandbox.application(&id) == ApplicationState::Terminated;
        for line in lines {
            let settled = line["ok"] == true || line["error"]["delivery"] != "unknown";
            assert!(!settled || line["ok"] == holds, "{line}");
        }
    }
}

#[test]
fn killed_at_random_five_times_over_it_ends_as_if_nothing_had_happened() {
    const COUNT: usize = 600;
    let random = RandomState::new();
    let seed = random.hash_one("faults");
    let sandbox = unreliable(seed);
    let folder = Folder::new();
    folder.list(COUNT);
    let mut calls = 0;
    for kill in 0_u64..5 {
        let arguments: &[&str] = if kill == 0 { &["--rate", "400"] } else { &["--rate", "400", "--resume"] };
        let mut child = spawn(&mut folder.batch(arguments, &environment(&sandbox)));
        calls += usize::try_from(random.hash_one(kill) % 100).expect("it is small") + 1;
        until(|| sandbox.calls().len() >= calls || has_ended(&mut child));
        std::thread::sleep(Duration::from_micros(random.hash_one(("sleep", kill)) % 20_000));
        assert!(!has_ended(&mut child), "killed too late, with the seed {seed}");
        child.kill().expect("it is ours to end");
        child.wait().expect("it has ended");
        calls = sandbox.calls().len();
        assert_agrees(&folder, &sandbox);
    }
    // An application whose attempts all met with a fault is tried again by the next one.
    let ended =
        (0..20).find(|_| run(folder.batch(&["--rate", "1000", "--resume"], &environment(&sandbox))).status == Some(0));
    assert!(ended.is_some(), "the seed {seed}");
    let ends = folder.ends();
    assert_eq!((ends.len(), sandbox.cancellations()), (COUNT, COUNT), "the seed {seed}");
    for (id, lines) in &ends {
        assert_eq!(lines.iter().filter(|line| line["ok"] == true).count(), 1, "{id}, the seed {seed}: {lines:?}");
        assert_eq!(lines.last().expect("there is one")["ok"], true, "{id}, the seed {seed}: {lines:?}");
    }
    assert_agrees(&folder, &sandbox);
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().expect("it is ours").is_some()
}

#[test]
fn with_a_quarter_of_the_answers_lost_or_failing_the_report_agrees_with_the_server() {
    const COUNT: usize = 1000;
    let seed = RandomState::new().hash_one("faults");
    let sandbox = unreliable(seed);
    let folder = Folder::new();
    folder.list(COUNT);
    let ran = run(folder.batch(&["--rate", "1000", "--output", "json"], &environment(&sandbox)));
    assert!(matches!(ran.status, Some(0 | 4)), "the seed {seed}: {ran:?}");
    assert_eq!((ran.json().len(), folder.ends().len()), (COUNT, COUNT), "the seed {seed}");
    assert_agrees(&folder, &sandbox);
    let outcome = |name: &str| ran.json().iter().filter(|line| line["outcome"] == name).count();
    assert!(outcome("cancelled") > COUNT / 2 && outcome("terminated") > COUNT / 20, "the seed {seed}");
}

/// The most memory that a run over so many applications had at any time, in KiB.
fn peak(count: usize) -> u64 {
    let sandbox = start(Sandbox::builder().rate_limits([]).keep_calls(0));
    let folder = Folder::new();
    folder.list(count);
    let mut command = folder.batch(&["--rate", "100000"], &environment(&sandbox));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let mut peak = 0;
    while !has_ended(&mut child) {
        peak = memory(child.id()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.wait().expect("it has ended").success());
    assert_eq!((sandbox.cancellations(), folder.ends().len()), (count, count));
    peak
}

/// The peak that the system keeps of a process while it runs.
fn memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn twenty_times_as_many_take_no_more_than_half_as_much_memory_again() {
    let (few, many) = (peak(2_000), peak(40_000));
    eprintln!("2,000: {few} KiB; 40,000: {many} KiB; ratio {:.2}", many as f64 / few as f64);
    assert!(many * 2 <= few * 3, "{few} KiB and {many} KiB");
}
