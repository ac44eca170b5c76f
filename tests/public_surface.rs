//! A change of a document shows in review what it does to callers: as a difference in a snapshot of the generated public
//! surface. CONTRIBUTING.md says how to accept one.

use feishu_cancel_onboard_codegen as codegen;
mod surface;

use std::fs;

/// Every document of `spec/`, as module and text.
fn documents() -> Vec<(String, String)> {
    let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/spec")).expect("the folder is readable");
    let mut files: Vec<_> = folder.map(|entry| entry.expect("the folder is readable").path()).collect();
    files.sort();
    files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
        .map(|file| {
            let module = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            (module, fs::read_to_string(file).expect("the document is readable"))
        })
        .collect()
}

/// The public surface of each document, by module.
fn surfaces(documents: &[(String, String)]) -> Vec<(String, String)> {
    let generated = codegen::render(documents).expect("the documents are right");
    let code = |module: &str| {
        let file = format!("{module}.rs");
        let found = generated.iter().find(|generated| generated.file == file);
        surface::of(&found.expect("it was generated").code)
    };
    documents.iter().map(|(module, _)| (module.clone(), code(module))).collect()
}

#[test]
fn the_generated_public_surface_is_as_it_was_reviewed() {
    for (module, surface) in surfaces(&documents()) {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(module, surface);
        });
    }
}

/// The lines that are new in the surface, and those that are gone, after texts of spec/cancel_onboard.yaml are replaced.
fn difference(replacements: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let before = documents();
    let mut after = before.clone();
    let (_, text) = after.iter_mut().find(|(module, _)| module == "cancel_onboard").expect("the document is there");
    for (old, new) in replacements {
        assert!(text.contains(old), "the document has no {old:?}");
        *text = text.replace(old, new);
    }
    let lines = |documents: &[(String, String)]| {
        let surfaces = surfaces(documents).into_iter().filter(|(module, _)| module == "cancel_onboard");
        surfaces
            .flat_map(|(_, surface)| surface.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>())
            .collect()
    };
    let (before, after): (Vec<String>, Vec<String>) = (lines(&before), lines(&after));
    let besides = |some: &[String], others: &[String]| {
        some.iter().filter(|line| !others.contains(line)).cloned().collect::<Vec<_>>()
    };
    (besides(&after, &before), besides(&before, &after))
}

#[test]
fn a_code_added_to_the_document_or_taken_from_it_shows() {
    let added = "      x-error-codes:\n        - code: 1002999\n          http_status: 409\n          name: PositionClosed\n          label: 职位已关闭\n";
    let (new, gone) = difference(&[("      x-error-codes:\n", added)]);
    for line in [
        "PositionClosed,",
        "Self::PositionClosed => 1002999,",
        "Self::PositionClosed => Some(409u16),",
        "Self::PositionClosed => \"职位已关闭\",",
    ] {
        assert!(new.iter().any(|new| new == line), "{line} is not in {new:#?}");
    }
    assert!(gone.is_empty(), "{gone:#?}");
    let removed = "        - code: 1002002\n          http_status: 400\n          name: InvalidParameter\n          label: 参数错误\n";
    let (new, gone) = difference(&[(removed, "")]);
    assert!(gone.iter().any(|line| line == "Self::InvalidParameter => 1002002,"), "{gone:#?}");
    assert!(new.is_empty(), "{new:#?}");
}

#[test]
fn a_renumbered_value_shows() {
    let (new, gone) = difference(&[("enum: [1, 22, 27]", "enum: [1, 22, 28]")]);
    assert_eq!(new[0], "Self::Other => 28,");
    assert_eq!(gone[0], "Self::Other => 27,");
}

#[test]
fn a_field_made_required_shows() {
    let required = "required: [termination_type, termination_reason_notes]";
    let (new, gone) = difference(&[("required: [termination_type]", required)]);
    assert_eq!(new, ["pub termination_reason_notes: String,"]);
    assert_eq!(gone, ["pub termination_reason_notes: Option<String>,"]);
}

#[test]
fn a_new_field_shows() {
    let notes = "        termination_reason_notes:\n          type: string\n";
    let (new, gone) = difference(&[(notes, &format!("        notify:\n          type: boolean\n{notes}"))]);
    assert_eq!(new, ["pub notify: Option<bool>,"]);
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn a_new_limit_shows() {
    let (new, _) =
        difference(&[("- calls: 10\n          period_seconds: 1\n", "- calls: 5\n          period_seconds: 2\n")]);
    assert_eq!(new, ["calls: 5u32,", "period: Duration::from_secs(2u64),"]);
    let notes = "          type: string\n          description: A remark in free text.\n";
    let (new, _) = difference(&[(notes, &format!("          maxLength: 100\n{notes}"))]);
    assert!(new.iter().any(|line| line.contains("longer than 100 characters")), "{new:#?}");
}

#[test]
fn a_new_parameter_shows() {
    let query = "      parameters:\n        - name: user_id_type\n          in: query\n          schema:\n            type: string\n";
    let (new, _) = difference(&[("      parameters:\n", query)]);
    assert!(new.iter().any(|line| line == "user_id_type: Option<&'a str>,"), "{new:#?}");
}
