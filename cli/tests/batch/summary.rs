//! What the operator reads in the end, and how the program exits.

use feishu_cancel_onboard::sandbox::{ApplicationState, Ending, Fault};

use crate::command::{Folder, Ran, environment, run, unlimited};

/// Runs on 60 applications that meet with all sorts of things, and with these arguments.
fn mixed(arguments: &[&str], more: &[(&str, &str)]) -> Ran {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(60);
    for id in 0..15 {
        sandbox.set_application(id.to_string(), ApplicationState::Terminated);
    }
    sandbox.set_application("20", ApplicationState::InFeishuPeople);
    let mut environment = environment(&sandbox);
    environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    // Two that come first lose their answer, and the answer to the second attempt tells. One of them can be 20, which is
    // refused anyway.
    sandbox.fail_cancellations([Fault::WithEffect(Ending::Reset), Fault::WithEffect(Ending::Reset)]);
    run(folder.batch(&[&["--rate", "1000"], arguments].concat(), &environment))
}

#[test]
fn a_summary_counts_by_outcome_and_kind_and_advises_once_for_each() {
    let ran = mixed(&[], &[]);
    ran.assert_status(1);
    // The lost answers were those of some that were terminated before, or of others.
    let text = &ran.stdout;
    assert!(["44", "45", "46"].iter().any(|done| text.starts_with(&format!("{done} of 60 done: "))), "{text}");
    assert!(text.contains(" 1 terminated; ") || text.contains(" 2 terminated; "), "{text}");
    let number = |before: &str| {
        let rest = text.split_once(before).expect(before).1;
        rest[..rest.find(|c: char| !c.is_ascii_digit()).expect("more follows")].parse::<usize>().expect(before)
    };
    let done = text[..2].parse::<usize>().expect("it begins with a number");
    assert_eq!(number(" done: ") + number(" cancelled, "), done, "{text}");
    // And one that is managed in Feishu People.
    assert_eq!(done + number("already_terminated ") + 1, 60, "{text}");
    assert!(text.contains("\nterminated, most likely by an attempt whose answer was lost"), "{text}");
    assert!(text.contains("\n  already_terminated 1"), "{text}");
    assert!(text.contains(" more\n"), "{text}");
    assert!(text.contains("\n  managed_by_feishu_people 1: 20\n    Cancel the onboarding in Feishu People"), "{text}");
    for advice in ["Nothing is left to cancel", "Cancel the onboarding in Feishu People"] {
        assert_eq!(text.matches(advice).count(), 1, "{text}");
    }
    assert!(text.contains(" a person: see the advice above"), "{text}");
}

#[test]
fn a_summary_speaks_the_language_that_was_chosen() {
    for (arguments, environment) in [(&["--lang", "zh"][..], &[][..]), (&[], &[("LANG", "zh_CN.UTF-8")])] {
        let ran = mixed(arguments, environment);
        assert!(ran.stdout.contains("请到飞书人事取消入职") && ran.stdout.contains("需要人工处理"), "{ran:?}");
        assert!(!ran.stdout.contains("Cancel the onboarding"), "{ran:?}");
    }
}

#[test]
fn the_exit_status_is_the_first_that_applies() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(3);
    let one = |name: &str, fault: Fault| {
        sandbox.fail_cancellations_at_random(1, [(1.0, fault)]);
        let all = ["batch", "list.csv", "--report", name, "--rate", "1000", "--deadline", "1"];
        run(folder.command(&all, &environment(&sandbox)))
    };
    one("unknown.jsonl", Fault::WithoutEffect(Ending::Close)).assert_status(4);
    one("done.jsonl", Fault::None).assert_status(0);
    one("terminated.jsonl", Fault::None).assert_status(1);
}

#[test]
fn what_the_platform_sends_never_reaches_the_terminal_raw() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(3);
    let body = serde_json::json!({"code": 1002002, "msg": "\u{1b}[2J\u{7}\u{202e}", "error": {"log_id": "\u{1b}[31m"}});
    let answer = feishu_cancel_onboard::sandbox::Answer::json(http::StatusCode::BAD_REQUEST, &body);
    sandbox.fail_cancellations_at_random(1, [(1.0, Fault::WithoutEffect(answer.into()))]);
    for (report, form) in [("a.jsonl", "text"), ("b.jsonl", "json")] {
        let all = ["batch", "list.csv", "--report", report, "--rate", "1000", "--output", form];
        let ran = run(folder.command(&all, &environment(&sandbox)));
        ran.assert_status(1);
        let text = ran.stdout + &ran.stderr;
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
}

#[test]
fn it_works_on_the_embedded_stand_in_which_keeps_the_documented_limit() {
    let folder = Folder::new();
    folder.list(12);
    let ran = run(folder.batch(&["--sandbox", "--output", "json"], &[]));
    ran.assert_status(0);
    assert_eq!(folder.ends().len(), 12);
    // A rate above the limit is told to wait, and waits.
    let ran = run(folder.command(
        &["batch", "list.csv", "--report", "fast.jsonl", "--sandbox", "--rate", "1000", "--output", "json"],
        &[],
    ));
    ran.assert_status(0);
    assert!(ran.json().iter().any(|line| line["attempts"].as_u64() > Some(1)), "{ran:?}");
}

#[test]
fn a_summary_names_the_refused_field_and_the_links_once_with_their_count() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(4);
    sandbox.set_application("3", ApplicationState::Terminated);
    let code = feishu_cancel_onboard::ErrorCode::InvalidParameter.code();
    let body = serde_json::json!({ "code": code, "msg": "no", "error": {
        "log_id": "L",
        "field_violations": [{ "field": "termination_type", "description": "must be \u{1b}[2Jknown" }],
        "helps": [{ "url": "https://open.feishu.cn/app/cli_a1b2c3/auth", "description": "look here" }],
    }});
    let answer = feishu_cancel_onboard::sandbox::Answer::json(http::StatusCode::BAD_REQUEST, &body);
    sandbox.fail_cancellations(std::iter::repeat_n(Fault::WithoutEffect(answer.into()), 3));
    let paced = ["--rate", "1"];
    let ran = run(folder.batch(&paced, &environment(&sandbox)));
    ran.assert_status(1);
    let expected = "0 of 4 done: 0 cancelled, 0 terminated; 1 already terminated before, 3 failed, 0 not tried\n  \
                    already_terminated 1: 3\n    Nothing is left to cancel";
    assert!(ran.stdout.starts_with(expected), "{ran:?}");
    assert!(ran.stdout.contains("\n  invalid_parameter 3: 0 1 2\n"), "{ran:?}");
    let field = "\n    field: termination_type: must be \\u{1b}[2Jknown (×3)\n";
    let link = "\n    link: look here: https://open.feishu.cn/app/cli_a1b2c3/auth (×3)\n";
    assert!(ran.stdout.contains(field) && ran.stdout.contains(link), "{ran:?}");
    assert!(ran.stdout.contains("3 need a person"), "{ran:?}");
    // What an earlier run recorded is said the same way.
    let again = run(folder.batch(&["--resume", "--lang", "zh"], &environment(&sandbox)));
    assert!(again.stdout.contains("字段: termination_type") && again.stdout.contains("链接: look here"), "{again:?}");
    assert!(again.stdout.contains("共 4 条，成功 0 条") && again.stdout.contains("此前已终止 1"), "{again:?}");
}
