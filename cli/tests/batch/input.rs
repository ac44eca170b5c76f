//! A file is checked whole before anything is sent: everything that is wrong with it is said, with its line and column.

use serde_json::json as value;

use crate::command::{Folder, Ran, environment, run, unlimited};

const HEADER: &str = "application_id,termination_type,termination_reason_ids,termination_reason_notes\n";

/// Runs on a file that must be refused, and sees to it that nothing comes of it.
fn refused(name: &str, content: impl AsRef<[u8]>, arguments: &[&str]) -> Ran {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.write(name, content);
    let all = [&["batch", name, "--report", "report.jsonl"], arguments].concat();
    let ran = run(folder.command(&all, &environment(&sandbox)));
    ran.assert_status(2);
    assert!(sandbox.calls().is_empty());
    assert!(!folder.path("report.jsonl").exists());
    ran
}

/// Each complaint must be said, and nothing else.
#[track_caller]
fn assert_complaints(ran: &Ran, complaints: &[&str]) {
    for complaint in complaints {
        assert!(ran.stderr.contains(complaint), "{complaint}: {}", ran.stderr);
    }
    let said = ran.stderr.lines().filter(|line| line.starts_with("error: line ")).count();
    assert_eq!(said, complaints.len(), "{}", ran.stderr);
}

#[test]
fn every_bad_line_of_csv_is_named_with_its_column() {
    let rows = "1,1,,\n\
        a/../b,1,,\n\
        ,22,,\n\
        2,2,,\n\
        3,Other,,\n\
        4,,,\n\
        7.0E+18,1,,\n\
        6.94981E+18,1,,\n\
        5,1,7;;8,\n\
        6,1,6.9E+18,\n\
        7,1\n\
        8,1,,,,\n\
        9,1,,\"two\nlines\"\n\
        10, 1,,\n\
        11,1,,fine\n";
    let ran = refused("list.csv", format!("{HEADER}{rows}"), &[]);
    assert_complaints(
        &ran,
        &[
            "line 3, column application_id: `a/../b`: the application id must be",
            "line 4, column application_id: is empty",
            "line 5, column termination_type: `2` must be one of 1 (company-rejected)",
            "line 6, column termination_type: `Other` must be one of",
            "line 7, column termination_type: is empty, and must be one of",
            "line 8, column application_id: `7.0E+18` is what a spreadsheet makes of a long number",
            "line 9, column application_id: `6.94981E+18` is what",
            "line 10, column termination_reason_ids: an id is empty",
            "line 11, column termination_reason_ids: `6.9E+18` is what a spreadsheet makes",
            "line 12: 2 fields, where the header has 4",
            "line 13: 6 fields, where the header has 4",
            "line 16, column termination_type: ` 1` must be one of",
        ],
    );
}

#[test]
fn two_mistakes_in_one_line_are_two_complaints() {
    let ran = refused("list.csv", format!("{HEADER}7.0E+18,9,7.0E+18;,\n"), &[]);
    assert_complaints(
        &ran,
        &[
            "line 2, column termination_type: `9` must be one of",
            "line 2, column application_id: `7.0E+18` is what",
            "line 2, column termination_reason_ids: `7.0E+18` is what",
            "line 2, column termination_reason_ids: an id is empty",
        ],
    );
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n"] {
        let text = format!("\n{HEADER}\n\n1,1,,\"a\nb\n\nc\"\n\n,1,,\n\n2,1,,\"d\n\"\n3,9,,\n").replace('\n', end);
        let ran = refused("list.csv", text, &[]);
        assert_complaints(&ran, &["line 10, column application_id: is empty", "line 14, column termination_type: `9`"]);
    }
}

#[test]
fn a_quote_that_is_not_closed_does_not_swallow_the_lines_below() {
    let rows =
        "1,1,,\"never closed\n2,1,,\n3,9,,\n4,1,,a \"quoted\" word\n5,1,,\"closed\" too early\n6,1,,\"and open again\n";
    let ran = refused("list.csv", format!("{HEADER}{rows}"), &[]);
    assert_complaints(
        &ran,
        &[
            "line 2, column termination_reason_notes: a quote is not closed",
            "line 4, column termination_type: `9`",
            "line 5, column termination_reason_notes: a quote is not closed or stands in a field that is not quoted",
            "line 6, column termination_reason_notes: a quote",
            "line 7, column termination_reason_notes: a quote",
        ],
    );
}

