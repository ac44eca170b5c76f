//! No bytes that come as an answer's body do harm, or are taken for a success unless they hold an integer code 0.
#![no_main]

mod loopback;

use std::cell::LazyCell;

use feishu_cancel_onboard::{CancelRequest, TerminationType};
use libfuzzer_sys::fuzz_target;
use loopback::{Loopback, response};

thread_local! {
    static LOOPBACK: LazyCell<Loopback> = const { LazyCell::new(Loopback::start) };
}

/// Statuses that stand for their like. Not 429: a client waits after that.
const STATUSES: [u16; 8] = [200, 201, 302, 400, 404, 418, 500, 502];

fuzz_target!(|input: (u8, &[u8])| {
    let (status, body) = input;
    let status = STATUSES[usize::from(status) % STATUSES.len()];
    let request = CancelRequest::new("1111111111", TerminationType::Other);
    let (result, _) = LOOPBACK.with(|loopback| loopback.cancel(request, response(status, body)));
    match result {
        Ok(_) => {
            let value: serde_json::Value = serde_json::from_slice(body).expect("a success is JSON");
            assert!(value.is_object() && value["code"].as_i64() == Some(0), "{value}");
        }
        Err(error) => {
            let printed = format!("{error} {error:?} {:?}", error.advice());
            assert!(!printed.contains('\u{1b}') && !printed.contains("t-fuzz"));
        }
    }
});
