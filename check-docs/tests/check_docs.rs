//! Every change of a page that matters is found and named, in each form in which pages are published; everything else
//! makes no difference; and what is not the page is told apart from it.

use test_support::pages;

use feishu_cancel_onboard::document::SOURCES;
use feishu_cancel_onboard_check_docs::{self as docs_page, Change, Document, Drift, PageError, Report};
use pages::{CUSTOM_APP, FORMS, Form, Page, Rows, rows};
use serde_json::{Value, json};

use Change::{Added, Different, Removed};

const NAME: &str = "cancel_onboard";

/// The texts of the documents in `spec/`.
fn texts() -> Vec<(&'static str, String)> {
    [NAME, "platform", "tenant_access_token"]
        .map(|name| {
            let (_, text) = SOURCES.iter().find(|(other, _)| *other == name).expect("the library has the document");
            (name, (*text).to_owned())
        })
        .into()
}

/// The first document of some.
fn document(texts: &[(&str, String)]) -> Document {
    let texts: Vec<_> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Document::read(&texts).expect("the documents are right").remove(0)
}

/// The documents, the first of which has the digest of these notes, or none.
fn texts_with_digest(digest: Option<&str>) -> Vec<(&'static str, String)> {
    let mut texts = texts();
    let is_digest = |line: &&str| line.trim_start().starts_with("x-notes-digest:");
    let line = texts[0].1.lines().find(is_digest).expect("the document has a digest").to_owned();
    let own = digest.map(|digest| format!("      x-notes-digest: {digest}\n")).unwrap_or_default();
    texts[0].1 = texts[0].1.replace(&format!("{line}\n"), &own);
    texts
}

/// The documents as they are, but with the digest of this test's own page.
fn own_texts() -> Vec<(&'static str, String)> {
    let read = check(&document(&texts_with_digest(None)), &Page::new().write(Form::Published));
    texts_with_digest(read.notes_digest())
}

fn own_document() -> Document {
    document(&own_texts())
}

