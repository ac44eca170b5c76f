//! No bytes that come as an answer's body do harm, or are believed without the platform's envelope: success is an integer code
//! 0, at a status other than 2xx with a log id, and a refusal is a listed code, or any code with a log id.
#![no_main]

mod loopback;

use std::cell::LazyCell;

use feishu_cancel_onboard::{CancelRequest, Code, Delivery, TerminationType};
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
            let (code, signed) = envelope(body).expect("a success is an envelope");
            assert!(code == 0 && (signed || (200..300).contains(&status)), "{status} {code} {signed}");
        }
        Err(error) => {
            if error.delivery() == Delivery::Rejected {
                let (code, signed) = envelope(body).expect("a refusal is an envelope");
                assert!(signed || !matches!(Code::from_number(code), Code::Unknown(_)), "{code}");
            }
            let printed = format!("{error} {error:?} {:?}", error.advice());
            assert!(!printed.contains('\u{1b}') && !printed.contains("t-fuzz"));
        }
    }
});

/// The code, and whether there is a log id, by a reading that is not the library's. What else is in an envelope may be beyond
/// what JSON values hold, such as numbers that are too large.
fn envelope(body: &[u8]) -> Option<(i64, bool)> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        code: i64,
    }
    let Envelope { code } = serde_json::from_slice(body).ok()?;
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let log_id = value["error"]["log_id"].as_str().unwrap_or_default();
    Some((code, !log_id.trim().is_empty()))
}
