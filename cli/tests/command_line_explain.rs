//! What `explain` says of every code, and that the tables of the READMEs say the same.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use feishu_cancel_onboard::{ErrorKind, PlatformErrorCode, ServiceErrorCode, TokenErrorCode};
use serde_json::Value;

const READMES: [(&str, &str); 2] =
    [("en", include_str!("../../README.md")), ("zh", include_str!("../../README.zh-CN.md"))];

/// Runs the binary with nothing in its environment.
fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cancel-onboard"));
    let output = command.env_clear().arg("explain").args(arguments).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    output
}

fn text(arguments: &[&str]) -> String {
    String::from_utf8(run(arguments).stdout).expect("it prints UTF-8")
}

/// What is said of every listed code, by its number.
fn explained() -> BTreeMap<i64, Value> {
    let lines = text(&["--output", "json"]);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("it is JSON"));
    lines.map(|line| (line["code"].as_i64().expect("it is a number"), line)).collect()
}

/// A row of the table of codes: its codes, its kinds, and the cells in which it says the exit status and the effect.
struct Row {
    codes: Vec<i64>,
    kinds: Vec<String>,
    exit: String,
    effect: String,
}

/// The rows of a README's table of codes.
fn rows(readme: &str) -> Vec<Row> {
    let is_row = |line: &&str| line.starts_with('|') && line.contains("| `");
    let table = readme.lines().skip_while(|line| !line.contains("`system_error`")).take_while(is_row);
    table
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [codes, kinds, exit, effect, _] = cells[..] else { panic!("{line} has {} cells", cells.len()) };
            let kinds = kinds.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Row { codes: numbers(codes), kinds, exit: exit.to_owned(), effect: effect.to_owned() }
        })
        .collect()
}

/// The codes of a cell such as `99991661, …63`, where only the end of the second one is written.
fn numbers(cell: &str) -> Vec<i64> {
    let mut codes: Vec<i64> = Vec::new();
    for part in cell.split([',', '、']).map(str::trim) {
        let full = match (part.strip_prefix('…'), codes.last()) {
            (Some(end), Some(before)) => {
                let before = before.to_string();
                format!("{}{end}", &before[..before.len() - end.len()])
            }
            _ => part.to_owned(),
        };
        codes.extend(full.parse::<i64>());
    }
    codes
}

#[test]
fn every_list_of_codes_is_listed_and_explained() {
    let explained = explained();
    let lists = [
        PlatformErrorCode::ALL.iter().map(|code| code.code()).collect::<Vec<_>>(),
        ServiceErrorCode::ALL.iter().map(|code| code.code()).collect(),
        TokenErrorCode::ALL.iter().map(|code| code.code()).collect(),
        vec![1002001, 1002002, 1002221, 1002910],
    ];
    for code in lists.concat() {
        let line = &explained[&code];
        assert!(line["label"].is_string() && line["delivery"].is_string() && line["retryable"].is_boolean(), "{line}");
        let alone = text(&[&code.to_string(), "--output", "json"]);
        assert_eq!(serde_json::from_str::<Value>(&alone).expect("it is JSON"), *line);
    }
    let listed = text(&[]);
    assert_eq!(listed.lines().count(), explained.len());
    assert!(
        listed.contains("1002201   application_not_found    no such application; the platform said no"),
        "{listed}"
    );
    assert!(explained[&10014]["page"].as_str().is_some_and(|page| page.contains("tenant_access_token_internal")));
}

#[test]
fn the_tables_of_the_readmes_say_what_it_says_of_each_code() {
    let explained = explained();
    for (language, readme) in READMES {
        let rows = rows(readme);
        let mut codes: Vec<_> = rows.iter().flat_map(|row| row.codes.iter().copied()).collect();
        codes.sort_unstable();
        assert_eq!(codes, explained.keys().copied().collect::<Vec<_>>(), "{language}: one row for each code");
        for row in &rows {
            for code in &row.codes {
                let (kind, delivery) = (&explained[code]["kind"], &explained[code]["delivery"]);
                assert_eq!(*kind, row.kinds[0].as_str(), "{language}: {code}");
                let effect = if delivery == "unknown" { ["not known", "未知"] } else { ["no", "否"] };
                assert!(effect.contains(&row.effect.as_str()), "{language}: {code} {}", row.effect);
                assert_eq!(row.exit == "4", delivery == "unknown", "{language}: {code} {}", row.exit);
            }
        }
        for kind in ErrorKind::ALL {
            assert!(rows.iter().any(|row| row.kinds.iter().any(|name| name == kind.as_str())), "{language}: {kind}");
        }
    }
}

#[test]
fn what_it_says_of_a_code_that_is_not_listed_is_in_the_tables() {
    for (language, readme) in READMES {
        let text = text(&["99", "--lang", language]);
        let rows = rows(readme);
        let [unlisted] =
            rows.iter().filter(|row| row.codes.is_empty() && row.kinds == ["other"]).collect::<Vec<_>>()[..]
        else {
            panic!("{language}: there is one row for codes that are not listed");
        };
        assert!(
            text.lines().any(|line| line.ends_with(&format!("  {}", unlisted.effect))),
            "{text}{}",
            unlisted.effect
        );
        assert!(
            unlisted.effect.contains("2xx")
                && unlisted.effect.contains(["log id", "日志 ID"][usize::from(language == "zh")])
        );
    }
}