fn check(document: &Document, page: &str) -> Report {
    document.check("page.md", page.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{page}"))
}

/// What was found, by place and change.
fn found(report: &Report) -> Vec<(&str, Change)> {
    report.drift.iter().map(|drift| (drift.place.as_str(), drift.change)).collect()
}

/// Asserts that a changed page is found to differ in exactly these things, whatever its form; returns them.
fn assert_drift(change: impl Fn(&mut Page), expected: &[(&str, Change)]) -> Vec<Drift> {
    let document = own_document();
    let mut page = Page::new();
    change(&mut page);
    let mut drift = Vec::new();
    for form in FORMS {
        let text = page.write(form);
        let report = check(&document, &text);
        assert_eq!(found(&report), expected, "{form:?}\n{text}\n{report}");
        assert_eq!(report.ok, expected.is_empty());
        drift = report.drift;
    }
    drift
}

/// The line of the document on which a text stands, counted from 1.
fn line_of(text: &str) -> usize {
    own_texts()[0].1.lines().position(|line| line.contains(text)).expect("the text is in the document") + 1
}

/// Replaces a text in the cells of a table, where it must stand.
fn replace(table: &mut Option<Rows>, old: &str, new: &str) {
    replace_in(table.as_mut().expect("the table is there"), old, new);
}

fn replace_in(table: &mut Rows, old: &str, new: &str) {
    let before = table.clone();
    table.iter_mut().flatten().for_each(|cell| *cell = cell.replace(old, new));
    assert_ne!(*table, before, "there is no {old:?}");
}

fn append(table: &mut Option<Rows>, row: &[&str]) {
    table.as_mut().expect("the table is there").extend(rows(&[row]));
}

fn remove_row(table: &mut Rows, key: &str) {
    let before = table.len();
    table.retain(|row| !row[0].starts_with(key));
    assert_eq!(table.len(), before - 1, "there is no {key:?}");
}

#[test]
fn a_page_that_says_what_the_document_says_passes_in_each_form() {
    assert_drift(|_| {}, &[]);
}

#[test]
fn every_document_names_its_page() {
    let documents = docs_page::documents().expect("the documents are right");
    let names: Vec<_> = documents.iter().map(Document::name).collect();
    assert!(names.contains(&NAME) && names.contains(&"tenant_access_token"), "{names:?}");
    let document = documents.iter().find(|document| document.name() == NAME).expect("it is there");
    assert_eq!(document.file(), "spec/cancel_onboard.yaml");
    assert_eq!(document.title(), "取消候选人入职");
    assert!(document.url().starts_with("https://open.feishu.cn/document/"));
    let markdown =
        "https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/application/cancel_onboard.md";
    assert_eq!(document.markdown_url(), Some(markdown));
}

#[test]
fn a_change_of_what_the_page_is_about_is_found() {
    assert_drift(|page| page.title = "撤回候选人入职".into(), &[("title", Different)]);
    let url = |page: &mut Page, old: &str, new: &str| replace_in(&mut page.request, old, new);
    assert_drift(|page| url(page, "cancel_onboard", "withdraw_onboard"), &[("url", Different)]);
    assert_drift(|page| url(page, "https://open.feishu.cn", "https://api.feishu.cn"), &[("url", Different)]);
    assert_drift(|page| remove_row(&mut page.request, "HTTP URL"), &[("url", Removed)]);
    let drift = assert_drift(|page| url(page, "POST", "PUT"), &[("method", Different)]);
    assert_eq!((&drift[0].page, &drift[0].document), (&json!("PUT"), &json!("POST")));
    assert_eq!(drift[0].line, line_of("    post:"));
}

#[test]
fn a_change_of_the_rate_limit_is_found() {
    let limit = |new: &'static str| move |page: &mut Page| replace_in(&mut page.request, "10 次/秒", new);
    let drift = assert_drift(limit("20 次/秒"), &[("rate_limit", Different)]);
    assert_eq!(drift[0].page, json!([{ "calls": 20, "period_seconds": 1 }]));
    assert_eq!(drift[0].document, json!([{ "calls": 10, "period_seconds": 1 }]));
    assert_eq!(drift[0].line, line_of("      x-rate-limit:"));
    let drift = assert_drift(limit("10 次/分钟"), &[("rate_limit", Different)]);
    assert_eq!(drift[0].page, json!([{ "calls": 10, "period_seconds": 60 }]));
    let drift = assert_drift(limit("1000 次/分钟、50 次/秒"), &[("rate_limit", Different)]);
    let both = json!([{ "calls": 50, "period_seconds": 1 }, { "calls": 1000, "period_seconds": 60 }]);
    assert_eq!(drift[0].page, both);
    let drift = assert_drift(limit("特殊频控"), &[("rate_limit", Different)]);
    assert_eq!(drift[0].page, json!("特殊频控"));
    let drift = assert_drift(limit("视租户而定，10 次/秒起"), &[("rate_limit", Different)]);
    assert_eq!(drift[0].page, json!("视租户而定，10 次/秒起"));
    assert_drift(|page| remove_row(&mut page.request, "接口频率限制"), &[("rate_limit", Removed)]);
    assert_drift(|page| page.request[2][1] = "[10 次/秒]".into(), &[]);
    assert_drift(limit("无"), &[("rate_limit", Removed)]);
}

#[test]
fn other_ways_to_write_a_limit_are_read() {
    let texts = own_texts();
    for (calls, seconds, words) in [
        (10, 1, ["10次 / 秒", "10 次/s", "每秒 10 次", "10 QPS", "10 次/1 秒"]),
        (100, 60, ["100 次/分钟", "100 次/分", "100 times/minute", "100 calls per minute", "100 次/min"]),
        (5, 3600, ["5 次/小时", "5 次/h", "每小时 5 次", "5 requests/hour", "5 次/60 分钟"]),
        (7, 86_400, ["7 次/天", "7 次/日", "每天 7 次", "7 requests per day", "7 次/24小时"]),
    ] {
        let old = "- calls: 10\n          period_seconds: 1\n";
        let mut changed = texts.clone();
        changed[0].1 = texts[0].1.replace(old, &format!("- calls: {calls}\n          period_seconds: {seconds}\n"));
        assert!(calls == 10 || changed != texts);
        let document = document(&changed);
        for words in words {
            let mut page = Page::new();
            replace_in(&mut page.request, "10 次/秒", words);
            let report = check(&document, &page.write(Form::Published));
            assert!(report.ok, "{words}: {report}");
        }
    }
}

#[test]
fn a_change_of_who_may_call_is_found() {
    let request = |old: &'static str, new: &'static str| move |page: &mut Page| replace_in(&mut page.request, old, new);
    let drift = assert_drift(request(CUSTOM_APP, "商店应用"), &[("app_types", Different)]);
    assert_eq!((&drift[0].page, &drift[0].document), (&json!(["商店应用"]), &json!(["自建应用"])));
    assert_drift(request(CUSTOM_APP, "CUSTOM_APP、Store App"), &[("app_types", Different)]);
    assert_drift(|page| remove_row(&mut page.request, "支持的应用类型"), &[("app_types", Removed)]);

    let scope = "更新投递信息(hire:application)";
    let drift = assert_drift(request("hire:application", "hire:application.cancel"), &[("scopes", Different)]);
    assert_eq!(drift[0].page, json!([{ "name": "hire:application.cancel", "label": "更新投递信息" }]));
    assert_eq!(drift[0].line, line_of("      x-required-scopes:"));
    let two = "更新投递信息(hire:application)\n获取投递信息(hire:application:readonly)";
    let drift = assert_drift(request(scope, two), &[("scopes", Different)]);
    assert_eq!(drift[0].page[1], json!({ "name": "hire:application:readonly", "label": "获取投递信息" }));
    assert_drift(request("更新投递信息(", "管理投递信息("), &[("scopes", Different)]);
    assert_drift(request(scope, "无"), &[("scopes", Removed)]);
    assert_drift(|page| remove_row(&mut page.request, "权限要求"), &[("scopes", Removed)]);
    let fields =
        ["字段权限要求", "**注意事项**：下列字段另须权限\n获取用户 user ID(contact:user.employee_id:readonly)"];
    assert_drift(|page| page.request.extend(rows(&[&fields])), &[("scopes", Different)]);
}

#[test]
fn a_change_of_the_headers_is_found() {
    let header = |old: &'static str, new: &'static str| move |page: &mut Page| replace(&mut page.headers, old, new);
    let drift = assert_drift(header("`tenant_access_token`", "`user_access_token`"), &[("token_type", Different)]);
    assert_eq!(drift[0].page, json!(["user_access_token"]));
    let both = "`tenant_access_token`\n或\n`user_access_token`";
    assert_drift(header("`tenant_access_token`", both), &[("token_type", Different)]);
    let drift = assert_drift(header("charset=utf-8", "charset=gbk"), &[("header.Content-Type", Different)]);
    assert_eq!(drift[0].page, json!({ "fixed_value": "application/json; charset=gbk" }));
    assert_drift(header("\"Bearer `access_token`\"", "\"`access_token`\""), &[("header.Authorization", Different)]);
    assert_drift(
        |page| append(&mut page.headers, &["X-Tenant", "string", "是", "租户"]),
        &[("header.X-Tenant", Added)],
    );
    let remove =
        |name: &'static str| move |page: &mut Page| remove_row(page.headers.as_mut().expect("it is there"), name);
    assert_drift(remove("Content-Type"), &[("header.Content-Type", Removed)]);
    assert_drift(remove("Authorization"), &[("header.Authorization", Removed)]);
    let optional = |page: &mut Page| page.headers.as_mut().expect("it is there")[2][2] = "否".into();
    assert_drift(optional, &[("header.Content-Type", Different)]);
}

#[test]
fn a_change_of_the_parameters_is_found() {
    assert_drift(
        |page| replace(&mut page.path, "application_id", "id"),
        &[("path.application_id", Removed), ("path.id", Added)],
    );
    assert_drift(|page| replace(&mut page.path, "string", "int"), &[("path.application_id", Different)]);
    let length = "\n**数据校验规则**：\n- 长度范围：`1` ～ `64` 字符";
    let drift = assert_drift(
        |page| page.path.as_mut().expect("it is there")[1][2] += length,
        &[("path.application_id", Different)],
    );
    assert_eq!(drift[0].page, json!({ "length": { "min": 1, "max": 64 } }));
    let query: &[&[&str]] =
        &[&["名称", "类型", "必填", "描述"], &["user_id_type", "string", "否", "标识的种类\n**默认值**：`open_id`"]];
    assert_drift(|page| page.query = Some(rows(query)), &[("query.user_id_type", Added)]);
}

#[test]
fn a_change_of_the_body_is_found() {
    let body = |old: &'static str, new: &'static str| move |page: &mut Page| replace(&mut page.body, old, new);
    let cell = |row: usize, column: usize, new: &'static str| {
        move |page: &mut Page| page.body.as_mut().expect("it is there")[row][column] = new.into()
    };
    assert_drift(
        body("termination_reason_notes", "Termination_Reason_Notes"),
        &[("request.body.termination_reason_notes", Removed), ("request.body.Termination_Reason_Notes", Added)],
    );
    let new = &["notify", "boolean", "否", "是否告知候选人"];
    let drift = assert_drift(|page| append(&mut page.body, new), &[("request.body.notify", Added)]);
    assert_eq!(drift[0].page, json!({ "type": "boolean", "required": false }));
    assert_eq!((&drift[0].document, drift[0].line), (&Value::Null, line_of("      required: [termination_type]") + 1));

    let gone = |page: &mut Page| remove_row(page.body.as_mut().expect("it is there"), "termination_reason_notes");
    let drift = assert_drift(gone, &[("request.body.termination_reason_notes", Removed)]);
    assert_eq!(drift[0].line, line_of("description: A remark in free text.") - 2);
    assert_drift(
        body("termination_reason_notes", "notes"),
        &[("request.body.termination_reason_notes", Removed), ("request.body.notes", Added)],
    );
    let drift = assert_drift(cell(1, 1, "string"), &[("request.body.termination_type", Different)]);
    assert_eq!((&drift[0].page, &drift[0].document), (&json!({ "type": "string" }), &json!({ "type": "int" })));
    assert_drift(cell(1, 1, "int64"), &[("request.body.termination_type", Different)]);
    assert_drift(cell(2, 1, "string"), &[("request.body.termination_reason_id_list", Different)]);
    assert_drift(cell(2, 1, "int\\[\\]"), &[("request.body.termination_reason_id_list", Different)]);
    assert_drift(cell(3, 1, "string\\[\\]"), &[("request.body.termination_reason_notes", Different)]);
    assert_drift(cell(1, 2, "否"), &[("request.body.termination_type", Different)]);
    let drift = assert_drift(cell(3, 2, "是"), &[("request.body.termination_reason_notes", Different)]);
    assert_eq!(drift[0].page, json!({ "required": true }));
    assert_eq!(drift[0].line, line_of("      required: [termination_type]"));
    let drift = assert_drift(cell(3, 2, "视情况"), &[("request.body.termination_reason_notes", Different)]);
    assert_eq!(drift[0].page, json!({ "required": "视情况" }));
    // Several changes of one field are one entry.
    assert_drift(
        |page| {
            cell(3, 1, "int")(page);
            cell(3, 2, "是")(page);
        },
        &[("request.body.termination_reason_notes", Different)],
    );
}

