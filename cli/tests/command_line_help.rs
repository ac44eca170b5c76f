//! What the binary tells of itself: help, man pages, completions, and its version.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use feishu_cancel_onboard::{Code, document};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");
const COMMANDS: [&str; 8] = ["cancel", "batch", "reasons", "explain", "sandbox", "check-docs", "completions", "man"];
const WIDTH: usize = 80;

/// Runs the binary with nothing in its environment but what is given.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.env_clear().args(arguments).envs(environment.iter().copied()).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it prints UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it prints UTF-8")
}

/// What a command that must succeed prints.
#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments, &[]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}");
    stdout(&output)
}

/// The options that a help text has, by their long names.
fn options(help: &str) -> BTreeSet<String> {
    let words = help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(str::split_whitespace);
    let long = words.filter_map(|word| word.strip_prefix("--").map(|name| name.trim_end_matches(',')));
    long.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A folder that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("help-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    fn text(&self) -> &str {
        self.0.to_str().expect("it is UTF-8")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_commands_of_this_test_are_all_there_are() {
    let help = printed(&["--help"]);
    let (_, list) = help.split_once("\nCommands:\n").expect("there are commands");
    let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| *name != "help").collect();
    assert_eq!(names, COMMANDS);
}

#[test]
fn no_help_is_wider_than_a_terminal_of_80_columns() {
    let commands = COMMANDS.iter().map(|name| vec![*name]).chain([vec![]]);
    for command in commands {
        for option in ["-h", "--help"] {
            // What a terminal's width is asked of where there is none.
            for columns in [&[][..], &[("COLUMNS", "80")], &[("COLUMNS", "200")]] {
                let output = run(&[&command[..], &[option]].concat(), columns);
                assert_eq!(output.status.code(), Some(0));
                let text = stdout(&output);
                assert!(text.contains("Usage: cancel-onboard"), "{text}");
                for line in text.lines() {
                    assert!(line.chars().count() <= WIDTH, "{command:?} {option}: {line}");
                }
                for (line, next) in text.lines().zip(text.lines().skip(1)) {
                    let is_prose = |line: &str| line.starts_with(|c: char| !c.is_whitespace());
                    let word = next.split(' ').next().unwrap_or_default();
                    let full = line.chars().count() + 1 + word.chars().count() > WIDTH;
                    assert!(full || !is_prose(line) || !is_prose(next), "{command:?} {option}: broken early: {line}");
                }
            }
        }
    }
}

#[test]
fn the_version_names_the_page_that_the_program_was_built_from() {
    let date = document::PAGE.updated.expect("its document says so");
    let expected = format!("cancel-onboard {} (page of {date})\n", env!("CARGO_PKG_VERSION"));
    for option in ["--version", "-V"] {
        assert_eq!(printed(&[option]), expected);
    }
}

#[test]
fn there_are_completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for part in COMMANDS.iter().chain(&["check-reasons", "candidate-declined"]) {
            assert!(script.contains(part), "{shell}: {part}");
        }
    }
    let output = run(&["completions", "tcsh"], &[]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    assert!(stderr(&output).contains("bash, elvish, fish, powershell, zsh"), "{}", stderr(&output));
}

/// What bash says to these lines of its own; nothing where there is no bash.
fn bash(script: &Path, lines: &str) -> Option<String> {
    let lines = format!("source '{}' && {lines}", script.display());
    let output = Command::new("bash").args(["--norc", "--noprofile", "-c", &lines]).output().ok()?;
    assert!(output.status.success(), "{lines}: {}", stderr(&output));
    assert_eq!(stderr(&output), "", "{lines}");
    Some(stdout(&output))
}

/// What bash offers in place of the last of these words.
fn offered(script: &Path, words: &[&str]) -> Option<BTreeSet<String>> {
    let (last, before) = words.split_last().expect("there is a word");
    let previous = before.last().expect("there is a word before it");
    let quoted = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let lines = format!(
        "registered=$(complete -p cancel-onboard) && registered=${{registered#*-F }} && COMP_WORDS=({quoted}) && \
        COMP_CWORD={} && ${{registered%% *}} cancel-onboard '{last}' '{previous}' && printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        before.len()
    );
    Some(bash(script, &lines)?.lines().map(str::to_owned).collect())
}

