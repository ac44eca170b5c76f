//! Values of the environment and of `--base-url` that can't be right are refused before anything is sent, by their name, with
//! what is wrong with them and without the value.

use test_support::raw_server;

use std::process::{Command, Output};

use raw_server::{RawServer, json};
use serde_json::{Value, json as value};

const ID: &str = "cli_a1b2c3";
const SECRET: &str = "Nobody0Knows0This0Secret";
const TOKEN: &str = "t-nobody0knows0this0token";

/// Runs a cancellation with nothing else in its environment, beside the runtime that the server runs on.
async fn cancel(environment: Vec<(&'static str, String)>, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cancel-onboard"));
    command.env_clear().args(["cancel", "1", "--type", "1"]).args(more).envs(environment);
    tokio::task::spawn_blocking(move || command.output().expect("the binary runs")).await.expect("no panic")
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints UTF-8");
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_was_copied_with_something_around_it_is_refused_by_its_name() {
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let (id, secret, token) = ("FEISHU_APP_ID", "FEISHU_APP_SECRET", "FEISHU_TENANT_ACCESS_TOKEN");
    let whole = |name| match name {
        "FEISHU_APP_ID" => ID,
        "FEISHU_APP_SECRET" => SECRET,
        _ => TOKEN,
    };
    let around = [
        (" ", "", "begins with a blank"),
        ("", " ", "ends with a blank"),
        ("", "\n", "ends with a line end"),
        ("", "\r\n", "ends with a line end"),
        ("\t", "", "begins with a tab"),
        ("\"", "\"", "begins with a quote and ends with a quote"),
        ("'", "'", "begins with a quote and ends with a quote"),
        ("“", "”", "begins with a quote and ends with a quote"),
        ("", "'", "ends with a quote"),
        ("\u{feff}", "", "begins with a byte order mark (U+FEFF)"),
        (
            "\u{a0}",
            "\u{200b}",
            "begins with an invisible character (U+00A0) and ends with an invisible character (U+200B)",
        ),
        ("\u{3000}", "", "begins with an invisible character (U+3000)"),
        ("\u{1b}", "", "begins with a control character (U+001B)"),
    ];
    let of_tokens = [
        ("Bearer ", "", "begins with `Bearer `"),
        ("bearer\t", "\n", "begins with `Bearer ` and ends with a line end"),
    ];
    for name in [id, secret, token] {
        let more = if name == token { &of_tokens[..] } else { &[] };
        for (before, after, wrong) in around.iter().chain(more) {
            let environment: Vec<_> = [id, secret, token]
                .into_iter()
                .filter(|other| (*other == token) == (name == token))
                .map(|other| match other == name {
                    true => (other, format!("{before}{}{after}", whole(other))),
                    false => (other, whole(other).to_owned()),
                })
                .chain([("FEISHU_BASE_URL", server.origin.clone())])
                .collect();
            let (stdout, stderr) = texts(&cancel(environment.clone(), &[]).await);
            assert!(stderr.contains(&format!("{name} {wrong}: set it to the bare value")), "{stderr}");
            let output = cancel(environment, &["--output", "json"]).await;
            let (json, nothing) = texts(&output);
            let line: Value = serde_json::from_str(&json).expect("it is one line of JSON");
            assert_eq!(output.status.code(), Some(2), "{json}");
            let error = &line["error"];
            assert_eq!((&error["kind"], &error["delivery"]), (&value!("invalid_request"), &value!("not_sent")));
            assert!(error["message"].as_str().is_some_and(|text| text.contains(wrong)), "{json}");
            for text in [stdout, stderr, json, nothing] {
                assert!(![ID, SECRET, TOKEN].iter().any(|value| text.contains(value)), "{text}");
            }
        }
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nearly_the_name_of_an_origin_is_told_the_names() {
    let said = "the origin must be feishu or lark, or a URL such as https://open.feishu.cn";
    for given in
        ["feishuu", "Fei Shu", "larksuite", "\"lark\"", "open.feishu.cn", "open.feishu.cn:443", "feishu:", "//feishu"]
    {
        let token = ("FEISHU_TENANT_ACCESS_TOKEN", TOKEN.to_owned());
        let output = cancel(vec![token.clone(), ("FEISHU_BASE_URL", given.to_owned())], &[]).await;
        let (_, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{given}: {stderr}");
        assert!(stderr.contains(&format!("FEISHU_BASE_URL: {said}")), "{given}: {stderr}");
        let output = cancel(vec![token], &["--base-url", given, "--output=json"]).await;
        let (json, _) = texts(&output);
        let line: Value = serde_json::from_str(&json).expect("it is one line of JSON");
        assert_eq!(
            (output.status.code(), &line["error"]["message"]),
            (Some(2), &value!(format!("--base-url: {said}")))
        );
    }
}
