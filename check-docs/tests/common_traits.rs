//! What callers may do with any of the public types: share them among tasks, print them, and hand errors on as errors.

use std::error::Error as StdError;
use std::fmt::Debug;

use feishu_cancel_onboard_check_docs::{Change, Document, DocumentError, Drift, PageError, Report};

fn is_shareable<T: Send + Sync + Debug>() {}
fn is_an_error<T: StdError + Send + Sync + 'static>() {}

macro_rules! all {
    ($check:ident: $($type:ty),* $(,)?) => { $($check::<$type>();)* };
}

#[test]
fn what_is_public_can_be_shared_among_tasks_and_printed() {
    all!(is_shareable: Change, Document, DocumentError, Drift, PageError, Report);
}

#[test]
fn errors_are_errors() {
    all!(is_an_error: DocumentError, PageError);
}
