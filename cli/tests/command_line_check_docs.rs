//! `cancel-onboard check-docs` to the letter: where it reads a page from, what it prints, and how it exits.

use test_support::pages;
use test_support::raw_server;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use pages::{FORMS, Form, Page};
use raw_server::{Act, RawServer, SECRET, TOKEN, response};
use serde_json::{Value, json as value};

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");

/// The most that a page has, in bytes.
const MOST: usize = 1024 * 1024;

/// A file with this content, for one test.
fn file(name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("check_docs_{name}"));
    std::fs::write(&path, content).expect("the folder for tests is writable");
    path.into_os_string().into_string().expect("the path is Unicode")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    // Credentials are there, to be seen to stay, and a proxy at which nothing of what stays on this machine arrives.
    let credentials =
        [("FEISHU_APP_ID", "cli_1"), ("FEISHU_APP_SECRET", SECRET), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)];
    let proxy = [("HTTP_PROXY", "http://127.0.0.1:1"), ("http_proxy", "http://127.0.0.1:1")];
    command.env_clear().envs(credentials).envs(proxy).arg("check-docs").args(arguments).stdin(Stdio::null());
    command
}

/// Runs it beside the runtime that the servers of this test run on.
async fn run(arguments: &[&str]) -> Output {
    let mut command = command(arguments);
    tokio::task::spawn_blocking(move || command.output().expect("the binary runs")).await.expect("no panic")
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it prints UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it prints UTF-8")
}

/// The one line of JSON on standard output.
fn line(output: &Output) -> Value {
    let text = stdout(output);
    assert_eq!(text.matches('\n').count(), 1, "{text}{}", stderr(output));
    serde_json::from_str(&text).expect("it is JSON")
}

/// Asserts that a page can't be checked, in both forms of output, and that the message says `parts`.
async fn assert_refused(arguments: &[&str], exit: i32, spec: Value, page: Value, parts: &[&str]) {
    let output = run(arguments).await;
    assert_eq!((status(&output), stdout(&output).as_str()), (Some(exit), ""), "{arguments:?} {}", stderr(&output));
    let text = stderr(&output);
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    assert!(text.starts_with("error: "), "{text}");
    let json = run(&[arguments, &["--output", "json"]].concat()).await;
    assert_eq!((status(&json), stderr(&json).as_str()), (Some(exit), ""), "{arguments:?}");
    let line = line(&json);
    let message = line["error"]["message"].as_str().unwrap_or_else(|| panic!("no message: {line}"));
    assert_eq!(line, value!({"ok": false, "spec": spec, "page": page, "error": {"message": message}}));
    for part in parts {
        assert!(message.contains(part), "{part} is not in {message}");
        assert!(text.contains(part), "{part} is not in {text}");
    }
    for named in [spec, page] {
        assert!(named.as_str().is_none_or(|named| named == "-" || text.contains(named)), "{named} is not in {text}");
    }
}

