//! What `reasons` prints, in each of its forms, and what `cancel --check-reasons` refuses before anything is sent.

use test_support::raw_server;

use std::process::{Command, Output};

use raw_server::{Act, RawServer, TOKEN, json};
use serde_json::{Value, json as value};

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");

/// Runs the binary beside the runtime that the servers of this test run on, with nothing else in its environment.
async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.env_clear().args(arguments).envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output().expect("the binary runs")).await.expect("no panic")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it prints UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it prints UTF-8")
}

fn lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn reason(id: &str, termination_type: i64, active_status: i64, zh: &str, en: &str) -> Value {
    value!({
        "id": id,
        "name": {"zh_cn": zh, "en_us": en},
        "referral_name": {"zh_cn": zh, "en_us": en},
        "termination_type": termination_type,
        "is_used_as_evaluation": false,
        "active_status": active_status,
    })
}

/// A server that lists these reasons on one page, and cancels.
async fn server(items: Vec<Value>) -> RawServer {
    let page = value!({"code": 0, "data": {"items": items, "has_more": false}}).to_string();
    RawServer::start(move |_, seen| match seen.method.as_str() {
        "GET" => json(200, &page),
        _ => json(200, r#"{"code":0}"#),
    })
    .await
}

/// Runs the binary against a server.
async fn run_against(server: &RawServer, arguments: &[&str]) -> Output {
    let environment = [("FEISHU_BASE_URL", server.origin.as_str()), ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN)];
    run(arguments, &environment).await
}