#[test]
fn a_change_of_the_values_is_found() {
    let values = |old: &'static str, new: &'static str| move |page: &mut Page| replace(&mut page.body, old, new);
    let expected = &[("request.body.termination_type", Different)];
    let drift = assert_drift(values("- 27：其他", "- 27：其他\n- 28：职位关闭"), expected);
    assert_eq!(drift[0].page["values"][3], json!({ "value": 28, "label": "职位关闭" }));
    assert_eq!(drift[0].line, line_of("      enum: [1, 22, 27]"));
    assert_drift(values("\n- 22：候选人拒绝了我们", ""), expected);
    assert_drift(values("- 27：", "- 28："), expected);
    assert_drift(values("- 27：其他", "- 27：其他原因"), expected);
    assert_drift(values("- 27：其他", "- 27：其他\n以上为全部取值"), expected);
    assert_drift(values("\n**可选值有**：\n- 1：我们拒绝了候选人\n- 22：候选人拒绝了我们\n- 27：其他", ""), expected);
    let choice = "补充的话\n**可选值有**：\n- short：简短\n- long：详细";
    assert_drift(values("补充的话", choice), &[("request.body.termination_reason_notes", Different)]);
}

#[test]
fn a_rule_that_is_new_on_the_page_is_found() {
    let rules = |field: usize, rule: &'static str| {
        move |page: &mut Page| {
            page.body.as_mut().expect("it is there")[field][3] += &format!("\n**数据校验规则**：\n{rule}");
        }
    };
    let (kind, list, notes) = (
        [("request.body.termination_type", Different)],
        [("request.body.termination_reason_id_list", Different)],
        [("request.body.termination_reason_notes", Different)],
    );
    let drift = assert_drift(rules(3, "- 长度范围：`0` ～ `100` 字符"), &notes);
    assert_eq!(drift[0].page, json!({ "length": { "max": 100 } }));
    let drift = assert_drift(rules(3, "- 最大长度：`1,000` 字符"), &notes);
    assert_eq!(drift[0].page, json!({ "length": { "max": 1000 } }));
    assert_drift(rules(2, "- 长度范围：`1` ～ `50`"), &list);
    let drift = assert_drift(rules(1, "- 取值范围：`-1` ～ `100`"), &kind);
    assert_eq!(drift[0].page, json!({ "range": { "min": -1, "max": 100 } }));
    assert_drift(rules(1, "- 最小值：`1`\n- 最大值：`27`"), &kind);
    let drift = assert_drift(rules(3, "- 正则校验：`^(a|b)$`"), &notes);
    assert_eq!(drift[0].page, json!({ "rules": ["正则校验：^(a|b)$"] }));
    let drift = assert_drift(rules(3, "- 最大长度：`100` 字节"), &notes);
    assert_eq!(drift[0].page, json!({ "rules": ["最大长度：100 字节"] }));
}