/// Where this test's own page differs from the document: its notes have words of their own.
fn assert_only_the_notes_differ(line: &Value, page: &str) {
    let drift = line["drift"].as_array().unwrap_or_else(|| panic!("no drift: {line}"));
    assert_eq!((&line["ok"], &line["spec"], &line["page"]), (&value!(false), &value!("cancel_onboard"), &value!(page)));
    assert_eq!(drift.len(), 1, "{line}");
    assert_eq!((&drift[0]["where"], &drift[0]["change"]), (&value!("notes"), &value!("different")), "{line}");
    for side in ["page", "document"] {
        assert!(drift[0][side].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{line}");
    }
    assert_eq!(drift[0]["line"], line_of("x-notes-digest: "), "{line}");
}

/// The line of the document that begins with a text, blanks aside, from 1.
fn line_of(text: &str) -> usize {
    let document = include_str!("../../spec/cancel_onboard.yaml");
    document.lines().position(|line| line.trim_start().starts_with(text)).expect("the text is in the document") + 1
}

fn body(status: u16, body: &str) -> Act {
    Act::Answer(response(status, &[("Content-Type", "text/markdown; charset=utf-8")], body))
}

fn redirect(to: &str) -> Act {
    Act::Answer(response(302, &[("Location", to)], ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_checked_in_each_form_of_the_page() {
    for form in FORMS {
        let page = file(&format!("{form:?}.md"), Page::new().write(form).as_bytes());
        let output = run(&[&page, "--output", "json"]).await;
        assert_eq!((status(&output), stderr(&output).as_str()), (Some(1), ""), "{form:?}");
        assert_only_the_notes_differ(&line(&output), &page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_standard_input_is_checked() {
    for (arguments, name) in [(&["-", "--output=json"][..], "-"), (&["-"], "standard input")] {
        let mut child = command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(Page::new().write(Form::Published).as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(status(&output), Some(1), "{}", stderr(&output));
        match name {
            "-" => assert_only_the_notes_differ(&line(&output), "-"),
            _ => assert!(stdout(&output).starts_with("cancel_onboard: standard input differs"), "{}", stdout(&output)),
        }
    }
    assert_refused(&["-"], 2, value!("cancel_onboard"), value!("-"), &["empty"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_checked_and_no_secret_is_sent() {
    let page = Page::new().write(Form::Published);
    let server = RawServer::start(move |_, _| body(200, &page)).await;
    let address = format!("{}/hire/cancel_onboard.md?lang=zh", server.origin);
    let output = run(&[&address, "--output", "json"]).await;
    assert_eq!(status(&output), Some(1), "{}", stderr(&output));
    assert_only_the_notes_differ(&line(&output), &address);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", "/hire/cancel_onboard.md?lang=zh"));
    let mut names: Vec<_> = seen[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent"]);
    let sent = format!("{seen:?}");
    assert!(!sent.contains(SECRET) && !sent.contains(TOKEN) && !sent.contains("cli_1"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_safe_is_refused_without_a_request() {
    let server = RawServer::start(|_, _| body(200, "")).await;
    let with_password = server.origin.replace("http://", "http://user:hunter2@");
    for address in [
        "http://example.com/a.md",
        "http://10.0.0.1/",
        "ftp://example.com/",
        "file:///etc/hostname",
        "https://localhost./",
        "https://pages.localhost/a.md",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://",
        &with_password,
    ] {
        assert_refused(&[address], 2, value!("cancel_onboard"), value!(null), &["address"]).await;
        let output = run(&[address]).await;
        assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_page_at_all_is_a_failure_of_the_network() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n# cut".to_vec();
    for (act, part) in [
        (body(404, "# gone"), "HTTP 404"),
        (body(500, &Page::new().write(Form::Published)), "HTTP 500"),
        (body(304, ""), "HTTP 304"),
        (Act::Reset, "error"),
        (Act::Close, "error"),
        (Act::AnswerAndClose(cut.clone()), "error"),
        (Act::Answer(cut), "--timeout"),
        (Act::Hang, "--timeout"),
    ] {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let address = format!("{}/page.md", server.origin);
        assert_refused(&[&address, "--timeout", "1"], 4, value!("cancel_onboard"), value!(address), &[part]).await;
        assert_eq!(server.seen().len(), 2, "nothing is tried again: {part}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    let address = format!("http://{}/", free.local_addr().expect("it is bound"));
    drop(free);
    assert_refused(&[&address], 4, value!("cancel_onboard"), value!(address), &["refused"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_followed_a_few_times_and_not_away() {
    let page = Page::new().write(Form::Published);
    let server = RawServer::start(move |_, seen| match seen.path.trim_start_matches('/').parse::<u32>() {
        Ok(0) => body(200, &page),
        Ok(left) => redirect(&format!("/{}", left - 1)),
        Err(_) => redirect(seen.path.split_once("to=").expect("the test says where to").1),
    })
    .await;
    let address = format!("{}/5", server.origin);
    let output = run(&[&address, "--output", "json"]).await;
    assert_eq!(status(&output), Some(1), "{}", stdout(&output));
    assert_only_the_notes_differ(&line(&output), &address);
    assert_eq!(server.seen().len(), 6);
    let address = format!("{}/6", server.origin);
    assert_refused(&[&address], 4, value!("cancel_onboard"), value!(address), &["redirect", "5 times"]).await;

    let other = RawServer::start(|_, _| body(200, "# a page")).await;
    for to in [&other.origin, "http://example.invalid/", "https://example.invalid/"] {
        let address = format!("{}/?to={to}", server.origin);
        assert_refused(&[&address], 4, value!("cancel_onboard"), value!(address), &["away from"]).await;
    }
    assert_eq!(other.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_read_than_the_longest_page_has() {
    let endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    let promised = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1usize << 40).into_bytes();
    for head in [endless, promised] {
        // So much that the time would not be enough to take it all.
        let server = RawServer::start(move |_, _| Act::Flood(head.clone(), 1 << 40)).await;
        let address = format!("{}/endless.md", server.origin);
        assert_refused(&[&address], 2, value!("cancel_onboard"), value!(address), &["longer than any page"]).await;
    }
    let long = file("long.md", &vec![b' '; MOST + 1]);
    assert_refused(&[&long], 2, value!("cancel_onboard"), value!(long), &["longer than any page"]).await;
    #[cfg(unix)]
    assert_refused(&["/dev/zero"], 2, value!("cancel_onboard"), value!("/dev/zero"), &["longer than any page"]).await;

    let mut page = Page::new().write(Form::Published);
    page += &"\n".repeat(MOST - page.len());
    let full = file("full.md", page.as_bytes());
    assert_eq!(status(&run(&[&full]).await), Some(1));
    let server = RawServer::start(move |_, _| body(200, &page)).await;
    let output = run(&[&server.origin, "--output=json"]).await;
    assert_only_the_notes_differ(&line(&output), &format!("{}/", server.origin));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_page_is_named() {
    let log_in = "<!doctype html><html><title>Log in</title><body>please log in</body></html>";
    let mut another = Page::new();
    another.title = "获取投递列表".into();
    pages_request_path(&mut another, "/open-apis/hire/v1/applications");
    let another = another.write(Form::Scraped);
    for (name, content, parts) in [
        ("empty.md", &b""[..], &["empty"][..]),
        ("blank.md", b" \r\n\n", &["empty"]),
        ("log_in.html", log_in.as_bytes(), &["HTML log-in page"]),
        ("plain.html", b"<html><body>a page</body></html>", &["HTML"]),
        ("latin.md", b"# \xff\xfe", &["not UTF-8"]),
        ("notes.txt", b"buy milk", &["not a page of an endpoint"]),
        (
            "another.md",
            another.as_bytes(),
            &["another page", "获取投递列表", "/open-apis/hire/v1/applications", "取消候选人入职"],
        ),
    ] {
        let page = file(name, content);
        assert_refused(&[&page], 2, value!("cancel_onboard"), value!(page), parts).await;
        assert_refused(&[&page, "--all"], 2, value!(null), value!(page), parts).await;
        if name == "another.md" {
            assert_refused(&[&page, "--all"], 2, value!(null), value!(page), &["自建应用获取 tenant_access_token"])
                .await;
        }
    }
    let missing = format!("{}/check_docs_missing.md", env!("CARGO_TARGET_TMPDIR"));
    assert_refused(&[&missing], 2, value!("cancel_onboard"), value!(missing), &["can't be read"]).await;
    let folder = env!("CARGO_TARGET_TMPDIR");
    assert_refused(&[folder], 2, value!("cancel_onboard"), value!(folder), &["can't be read"]).await;

    let server = RawServer::start(move |_, _| body(200, log_in)).await;
    let address = format!("{}/page.md", server.origin);
    assert_refused(&[&address], 2, value!("cancel_onboard"), value!(address), &["HTML log-in page"]).await;
}

/// Replaces the path in the page's request address.
fn pages_request_path(page: &mut Page, path: &str) {
    let before = page.request.clone();
    for cell in page.request.iter_mut().flatten() {
        *cell = cell.replace("/open-apis/hire/v1/applications/:application_id/cancel_onboard", path);
    }
    assert_ne!(page.request, before, "the page names no such path");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_chosen_by_name_or_by_the_page() {
    let page = file("choice.md", Page::new().write(Form::Published).as_bytes());
    let expected = stdout(&run(&[&page, "--output", "json"]).await);
    for choice in [&["--spec", "cancel_onboard"][..], &["--all"]] {
        let output = run(&[&[page.as_str(), "--output", "json"], choice].concat()).await;
        assert_eq!((status(&output), stdout(&output)), (Some(1), expected.clone()), "{choice:?}");
    }
    let parts = ["another page", "自建应用获取 tenant_access_token"];
    assert_refused(&[&page, "--spec", "tenant_access_token"], 2, value!("tenant_access_token"), value!(page), &parts)
        .await;
    let parts = ["spec/tenant_access_token.yaml", "no Markdown address", "https://open.feishu.cn/document/"];
    assert_refused(&["--spec", "tenant_access_token"], 2, value!("tenant_access_token"), value!(null), &parts).await;
    let parts = ["cancel_onboard", "tenant_access_token"];
    assert_refused(&[&page, "--spec", "nothing"], 2, value!("nothing"), value!(null), &parts).await;
    for arguments in [&[page.as_str(), "--all", "--spec", "cancel_onboard"][..], &[&page, &page], &["--no-such-option"]]
    {
        assert_eq!(status(&run(arguments).await), Some(2), "{arguments:?}");
        let output = run(&[arguments, &["--output=json"]].concat()).await;
        let line = line(&output);
        assert_eq!(
            (status(&output), &line["ok"], &line["spec"], &line["page"]),
            (Some(2), &value!(false), &value!(null), &value!(null))
        );
        assert!(line["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{line}");
    }
}

/// Lets requests to the published addresses end at a proxy on this machine, which knows nothing.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_page_the_published_ones_are_checked() {
    let markdown = include_str!("../../spec/cancel_onboard.yaml")
        .lines()
        .find_map(|line| line.trim().strip_prefix("x-doc-markdown-url: "));
    let markdown = markdown.expect("the document names it");
    for all in [false, true] {
        let proxy = RawServer::start(|_, _| Act::AnswerAndClose(response(502, &[], ""))).await;
        let mut command = command(&["--output", "json"]);
        command.env("HTTPS_PROXY", &proxy.origin).args(all.then_some("--all"));
        let run = tokio::task::spawn_blocking(move || command.output().expect("the binary runs"));
        let output = run.await.expect("no panic");
        assert_eq!(status(&output), Some(4), "{}", stderr(&output));
        let line = line(&output);
        assert_eq!((&line["spec"], &line["page"]), (&value!("cancel_onboard"), &value!(markdown)), "{line}");
        let seen = proxy.seen();
        assert_eq!((seen.len(), seen[0].method.as_str(), seen[0].path.as_str()), (1, "CONNECT", "open.feishu.cn:443"));
        let skipped = ["tenant_access_token", "termination_reasons"]
            .map(|name| format!("skipped {name}: spec/{name}.yaml names no Markdown address of its page\n"));
        assert_eq!(stderr(&output), if all { skipped.concat() } else { String::new() });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_said_with_its_place_both_sides_and_the_line() {
    let mut page = Page::new();
    for cell in page.errors.as_mut().expect("it has errors").iter_mut().flatten().filter(|cell| *cell == "1002221") {
        *cell = "1002222".into();
    }
    for cell in page.body.as_mut().expect("it has a body").iter_mut().flatten() {
        *cell = cell.replace("- 27：其他", "- 28：其他");
    }
    let page = file("drift.md", page.write(Form::Published).as_bytes());
    let output = run(&[&page, "--output", "json"]).await;
    assert_eq!(status(&output), Some(1));
    let line = line(&output);
    let drift: Vec<_> =
        line["drift"].as_array().expect("a list").iter().filter(|one| one["where"] != "notes").collect();
    let found: Vec<_> = drift.iter().map(|one| (one["where"].as_str(), one["change"].as_str())).collect();
    let expected =
        [("request.body.termination_type", "different"), ("errors.1002221", "removed"), ("errors.1002222", "added")];
    for (place, change) in expected {
        assert!(found.contains(&(Some(place), Some(change))), "{place} {change}: {line}");
    }
    assert_eq!(found.len(), expected.len(), "{line}");
    let removed = drift.iter().find(|one| one["where"] == "errors.1002221").expect("it was found");
    assert_eq!((&removed["page"], &removed["line"]), (&value!(null), &value!(line_of("- code: 1002221"))));
    let mut keys: Vec<_> = removed.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["change", "document", "line", "page", "where"]);

    let output = run(&[&page]).await;
    let text = stdout(&output);
    assert_eq!((status(&output), stderr(&output).as_str()), (Some(1), ""));
    assert!(
        text.starts_with(&format!("cancel_onboard: {page} differs from spec/cancel_onboard.yaml in 4 things\n")),
        "{text}"
    );
    let place = format!("look at   spec/cancel_onboard.yaml:{}\n", line_of("- code: 1002221"));
    for part in ["errors.1002221: no longer on the page\n  page      nothing\n", "投递已经终止", &place] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_never_reaches_the_terminal_raw() {
    let mut page = Page::new();
    let errors = page.errors.as_mut().expect("it has errors");
    errors.push(["400", "1002333", "\u{1b}[2Jgone\u{7}\u{202e}\u{9b}31m\u{2028}", "x"].map(str::to_owned).into());
    let bad = file("control.md", page.write(Form::Published).as_bytes());
    page.title = "\u{1b}]0;owned\u{7}\u{202e}".into();
    pages_request_path(&mut page, "/\u{1b}[2J\u{202e}");
    let another = file("control_another.md", page.write(Form::Published).as_bytes());
    let missing = format!("{bad}\u{1b}[31m\u{202e}");
    for (page, exit, part) in [(&bad, 1, r"\u{1b}[2Jgone"), (&another, 2, "another page"), (&missing, 2, r"\u{1b}[31m")]
    {
        for all in [false, true] {
            let mut arguments = vec![page.as_str()];
            arguments.extend(all.then_some("--all"));
            let output = run(&arguments).await;
            assert_eq!(status(&output), Some(exit));
            let text = stdout(&output) + &stderr(&output);
            assert!(text.contains(part), "{text}");
            let harmless = |c: char| c == '\n' || !(c.is_control() || "\u{202e}\u{2028}".contains(c));
            assert!(text.chars().all(harmless), "{text:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_has_an_example_and_the_exit_statuses() {
    let output = run(&["--help"]).await;
    let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(status(&output), Some(0));
    for part in [
        "PAGE",
        "--spec <NAME>",
        "--all",
        "cancel-onboard check-docs page.md",
        "\"error\":{\"message\"}",
        "1 drift",
        "4 the page",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
