//! A wrong document stops the generation with one readable error that names the file and the place; a right one gives
//! what it says.

use feishu_cancel_onboard_codegen as codegen;

use std::fs;

const MODULES: [&str; 4] = ["cancel_onboard", "platform", "tenant_access_token", "termination_reasons"];

/// The documents of `spec/`, as module and text.
fn documents() -> Vec<(String, String)> {
    MODULES
        .map(|module| {
            let file = format!("{}/spec/{module}.yaml", env!("CARGO_MANIFEST_DIR"));
            (module.to_owned(), fs::read_to_string(file).expect("the document is readable"))
        })
        .into()
}

/// The documents with every occurrence of a text in spec/cancel_onboard.yaml replaced.
fn with(old: &str, new: &str) -> Vec<(String, String)> {
    with_in("cancel_onboard", old, new)
}

/// The documents with every occurrence of a text in one of them replaced.
fn with_in(module: &str, old: &str, new: &str) -> Vec<(String, String)> {
    let mut documents = documents();
    replace_in(&mut documents, module, old, new);
    documents
}

fn replace_in(documents: &mut [(String, String)], module: &str, old: &str, new: &str) {
    let (_, text) = documents.iter_mut().find(|(name, _)| name == module).expect("it is there");
    assert!(text.contains(old), "the document has no {old:?}");
    *text = text.replace(old, new);
}

/// The line on which a text stands in a document, counted from 1.
fn line_of(documents: &[(String, String)], module: &str, text: &str) -> usize {
    let (_, document) = documents.iter().find(|(name, _)| name == module).expect("it is there");
    document.lines().position(|line| line.contains(text)).expect("the text is in the document") + 1
}

/// What the generation says of documents that are wrong.
fn error_of(documents: &[(String, String)]) -> String {
    codegen::render(documents).expect_err("the document is wrong").to_string()
}

/// Asserts that the error is one line that begins with spec/cancel_onboard.yaml and the line of `marker`, and says `parts`.
fn assert_error(documents: &[(String, String)], marker: &str, parts: &[&str]) {
    assert_error_in("cancel_onboard", documents, marker, parts);
}

