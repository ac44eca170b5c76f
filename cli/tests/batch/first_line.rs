//! A report is continued only by runs for the same origin and app, and only if it is one: anything else is left as it is.

use std::fs;

use feishu_cancel_onboard::sandbox::{Fault, Sandbox};
use serde_json::{Value, json as value};

use crate::command::{Folder, environment, header, header_of, run, spawn, unlimited, until};

const STARTED: &str = "{\"application_id\":\"0\",\"started\":true,\"at\":\"2026-01-01T00:00:00.000Z\"}\n";
const DONE: &str = "{\"ok\":true,\"application_id\":\"0\",\"outcome\":\"cancelled\",\"attempts\":1,\"log_id\":null,\
    \"elapsed_ms\":1,\"application\":null,\"at\":\"2026-01-01T00:00:00.000Z\"}\n";

type Environment = Vec<(String, String)>;

/// What a command needs to call a sandbox with a ready-made token.
fn with_a_token(sandbox: &Sandbox) -> Environment {
    [("FEISHU_BASE_URL", sandbox.base_url()), ("FEISHU_TENANT_ACCESS_TOKEN", "t-0123456789")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Resumes a report that must be refused, in every way in which it can be, and returns what is said.
#[track_caller]
fn refused(sandbox: &Sandbox, environment: &Environment, content: &[u8], more: &[&str], part: &str) {
    let folder = Folder::new();
    folder.list(2);
    folder.write("report.jsonl", content);
    for dry in [&[][..], &["--dry-run"]] {
        let ran = run(folder.batch(&[&["--resume"], more, dry].concat(), environment));
        ran.assert_status(2);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains(part) && ran.stderr.lines().count() == 1, "{part}: {ran:?}");
        assert!(fs::read(folder.path("report.jsonl")).expect("it is there") == content, "{ran:?}");
    }
    assert!(sandbox.calls().is_empty() && sandbox.token_requests() == 0);
}

/// Whether a text is a time as a report has it.
fn is_time(text: &Value) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.as_str().is_some_and(|text| text.chars().map(shape).collect::<String>() == "0000-00-00T00:00:00.000Z")
}

#[test]
fn the_first_line_is_on_disk_before_anything_is_sent() {
    for (calls, more) in
        [("as the app", &[][..]), ("with a slash", &[]), ("with a token", &[]), ("to try", &["--sandbox"])]
    {
        let sandbox = unlimited();
        let mut environment = environment(&sandbox);
        let (mut origin, mut app_id) = (sandbox.base_url().to_owned(), value!("cli_sandbox"));
        match calls {
            "with a slash" => environment[0].1 += "/",
            "with a token" => (environment, app_id) = (with_a_token(&sandbox), Value::Null),
            "to try" => origin = "sandbox".to_owned(),
            _ => {}
        }
        let folder = Folder::new();
        folder.list(2);
        let ran = run(folder.batch(&[&["--rate", "1000"], more].concat(), &environment));
        // The token is nobody's.
        ran.assert_status(if app_id.is_null() { 3 } else { 0 });
        let text = fs::read_to_string(folder.path("report.jsonl")).expect("there is a report");
        let first = text.lines().next().expect("there is a line");
        let line: Value = serde_json::from_str(first).expect("it is JSON");
        assert!(is_time(&line["at"]), "{first}");
        let at = line["at"].as_str().expect("it is text");
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "{{\"report\":1,\"origin\":\"{origin}\",\"app_id\":{app_id},\"version\":\"{version}\",\"at\":\"{at}\"}}"
        );
        assert_eq!(first, expected);
        // Every other one has the time as well.
        assert!(folder.report().iter().all(|line| is_time(&line["at"])), "{text}");
        // And the same run continues it.
        let ran = run(folder.batch(&[&["--resume"], more].concat(), &environment));
        ran.assert_status(if app_id.is_null() { 3 } else { 0 });
    }

    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(2);
    sandbox.fail_token_requests([Fault::Delay(std::time::Duration::from_secs(10_000))]);
    let mut child = spawn(&mut folder.batch(&[], &environment(&sandbox)));
    until(|| sandbox.token_requests() == 1);
    assert_eq!(folder.report(), Vec::<Value>::new());
    child.kill().expect("it is ours to end");
    child.wait().expect("it has ended");
}

#[test]
fn a_report_of_another_origin_is_not_continued() {
    let sandbox = unlimited();
    let app = Some("cli_sandbox");
    for (origin, more, part) in [
        (
            "sandbox",
            &[][..],
            "it was written for the embedded stand-in (--sandbox), and this run calls http://127.0.0.1:",
        ),
        (
            "https://open.feishu.cn",
            &[],
            "it was written for https://open.feishu.cn, and this run calls http://127.0.0.1:",
        ),
        ("https://open.feishu.cn", &["--base-url", "lark"], "and this run calls https://open.larksuite.com"),
        (sandbox.base_url(), &["--sandbox"], "and this run calls the embedded stand-in (--sandbox)"),
        ("https://open.feishu.cn", &["--sandbox"], "is of another origin"),
    ] {
        for content in [
            header_of(origin, app) + STARTED + DONE,
            header_of(origin, app),
            header_of(origin, app).trim_end().to_owned(),
        ] {
            refused(&sandbox, &environment(&sandbox), content.as_bytes(), more, part);
        }
    }
}