#[test]
fn rules_that_the_document_has_are_compared() {
    let notes = "          type: string\n          description: A remark in free text.\n";
    let list = "          type: array\n          description: Ids of the detailed reasons";
    let mut texts = own_texts();
    for (old, keys) in
        [(notes, "          maxLength: 100\n"), (list, "          minItems: 1\n          maxItems: 50\n")]
    {
        assert!(texts[0].1.contains(old));
        texts[0].1 = texts[0].1.replace(old, &format!("{keys}{old}"));
    }
    let document = document(&texts);
    let page = |max: u32| {
        let mut page = Page::new();
        let body = page.body.as_mut().expect("it is there");
        body[2][3] += "\n**数据校验规则**：\n- 长度范围：`1` ～ `50`";
        body[3][3] += &format!("\n**数据校验规则**：\n- 长度范围：`0` ～ `{max}` 字符");
        page
    };
    for form in FORMS {
        let report = check(&document, &page(100).write(form));
        assert!(report.ok, "{report}");
        let report = check(&document, &page(200).write(form));
        assert_eq!(found(&report), [("request.body.termination_reason_notes", Different)]);
        let line = texts[0].1.lines().position(|line| line.contains("maxLength")).expect("it is there") + 1;
        assert_eq!(report.drift[0].line, line);
    }
}

#[test]
fn a_change_of_the_answer_is_found() {
    let cancelled = &["cancelled_at", "int64", "撤回的时间"];
    assert_drift(|page| append(&mut page.response, cancelled), &[("response.body.cancelled_at", Added)]);
    assert_drift(|page| replace(&mut page.response, "int", "string"), &[("response.body.code", Different)]);
    let gone = |page: &mut Page| remove_row(page.response.as_mut().expect("it is there"), "msg");
    assert_drift(gone, &[("response.body.msg", Removed)]);
    assert_drift(
        |page| page.response.as_mut().expect("it is there")[3][1] = "string".into(),
        &[("response.body.data", Different)],
    );
    // What any endpoint of the platform can answer with is not on the page; were it there, that would be new.
    assert_drift(|page| append(&mut page.response, &["error", "object", "详情"]), &[("response.body.error", Added)]);
}

#[test]
fn a_change_of_the_error_codes_is_found() {
    let errors = |old: &'static str, new: &'static str| move |page: &mut Page| replace(&mut page.errors, old, new);
    let drift = assert_drift(
        |page| append(&mut page.errors, &["400", "1002999", "职位已关闭", "请联系支持"]),
        &[("errors.1002999", Added)],
    );
    assert_eq!(drift[0].page, json!({ "http_status": 400, "label": "职位已关闭" }));
    assert_eq!(drift[0].line, line_of("      x-error-codes:"));
    let gone = |page: &mut Page| page.errors.as_mut().expect("it is there").truncate(4);
    let drift = assert_drift(gone, &[("errors.1002910", Removed)]);
    assert_eq!(drift[0].line, line_of("- code: 1002910"));
    let drift = assert_drift(errors("500", "503"), &[("errors.1002001", Different)]);
    assert_eq!((&drift[0].page, &drift[0].document), (&json!({ "http_status": 503 }), &json!({ "http_status": 500 })));
    assert_eq!(drift[0].line, line_of("http_status: 500"));
    let drift = assert_drift(errors("投递已经终止", "投递已终止"), &[("errors.1002221", Different)]);
    assert_eq!(drift[0].page, json!({ "label": "投递已终止" }));
    assert_drift(errors("1002221", "1002222"), &[("errors.1002221", Removed), ("errors.1002222", Added)]);
    assert_drift(errors("500", ""), &[("errors.1002001", Different)]);
    assert_drift(errors("1002002", "待定"), &[("errors.1002002", Removed), ("errors.待定", Added)]);
}