#[test]
fn bash_takes_the_completions_and_offers_what_there_is() {
    let folder = Folder::new("bash");
    let script = folder.0.join("cancel-onboard");
    fs::write(&script, printed(&["completions", "bash"])).expect("it can be written");
    let Ok(checked) = Command::new("bash").arg("-n").arg(&script).output() else { return };
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    let offered = |words: &[&str]| offered(&script, words).expect("there is bash");
    let all = offered(&["cancel-onboard", ""]);
    assert!(COMMANDS.iter().all(|name| all.contains(*name)) && all.contains("--output"), "{all:?}");
    assert_eq!(offered(&["cancel-onboard", "che"]), BTreeSet::from(["check-docs".to_owned()]));
    let reason = offered(&["cancel-onboard", "batch", "--check"]);
    assert_eq!(reason, BTreeSet::from(["--check-reasons".to_owned()]));
    for name in COMMANDS {
        let offered = offered(&["cancel-onboard", name, "--"]);
        let expected: BTreeSet<_> = options(&printed(&[name, "-h"])).iter().map(|name| format!("--{name}")).collect();
        assert_eq!(offered, expected, "{name}");
    }
    let types = offered(&["cancel-onboard", "cancel", "--type", ""]);
    assert_eq!(types, ["candidate-declined", "company-rejected", "other"].map(str::to_owned).into());
    assert_eq!(offered(&["cancel-onboard", "reasons", "--output", "c"]), BTreeSet::from(["csv".to_owned()]));
    let origins: BTreeSet<_> = document::ORIGINS.iter().map(|origin| origin.name.to_owned()).collect();
    assert_eq!(origins, BTreeSet::from(["feishu", "lark"].map(str::to_owned)));
    for command in COMMANDS {
        assert_eq!(offered(&["cancel-onboard", command, "--base-url", ""]), origins, "{command}");
    }
    let specs = offered(&["cancel-onboard", "check-docs", "--spec", ""]);
    let expected = ["cancel_onboard", "tenant_access_token", "termination_reasons"].map(str::to_owned);
    assert_eq!(specs, BTreeSet::from(expected));
    let codes = offered(&["cancel-onboard", "explain", "1002"]);
    let known = Code::known().map(|code| code.number().to_string()).filter(|code| code.starts_with("1002"));
    assert_eq!(codes, known.collect());
    assert!(codes.len() >= 4, "{codes:?}");
}

