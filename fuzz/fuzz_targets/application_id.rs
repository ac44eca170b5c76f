//! No string as an application id reaches a path other than its own.
#![no_main]

mod loopback;

use std::cell::LazyCell;

use feishu_cancel_onboard::{CancelRequest, Delivery, ErrorKind, TerminationType};
use libfuzzer_sys::fuzz_target;
use loopback::{Loopback, response};

thread_local! {
    static LOOPBACK: LazyCell<Loopback> = const { LazyCell::new(Loopback::start) };
}

fuzz_target!(|id: &str| {
    let request = CancelRequest::new(id, TerminationType::Other);
    let (result, paths) = LOOPBACK.with(|loopback| loopback.cancel(request, response(200, br#"{"code":0}"#)));
    match result {
        Ok(_) => assert_eq!(paths, [format!("/open-apis/hire/v1/applications/{id}/cancel_onboard")]),
        Err(error) => {
            assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
            assert!(paths.is_empty(), "{paths:?}");
        }
    }
});
