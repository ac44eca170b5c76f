//! A change of a document stops the build wherever the code has to follow, and the error names the place: this crate's own
//! library is checked with changed documents. What changes for callers alone is a difference in the snapshot of the public
//! surface, whose test is another one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The documents and what is made from them. What a test does not change is the crate as it is.
const COPIED: [&str; 6] = ["Cargo.lock", "build.rs", "codegen/Cargo.toml", "codegen/src", "spec", "src"];

/// The library in a folder of its own, while nobody else uses that folder.
struct Copy {
    folder: PathBuf,
    _lock: File,
}

impl Copy {
    /// Copies the library anew. What it depends on stays compiled from one copy, and from one run, to the next.
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build_follows_document");
        fs::create_dir_all(&folder).expect("the folder for tests is writable");
        let lock = File::create(folder.join("lock")).expect("the folder for tests is writable");
        lock.lock().expect("the lock can be had");
        let library = folder.join("library");
        if library.exists() {
            fs::remove_dir_all(&library).expect("the folder for tests is writable");
        }
        fs::create_dir(&library).expect("the folder for tests is writable");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(library.join("codegen")).expect("the folder for tests is writable");
        for name in COPIED {
            copy(&root.join(name), &library.join(name));
        }
        fs::write(library.join("Cargo.toml"), manifest()).expect("the folder for tests is writable");
        Self { folder, _lock: lock }
    }

    /// Replaces a text in the one document that has it.
    fn replace(&self, old: &str, new: &str) {
        let folder = fs::read_dir(self.folder.join("library/spec")).expect("it was copied");
        let files = folder.map(|entry| entry.expect("it was copied").path());
        let texts = files.map(|file| (fs::read_to_string(&file).expect("it was copied"), file));
        let found: Vec<_> = texts.filter(|(text, _)| text.contains(old)).collect();
        let [(text, file)] = &found[..] else { panic!("{} documents have {old:?}", found.len()) };
        fs::write(file, text.replace(old, new)).expect("the folder for tests is writable");
    }

    /// The errors of the compiler, or of the generation, a line each; none if the library builds.
    ///
    /// Without TLS, which has nothing to do with the documents and takes long to compile.
    fn errors(&self) -> Vec<String> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["check", "--lib", "--no-default-features", "--offline", "--message-format", "short"])
            .current_dir(self.folder.join("library"))
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .output()
            .expect("cargo runs");
        let text = String::from_utf8_lossy(&output.stderr).replace('\\', "/");
        let errors: Vec<_> = text.lines().filter(|line| is_error(line)).map(str::to_owned).collect();
        assert_eq!(output.status.success(), errors.is_empty(), "{text}");
        errors
    }
}