#[test]
fn shells_that_show_what_a_value_means_have_the_labels_of_the_codes() {
    for (shell, before) in [("zsh", r#"\:""#), ("fish", "\\t'")] {
        let script = printed(&["completions", shell]);
        for code in Code::known() {
            let labelled = format!("{}{before}{}", code.number(), code.label().expect("it is known"));
            assert!(script.contains(&labelled), "{shell}: {labelled}");
        }
        assert!(script.replace('\\', "").contains("https://open.larksuite.com"), "{shell}");
    }
}

#[test]
fn what_is_suggested_is_not_all_that_is_taken() {
    for code in ["0", "-1", "99"] {
        assert_eq!(run(&["explain", code], &[]).status.code(), Some(0), "{code}");
    }
    let output = run(&["check-docs", "--spec", "nothing"], &[]);
    assert!(stderr(&output).contains("no document has this name"), "{output:?}");
}

/// Checks that a man page is well-formed, and gives its text as it is read.
fn read_man_page(source: &str) -> String {
    assert!(source.is_ascii() && source.ends_with('\n'));
    let heads = source.lines().filter(|line| line.starts_with(".TH ")).count();
    assert_eq!(heads, 1, "{source}");
    let known = ["TH", "SH", "PP", "TP", "RS", "RE", "IP", "br", "nf", "fi", "ie", "el"];
    let mut open = Vec::new();
    for line in source.lines() {
        assert!(!line.starts_with('\''), "a control line by accident: {line}");
        let Some(request) = line.strip_prefix('.') else { continue };
        let name = request.split(' ').next().unwrap_or_default();
        assert!(known.contains(&name), "{line}");
        match name {
            "RS" | "nf" => open.push(name),
            "RE" => assert_eq!(open.pop(), Some("RS"), "{source}"),
            "fi" => assert_eq!(open.pop(), Some("nf"), "{source}"),
            _ => {}
        }
    }
    assert_eq!(open, [""; 0], "{source}");
    source.replace(r"\fB", "").replace(r"\fI", "").replace(r"\fR", "").replace(r"\-", "-").replace(r"\*(Aq", "'")
}

#[test]
fn the_man_pages_have_every_command_and_option() {
    let folder = Folder::new("man");
    let inner = folder.0.join("share/man1");
    let written = printed(&["man", "--dir", inner.to_str().expect("it is UTF-8")]);
    let mut expected = vec!["cancel-onboard.1".to_owned()];
    expected.extend(COMMANDS.iter().map(|name| format!("cancel-onboard-{name}.1")));
    let expected_paths: Vec<_> = expected.iter().map(|name| inner.join(name)).collect();
    assert_eq!(written.lines().map(PathBuf::from).collect::<Vec<_>>(), expected_paths);
    assert_eq!(fs::read_dir(&inner).expect("it is there").count(), expected.len());

    let page = |name: &str| read_man_page(&fs::read_to_string(inner.join(name)).expect("it is there"));
    let main = page("cancel-onboard.1");
    assert!(main.contains(&format!(".TH cancel-onboard 1 \"\" \"{}\"", printed(&["--version"]).trim())), "{main}");
    for part in COMMANDS.map(|name| format!("cancel-onboard-{name}(1)")) {
        assert!(main.contains(&part), "{part}");
    }
    for part in [".SH ENVIRONMENT", "FEISHU_TENANT_ACCESS_TOKEN", ".SH EXIT STATUS", "\n4  network failure"] {
        assert!(main.replace("\"", "").contains(part), "{part}: {main}");
    }
    for name in COMMANDS {
        let (text, help) = (page(&format!("cancel-onboard-{name}.1")), printed(&[name, "--help"]));
        let options = options(&help);
        assert!(options.contains("output") && options.contains("help"), "{options:?}");
        for option in options {
            let heading = text.lines().any(|line| line.split(' ').any(|word| word == format!("--{option}")));
            assert!(heading, "{name} --{option}: {text}");
        }
        // The examples can be copied as they stand.
        for line in help.lines().filter_map(|line| line.strip_prefix("  cancel-onboard ")) {
            let line = line.replace('\\', r"\\");
            assert!(text.contains(&format!("\ncancel-onboard {line}\n")), "{line}: {text}");
        }
    }
}

#[test]
fn without_a_folder_the_main_man_page_is_printed() {
    let text = read_man_page(&printed(&["man"]));
    assert!(text.contains(".SH NAME\ncancel-onboard - Cancel the onboarding of a Feishu Hire candidate"), "{text}");
}

#[test]
fn man_pages_that_can_not_be_written_are_said() {
    let folder = Folder::new("unwritable");
    let file = folder.0.join("file");
    fs::write(&file, "").expect("it can be written");
    for bad in [&file, &file.join("below")] {
        let output = run(&["man", "--dir", bad.to_str().expect("it is UTF-8")], &[]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
        let text = stderr(&output);
        let said = format!("error: {} can't be written: ", bad.display());
        assert!(text.starts_with(&said) && text.lines().count() == 1, "{text}");
    }
    // A page of which something else has taken the place.
    fs::create_dir(folder.0.join("cancel-onboard-batch.1")).expect("a folder can be made");
    let output = run(&["man", "--dir", folder.text()], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cancel-onboard-batch.1 can't be written: "), "{}", stderr(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_script_that_can_not_be_written_whole_is_no_success() {
    for arguments in [&["completions", "bash"][..], &["man"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
        let output = Command::new(BINARY).env_clear().args(arguments).stdout(full).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(5), "{arguments:?}");
        assert!(stderr(&output).contains("standard output can't be written"), "{}", stderr(&output));
    }
}

#[test]
fn what_has_one_form_is_not_asked_for_in_another() {
    for arguments in [&["completions", "bash"][..], &["man"]] {
        for form in ["json", "csv"] {
            let output = run(&[arguments, &["--output", form]].concat(), &[]);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            let text = stdout(&output) + &stderr(&output);
            assert!(text.contains("`--output` is not for `completions` and `man`"), "{text}");
        }
        let output = run(&[arguments, &["--output=json"]].concat(), &[]);
        let line: Value = serde_json::from_str(&stdout(&output)).expect("it is one line of JSON");
        assert_eq!(line["error"]["kind"], "invalid_request");
    }
}