#[test]
fn a_header_must_name_the_columns_and_no_others() {
    for (header, complaints) in [
        ("", &["line 1: the file is empty"][..]),
        ("\n\r\n", &["line 1: the file is empty"]),
        ("application_id\n", &["line 1: the column termination_type is missing"]),
        (
            "1,1\n2,1\n",
            &[
                "line 1, column 1: `1` is not a column",
                "line 1, column 2: `1` is not a column",
                "line 1: the column application_id is missing",
                "line 1: the column termination_type is missing",
            ],
        ),
        (
            "application_id,termination_type,Notes,\n1,1,,\n",
            &[
                "line 1, column 3: `Notes` is not a column; the columns are application_id",
                "line 1, column 4: has no name",
            ],
        ),
        ("application_id,termination_type,application_id\n", &["line 1, column 3: a second column application_id"]),
        (
            "Application_ID,termination_type\n",
            &["line 1, column 1: `Application_ID` is not a column", "line 1: the column application_id is missing"],
        ),
        (
            "application_id;termination_type\n1;1\n",
            &[
                "line 1, column 1: `application_id;termination_type` is not a column: columns are separated by commas",
                "line 1: the column application_id is missing",
                "line 1: the column termination_type is missing",
            ],
        ),
    ] {
        assert_complaints(&refused("list.csv", header, &[]), complaints);
    }
}

#[test]
fn text_that_is_not_utf_8_is_named() {
    let mut gbk = format!("{HEADER}1,1,,fine\n2,1,,").into_bytes();
    gbk.extend_from_slice(b"\xb2\xbb\xc0\xb4\xc1\xcb\n3,1,,\n");
    let ran = refused("list.csv", gbk, &[]);
    assert_complaints(&ran, &["line 3, column termination_reason_notes: is not UTF-8; save the file as UTF-8"]);
    let mut utf_16 = vec![0xff, 0xfe];
    utf_16.extend(HEADER.encode_utf16().flat_map(u16::to_le_bytes));
    assert_complaints(&refused("list.csv", utf_16, &[]), &["line 1: the file is in UTF-16"]);
    let ran = refused("list.jsonl", b"{\"application_id\":\"1\",\"termination_reason_notes\":\"\xb2\xbb\"}\n", &[]);
    assert_complaints(&ran, &["line 1, column 51: is not UTF-8"]);
}

#[test]
fn what_a_file_is_that_is_no_text_in_utf_8_is_said() {
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| HEADER.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    for (content, what) in [
        (utf_16(u16::to_le_bytes), "in UTF-16; save it as UTF-8"),
        (utf_16(u16::to_be_bytes), "in UTF-16; save it as UTF-8"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0".to_vec(), "an Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(), "an old Excel workbook (.xls)"),
        (b"%PDF-1.7\n".to_vec(), "a PDF document"),
        (b"\x1f\x8b\x08\0".to_vec(), "compressed by gzip"),
        (b"application_id\0\x01\x02\n".to_vec(), "not text"),
    ] {
        for name in ["list.csv", "list.jsonl"] {
            let ran = refused(name, &content, &[]);
            assert_complaints(&ran, &["line 1: the file "]);
            assert!(ran.stderr.contains(what), "{what}: {}", ran.stderr);
        }
    }
}

#[test]
fn an_id_that_was_kept_as_a_number_is_refused_and_not_repaired() {
    let rows =
        "7127600247627320320.0,1,,\n\"7127600247627320320,00\",1,,\n1111111111.0,1,,\n1,1,6959090661225640001.0,\n";
    let lost = "is what a spreadsheet makes of a long number, and digits of the id are lost: fetch the id anew";
    assert_complaints(
        &refused("list.csv", format!("{HEADER}{rows}"), &[]),
        &[
            &format!("line 2, column application_id: `7127600247627320320.0` {lost}"),
            &format!("line 3, column application_id: `7127600247627320320,00` {lost}"),
            "line 4, column application_id: `1111111111.0` is an id that was taken for a number: fetch the id anew",
            &format!("line 5, column termination_reason_ids: `6959090661225640001.0` {lost}"),
        ],
    );
}

