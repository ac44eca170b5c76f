//! What holds for every answer and every id.

use test_support::raw_server;

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use feishu_cancel_onboard::{Client, Code, Delivery, ErrorKind, Outcome, RetryPolicy, TerminationType, printable};
use proptest::prelude::*;
use raw_server::{Act, RawServer, TOKEN, json, response};
use serde_json::Value;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime can be made"));

fn client(server: &RawServer) -> Client {
    let origin = server.origin.parse().expect("loopback is an origin");
    Client::builder()
        .origin(origin)
        .tenant_access_token(TOKEN)
        .retry(RetryPolicy::off())
        .pace(feishu_cancel_onboard::Pace::unlimited())
        .attempt_timeout(Duration::from_secs(5))
        .build()
        .expect("it can be made")
}

/// A server whose next answer a test sets.
struct Told {
    server: RawServer,
    next: Arc<Mutex<Vec<u8>>>,
}

/// Behind a lock, since the tests run side by side.
static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(|| {
    let next = Arc::new(Mutex::new(Vec::new()));
    let answer = Arc::clone(&next);
    let server = RUNTIME
        .block_on(RawServer::start(move |_, _| Act::AnswerAndClose(answer.lock().expect("no panic with it").clone())));
    Mutex::new(Told { server, next })
});

fn told() -> MutexGuard<'static, Told> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Told {
    fn cancel(&self, answer: Vec<u8>) -> Result<Outcome, (ErrorKind, Delivery)> {
        *self.next.lock().expect("no panic with it") = answer;
        self.server.forget();
        // A client of its own, since a 429 pauses one.
        let call = client(&self.server);
        let call = call.cancel_onboard("1111111111", TerminationType::Other).send();
        RUNTIME.block_on(call).map(|done| done.outcome()).map_err(|error| {
            let _ = (format!("{error} {error:?}"), error.advice(), error.message());
            (error.kind(), error.delivery())
        })
    }
}

/// The code in an envelope, and whether it has a log id, by a reading of JSON that is not the library's.
fn envelope(body: &[u8]) -> Option<(i64, bool)> {
    let value: Value = serde_json::from_str(&String::from_utf8_lossy(body)).ok()?;
    let log_id = value["error"]["log_id"].as_str().unwrap_or_default();
    let code = if value.is_object() { value["code"].as_i64() } else { None };
    Some((code?, !log_id.trim().is_empty()))
}

/// Whether an answer may be believed to say that the cancellation was made.
fn may_be_success(status: u16, body: &[u8]) -> bool {
    envelope(body).is_some_and(|(code, signed)| code == 0 && (signed || (200..300).contains(&status)))
}

/// Whether an answer may be believed to say that nothing changed.
fn may_be_refusal(body: &[u8]) -> bool {
    let listed = |code| !matches!(Code::from_number(code), Code::Unknown(_));
    envelope(body).is_some_and(|(code, signed)| signed || listed(code))
}

