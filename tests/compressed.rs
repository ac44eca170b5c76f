//! An answer that is compressed although that was not asked for is named as such, and says nothing of the cancellation.

use test_support::raw_server;

use std::io::Write;
use std::time::Duration;

use feishu_cancel_onboard::{Client, Delivery, ErrorKind, RetryPolicy, TerminationType};
use flate2::Compression;
use flate2::write::GzEncoder;
use raw_server::{Act, RawServer, SECRET};

fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_bytes()).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

#[tokio::test]
async fn a_compressed_answer_is_named_whether_or_not_a_header_says_so() {
    let body = gzip(r#"{"code":0,"msg":"success","data":{}}"#);
    assert_eq!(body[..2], [0x1f, 0x8b]);
    for (status, header, said) in [
        (200, "Content-Encoding: gzip\r\n", "compressed (gzip)"),
        (200, "", "compressed (gzip, although no header says so)"),
        (200, "Content-Encoding: identity\r\n", "compressed (gzip, although no header says so)"),
        (502, "Content-Encoding: br\r\n", "compressed (br)"),
        (400, "", "compressed (gzip, although no header says so)"),
    ] {
        for length in [format!("Content-Length: {}\r\n", body.len()), String::new()] {
            let mut answer = format!("HTTP/1.1 {status} Any\r\n{header}{length}\r\n").into_bytes();
            answer.extend_from_slice(&body);
            let server = RawServer::start(move |_, _| Act::AnswerAndClose(answer.clone())).await;
            let retry = RetryPolicy::default().attempts(2).backoff(Duration::from_millis(1), Duration::from_millis(2));
            let client = Client::builder().origin(server.origin.parse().expect("an origin")).app("cli_test", SECRET);
            let client = client.retry(retry).build().expect("it can be made");
            let result = client.cancel_onboard("1", TerminationType::Other).send().await;
            let error = result.expect_err("it can't be read");
            assert_eq!((error.kind(), error.delivery()), (ErrorKind::UnexpectedResponse, Delivery::Unknown));
            assert!(error.message().contains(said), "{}", error.message());
            let seen = server.seen();
            assert!(seen.iter().all(|seen| seen.header("accept-encoding") == ["identity"]), "{seen:?}");
        }
    }
}
