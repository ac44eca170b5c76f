//! What the binary does on a terminal, as far as that is another thing than anywhere else: colours, a bar, and the width.
#![cfg(target_os = "linux")]

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");
/// What colours begin with, and what makes a line be drawn anew.
const COLOUR: &str = "\u{1b}[";
const REDRAWN: &str = "\r\u{1b}[2K";

/// A terminal that nobody sits at.
struct Terminal {
    ours: File,
    path: PathBuf,
}

impl Terminal {
    fn new(columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there is a terminal to be had");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it can be used");
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).expect("its size can be set");
        let path = ptsname(&ours, Vec::new()).expect("it has a name").into_string().expect("it is text");
        Self { ours: File::from(ours), path: path.into() }
    }

    fn theirs(&self) -> File {
        OpenOptions::new().read(true).write(true).open(&self.path).expect("it can be opened")
    }

    /// Runs the binary on it, and gives what it showed.
    fn run(mut self, arguments: &[&str], environment: &[(&str, &str)], folder: &Path) -> String {
        let mut command = Command::new(BINARY);
        command.current_dir(folder).env_clear().args(arguments).envs(environment.iter().copied());
        let mut child =
            command.stdin(self.theirs()).stdout(self.theirs()).stderr(self.theirs()).spawn().expect("the binary runs");
        // Its ends of the terminal are its own from here on, so that reading comes to an end with it.
        drop(command);
        let mut shown = Vec::new();
        // On Linux, the end of what was written to a terminal is an error.
        let _ = self.ours.read_to_end(&mut shown);
        child.wait().expect("it has ended");
        String::from_utf8(shown).expect("it prints UTF-8")
    }
}

fn run(columns: u16, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let shown = Terminal::new(columns).run(arguments, environment, Path::new("."));
    assert!(shown.len() > 100, "{arguments:?}: {shown:?}");
    shown
}

const XTERM: (&str, &str) = ("TERM", "xterm-256color");

/// The arguments of commands that print a help text, a complaint, and a log.
const COLOURED: [&[&str]; 3] =
    [&["--help"], &["cancel", "--no-such-option"], &["cancel", "1", "--type", "1", "--sandbox"]];

#[test]
fn there_are_colours_unless_the_environment_does_not_want_them() {
    for arguments in COLOURED {
        let run = |environment: &[(&str, &str)]| run(80, arguments, &[environment, &[("RUST_LOG", "debug")]].concat());
        for with in [&[XTERM][..], &[XTERM, ("NO_COLOR", "")], &[XTERM, ("CLICOLOR", "1")]] {
            assert!(run(with).contains(COLOUR), "{arguments:?} {with:?}");
        }
        for without in [
            &[XTERM, ("NO_COLOR", "1")][..],
            &[XTERM, ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
            &[XTERM, ("CLICOLOR", "0")],
            &[("TERM", "dumb")],
        ] {
            assert!(!run(without).contains('\u{1b}'), "{arguments:?} {without:?}");
        }
    }
}

#[test]
fn a_batch_draws_a_bar_in_no_colour_and_only_where_one_can_be_drawn() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("terminal-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("list.csv"), "application_id,termination_type\n1,1\n2,1\n3,1\n").expect("it can be written");
    let batch = |report: &str, environment: &[(&str, &str)]| {
        Terminal::new(80).run(&["batch", "list.csv", "--report", report, "--sandbox"], environment, &folder)
    };
    let shown = [
        batch("bar.jsonl", &[XTERM]),
        batch("no-colour.jsonl", &[XTERM, ("NO_COLOR", "1")]),
        batch("dumb.jsonl", &[("TERM", "dumb")]),
    ];
    fs::remove_dir_all(&folder).expect("it is ours to remove");
    let [bar, no_colour, dumb] = shown;
    for shown in [&bar, &no_colour] {
        let drawn = shown.replace(REDRAWN, "");
        assert!(shown.contains(REDRAWN) && drawn.contains("of 3 done, 0 failed"), "{shown:?}");
        assert!(!drawn.contains(COLOUR), "{drawn:?}");
    }
    assert!(!dumb.contains('\u{1b}'), "{dumb:?}");
    for shown in [bar, no_colour, dumb] {
        assert!(shown.ends_with("3 of 3 done: 3 cancelled, 0 terminated; 0 failed, 0 not tried\r\n"), "{shown:?}");
    }
}

#[test]
fn help_keeps_to_the_width_of_the_terminal_and_to_80_columns() {
    for (columns, most) in [(70, 70), (80, 80), (200, 80)] {
        for command in ["cancel", "batch", "reasons", "check-docs"] {
            let shown = run(columns, &[command, "--help"], &[XTERM, ("NO_COLOR", "1")]);
            let widest = shown.lines().map(|line| line.chars().count()).max().unwrap_or_default();
            assert!(widest <= most, "{command}: {widest} in {columns}");
        }
    }
}

/// How many columns of a terminal a line takes, in which Chinese characters take two.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if c >= '\u{1100}' { 2 } else { 1 }).sum()
}

#[test]
fn reasons_and_advice_keep_to_the_width_of_the_terminal_and_break_at_words() {
    for (columns_given, arguments, parts) in [
        (
            80,
            &["reasons", "--sandbox"][..],
            &[
                "ID                   TYPE                NAME (ZH)         NAME (EN)\r\n",
                "经历与岗位不匹配  Experience does not\r\n",
                "\r\n                                                           match the position\r\n",
            ][..],
        ),
        (80, &["reasons", "--sandbox", "--all", "--lang", "zh"], &["状态\r\n", "Different        已启用\r\n"]),
        (200, &["reasons", "--sandbox"], &["Experience does not match the position  enabled\r\n"]),
        (
            80,
            &["cancel", "3333333333", "--type", "1", "--sandbox"],
            &["candidate's\r\n                 pre-hire record is there"],
        ),
        // Both the English and the Chinese advice take more than one line, and go on below where they began.
        (
            80,
            &["explain", "1002910", "--lang", "zh"],
            &["pre-hire\r\n               record", "此后只\r\n               能在"],
        ),
    ] {
        let shown = run(columns_given, arguments, &[XTERM, ("NO_COLOR", "1")]);
        for line in shown.lines().filter(|line| !line.contains("https://")) {
            assert!(columns(line) <= columns_given.into(), "{arguments:?}: {line}");
        }
        for part in parts {
            assert!(shown.contains(part), "{part:?}: {shown}");
        }
    }
}
