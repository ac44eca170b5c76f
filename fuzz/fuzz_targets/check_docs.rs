//! No bytes that are given as a page do harm: neither by themselves nor below the page's title, where they are read as
//! the page.
#![no_main]

use std::sync::LazyLock;

use feishu_cancel_onboard_check_docs::{self as docs_page, Document};
use libfuzzer_sys::fuzz_target;

static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| docs_page::documents().expect("the documents are right"));

fuzz_target!(|content: &[u8]| {
    for document in DOCUMENTS.iter() {
        let titled = [format!("# {}\n", document.title()).as_bytes(), content].concat();
        for page in [content, &titled] {
            match document.check("page", page) {
                Ok(report) => {
                    assert_eq!(report.ok, report.drift.is_empty());
                    assert!(!report.to_string().contains('\u{1b}'));
                }
                Err(error) => assert!(!error.to_string().contains('\u{1b}')),
            }
        }
    }
});