/// Asserts that the error is one line that begins with the file and the line of `marker`, and says `parts`.
fn assert_error_in(module: &str, documents: &[(String, String)], marker: &str, parts: &[&str]) {
    let error = error_of(documents);
    let place = format!("spec/{module}.yaml:{}: ", line_of(documents, module, marker));
    assert!(error.starts_with(&place), "{error}\ndoes not begin with\n{place}");
    for part in parts {
        assert!(error.contains(part), "{error}\ndoes not say\n{part}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

/// What is generated from the documents for one module.
fn generated_from(documents: &[(String, String)], module: &str) -> String {
    let generated = codegen::render(documents).expect("the documents are right");
    let found = generated.into_iter().find(|generated| generated.file == format!("{module}.rs"));
    found.expect("it is generated").code
}

const PATH: &str = "#/paths/~1open-apis~1hire~1v1~1applications~1{application_id}~1cancel_onboard";

#[test]
fn the_documents_of_this_crate_are_right() {
    let generated = codegen::render(&documents()).expect("the documents are right");
    let files: Vec<_> = generated.iter().map(|generated| generated.file.as_str()).collect();
    let modules = MODULES.map(|module| format!("{module}.rs"));
    assert_eq!(files, [&modules.each_ref().map(String::as_str)[..], &["documents.rs", "sources.rs"]].concat());
}

#[test]
fn text_that_is_not_yaml_is_refused() {
    let documents = with("termination_type:\n          $ref", "termination_type: {\n          $ref");
    let error = error_of(&documents);
    assert!(error.starts_with("spec/cancel_onboard.yaml:"), "{error}");
    assert!(error.contains(": not valid YAML: "), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let documents = with("    TerminationType:\n", "    ApplicationId:\n");
    let error = error_of(&documents);
    assert!(error.starts_with("spec/cancel_onboard.yaml:"), "{error}");
    assert!(error.contains("the key `ApplicationId` stands here twice"), "{error}");
}

#[test]
fn what_json_does_not_have_is_refused_where_it_stands() {
    let title = "title: Cancel the onboarding of a candidate";
    for (yaml, reason) in [
        ("title: .inf", "#/info/title: not a finite number"),
        ("title: -.INF", "#/info/title: not a finite number"),
        ("title: .nan", "#/info/title: not a finite number"),
        ("title: !!binary aGk=", "#/info/title: a YAML tag"),
        ("title: &a [*a]", "#/info/title/0: a YAML alias for what is not complete yet"),
        ("title: {[a]: b}", "#/info/title: a key that is neither a string nor a number"),
    ] {
        assert_error(&with(title, yaml), yaml, &[reason]);
    }
    let mut two = documents();
    two[0].1.push_str("---\nopenapi: 3.0.3\n");
    assert_error(&two, "---", &["a second YAML document"]);
    let mut none = documents();
    none[0].1 = "# nothing\n".to_owned();
    assert_eq!(error_of(&none), "spec/cancel_onboard.yaml:1: holds no YAML document");
}

#[test]
fn a_scalar_without_quotes_is_what_yaml_says_and_one_with_quotes_a_string() {
    let read =
        |yaml: &str| codegen::Source::parse("a.yaml", &format!("value: {yaml}")).expect(yaml).content["value"].clone();
    for (yaml, json) in [
        ("", "null"),
        ("~", "null"),
        ("Null", "null"),
        ("TRUE", "true"),
        ("false", "false"),
        ("007", "7"),
        ("+1", "1"),
        ("-12", "-12"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("1.5", "1.5"),
        ("1e3", "1000.0"),
        ("9999999999999999999", "1e19"),
        ("inf", "\"inf\""),
        ("3.0.3", "\"3.0.3\""),
        ("yes", "\"yes\""),
        ("'7'", "\"7\""),
        ("\"true\"", "\"true\""),
        ("|-\n  7", "\"7\""),
        ("&a [1, {b: c}]", r#"[1, {"b": "c"}]"#),
    ] {
        let json: serde_json::Value = serde_json::from_str(json).expect(json);
        assert_eq!(read(yaml), json, "{yaml}");
    }
}

#[test]
fn an_alias_stands_for_its_anchor_with_the_lines_of_it() {
    let text = "a: &a\n  b:\n    - c\nd: *a\n";
    let source = codegen::Source::parse("a.yaml", text).expect("it is YAML");
    assert_eq!(source.content["d"], source.content["a"]);
    let lines = ["/a", "/a/b/0", "/d", "/d/b", "/d/b/0"].map(|pointer| source.line(pointer));
    assert_eq!(lines, [1, 3, 4, 2, 3]);
}

#[test]
fn another_version_of_openapi_is_refused() {
    assert_error(&with("openapi: 3.0.3", "openapi: 3.1.0"), "openapi: 3.1.0", &["#/openapi", "OpenAPI 3.0", "3.1.0"]);
    assert_error(&with("openapi: 3.0.3", "swagger: '2.0'"), "swagger", &["the key `openapi` is missing"]);
}

#[test]
fn what_openapi_does_not_know_is_reported_where_it_stands() {
    let deep = with("required: [termination_type]", "required: termination_type");
    assert_error(
        &deep,
        "required: termination_type",
        &["#/components/schemas/CancelOnboardRequest/required", "expected a sequence"],
    );
    let parameter = with(
        "          required: true\n          description: Id",
        "          required: perhaps\n          description: Id",
    );
    assert_error(
        &parameter,
        "required: perhaps",
        &[&format!("{PATH}/post/parameters/0/required"), "not valid OpenAPI 3.0"],
    );
    let summary =
        with("summary: Cancel the onboarding of a candidate", "summary: [Cancel]\n      ignored: of a candidate");
    assert_error(&summary, "summary: [Cancel]", &[&format!("{PATH}/post/summary")]);
    let title = with("info:\n", "info:\n  contact: {name: [a]}\n");
    assert_error(&title, "contact: {", &["#/info/contact/name", "not valid OpenAPI 3.0"]);
    let untitled = with("\n  title:", "\n  x-title:");
    assert_error(&untitled, "info:", &["#/info: ", "missing field `title`"]);
}

#[test]
fn a_reference_to_a_schema_that_is_not_there_is_refused() {
    let broken = "$ref: \"#/components/schemas/TerminationTypes\"";
    let documents = with("$ref: \"#/components/schemas/TerminationType\"", broken);
    assert_error(
        &documents,
        broken,
        &["/properties/termination_type/$ref", "`#/components/schemas/TerminationTypes`, which is not there"],
    );
    let broken = "$ref: \"platform.yaml#/components/schemas/ErrorDetails\"";
    let documents = with("$ref: \"platform.yaml#/components/schemas/ErrorDetail\"", broken);
    assert_error(
        &documents,
        broken,
        &["/properties/error/$ref", "`platform.yaml#/components/schemas/ErrorDetails`, which is not there"],
    );
}

#[test]
fn a_reference_into_a_file_that_is_not_there_is_refused() {
    let broken = "$ref: \"envelope.yaml#/components/schemas/ErrorDetail\"";
    let documents = with("$ref: \"platform.yaml#/components/schemas/ErrorDetail\"", broken);
    assert_error(&documents, broken, &["no such file beside it"]);
}

#[test]
fn a_repeated_code_is_refused() {
    let documents = with("code: 1002002", "code: 1002001 # again");
    assert_error(&documents, "1002001 # again", &["/x-error-codes/1/code", "1002001 stands here a second time"]);
}

#[test]
fn a_code_of_the_platform_cannot_get_a_second_meaning() {
    let documents = with("- code: 1002002", "- code: 99991663 # ours");
    assert_error(&documents, "99991663 # ours", &["/x-error-codes/1/code", "a second time"]);
    let documents = with_in("platform", "- code: 1002202", "- code: 99991663 # ours");
    assert_error_in("platform", &documents, "99991663 # ours", &["#/x-service-error-codes/1/code", "a second time"]);
}

/// The table of an endpoint's page can have a code that the service's own list has too: the page check compares it.
#[test]
fn a_code_of_the_service_can_stand_in_the_table_of_an_endpoint() {
    let code = "      x-error-codes:\n        - code: 1002201\n          http_status: 400\n          name: Missing\n          \
        label: 投递不存在\n";
    let code = generated_from(&with("      x-error-codes:\n", code), "cancel_onboard");
    assert!(code.contains("1002201 => Some(Self::Missing)"));
}

#[test]
fn what_endpoints_have_in_common_is_generated_once_and_without_a_client() {
    let code = generated_from(&documents(), "platform");
    for part in [
        "pub const ORIGINS",
        "pub const SUCCESS_CODE: i64 = 0i64;",
        "RATE_LIMIT_RESET: ::http::HeaderName",
        "pub enum PlatformErrorCode",
        "pub enum ServiceErrorCode",
        "pub struct FieldViolation",
        "RelatedEndpoint {",
    ] {
        assert!(code.contains(part), "{part} is not in {code}");
        for other in MODULES.iter().filter(|module| **module != "platform") {
            assert!(!generated_from(&documents(), other).contains(part), "{other} has {part}");
        }
    }
    assert!(!code.contains("struct Client") && !code.contains("OPERATION"), "{code}");
    let modules = codegen::render(&documents()).expect("the documents are right");
    let modules = &modules.iter().find(|generated| generated.file == "documents.rs").expect("it is generated").code;
    assert_eq!(modules.matches("client_hooks").count(), MODULES.len() - 1, "{modules}");
}

#[test]
fn a_document_without_an_operation_says_what_endpoints_have_in_common() {
    let nothing = ("nothing".to_owned(), "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}\n".to_owned());
    let documents: Vec<_> = documents().into_iter().chain([nothing.clone()]).collect();
    assert_error_in("nothing", &documents, "paths: {}", &["#/paths", "describes no operation", "in common"]);
    let (name, text) = nothing;
    let second = (name, text.replace("paths: {}", "x-success-code: 0\npaths: {}"));
    let documents: Vec<_> = documents.into_iter().take(MODULES.len()).chain([second]).collect();
    let parts = ["#/paths", "a second document without an operation", "spec/platform.yaml is the first"];
    assert_error_in("nothing", &documents, "paths: {}", &parts);

    let path = with_in("platform", "paths: {}", "paths: # none\n  /here:\n    summary: nothing");
    assert_error_in("platform", &path, "paths: # none", &["#/paths", "describes no operation"]);
    let operation = with_in("platform", "paths: {}", "paths:\n  /here:\n    get:\n      responses: {}");
    let parts = ["holds for every endpoint", "the document without an operation"];
    assert_error_in("platform", &operation, "servers:", &parts);
    for shared in [
        "servers: [{url: https://a.example}]",
        "x-success-code: 1",
        "x-platform-error-codes: []",
        "x-service-error-codes: []",
        "x-related-endpoints: []",
    ] {
        let documents = with("openapi: 3.0.3\n", &format!("openapi: 3.0.3\n{shared}\n"));
        assert_error(&documents, shared, &parts);
    }
}

#[test]
fn a_shared_fact_that_is_missing_or_wrong_is_refused() {
    let refused = |old: &str, new: &str, marker: &str, parts: &[&str]| {
        assert_error_in("platform", &with_in("platform", old, new), marker, parts);
    };
    refused("x-success-code: 0\n", "", "openapi: 3.0.3", &["#/x-success-code", "must be here, and an integer"]);
    refused("x-success-code: 0", "x-success-code: none", "x-success-code: none", &["must be here, and an integer"]);
    refused("    x-name: lark\n", "", "open.larksuite.com", &["#/servers/1/x-name", "must be here, and a string"]);
    let name = "name: application-lock-failed";
    refused("name: ApplicationLockFailed", name, name, &["#/x-service-error-codes/8/name", "can't name a variant"]);
    let parts = ["#/x-related-endpoints/1/method", "must be here, and a string"];
    refused("    method: PATCH\n", "", "- name: UpdateEmployee", &parts);
    let twice = "name: WithdrawOnboarding # again";
    let parts = ["#/x-related-endpoints/1/name", "a second value with the name `WithdrawOnboarding`"];
    refused("name: UpdateEmployee", twice, twice, &parts);
    let scope = "scopes: [hire:employee, 7]";
    refused(
        "scopes: [hire:employee]",
        scope,
        scope,
        &["#/x-related-endpoints/1/scopes/1", "must be here, and a string"],
    );
    let at = ["/responses/429/headers", "`RateLimitReset` is both `x-ogw-ratelimit-reset` and `x-reset`"];
    let mut documents =
        with_in("tenant_access_token", "            x-ogw-ratelimit-reset:\n", "            x-reset:\n");
    replace_in(&mut documents, "tenant_access_token", "          headers:\n", "          headers: # of 429\n");
    assert_error_in("tenant_access_token", &documents, "headers: # of 429", &at);
}

#[test]
fn two_values_of_one_name_are_refused() {
    let codes = with("name: InvalidParameter", "name: SystemError # again");
    assert_error(
        &codes,
        "SystemError # again",
        &["/x-error-codes/1/name", "a second value with the name `SystemError`"],
    );
    let types = with("[CompanyRejected, CandidateDeclined, Other]", "[CompanyRejected, Other, Other]");
    assert_error(&types, "      x-enum-varnames: ", &["/x-enum-varnames/2", "a second value with the name `Other`"]);
}

#[test]
fn an_enum_whose_names_do_not_pair_off_with_its_values_is_refused() {
    let missing = with("[CompanyRejected, CandidateDeclined, Other]", "[CompanyRejected, CandidateDeclined]");
    assert_error(&missing, "      x-enum-varnames: ", &["2 entries for 3 values"]);
    let repeated = with("enum: [1, 22, 27]", "enum: [1, 22, 22]");
    assert_error(&repeated, "enum: [1, 22, 22]", &["/enum/2", "22 stands here a second time"]);
    let unnamed = with("      x-enum-varnames: [CompanyRejected, CandidateDeclined, Other]\n", "");
    assert_error(&unnamed, "    TerminationType:", &["needs the list `x-enum-varnames`"]);
    let unspeakable =
        with("[CompanyRejected, CandidateDeclined, Other]", "[company-rejected, CandidateDeclined, Other]");
    assert_error(
        &unspeakable,
        "      x-enum-varnames: ",
        &["/x-enum-varnames/0", "`company-rejected` can't name a variant"],
    );
}

#[test]
fn an_integer_enum_without_a_name_is_refused() {
    let inline = "status: # inline\n          type: integer\n          enum: [0]\n        msg:";
    let documents = with("msg:\n          type: string", &format!("{inline}\n          type: string"));
    let place = "/CancelOnboardResponse/properties/status";
    assert_error(&documents, "status: # inline", &[place, "move it to components/schemas"]);
}

const PATTERN: &str = "pattern: ^[0-9A-Za-z_-]{1,64}$";

#[test]
fn a_pattern_that_could_not_be_checked_exactly_is_refused() {
    for pattern in [
        "'^\\d{1,64}$'",
        "^[0-9]+$",
        "'[0-9]{1,64}'",
        "^[0-9]{64}$",
        "^[9-0]{1,64}$",
        "^[0-z]{1,64}$",
        "^[a-]{1,0}$",
        "^[-a]{1,64}$",
        "^[^a]{1,64}$",
        "^[a-f0-9.]{1,64}x$",
        "^[é]{1,64}$",
        "^[]{1,64}$",
    ] {
        let documents = with(PATTERN, &format!("pattern: {pattern}"));
        assert_error(
            &documents,
            "      pattern: ",
            &["#/components/schemas/ApplicationId/pattern", "must have the form"],
        );
    }
    let documents = with(PATTERN, &format!("{PATTERN}\n      maxLength: 10"));
    assert_error(&documents, "maxLength: 10", &["`maxLength` beside `pattern` is not checked"]);
    let inline = "          schema:\n            type: string\n            pattern: ^[a]{1,2}$\n";
    let reference = "          schema:\n            $ref: \"#/components/schemas/ApplicationId\"\n";
    assert_error(&with(reference, inline), "          schema:", &["a string with a pattern without a name"]);
}

#[test]
fn what_a_pattern_takes_is_said_in_words() {
    for (pattern, words) in [
        ("^[0-9A-Za-z_-]{1,64}$", "1 to 64 letters, digits, `_` or `-`"),
        ("^[0-9a-f]{2,8}$", "2 to 8 digits or `a` to `f`"),
        ("^[x]{0,3}$", "0 to 3 `x`"),
        ("^[.A-Z]{1,3}$", "1 to 3 `.` or `A` to `Z`"),
    ] {
        let code = generated_from(&with(PATTERN, &format!("pattern: {pattern}")), "cancel_onboard");
        assert!(code.contains(&format!("ACCEPTED: &'static str = \"{words}\"")), "{code}");
    }
}

#[test]
fn the_client_adds_no_header_of_its_own() {
    let of_client = |documents: &[(String, String)]| {
        let code = generated_from(documents, "cancel_onboard");
        code.split_once("impl Client {").expect("there is a client").1.to_owned()
    };
    let client = of_client(&documents());
    assert!(!client.contains("\"api-version\"") && !client.contains("header_map"), "{client}");
    let parameter = "      parameters:\n        - name: X-Reason\n          in: header\n          required: true\n          \
        schema:\n            type: string\n";
    let client = of_client(&with("      parameters:\n", parameter));
    assert!(!client.contains("\"api-version\""), "{client}");
    assert!(client.contains("\"X-Reason\"") && client.contains(".headers(header_map)"), "{client}");
}

#[test]
fn a_missing_fact_is_refused() {
    let title = with("  x-doc-title: 取消候选人入职\n", "");
    assert_error(&title, "info:", &["#/info/x-doc-title", "must be here"]);
    let limit =
        with("        - calls: 10\n          period_seconds: 1", "        - calls: 10\n          period_seconds: 0");
    assert_error(&limit, "period_seconds: 0", &["positive integer"]);
    let status = with("http_status: 500", "http_status: 5000");
    assert_error(&status, "http_status: 5000", &["must be an HTTP status"]);
}

#[test]
fn the_schema_of_the_request_is_generated_without_references_and_annotations() {
    let code = generated_from(&documents(), "cancel_onboard");
    let (_, schema) = code.split_once("REQUEST_SCHEMA: Option<&str> = Some(").expect("it is generated");
    let schema = schema[..schema.find(");").expect("it ends")].replace("\\\"", "\"");
    let schema: serde_json::Value =
        serde_json::from_str(schema.trim().trim_end_matches(',').trim_matches('"')).expect("it is JSON");
    let expected = serde_json::json!({
        "type": "object",
        "required": ["termination_type"],
        "properties": {
            "termination_type": {"type": "integer", "enum": [1, 22, 27]},
            "termination_reason_id_list": {"type": "array", "items": {"type": "string"}},
            "termination_reason_notes": {"type": "string"},
        },
    });
    assert_eq!(schema, expected);
}

#[test]
fn a_request_that_contains_itself_is_refused() {
    let again = "$ref: \"#/components/schemas/CancelOnboardRequest\" # again";
    let documents = with(
        "          items:\n            type: string\n          example: [\"69",
        &format!("          items:\n            {again}\n          example: [\"69"),
    );
    assert_error(&documents, "# again", &["/termination_reason_id_list/items/$ref", "leads back to itself"]);
}

#[test]
fn a_token_without_a_prefix_is_refused() {
    let error = error_of(&with_in("tenant_access_token", "      x-token-prefix: t-\n", ""));
    assert!(error.starts_with("spec/tenant_access_token.yaml:"), "{error}");
    assert!(error.contains("/x-token-prefix: must be here"), "{error}");
}

#[test]
fn a_digest_that_is_none_is_refused() {
    let documents = with("x-notes-digest: sha256:", "x-notes-digest: sha256:0");
    assert_error(&documents, "x-notes-digest: sha", &[&format!("{PATH}/post/x-notes-digest"), "64 hexadecimal digits"]);
}

#[test]
fn a_second_operation_is_refused() {
    let documents = with("    post:\n      operationId", "    get:\n      responses: {}\n    post:\n      operationId");
    assert_error(&documents, "    post:", &["a second operation"]);
}

#[test]
fn what_progenitor_does_not_support_ends_as_one_line() {
    let documents = with("      operationId: cancel_onboard\n", "");
    let error = error_of(&documents);
    assert!(error.starts_with("spec/cancel_onboard.yaml:"), "{error}");
    assert!(error.contains("operationId"), "{error}");
    let cookie = with("in: path\n          required: true", "in: cookie\n          required: true");
    let error = error_of(&cookie);
    assert!(error.starts_with("spec/cancel_onboard.yaml:"), "{error}");
    assert!(error.contains("progenitor can't generate a client from it"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_new_value_in_the_document_is_a_new_variant() {
    let mut documents = with("enum: [1, 22, 27]", "enum: [1, 22, 27, 28]");
    let own = "cancel_onboard";
    replace_in(&mut documents, own, "CandidateDeclined, Other]", "CandidateDeclined, Other, PositionClosed]");
    replace_in(&mut documents, own, "候选人拒绝了我们, 其他]", "候选人拒绝了我们, 其他, 职位关闭]");
    let code = generated_from(&documents, own);
    assert!(code.contains("28 => Some(Self::PositionClosed)"));
    assert!(code.contains("one of 1, 22, 27, 28"));
}

#[test]
fn an_enum_that_is_only_received_takes_values_that_the_document_does_not_know() {
    let field = |module: &str, field: &str| {
        let code: String = generated_from(&documents(), module).split_whitespace().collect();
        assert!(code.contains(&field.replace(' ', "")), "{module} lacks {field}");
    };
    field("cancel_onboard", "pub termination_type: crate::generated::cancel_onboard::TerminationType,");
    for (name, ty) in [
        ("termination_type", "cancel_onboard::TerminationType"),
        ("active_status", "termination_reasons::ActiveStatus"),
    ] {
        let ty = format!("crate::facts::Received<crate::generated::{ty}>");
        field("termination_reasons", &format!("pub {name}: ::std::option::Option<{ty}"));
    }
    // Asked for as well as received, it is exact.
    let filter = "      x-token-types: [tenant_access_token]\n      parameters:\n        - name: active_status\n          in: \
        query\n          schema:\n            $ref: \"#/components/schemas/ActiveStatus\"\n";
    let parameters = "      x-token-types: [tenant_access_token]\n      parameters:\n";
    let code = generated_from(&with_in("termination_reasons", parameters, filter), "termination_reasons");
    assert!(!code.contains("Received<crate::generated::termination_reasons::ActiveStatus>"));
}

#[test]
fn the_bounds_of_the_query_are_generated() {
    let code = generated_from(&documents(), "termination_reasons");
    for constant in [
        "PAGE_TOKEN: &str = \"page_token\"",
        "PAGE_SIZE: &str = \"page_size\"",
        "PAGE_SIZE_DEFAULT: i64 = 10i64",
        "PAGE_SIZE_MAXIMUM: i64 = 200i64",
    ] {
        assert!(code.contains(constant), "{constant}");
    }
    let error = error_of(&with_in("termination_reasons", "name: page_size", "name: page-size"));
    assert!(error.starts_with("spec/termination_reasons.yaml:") && error.contains("`page-size`"), "{error}");
}

#[test]
fn files_are_written_to_the_given_folder_and_only_when_all_is_right() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("generation-{}", std::process::id()));
    let (spec, out) = (folder.join("spec"), folder.join("out"));
    fs::create_dir_all(&spec).expect("the folder can be made");
    fs::create_dir_all(&out).expect("the folder can be made");
    let written = || fs::read_dir(&out).expect("the folder is readable").count();

    for (module, text) in with("code: 1002002", "code: 1002001") {
        fs::write(spec.join(format!("{module}.yaml")), text).expect("the document can be written");
    }
    let error = codegen::generate(&spec, &out).expect_err("a code stands twice").to_string();
    assert!(error.starts_with("spec/cancel_onboard.yaml:"), "{error}");
    assert_eq!(written(), 0);

    for (module, text) in documents() {
        fs::write(spec.join(format!("{module}.yaml")), text).expect("the document can be written");
    }
    codegen::generate(&spec, &out).expect("the documents are right");
    assert_eq!(written(), documents().len() + 2);
    fs::remove_dir_all(&folder).expect("the folder can be removed");
}

#[test]
fn a_name_that_cannot_be_one_in_rust_is_refused() {
    for module in ["my-api", "9x", "a.b", "", "type", "self", "crate", "Upper"] {
        let mut documents = documents();
        documents[0].0 = module.to_owned();
        let error = error_of(&documents);
        assert!(error.starts_with(&format!("spec/{module}.yaml:")) && error.contains("can't name a module"), "{error}");
    }
    let schema = with("TerminationType", "Termination-Type");
    assert_error(&schema, "    Termination-Type:", &["/components/schemas/Termination-Type", "can't name a type"]);
    let header = with_in("platform", "RateLimitReset", "X-Rate-Limit-Reset");
    assert_error_in("platform", &header, "    X-Rate-Limit-Reset:", &["can't name a type"]);
}

#[test]
fn an_error_is_one_line_whatever_the_document_holds() {
    let broken = "$ref: \"#/components/schemas/Error\\ncargo::rustc-cfg=x\"";
    let error = error_of(&with("$ref: \"platform.yaml#/components/schemas/ErrorDetail\"", broken));
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("which is not there"), "{error}");
}