#[test]
fn a_report_of_another_app_is_not_continued() {
    let sandbox = unlimited();
    let (as_app, as_token) = (environment(&sandbox), with_a_token(&sandbox));
    let of = |app_id| header_of(sandbox.base_url(), app_id) + STARTED + DONE;
    refused(
        &sandbox,
        &as_app,
        of(Some("cli_2")).as_bytes(),
        &[],
        "written with the app cli_2, and this run has the app cli_sandbox",
    );
    refused(
        &sandbox,
        &as_app,
        of(None).as_bytes(),
        &[],
        "written with a ready-made token, and this run has the app cli_sandbox",
    );
    refused(
        &sandbox,
        &as_token,
        of(Some("cli_sandbox")).as_bytes(),
        &[],
        "written with the app cli_sandbox, and this run has a ready",
    );
}

/// A text in UTF-16.
fn utf_16(text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
}

#[test]
fn a_file_that_is_no_report_is_left_as_it_is() {
    let sandbox = unlimited();
    let header = header(&sandbox);
    let whole = format!("{header}{STARTED}{DONE}");
    let not_one = "does not begin with the first line of a report: is it the right file?";
    let mut sqlite = b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20\0\0\0\x02\0\0\0\x02".to_vec();
    sqlite.resize(43, 0);
    let zip = [b"PK\x03\x04\x14\0\0\0\0\0", &[0_u8; 16][..], b"list.csvapplication_id,termination_type\n"].concat();
    let request = "{\"application_id\":\"1\",\"termination_type\":1}\n";
    let table: Vec<(Vec<u8>, &str)> = vec![
        (sqlite, not_one),
        (zip, not_one),
        (b"[{\"application_id\":\"1\",\"started\":true}]".to_vec(), not_one),
        (b"[1,\"".to_vec(), not_one),
        (b"application_id,termination_type\n1,1\n".to_vec(), not_one),
        (b"a line without an end".to_vec(), not_one),
        (b"{\"started\":true}".to_vec(), not_one),
        (b"\n".to_vec(), not_one),
        (b"{\"report\":1}\n".to_vec(), not_one),
        (b"{\"report\":\"quarterly\"}".to_vec(), not_one),
        (header.replace("\"origin\":\"", "\"origin\":1,\"x\":\"").into_bytes(), not_one),
        (vec![0; 5000], not_one),
        (request.into(), not_one),
        (format!("{request}{header}").into_bytes(), not_one),
        (STARTED.into(), "has no first line that says of which origin and app it is"),
        (DONE.into(), "has no first line that says of which origin and app it is"),
        (header.replace("\"report\":1", "\"report\":2").into_bytes(), "has the form 2, which another version"),
        (b"{\"report\":12,\"who\":\"".to_vec(), "has the form 12, which another version"),
        (utf_16(&whole, b"\xff\xfe", u16::to_le_bytes), "is in UTF-16, so another program has written it"),
        (utf_16(&whole, b"\xfe\xff", u16::to_be_bytes), "is in UTF-16, so another program has written it"),
        (utf_16(&whole, b"", u16::to_le_bytes), "is in UTF-16, so another program has written it"),
        (utf_16(&whole, b"", u16::to_be_bytes), "is in UTF-16, so another program has written it"),
        (format!("\u{feff}{whole}").into_bytes(), "is in UTF-8 with a byte order mark"),
        (
            [whole.as_bytes(), &utf_16(STARTED, b"", u16::to_le_bytes)].concat(),
            "line 4 of the report report.jsonl is not in UTF-8",
        ),
        // In GB18030, as an editor on a Chinese Windows would save it.
        (
            [
                whole.as_bytes(),
                b"{\"ok\":false,\"application_id\":\"1\",\"error\":{\"message\":\"\xc4\xe3\"}}\n",
                DONE.as_bytes(),
            ]
            .concat(),
            "line 4 of the report report.jsonl is not in UTF-8",
        ),
        (
            [whole.as_bytes(), b"{\"ok\":true,\"application_id\":\"\xc4\xe3\xba\xc3"].concat(),
            "line 4 of the report report.jsonl is not in UTF-8",
        ),
        (format!("{whole}{request}").into_bytes(), "line 4 of the report report.jsonl is not a line of a report"),
        (format!("{header}something else\n{STARTED}").into_bytes(), "line 2 of the report report.jsonl is not a line"),
        (
            format!("{header}{{\"application_id\":\"1\",\"sta\n{STARTED}").into_bytes(),
            "line 2 of the report report.jsonl is not",
        ),
        (format!("{whole}something else").into_bytes(), "line 4 of the report report.jsonl is not a line of a report"),
        (
            format!("{whole}{{\"application_id\":\"1\"}}").into_bytes(),
            "line 4 of the report report.jsonl is not a line",
        ),
        (
            format!("{whole}{{\"ok\":true,\"application_id\":\"1\"}}\n").into_bytes(),
            "line 4 of the report report.jsonl is not",
        ),
        (
            format!("{whole}{{\"ok\":false,\"application_id\":\"1\"}}\n").into_bytes(),
            "line 4 of the report report.jsonl is not",
        ),
    ];
    for (content, part) in table {
        refused(&sandbox, &environment(&sandbox), &content, &[], part);
    }
}