/// Whether a line is an error with its place.
fn is_error(line: &str) -> bool {
    line.starts_with("src/") && line.contains(": error")
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).expect("the crate is readable");
        return;
    }
    fs::create_dir(to).expect("the folder for tests is writable");
    for entry in fs::read_dir(from).expect("the crate is readable") {
        let entry = entry.expect("the crate is readable");
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// The manifest without the packages and the targets that are not copied, and without what those depend on.
fn manifest() -> String {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("the crate is readable");
    let (mut kept, mut keep) = (String::new(), true);
    for line in text.lines() {
        if line.starts_with('[') {
            keep = !line.starts_with("[[") && line != "[dev-dependencies]";
        }
        // Path dependencies are members without being named.
        if keep && !line.starts_with("members = ") && !line.starts_with("default-members = ") {
            kept += line;
            kept += "\n";
        }
    }
    kept
}

/// The errors of the library once texts of its documents are replaced.
fn errors_after(replacements: &[(&str, &str)]) -> Vec<String> {
    let copy = Copy::new();
    for (old, new) in replacements {
        copy.replace(old, new);
    }
    copy.errors()
}

/// Asserts that there are errors in these files and nowhere else, and that each says all `parts`.
fn assert_errors(replacements: &[(&str, &str)], files: &[&str], parts: &[&str]) {
    let errors = errors_after(replacements);
    let found: BTreeSet<_> = errors.iter().map(|error| error.split(':').next().unwrap_or_default()).collect();
    assert_eq!(found, files.iter().copied().collect(), "{errors:#?}");
    for part in parts {
        assert!(errors.iter().all(|error| error.contains(part)), "{part} is not in each of {errors:#?}");
    }
}

const MEANINGS: [&str; 2] = ["src/advice.rs", "src/meaning.rs"];

#[test]
fn the_library_builds_with_the_documents_as_they_are() {
    assert_eq!(errors_after(&[]), Vec::<String>::new());
}

#[test]
fn a_code_that_is_added_stops_the_build_where_its_meaning_is_missing() {
    let first = "      x-error-codes:\n        - code: 1002001\n          http_status: 500\n          name: SystemError\n          label: 系统错误\n        - code: 1002002\n          http_status: 400\n          name: InvalidParameter\n          label: 参数错误\n        - code: 1002221\n";
    let new = "        - code: 1002999\n          http_status: 409\n          name: PositionClosed\n          label: 职位已关闭\n";
    let added = first.replacen("        - code: 1002221\n", &format!("{new}        - code: 1002221\n"), 1);
    let parts = ["non-exhaustive", "ErrorCode::PositionClosed` not covered"];
    assert_errors(&[(first, &added)], &MEANINGS, &parts);
    let added = "\nx-platform-error-codes:\n  - code: 99991999\n    name: TenantFrozen\n    label: tenant frozen\n";
    let parts = ["non-exhaustive", "PlatformErrorCode::TenantFrozen` not covered"];
    assert_errors(&[("\nx-platform-error-codes:\n", added)], &MEANINGS, &parts);
    let added =
        "\nx-service-error-codes:\n  - code: 1002999\n    name: TalentMerged\n    label: the talent was merged\n";
    let parts = ["non-exhaustive", "ServiceErrorCode::TalentMerged` not covered"];
    assert_errors(&[("\nx-service-error-codes:\n", added)], &MEANINGS, &parts);
    let added = "      x-unlisted-error-codes:\n        - code: 10099\n          name: AppIdWrong\n          label: app_id wrong\n";
    let parts = ["non-exhaustive", "ErrorCode::AppIdWrong` not covered"];
    assert_errors(&[("      x-unlisted-error-codes:\n", added)], &MEANINGS, &parts);
}

#[test]
fn a_code_that_is_removed_stops_the_build_where_its_meaning_is_left_over() {
    let removed = "        - code: 1002910\n          http_status: 400\n          name: ManagedByFeishuPeople\n          label: 候选人已在飞书人事创建待入职记录\n";
    assert_errors(&[(removed, "")], &MEANINGS, &["no variant", "`ManagedByFeishuPeople`", "ErrorCode`"]);
    let removed = "  - code: 99991677\n    name: AccessTokenExpired\n    label: token expired\n";
    assert_errors(&[(removed, "")], &MEANINGS, &["no variant", "`AccessTokenExpired`", "PlatformErrorCode`"]);
    let removed = "  - code: 1002210\n    name: TalentLocked\n    label: the talent is locked by another application\n";
    assert_errors(&[(removed, "")], &MEANINGS, &["no variant", "`TalentLocked`", "ServiceErrorCode`"]);
}

#[test]
fn a_field_that_is_made_required_stops_the_build_where_it_is_optional() {
    let required = "required: [termination_type, termination_reason_notes]";
    assert_errors(&[("required: [termination_type]", required)], &["src/request.rs"], &["String`"]);
}

#[test]
fn a_new_field_stops_the_build_where_the_request_is_made() {
    let notes = "        termination_reason_notes:\n          type: string\n";
    let field = format!("        notify:\n          type: boolean\n{notes}");
    assert_errors(&[(notes, &field)], &["src/request.rs"], &["missing field `notify`"]);
}

/// A name is all that the code knows of a value, so it compiles; the snapshot of the public surface shows it.
#[test]
fn a_renumbered_value_is_left_to_the_snapshot() {
    assert_eq!(errors_after(&[("enum: [1, 22, 27]", "enum: [1, 22, 28]")]), Vec::<String>::new());
}