/// Bytes that are near an envelope.
fn nearly_an_envelope() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![
        Just("0".to_owned()),
        Just("0.0".to_owned()),
        Just("\"0\"".to_owned()),
        Just("-0".to_owned()),
        Just("null".to_owned()),
        Just("[0]".to_owned()),
        Just("false".to_owned()),
        Just("00".to_owned()),
        Just("0e0".to_owned()),
        any::<i64>().prop_map(|code| code.to_string()),
        prop::sample::select(Code::known().map(|code| code.number().to_string()).collect::<Vec<_>>()),
    ];
    let part = prop_oneof![
        Just(String::new()),
        Just(r#","msg":"success""#.to_owned()),
        Just(r#","data":{}"#.to_owned()),
        Just(r#","error":{"log_id":1}"#.to_owned()),
        Just(r#","error":{"log_id":" "}"#.to_owned()),
        Just(r#","error":{"log_id":"L"}"#.to_owned()),
        Just(r#","code":0"#.to_owned()),
        Just(r#","Code":0"#.to_owned()),
        "[a-z\"{}:,0]{0,12}",
    ];
    let key = prop_oneof![Just("code"), Just("Code"), Just("c\\u006fde"), Just("codes")];
    let open = prop_oneof![Just("{"), Just("["), Just(" {"), Just("\u{feff}{"), Just("[{")];
    (open, key, code, part, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(open, key, code, part, at, cut)| {
        let mut bytes = format!("{open}\"{key}\":{code}{part}}}").into_bytes();
        if cut {
            bytes.truncate(at.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_body_is_believed_without_an_envelope_that_is_listed_or_has_a_log_id(
        body in prop_oneof![nearly_an_envelope(), prop::collection::vec(any::<u8>(), 0..200)],
        status in prop_oneof![Just(200_u16), Just(400), Just(404), Just(429), Just(500), Just(502), 200_u16..600],
    ) {
        prop_assume!(status != 204 && status != 304);
        let mut answer = format!("HTTP/1.1 {status} Any\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend_from_slice(&body);
        let shown = String::from_utf8_lossy(&body);
        match told().cancel(answer) {
            Ok(_) => prop_assert!(may_be_success(status, &body), "{status} {shown:?}"),
            Err((_, Delivery::Rejected)) => prop_assert!(may_be_refusal(&body), "{status} {shown:?}"),
            Err((kind, delivery)) => prop_assert_eq!(delivery, Delivery::Unknown, "{} {} {:?}", status, kind, shown),
        }
    }

    #[test]
    fn no_bytes_on_the_wire_are_success_without_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (kind, delivery) = told().cancel(bytes).expect_err("it is no answer");
        prop_assert_eq!(delivery, Delivery::Unknown, "{:?}", kind);
    }

    #[test]
    fn a_cut_in_a_good_answer_is_never_taken_for_the_whole(at in any::<prop::sample::Index>()) {
        let whole = response(200, &[("Content-Type", "application/json")], r#"{"code":0,"msg":"success","data":{}}"#);
        let cut = whole[..at.index(whole.len())].to_vec();
        let (_, delivery) = told().cancel(cut).expect_err("it is not whole");
        prop_assert_eq!(delivery, Delivery::Unknown);
    }

    #[test]
    fn no_string_as_an_id_reaches_a_path_other_than_its_own(
        id in prop_oneof!["\\PC{0,70}", "[./\\\\%2eEfF0-9a-zA-Z_-]{0,70}", ".*", "[0-9A-Za-z_-]{1,64}"],
    ) {
        IDS.0.forget();
        let result = RUNTIME.block_on(IDS.1.cancel_onboard(&id, TerminationType::Other).send());
        let seen = IDS.0.cancellations();
        match result {
            Ok(_) => {
                prop_assert_eq!(seen.len(), 1);
                let path = format!("/open-apis/hire/v1/applications/{id}/cancel_onboard");
                prop_assert_eq!(&seen[0].path, &path);
                prop_assert!((1..=64).contains(&id.len()));
                prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
            }
            Err(error) => {
                prop_assert_eq!((error.kind(), error.delivery()), (ErrorKind::InvalidRequest, Delivery::NotSent));
                prop_assert_eq!(seen.len(), 0);
            }
        }
    }

    #[test]
    fn printable_text_holds_nothing_that_a_terminal_obeys(text in ".*|[\\x00-\\x1f\\x7f-\\u{9f}\\u{202a}-\\u{202e}a]{0,20}") {
        let printed = printable(&text);
        prop_assert!(!printed.chars().any(char::is_control));
        if !text.chars().any(|c| c.is_control() || !c.is_ascii()) {
            prop_assert_eq!(printed.as_ref(), text.as_str());
        }
    }
}

static IDS: LazyLock<(RawServer, Client)> = LazyLock::new(|| {
    let server = RUNTIME.block_on(RawServer::start(|_, _| json(200, r#"{"code":0}"#)));
    let client = client(&server);
    (server, client)
});