#[test]
fn a_report_that_is_not_there_is_not_made_by_resuming_it() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(2);
    for more in [&[][..], &["--dry-run"], &["--check-reasons"]] {
        let ran = run(folder.batch(&[&["--resume"], more].concat(), &environment(&sandbox)));
        ran.assert_status(2);
        assert!(ran.stderr.contains("the report report.jsonl is not there: "), "{ran:?}");
        assert!(!folder.path("report.jsonl").exists());
    }
    assert!(sandbox.calls().is_empty());
}

#[cfg(unix)]
#[test]
fn what_is_not_a_regular_file_is_neither_opened_nor_waited_for() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(2);
    let made = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status().expect("it runs");
    assert!(made.success());
    fs::create_dir(folder.path("folder")).expect("a folder can be made");
    std::os::unix::fs::symlink(folder.path("pipe"), folder.path("link")).expect("a link can be made");
    for report in ["pipe", "link", "/dev/zero", "/dev/null", "folder"] {
        for more in
            [&[][..], &["--resume"], &["--resume", "--dry-run"], &["--dry-run"], &["--resume", "--check-reasons"]]
        {
            let all = [&["batch", "list.csv", "--report", report], more].concat();
            let ran = run(folder.command(&all, &environment(&sandbox)));
            ran.assert_status(2);
            assert!(ran.stderr.contains(&format!("the report {report} is not a regular file")), "{more:?}: {ran:?}");
        }
    }
    assert!(sandbox.calls().is_empty());
}

#[test]
fn one_that_is_empty_or_torn_within_its_first_line_counts_as_new() {
    let sandbox = unlimited();
    let (header, of_another) = (header(&sandbox), header_of("https://open.feishu.cn", None));
    let zeros = "\0".repeat(100);
    let whole = header.trim_end();
    for (content, is_kept) in [
        (String::new(), false),
        ("{".to_owned(), false),
        (header[..20].to_owned(), false),
        (of_another[..30].to_owned(), false),
        (header[..60].to_owned(), false),
        (header[..header.len() - 2].to_owned(), false),
        (format!("{}{zeros}", &header[..60]), false),
        (zeros.clone(), false),
        // It lacks nothing but its end.
        (whole.to_owned(), true),
        (format!("{whole}{zeros}"), true),
    ] {
        let folder = Folder::new();
        folder.list(2);
        folder.write("report.jsonl", &content);
        let ran = run(folder.batch(&["--resume", "--dry-run"], &environment(&sandbox)));
        ran.assert_status(0);
        assert_eq!(fs::read_to_string(folder.path("report.jsonl")).expect("it is there"), content);
        let ran = run(folder.batch(&["--resume", "--rate", "1000"], &environment(&sandbox)));
        assert!(matches!(ran.status, Some(0 | 1)), "{ran:?}");
        let cut = content.len() - if is_kept { whole.len() } else { 0 };
        let said = ran.stderr.contains(&format!("last line was torn: {cut} bytes have been cut off its end"));
        assert_eq!(said, cut > 0, "{content:?}: {ran:?}");
        let text = fs::read_to_string(folder.path("report.jsonl")).expect("it is there");
        assert_eq!(text.starts_with(&header), is_kept, "{text}");
        assert_eq!((folder.ends().len(), folder.report().len()), (2, 4), "{text}");
    }
}

#[test]
fn what_a_crash_leaves_at_the_end_is_cut_off() {
    let sandbox = unlimited();
    let whole = format!("{}{STARTED}{DONE}", header(&sandbox));
    let zeros = "\0".repeat(700);
    let started = STARTED.replace("\"0\"", "\"1\"");
    let unended = started.trim_end();
    for (rest, kept) in [
        (zeros.clone(), ""),
        (format!("{}{zeros}", &started[..25]), ""),
        (started[..25].to_owned(), ""),
        (format!("{unended}{zeros}"), unended),
        (unended.to_owned(), unended),
        (format!("{}{zeros}{}", &started[..25], &started[40..60]), ""),
    ] {
        let folder = Folder::new();
        folder.list(2);
        folder.write("report.jsonl", format!("{whole}{rest}"));
        let ran = run(folder.batch(&["--resume"], &environment(&sandbox)));
        assert!(matches!(ran.status, Some(0 | 1)), "{ran:?}");
        let cut = rest.len() - kept.len();
        let said = ran.stderr.contains(&format!("last line was torn: {cut} bytes have been cut off its end"));
        assert_eq!(said, cut > 0, "{rest:?}: {ran:?}");
        let text = fs::read_to_string(folder.path("report.jsonl")).expect("it is there");
        assert!(text.starts_with(&format!("{whole}{kept}")) && !text.contains('\0'), "{text}");
        assert_eq!(folder.ends().len(), 2, "{text}");
    }
}