fn four() -> Vec<Value> {
    vec![
        reason("100", 1, 1, "岗位已关闭", "Position closed"),
        reason("220", 22, 1, "接受了其他机会", "Took another offer"),
        reason("221", 22, 2, "未说明", "Not stated"),
        reason("270", 27, 1, "重复", "Duplicate"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_lines_up_also_in_chinese_and_hides_the_disabled_ones() {
    let server = server(four()).await;
    let output = run_against(&server, &["reasons"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = "\
ID   TYPE                NAME (ZH)       NAME (EN)           STATUS
100  company-rejected    岗位已关闭      Position closed     enabled
220  candidate-declined  接受了其他机会  Took another offer  enabled
270  other               重复            Duplicate           enabled
";
    assert_eq!(stdout(&output), expected);
    assert_eq!(stderr(&output), "1 disabled not shown; --all shows them too\n");
    let output = run_against(&server, &["reasons", "--all", "--type", "22", "--lang", "zh"]).await;
    let expected = "\
原因 ID  终止类型            中文名称        英文名称            状态
220      candidate-declined  接受了其他机会  Took another offer  已启用
221      candidate-declined  未说明          Not stated          已停用
";
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), (expected, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_object_a_line_with_these_keys() {
    let server = server(four()).await;
    let output = run_against(&server, &["reasons", "--output", "json"]).await;
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let listed = lines(&output);
    assert_eq!(listed.iter().map(|line| &line["id"]).collect::<Vec<_>>(), ["100", "220", "270"]);
    let expected = value!({"ok": true, "id": "220", "termination_type": 22, "type": "candidate-declined",
        "name": {"en": "Took another offer", "zh": "接受了其他机会"},
        "referral_name": {"en": "Took another offer", "zh": "接受了其他机会"},
        "used_as_evaluation": false, "active_status": 1, "enabled": true});
    assert_eq!(listed[1], expected);
    let output = run_against(&server, &["reasons", "--all", "--type=candidate-declined", "--output=json"]).await;
    let listed = lines(&output);
    assert_eq!((listed.len(), &listed[1]["enabled"], &listed[1]["active_status"]), (2, &value!(false), &value!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_version_does_not_know_is_shown_as_it_is() {
    let mut odd = reason("1", 31, 9, "甲", "a");
    odd["name"] = value!({"zh_cn": "甲"});
    let server = server(vec![odd, value!({"id": "2"})]).await;
    let output = run_against(&server, &["reasons"]).await;
    let expected = "\
ID  TYPE  NAME (ZH)  NAME (EN)  STATUS
1   31    甲         -          9
2   -     -          -          -
";
    assert_eq!(stdout(&output), expected);
    let listed = lines(&run_against(&server, &["reasons", "--output", "json"]).await);
    assert_eq!((&listed[0]["termination_type"], &listed[0]["type"]), (&value!(31), &value!(null)));
    assert_eq!((&listed[0]["active_status"], &listed[0]["enabled"]), (&value!(9), &value!(null)));
    assert_eq!((&listed[1]["termination_type"], &listed[1]["name"]["zh"]), (&value!(null), &value!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_has_a_header_quotes_what_must_be_and_holds_no_formula() {
    let mut items = four();
    items[0]["name"]["en_us"] = "Closed, \"for good\"".into();
    for (id, name) in [("-1", "=1+1"), ("2", "+7"), ("3", "-x"), ("4", "@SUM(A1)"), ("5", " =A1"), ("6", "＝A1")] {
        items.push(reason(id, 1, 1, name, "\t=cmd"));
    }
    let server = server(items).await;
    let output = run_against(&server, &["reasons", "--output", "csv", "--all"]).await;
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let text = stdout(&output);
    let mut found = text.lines();
    let header = "id,type,name_zh,name_en,referral_name_zh,referral_name_en,used_as_evaluation,enabled";
    assert_eq!(found.next(), Some(header));
    let first = r#"100,company-rejected,岗位已关闭,"Closed, ""for good""",岗位已关闭,Position closed,false,true"#;
    assert_eq!(found.next(), Some(first));
    assert_eq!(text.lines().count(), 11);
    for name in ["'-1,company-rejected,'=1+1,", ",'+7,", ",'-x,", ",'@SUM(A1),", ",' =A1,", ",'＝A1,"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(text.contains(r"\u{9}=cmd"), "{text}");
    assert!(text.ends_with("\n") && !text.ends_with("\n\n"));
    // An empty list still has its header.
    let none = self::server(Vec::new()).await;
    assert_eq!(stdout(&run_against(&none, &["reasons", "--output=csv"]).await), format!("{header}\n"));
    assert_eq!(stdout(&run_against(&none, &["reasons"]).await), "no termination reasons\n");
    assert_eq!(stdout(&run_against(&none, &["reasons", "--output=json"]).await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_is_refused_where_there_is_none() {
    let server = server(four()).await;
    for arguments in [
        &["cancel", "1", "--type", "1", "--output", "csv"][..],
        &["explain", "--output=csv"],
        &["--output", "csv", "sandbox"],
    ] {
        let output = run_against(&server, arguments).await;
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{arguments:?}");
        assert!(stderr(&output).contains("`reasons` only"), "{}", stderr(&output));
    }
    assert_eq!(server.seen().len(), 0);
    let output = run_against(&server, &["reasons", "--output", "xml"]).await;
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_sends_never_reaches_the_terminal_raw() {
    let name = "\u{1b}[2J\u{9b}31m\u{202e}\r\n\u{7f}x";
    let mut items = vec![reason("1\u{1b}[31m", 1, 1, name, name)];
    items[0]["referral_name"]["zh_cn"] = name.into();
    let server = server(items).await;
    for form in ["text", "json", "csv"] {
        let output = run_against(&server, &["reasons", "--output", form]).await;
        let text = stdout(&output) + &stderr(&output);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{form}: {text:?}");
        assert!(!text.contains('\u{202e}'), "{form}: {text:?}");
        if form == "json" {
            assert_eq!(lines(&output)[0]["name"]["zh"], name, "what it says is what was sent");
        }
    }
    let check = ["cancel", "1", "--type", "22", "--check-reasons", "--reason-id", "1\u{1b}[31m"];
    let output = run_against(&server, &check).await;
    assert_eq!(output.status.code(), Some(2));
    let text = stdout(&output) + &stderr(&output);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fails_on_any_page_prints_no_part_of_it() {
    let page = value!({"code": 0, "data": {"items": four(), "has_more": true, "page_token": "x"}}).to_string();
    for (form, in_stdout) in [("text", 0), ("csv", 0), ("json", 1)] {
        let page = page.clone();
        let server = RawServer::start(move |nth, _| match nth {
            0 => json(200, &page),
            _ => json(400, r#"{"code":99991672,"msg":"no scope","error":{"log_id":"L"}}"#),
        })
        .await;
        let output = run_against(&server, &["reasons", "--output", form]).await;
        assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(1), in_stdout), "{form}");
        if form == "json" {
            let line = &lines(&output)[0];
            assert_eq!((&line["ok"], &line["application_id"]), (&value!(false), &value!(null)));
            assert_eq!(
                (&line["error"]["kind"], &line["error"]["log_id"]),
                (&value!("permission_denied"), &value!("L"))
            );
            assert!(line["error"]["advice"]["en"].as_str().is_some_and(|text| text.contains("application:readonly")));
        } else {
            let text = stderr(&output);
            assert!(text.starts_with("not listed: no scope\n"), "{text}");
            assert!(text.contains("hire:application:readonly") && !text.contains("cancel"), "{text}");
        }
    }
    let server = RawServer::start(|_, _| Act::Reset).await;
    let output = run_against(&server, &["reasons", "--deadline", "2"]).await;
    assert_eq!(output.status.code(), Some(4));
    let output = run(&["reasons", "--output", "json"], &[]).await;
    assert_eq!((output.status.code(), &lines(&output)[0]["error"]["kind"]), (Some(2), &value!("invalid_request")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_lists_its_reasons() {
    let output = run(&["reasons", "--sandbox", "--all", "--output", "json"], &[]).await;
    assert_eq!((output.status.code(), lines(&output).len()), (Some(0), 12));
    let output = run(&["reasons", "--sandbox", "--output", "json"], &[]).await;
    assert_eq!(lines(&output).len(), 9);
}

/// The error of a cancellation that names these reasons and is to be checked, and how many cancellations were sent.
async fn check(items: Vec<Value>, termination_type: &str, ids: &[&str]) -> (Option<Value>, usize) {
    let server = server(items).await;
    let mut arguments = vec!["cancel", "1", "--type", termination_type, "--check-reasons", "--output", "json"];
    arguments.extend(ids.iter().flat_map(|id| ["--reason-id", id]));
    let output = run_against(&server, &arguments).await;
    let mut found = lines(&output);
    assert_eq!(found.len(), 1);
    let error = found[0].as_object_mut().expect("an object").remove("error");
    let expected = if error.is_some() { 2 } else { 0 };
    assert_eq!(output.status.code(), Some(expected), "{error:?}");
    (error, server.seen().iter().filter(|seen| seen.method == "POST").count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_that_would_not_do_is_refused_before_anything_is_sent() {
    for (termination_type, ids, parts) in [
        ("22", &["999"][..], &["`999` is not one of the tenant's", "reasons --type candidate-declined"][..]),
        (
            "22",
            &["221"],
            &["`221` (未说明 / Not stated) is disabled", "near it: 220 (接受了其他机会 / Took another offer)"],
        ),
        (
            "22",
            &["100"],
            &["`100` (岗位已关闭 / Position closed) is for the type company-rejected, not candidate-declined"],
        ),
        ("22", &["220", "999", "100"], &["`999` is not", "`100` (岗位已关闭"]),
    ] {
        let (error, sent) = check(four(), termination_type, ids).await;
        let error = error.expect("it is refused");
        assert_eq!((&error["kind"], &error["delivery"]), (&value!("invalid_request"), &value!("not_sent")), "{error}");
        assert_eq!((&error["attempts"], sent), (&value!(0), 0), "{error}");
        let message = error["message"].as_str().expect("it is text");
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!message.contains("`220`"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_that_would_do_or_may_do_is_let_through() {
    for ids in [&["220"][..], &["220", "220"]] {
        assert_eq!(check(four(), "22", ids).await, (None, 1));
    }
    let new_status = reason("1", 22, 9, "甲", "a");
    let bare = value!({"id": "2"});
    assert_eq!(check(vec![new_status, bare], "22", &["1", "2"]).await, (None, 1));
    let new_type = reason("1", 31, 1, "甲", "a");
    assert!(check(vec![new_type], "22", &["1"]).await.0.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_reason_that_is_listed_twice_the_first_entry_decides_and_that_is_said() {
    let listed = |first: i64, second: i64| {
        vec![reason("220", 22, first, "甲", "a"), reason("1", 22, 1, "乙", "b"), reason("220", 22, second, "甲", "a")]
    };
    let (error, sent) = check(listed(2, 1), "22", &["220"]).await;
    let message = error.expect("it is refused")["message"].as_str().expect("it is text").to_owned();
    let said = "is listed 2 times by the platform, with different types or statuses: the first entry decides";
    assert!(message.contains(&format!("`220` (甲 / a) is disabled; it {said}")), "{message}");
    assert_eq!(sent, 0);
    for (second, expected) in [(2, format!("warning: the reason id `220` {said}\n")), (1, String::new())] {
        let server = server(listed(1, second)).await;
        let output =
            run_against(&server, &["cancel", "1", "--type", "22", "--check-reasons", "--reason-id", "220"]).await;
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_with_a_character_that_can_not_be_seen_does_not_look_faultless() {
    let (error, _) = check(four(), "22", &["220\u{200b}"]).await;
    let message = error.expect("it is refused")["message"].as_str().expect("it is text").to_owned();
    assert!(message.contains("`220<U+200B>` is not one of the tenant's; near it: 220"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_near_ones_are_those_that_would_do_the_nearest_first() {
    let items = || {
        vec![
            reason("6959090661225640010", 22, 1, "薪酬期望不一致", "Different salary expectations"),
            reason("6959090661225640011", 22, 1, "工作地点不合适", "Location does not suit"),
            reason("6959090661225640012", 22, 2, "停用的", "A disabled one"),
            reason("6959090661225640013", 1, 1, "工作地点不合适", "Location does not suit"),
            reason("6959090661225640099", 22, 1, "其他机会", "Another offer"),
            reason("1", 22, 1, "无关", "Unrelated"),
            reason("6959090661225", 22, 1, "短", "Short"),
        ]
    };
    let near = async |termination_type: &str, id: &str| {
        let (error, sent) = check(items(), termination_type, &[id]).await;
        assert_eq!(sent, 0);
        let message = error.expect("it is refused")["message"].as_str().expect("it is text").to_owned();
        let (_, near) = message.split_once("near it: ").unwrap_or(("", ""));
        let ids = near.split(", ").filter_map(|near| near.split(' ').next()).filter(|id| !id.is_empty());
        ids.map(str::to_owned).collect::<Vec<_>>()
    };
    // A digit wrong or too many, two digits swapped.
    let (ten, eleven, last) = ("6959090661225640010", "6959090661225640011", "6959090661225640099");
    assert_eq!(near("22", "6959090661225640015").await, [ten, eleven, last]);
    assert_eq!(near("22", "69590906612256400111").await[0], eleven);
    assert_eq!(near("22", "6959090661252640010").await[0], ten);
    // The same beginning.
    assert_eq!(near("22", "6959090661225647777").await.len(), 3);
    // A name in place of an id, whole, in part, with a slip, in either language.
    assert_eq!(near("22", "工作地点不合适").await, [eleven]);
    assert_eq!(near("22", "location does not siut").await, [eleven]);
    assert_eq!(near("22", "salary").await, [ten]);
    // The id of a reason of the same name, for another type.
    assert_eq!(near("22", "6959090661225640013").await[0], eleven);
    // Of ids that are short, one edit is much.
    let short =
        || vec![reason("10002", 22, 1, "甲", "a"), reason("10043", 22, 1, "乙", "b"), reason("7", 22, 1, "丙", "c")];
    for (id, expected) in [("10003", &["10002", "10043"][..]), ("10052", &["10002"]), ("8", &[]), ("27", &[])] {
        let message = check(short(), "22", &[id]).await.0.expect("it is refused")["message"].to_string();
        for near in ["10002", "10043", "7"] {
            assert_eq!(message.contains(&format!("{near} (")), expected.contains(&near), "{id}: {message}");
        }
    }
    // Nothing that is near.
    assert_eq!(near("22", "zzz").await, [""; 0]);
    assert_eq!(near("27", "6959090661225640015").await, [""; 0]);
    assert_eq!(near("22", &"9".repeat(5000)).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_asked_for_is_not_checked() {
    let server = server(Vec::new()).await;
    for arguments in
        [&["cancel", "1", "--type", "1", "--reason-id", "any"][..], &["cancel", "1", "--type", "1", "--check-reasons"]]
    {
        let output = run_against(&server, arguments).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert!(server.seen().iter().all(|seen| seen.method == "POST"));
    server.forget();
    let bad_id = ["cancel", "a/b", "--type", "1", "--check-reasons", "--reason-id", "1"];
    let output = run_against(&server, &bad_id).await;
    assert_eq!((output.status.code(), server.seen().len()), (Some(2), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_that_can_not_be_read_keep_the_cancellation_from_being_sent() {
    for (act, kind, exit) in [
        (json(400, r#"{"code":99991672,"msg":"m"}"#), "permission_denied", 1),
        (json(400, r#"{"code":99991663,"msg":"m"}"#), "unauthorized", 3),
        (Act::Reset, "connection_lost", 4),
    ] {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let arguments = ["cancel", "1", "--type", "1", "--check-reasons", "--reason-id", "1", "--output", "json"];
        let output = run_against(&server, &[&arguments[..], &["--deadline", "2"]].concat()).await;
        let line = &lines(&output)[0];
        assert_eq!((&line["error"]["kind"], output.status.code()), (&value!(kind), Some(exit)), "{line}");
        assert_eq!(
            (&line["error"]["delivery"], &line["error"]["attempts"]),
            (&value!("not_sent"), &value!(0)),
            "{line}"
        );
        assert!(server.seen().iter().all(|seen| seen.method == "GET"), "{kind}");
    }
}