#[test]
fn a_change_of_the_notes_is_found_and_carries_the_digests() {
    let notes = |change: fn(&mut Vec<(String, String)>)| move |page: &mut Page| change(&mut page.notes);
    let drift = assert_drift(notes(|notes| notes[0].1 += "\n\n- 每人只能撤回一次。"), &[("notes", Different)]);
    assert!(drift[0].page.as_str().is_some_and(|digest| digest.starts_with("sha256:") && digest.len() == 71));
    assert!(drift[0].document.as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    assert_eq!(drift[0].line, line_of("x-notes-digest:"));
    assert_drift(
        notes(|notes| notes[0].1 = notes[0].1.replace("待入职阶段", "待入职或入职中")),
        &[("notes", Different)],
    );
    assert_drift(notes(|notes| notes[0].1 = notes[0].1.replace("另一个接口", "别的接口")), &[("notes", Different)]);
    assert_drift(notes(|notes| notes.push(("使用限制".into(), "一天只能撤回十人。".into()))), &[("notes", Different)]);
    assert_drift(
        notes(|notes| notes.push(("使用限制".into(), "> 一天只能撤回十人。".into()))),
        &[("notes", Different)],
    );
    let html = "<md-alert type=\"warn\">\n一天只能撤回十人。\n</md-alert>";
    assert_drift(|page| page.notes.push(("使用限制".into(), html.into())), &[("notes", Different)]);
    assert_drift(notes(Vec::clear), &[("notes", Removed)]);
    assert_drift(|page| page.summary += "\n\n**注意**：须先通知候选人。", &[("notes", Different)]);
    // A row of the first table, or a table, that nobody knows yet.
    assert_drift(|page| page.request.extend(rows(&[&["调用方式", "异步"]])), &[("notes", Different)]);
    let table = "状态 | 含义\n--- | ---\n1 | 待入职";
    assert_drift(|page| page.notes.push(("附录".into(), table.into())), &[("notes", Different)]);
}

#[test]
fn notes_that_nobody_has_read_are_no_drift_but_their_digest_is_told() {
    let document = document(&texts_with_digest(None));
    let report = check(&document, &Page::new().write(Form::Scraped));
    assert!(report.ok, "{report}");
    let digest = report.notes_digest().expect("the page has notes").to_owned();
    assert!(report.to_string().contains(&format!("x-notes-digest: {digest}")), "{report}");
    let report = check(&own_document(), &Page::new().write(Form::Scraped));
    assert!(!report.to_string().contains("x-notes-digest"), "{report}");
}

#[test]
fn a_section_gone_is_reported_with_each_fact_that_it_held() {
    assert_drift(
        |page| page.request.clear(),
        &[("url", Removed), ("method", Removed), ("rate_limit", Removed), ("scopes", Removed), ("app_types", Removed)],
    );
    assert_drift(
        |page| page.headers = None,
        &[("token_type", Removed), ("header.Authorization", Removed), ("header.Content-Type", Removed)],
    );
    assert_drift(|page| page.path = None, &[("path.application_id", Removed)]);
    let body = [
        ("request.body.termination_type", Removed),
        ("request.body.termination_reason_id_list", Removed),
        ("request.body.termination_reason_notes", Removed),
    ];
    assert_drift(|page| page.body = None, &body);
    assert_drift(
        |page| page.response = None,
        &[("response.body.code", Removed), ("response.body.msg", Removed), ("response.body.data", Removed)],
    );
    let codes = [
        ("errors.1002001", Removed),
        ("errors.1002002", Removed),
        ("errors.1002221", Removed),
        ("errors.1002910", Removed),
    ];
    assert_drift(|page| page.errors = None, &codes);
}

#[test]
fn a_table_that_cannot_be_read_is_reported_as_gone() {
    let document = own_document();
    for form in FORMS {
        let text = Page::new().write(form);
        let (delimiter, headings) = match form {
            Form::Scraped => ("--- | --- | --- | ---\ntermination_type", "名称 | 类型 | 必填 | 描述\n"),
            Form::Published => ("---|---|---|---\ntermination_type", "名称 | 类型 | 必填 | 描述\n"),
        };
        let body = ["termination_type", "termination_reason_id_list", "termination_reason_notes"];
        let body: Vec<_> = body.iter().map(|name| (format!("request.body.{name}"), Removed)).collect();
        let body: Vec<_> = body.iter().map(|(place, change)| (place.as_str(), *change)).collect();
        let broken = text.replace(delimiter, "termination_type");
        assert_ne!(broken, text);
        assert_eq!(found(&check(&document, &broken)), body, "{broken}");
        let broken = text.replace(&format!("{headings}{delimiter}"), delimiter);
        assert_ne!(broken, text);
        assert_eq!(found(&check(&document, &broken)), body, "{broken}");
    }
    let column =
        |page: &mut Page| page.body.as_mut().expect("it is there").iter_mut().for_each(|row| drop(row.remove(2)));
    let drift = assert_drift(
        column,
        &[
            ("request.body.termination_type", Different),
            ("request.body.termination_reason_id_list", Different),
            ("request.body.termination_reason_notes", Different),
        ],
    );
    assert_eq!((&drift[0].page, &drift[0].document), (&json!({ "required": null }), &json!({ "required": true })));
}

/// A change of a page's text.
type Rewrite = fn(&str) -> String;

#[test]
fn what_makes_no_difference_is_not_reported() {
    let document = own_document();
    let rewrites: [(&str, Rewrite); 14] = [
        ("CRLF", |text| text.replace('\n', "\r\n")),
        ("a byte order mark", |text| format!("\u{feff}{text}")),
        ("both", |text| format!("\u{feff}{}", text.replace('\n', "\r\n"))),
        ("trailing blanks", |text| text.replace('\n', "   \n")),
        ("trailing tabs", |text| text.replace('\n', "\t\n")),
        ("no trailing blanks", |text| text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()),
        ("moved links", |text| text.replace("https://open.feishu.cn/document/", "https://open.larkoffice.com/d/v2/")),
        ("blank lines at the end", |text| format!("{text}\n\n\n")),
        ("no line break at the end", |text| text.trim_end().to_owned()),
        ("more blank lines", |text| text.replace("\n\n", "\n\n\n\n")),
        ("a later date", |text| text.replace("2025-02-20", "2026-01-31")),
        ("another line break", |text| text.replace("<br>", "<br/>")),
        ("wider delimiters", |text| text.replace("---", "-----")),
        ("advice on errors", |text| text.replace("请核对参数", "请逐项核对参数")),
    ];
    for form in FORMS {
        let text = Page::new().write(form);
        for (name, rewrite) in rewrites {
            // The front matter ends where its mark stands as it is.
            let rewritten =
                if name == "wider delimiters" && form == Form::Scraped { text.clone() } else { rewrite(&text) };
            let report = check(&document, &rewritten);
            assert!(report.ok, "{form:?}, {name}: {report}\n{rewritten}");
        }
    }
}

#[test]
fn examples_descriptions_and_order_make_no_difference() {
    assert_drift(|page| replace(&mut page.body, "**示例值**：22", "**示例值**：1"), &[]);
    assert_drift(|page| replace(&mut page.body, "改去别处", "- 1：没有说"), &[]);
    assert_drift(|page| replace(&mut page.headers, "t-0000", "t-7f1b"), &[]);
    assert_drift(|page| page.request_example = "{ \"termination_type\": 27 } | 1\n--- | ---".into(), &[]);
    assert_drift(|page| replace(&mut page.body, "为什么终止", "终止的原因 | 必须说明"), &[]);
    assert_drift(|page| page.summary = "另一句话。".into(), &[]);
    assert_drift(|page| page.body.as_mut().expect("it is there")[1..].reverse(), &[]);
    assert_drift(|page| page.errors.as_mut().expect("it is there")[1..].reverse(), &[]);
    assert_drift(|page| page.request.reverse(), &[]);
    assert_drift(|page| page.title += "  ", &[]);
    assert_drift(|page| replace(&mut page.headers, "Content-Type", "content-type"), &[]);
    assert_drift(|page| replace_in(&mut page.request, ":application_id", "{application_id}"), &[]);
}

/// A document about another kind of endpoint: a query, several limits, scopes and kinds of app, and nested fields.
const THINGS: &str = r##"
openapi: 3.0.3
info: { title: List things, version: "1", x-doc-title: 列出物件, x-doc-url: "https://example.com/things" }
servers: [{ url: "https://example.com" }]
security: [{ token: [] }]
paths:
  /open-apis/things:
    get:
      x-rate-limit: [{ calls: 1000, period_seconds: 60 }, { calls: 50, period_seconds: 1 }]
      x-required-scopes: [{ name: "a:thing", label: 更新物件 }, { name: "a:thing:readonly", label: 读取物件 }]
      x-app-types: [{ name: custom, labels: [自建应用, Custom App] }, { name: isv, labels: [商店应用, Store App] }]
      x-token-types: [tenant_access_token, user_access_token]
      x-error-codes: []
      parameters:
        - { name: page_size, in: query, schema: { type: integer, maximum: 200 } }
        - { name: kind, in: query, required: true, schema: { $ref: "#/components/schemas/Kind" } }
      responses:
        "200":
          content:
            application/json:
              schema:
                properties:
                  code: { type: integer, format: int64 }
                  data:
                    properties:
                      items: { type: array, items: { $ref: "#/components/schemas/Thing" } }
                      has_more: { type: boolean }
components:
  securitySchemes:
    token: { type: http, scheme: bearer }
  schemas:
    Kind: { type: string, enum: [big, small], x-enum-descriptions: [大的, 小的], x-page-rules: ["正则校验：^[a-z]+$"] }
    Words:
      type: object
      properties:
        zh_cn: { type: string }
        en_us: { type: string }
    Thing:
      type: object
      properties:
        name: { $ref: "#/components/schemas/Words" }
        alias: { allOf: [{ $ref: "#/components/schemas/Words" }] }
        weight: { type: number }
"##;

fn things_page() -> Page {
    let mut page = Page::new();
    page.title = "列出物件".into();
    page.request = rows(&[
        &["HTTP URL", "https://example.com/open-apis/things"],
        &["HTTP Method", "GET"],
        &["接口频率限制", "[1000 次/分钟、50 次/秒](https://example.com/limits)"],
        &["支持的应用类型", "CUSTOM_APP、商店应用"],
        &["权限要求\n**开启其中之一**\n任一即可", "读取物件(a:thing:readonly)\n更新物件(a:thing)"],
    ]);
    let tokens = "`tenant_access_token`\n或\n`user_access_token`\n**值格式**：\"Bearer `access_token`\"";
    page.headers = Some(rows(&[&["名称", "类型", "必填", "描述"], &["Authorization", "string", "是", tokens]]));
    page.path = None;
    let kind = "种类\n**可选值有**：\n- `big`：大的\n- `small`：小的\n**数据校验规则**：\n- 正则校验：`^[a-z]+$`";
    page.query = Some(rows(&[
        &["名称", "类型", "必填", "描述"],
        &["page_size", "int", "否", "每页的数量\n**默认值**：`10`\n**数据校验规则**：\n- 最大值：`200`"],
        &["kind", "string", "是", kind],
    ]));
    page.body = None;
    page.response = Some(rows(&[
        &["名称", "类型", "描述"],
        &["code", "int", ""],
        &["data", "\\-", "\\-"],
        &["items", "thing\\[\\]", "物件"],
        &["name", "words", "名称"],
        &["zh_cn", "string", "中文"],
        &["en_us", "string", "英文"],
        &["alias", "words", "别名"],
        &["zh_cn", "string", "中文"],
        &["en_us", "string", "英文"],
        &["weight", "number(float)", "重量"],
        &["has_more", "boolean", "是否还有"],
    ]));
    page.errors = None;
    page
}

#[test]
fn other_kinds_of_endpoint_are_read_too() {
    let document = document(&[("things", THINGS.to_owned())]);
    let check = |change: fn(&mut Page), expected: &[(&str, Change)]| {
        let mut page = things_page();
        change(&mut page);
        for form in FORMS {
            let report = check(&document, &page.write(form));
            assert_eq!(found(&report), expected, "{form:?}\n{report}");
        }
    };
    check(|_| {}, &[]);
    let nested = |page: &mut Page| {
        let deeper = |name: &str, depth: usize| format!("{}└ `{name}`", "&nbsp;".repeat(depth));
        let response = page.response.as_mut().expect("it is there");
        response[4..].iter_mut().for_each(|row| row[0] = deeper(&row[0], 4));
    };
    check(nested, &[]);
    check(|page| page.request[2][1] = "50 次/秒；1000 次/分钟".into(), &[]);
    check(|page| page.request[2][1] = "50 次/秒".into(), &[("rate_limit", Different)]);
    check(|page| replace_in(&mut page.request, "、商店应用", ""), &[("app_types", Different)]);
    check(|page| replace_in(&mut page.request, "\n更新物件(a:thing)", ""), &[("scopes", Different)]);
    check(|page| replace(&mut page.headers, "\n或\n`user_access_token`", ""), &[("token_type", Different)]);
    check(|page| replace(&mut page.query, "200", "100"), &[("query.page_size", Different)]);
    check(|page| replace(&mut page.query, "**默认值**：`10`", "**默认值**：`20`"), &[]);
    check(|page| replace(&mut page.query, "- `small`：小的", "- `small`：很小"), &[("query.kind", Different)]);
    check(|page| replace(&mut page.query, "^[a-z]+$", "^[a-z]*$"), &[("query.kind", Different)]);
    check(|page| replace(&mut page.query, "是", "否"), &[("query.kind", Different)]);
    // The second of two fields of one name.
    check(
        |page| page.response.as_mut().expect("it is there")[8][1] = "int".into(),
        &[("response.body.zh_cn", Different)],
    );
    check(|page| drop(page.response.as_mut().expect("it is there").remove(9)), &[("response.body.en_us", Removed)]);
    check(|page| append(&mut page.response, &["zh_cn", "string", ""]), &[("response.body.zh_cn", Added)]);
    check(|page| replace(&mut page.response, "number(float)", "string"), &[("response.body.weight", Different)]);
    check(
        |page| page.errors = Some(rows(&[&["HTTP状态码", "错误码", "描述"], &["400", "7", "错"]])),
        &[("errors.7", Added)],
    );
    check(|page| page.query = None, &[("query.page_size", Removed), ("query.kind", Removed)]);
}

#[test]
fn what_is_not_the_page_is_told_apart_from_it() {
    let document = own_document();
    let error = |content: &[u8]| document.check("page.md", content).expect_err("that is not the page");
    assert_eq!(error(b""), PageError::Empty);
    assert_eq!(error(b"\xef\xbb\xbf \r\n\t\n"), PageError::Empty);
    assert_eq!(error(b"# \xff\xfe"), PageError::NotText { valid_up_to: 2 });
    assert_eq!(error(&vec![b' '; docs_page::SIZE_LIMIT + 1]), PageError::TooLarge);
    assert_eq!(error(b"<!DOCTYPE html>\n<title>Sign in</title>"), PageError::Html { log_in: true });
    assert_eq!(error("<html><body>请登录</body></html>".as_bytes()), PageError::Html { log_in: true });
    assert_eq!(error(b"<html><body>Not found</body></html>"), PageError::Html { log_in: false });
    assert_eq!(error(b"{\"code\":404,\"msg\":\"not found\"}"), PageError::NotAPage);
    assert_eq!(error(b"just words"), PageError::NotAPage);
    let mut other = Page::new();
    other.title = "获取投递信息".into();
    replace_in(&mut other.request, "/cancel_onboard", "");
    for form in FORMS {
        let error = error(other.write(form).as_bytes());
        let PageError::AnotherPage { title, path, .. } = &error else { panic!("{error}") };
        assert_eq!(title.as_deref(), Some("获取投递信息"));
        assert_eq!(path.as_deref(), Some("/open-apis/hire/v1/applications/:application_id"));
        assert!(error.to_string().contains("获取投递信息") && error.to_string().contains("取消候选人入职"), "{error}");
    }
    let texts = [PageError::Empty, PageError::TooLarge, PageError::Html { log_in: true }, PageError::NotAPage]
        .map(|error| error.to_string());
    for (text, word) in texts.iter().zip(["empty", "1048576 bytes", "log-in page", "not a page"]) {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn the_pages_title_or_its_path_is_enough_to_know_it() {
    assert_drift(|page| page.title = "撤回".into(), &[("title", Different)]);
    assert_drift(|page| remove_row(&mut page.request, "HTTP URL"), &[("url", Removed)]);
}

#[test]
fn as_json_the_report_has_exactly_the_agreed_keys() {
    let mut page = Page::new();
    replace(&mut page.errors, "投递已经终止", "投递已终止");
    let report = own_document().check("https://example.com/page.md", page.write(Form::Published).as_bytes());
    let report = serde_json::to_string(&report.expect("it is the page")).expect("a report is JSON");
    let line = line_of("label: 投递已经终止");
    let expected = format!(
        "{{\"ok\":false,\"spec\":\"cancel_onboard\",\"page\":\"https://example.com/page.md\",\"drift\":[\
         {{\"where\":\"errors.1002221\",\"change\":\"different\",\"page\":{{\"label\":\"投递已终止\"}},\
         \"document\":{{\"label\":\"投递已经终止\"}},\"line\":{line}}}]}}"
    );
    assert_eq!(report, expected);
    let report = own_document().check("-", Page::new().write(Form::Published).as_bytes()).expect("it is the page");
    let report = serde_json::to_string(&report).expect("a report is JSON");
    assert_eq!(report, r#"{"ok":true,"spec":"cancel_onboard","page":"-","drift":[]}"#);
}

#[test]
fn as_text_the_report_says_where_what_and_which_line() {
    let document = own_document();
    let mut page = Page::new();
    replace(&mut page.body, "- 27：其他", "- 27：其他\n- 28：职位关闭");
    append(&mut page.body, &["bad\u{1b}[31m", "string", "否", ""]);
    let report = check(&document, &page.write(Form::Published)).to_string();
    let expected = format!(
        "cancel_onboard: page.md differs from spec/cancel_onboard.yaml in 2 things\n\n\
         request.body.termination_type: different\n  \
         page      values: 1 我们拒绝了候选人; 22 候选人拒绝了我们; 27 其他; 28 职位关闭\n  \
         document  values: 1 我们拒绝了候选人; 22 候选人拒绝了我们; 27 其他\n  \
         look at   spec/cancel_onboard.yaml:{}\n\n\
         request.body.bad\\u{{1b}}[31m: added to the page\n  \
         page      required: no, type: string\n  \
         document  nothing\n  \
         look at   spec/cancel_onboard.yaml:{}",
        line_of("      enum: [1, 22, 27]"),
        line_of("      required: [termination_type]") + 1,
    );
    assert_eq!(report, expected);
    let report = check(&document, &Page::new().write(Form::Published)).to_string();
    assert_eq!(report, "cancel_onboard: page.md says what spec/cancel_onboard.yaml says");
}

#[test]
fn a_document_that_cannot_be_read_says_where() {
    let mut texts = own_texts();
    texts[0].1 = texts[0].1.replace("        - calls: 10\n", "        - calls: ten\n");
    let texts: Vec<_> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let error = Document::read(&texts).expect_err("ten is no number").to_string();
    assert!(error.starts_with("spec/cancel_onboard.yaml:") && error.contains("`calls`"), "{error}");
}

#[test]
fn bytes_of_any_kind_do_no_harm() {
    let document = own_document();
    let page = Page::new().write(Form::Scraped);
    for at in page.char_indices().map(|(at, _)| at).step_by(5) {
        let _ = document.check("page.md", &page.as_bytes()[..at]);
        let _ = document.check("page.md", &page.as_bytes()[at..]);
    }
    for piece in ["|", "a|b\n-|-\n", "[", "![", "> ", "- ", "*", "`", "<", "&", "# ", "\\", "(", "a|\n", "|-", "\u{0}"]
    {
        let head = "# 取消候选人入职\n\n## 请求体\n\n";
        let text = format!("{head}{}", piece.repeat((64 * 1024 - head.len()) / piece.len()));
        let _ = document.check("page.md", text.as_bytes());
    }
}