#[test]
fn a_character_that_can_not_be_seen_is_shown_by_its_number() {
    let ran = refused("list.csv", format!("{HEADER}111\u{200b},1,,\n\u{a0}2,1\u{3000},,\n"), &[]);
    assert_complaints(
        &ran,
        &[
            "line 2, column application_id: `111<U+200B>`: the application id must be",
            "line 3, column application_id: `<U+00A0>2`: the application id must be",
            "line 3, column termination_type: `1<U+3000>` must be one of",
        ],
    );
    let ran = refused("list.csv", "application_id\u{200b},termination_type\n", &[]);
    assert!(ran.stderr.contains("column 1: `application_id<U+200B>` is not a column"), "{}", ran.stderr);
    let line = "{\"application_id\":\"111\u{200b}\",\"termination_type\":1}\n";
    let json = refused("list.jsonl", line, &["--output", "json"]).json();
    assert!(json[0]["error"]["message"].as_str().is_some_and(|text| text.contains("`111<U+200B>`")), "{json:?}");
    assert_eq!(json[0]["application_id"], "111\u{200b}");
}

#[test]
fn every_bad_line_of_json_is_named_with_its_field() {
    let lines = r#"{"application_id":"1","termination_type":1}
{"application_id":"2"}
{"application_id":"3","termination_type":1,"notes":"x"}
{"application_id":"4","termination_type":"1"}
{"application_id":"5","termination_type":2}
{"application_id":6,"termination_type":1}
{"application_id":"7","termination_type":1,"termination_type":1}
{"application_id":"8","termination_type":1
{"application_id":"9","termination_type":1} {}
["10",1]
{"application_id":"11","termination_type":1,"termination_reason_id_list":["7",8]}
{"application_id":"7.0E+18","termination_type":1}
{"application_id":"","termination_type":1,"termination_reason_id_list":[""]}
{"application_id":"12","application_id":"12","termination_type":1}
"#;
    assert_complaints(
        &refused("list.jsonl", lines, &[]),
        &[
            "line 2: missing field `termination_type`",
            "line 3: unknown field `notes`, expected one of application_id, ",
            "line 4, field termination_type: invalid type: string",
            "line 5, field termination_type: invalid value: integer `2`, expected one of 1, 22, 27",
            "line 6, field application_id: invalid type: integer `6`, expected a string",
            "line 7: duplicate field `termination_type`",
            "line 8, column 42: EOF while parsing an object",
            "line 9, column 45: trailing characters",
            "line 10: invalid type: sequence, expected an object",
            "line 11, field termination_reason_id_list[1]: invalid type: integer `8`, expected a string",
            "line 12, field application_id: `7.0E+18` is what a spreadsheet makes",
            "line 13, field application_id: is empty",
            "line 13, reason ids: an id is empty",
            "line 14: duplicate field `application_id`",
        ],
    );
}

#[test]
fn the_same_id_with_another_request_is_an_error() {
    let ran = refused("list.csv", format!("{HEADER}1,1,,\n2,1,7;8,\n1,1,,\n1,22,,\n2,1,7,\n2,1,7;8,x\n"), &[]);
    assert_complaints(
        &ran,
        &[
            "line 5, column application_id: 1 stands on line 2 already, with a different request",
            "line 6, column application_id: 2 stands on line 3 already",
            "line 7, column application_id: 2 stands on line 3 already",
        ],
    );
    let lines =
        "{\"application_id\":\"1\",\"termination_type\":1}\n{\"application_id\":\"1\",\"termination_type\":22}\n";
    assert_complaints(
        &refused("list.jsonl", lines, &[]),
        &["line 2, field application_id: 1 stands on line 1 already"],
    );
}

#[test]
fn in_json_each_complaint_is_a_line_with_its_application() {
    let ran = refused("list.csv", format!("{HEADER}a b,1,,\n1,9,,\n,22,,\n"), &["--output", "json"]);
    let lines = ran.json();
    assert_eq!(lines.len(), 3, "{ran:?}");
    for (line, id) in lines.iter().zip([value!("a b"), value!("1"), value!(null)]) {
        assert_eq!((&line["ok"], &line["application_id"]), (&value!(false), &id), "{line}");
        assert_eq!(line["error"]["kind"], "invalid_request");
        assert_eq!(line["error"]["delivery"], "not_sent");
    }
    assert!(
        lines[1]["error"]["message"].as_str().expect("it is text").starts_with("line 3, column termination_type: ")
    );
}

#[test]
fn so_many_complaints_that_nobody_reads_them_are_counted() {
    let rows: String = (0..1500).map(|_| "x y,1,,\n").collect();
    let ran = refused("list.csv", format!("{HEADER}{rows}"), &[]);
    assert_eq!(ran.stderr.matches("error: line ").count(), 1000);
    assert!(ran.stderr.contains("and 500 more"), "{}", &ran.stderr[ran.stderr.len() - 200..]);
}

#[test]
fn what_is_in_a_file_never_reaches_the_terminal_raw() {
    let ran = refused("list.csv", format!("{HEADER}\u{1b}[2J,\u{1b}]0;x\u{7},,\n"), &[]);
    assert!(ran.stderr.contains(r"\u{1b}]0;x"), "{}", ran.stderr);
    assert!(ran.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", ran.stderr);
    let ran = refused("list.csv", "\u{1b}[2J,termination_type\n", &[]);
    assert!(ran.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", ran.stderr);
}

#[test]
fn ids_that_may_have_been_rounded_are_pointed_out() {
    let folder = Folder::new();
    folder.write("list.csv", format!("{HEADER}6949805467799540000,1,,\n6949805467799537964,1,,\n"));
    let ran = run(folder.command(&["batch", "list.csv", "--dry-run"], &[]));
    ran.assert_status(0);
    assert!(ran.stderr.contains("warning: a spreadsheet may have rounded"), "{ran:?}");
    assert!(ran.stderr.contains("6949805467799540000") && !ran.stderr.contains("6949805467799537964"), "{ran:?}");
}

#[test]
fn what_can_not_be_read_or_told_is_said() {
    let (sandbox, folder) = (unlimited(), Folder::new());
    folder.list(1);
    folder.write("list.txt", "x");
    let batch = |file: &str, more: &[&str]| {
        let all = [&["batch", file, "--report", "report.jsonl"], more].concat();
        let ran = run(folder.command(&all, &environment(&sandbox)));
        ran.assert_status(2);
        ran
    };
    assert!(
        batch("list.txt", &[]).stderr.contains("list.txt does not say whether it is CSV or JSON Lines: give --format")
    );
    assert!(batch("-", &[]).stderr.contains("standard input is: give --format"));
    assert!(batch("none.csv", &[]).stderr.contains("none.csv can't be read"));
    assert!(batch(".", &["--format", "csv"]).stderr.contains("can't be read"));
    let json = batch("none.csv", &["--output", "json"]).json();
    assert_eq!((json.len(), &json[0]["error"]["kind"]), (1, &value!("invalid_request")));
    for arguments in [
        &["batch", "list.csv"][..],
        &["batch", "--report", "report.jsonl"],
        &["batch", "list.csv", "--report", "report.jsonl", "--rate", "0"],
        &["batch", "list.csv", "--report", "report.jsonl", "--rate", "-1"],
        &["batch", "list.csv", "--report", "report.jsonl", "--rate", "1.5"],
        &["batch", "list.csv", "--resume"],
    ] {
        run(folder.command(arguments, &environment(&sandbox))).assert_status(2);
    }
    assert!(sandbox.calls().is_empty() && !folder.path("report.jsonl").exists());
}

#[test]
fn without_credentials_nothing_is_begun() {
    let folder = Folder::new();
    folder.list(3);
    let ran = run(folder.batch(&[], &[]));
    ran.assert_status(2);
    assert!(ran.stderr.contains("no credentials"), "{ran:?}");
    assert!(!folder.path("report.jsonl").exists());
}
