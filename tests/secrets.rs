//! Nothing that is logged holds a secret or a token, at the finest level, whatever happens.

mod faults;
use test_support::raw_server;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use feishu_cancel_onboard::{Client, RetryPolicy, TerminationType};
use raw_server::{Act, RawServer, SECRET, TOKEN, json};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic with it")).into_owned()
    }
}

async fn cancel(server: &RawServer, given_token: bool) {
    let origin = server.origin.parse().expect("loopback is an origin");
    let retry = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let retry = retry.deadline(Duration::from_secs(1));
    let builder = Client::builder().origin(origin).attempt_timeout(Duration::from_millis(200)).retry(retry);
    let builder = if given_token { builder.tenant_access_token(TOKEN) } else { builder.app("cli_test", SECRET) };
    let client = builder.build().expect("it can be made");
    let result = client.cancel_onboard("7000000000000000001", TerminationType::Other).notes("private").send().await;
    match result {
        Ok(done) => tracing::trace!(?client, ?done),
        Err(error) => {
            let source = &error as &dyn std::error::Error;
            tracing::trace!(?client, source, ?error, details = ?error.details(), "{error:#}");
        }
    }
}

#[tokio::test]
async fn a_log_of_everything_at_the_finest_level_holds_no_secret() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    let echo = format!(
        r#"{{"code":1002002,"msg":"{TOKEN} again","error":{{"log_id":"{TOKEN}","details":[{{"key":"{TOKEN}"}}]}}}}"#
    );
    let rows = || faults::rows().into_iter().map(|row| row.1);
    let cut = |secret: &str| {
        let head = format!("HTTP/1.1 200 OK\r\nX-Tt-Logid: echo-{secret}\r\nContent-Length: 40\r\n\r\n{{");
        [Act::AnswerAndClose(head.clone().into_bytes()), Act::Answer(head.into_bytes())]
    };
    let echoes = [json(400, &echo), json(200, &echo), json(200, r#"{"code":0}"#)];
    for act in rows().chain(echoes).chain(cut(TOKEN)) {
        for given_token in [true, false] {
            let act = act.clone();
            cancel(&RawServer::start(move |_, _| act.clone()).await, given_token).await;
        }
    }
    // The same for the token's own endpoint, which is handed the secret.
    let echo = format!(r#"{{"code":10014,"msg":"{SECRET}","error":{{"message":"{SECRET}","{SECRET}":1}}}}"#);
    let garbled = format!(r#"{{"code":"{SECRET}","tenant_access_token":"{TOKEN}","expire":"{TOKEN}"}}"#);
    let half = format!(r#"{{"code":0,"tenant_access_token":"{TOKEN}","expire":"{TOKEN}"}}"#);
    for act in rows().chain([json(400, &echo), json(200, &garbled), json(200, &half)]).chain(cut(SECRET)) {
        cancel(&RawServer::start_with_tokens(move |_, _| act.clone(), |_, _| Act::Hang).await, false).await;
    }
    let text = log.text();
    assert!(!text.contains(TOKEN), "the token is in the log");
    assert!(!text.contains(SECRET), "the secret is in the log");
    assert!(!text.contains("private"), "the remark is in the log");
    for field in [
        "application_id=\"7000000000000000001\"",
        "number=2",
        "status=500",
        "code=1002001",
        "delivery=\"unknown\"",
        "wait_ms=",
    ] {
        assert!(text.contains(field), "the log does not hold {field}");
    }
}

/// An answer that echoes everything that a client has ever called with, wherever an answer has room for text.
fn echo(status: u16, code: i64, secrets: &[&str]) -> Act {
    let all = secrets.join(" and ");
    let body = serde_json::json!({ "code": code, "msg": all, "error": {
        "log_id": all, "message": all, "troubleshooter": all, all.as_str(): [all],
        "field_violations": [{ "field": all, "value": all }], "helps": [{ "url": all }],
    }});
    Act::Answer(raw_server::response(status, &[("X-Tt-Logid", &all), ("X-Request-Id", &all)], &body.to_string()))
}

#[tokio::test]
async fn nothing_that_a_client_has_ever_called_with_is_in_what_it_reports() {
    const EARLIER: &str = "t-an-earlier-token-of-the-tests";
    let all = [SECRET, EARLIER, TOKEN];
    // The second token's request fails once, and echoes; the first token is refused later on.
    let tokens = move |nth, _: &raw_server::Seen| match nth {
        0 => json(200, &format!(r#"{{"code":0,"tenant_access_token":"{EARLIER}","expire":7200}}"#)),
        // As far as it has been called with by then.
        1 => echo(400, 99991543, &all[..2]),
        3.. => echo(400, 99991543, &all),
        _ => json(200, &format!(r#"{{"code":0,"tenant_access_token":"{TOKEN}","expire":7200}}"#)),
    };
    let script = move |nth, seen: &raw_server::Seen| match (nth, seen.method.as_str()) {
        (0, _) => echo(400, 99991663, &all[..2]),
        (1, _) => echo(400, 99991663, &all),
        (_, "GET") => echo(500, 1002001, &all),
        (2, _) => echo(200, 0, &all),
        _ => echo(400, 1002002, &all),
    };
    let server = RawServer::start_with_tokens(tokens, script).await;
    let origin = server.origin.parse().expect("loopback is an origin");
    let retry = RetryPolicy::default().attempts(2).backoff(Duration::from_millis(1), Duration::from_millis(2));
    let client = Client::builder().origin(origin).app("cli_test", SECRET).retry(retry).build().expect("it can be made");
    let mut printed = String::new();
    let mut print = |error: feishu_cancel_onboard::Error| {
        printed += &format!("{error} {error:?} {error:#?} {:?} {:?}", error.details(), error.log_id());
        printed += &error.failures().map(|failure| format!("{failure} {failure:?}")).collect::<String>();
        printed += &error.details().map(|details| details.as_json().to_string()).unwrap_or_default();
    };
    let call = || client.cancel_onboard("1", TerminationType::Other).send();
    // The first token is refused, and no second one is to be had.
    print(call().await.expect_err("there is no second token"));
    // The second one is refused too, and no third one is to be had.
    print(call().await.expect_err("there is no third token"));
    print(call().await.expect_err("there is no token"));
    assert!(server.token_requests() >= 4, "{}", server.token_requests());

    let tokens =
        |_, _: &raw_server::Seen| json(200, &format!(r#"{{"code":0,"tenant_access_token":"{TOKEN}","expire":7200}}"#));
    let script = move |nth, seen: &raw_server::Seen| match (nth, seen.method.as_str()) {
        (_, "GET") => echo(500, 1002001, &[SECRET, TOKEN]),
        (0, _) => echo(200, 0, &[SECRET, TOKEN]),
        _ => echo(400, 1002002, &[SECRET, TOKEN]),
    };
    let server = RawServer::start_with_tokens(tokens, script).await;
    let origin = server.origin.parse().expect("loopback is an origin");
    let client = Client::builder().origin(origin).app("cli_test", SECRET).retry(retry).build().expect("it can be made");
    let done = client.cancel_onboard("1", TerminationType::Other).send().await.expect("it is cancelled");
    printed += &format!("{done:?}");
    let error = client.cancel_onboard("1", TerminationType::Other).send().await.expect_err("it is refused");
    printed += &format!("{error} {error:?} {:?}", error.details());
    let error = client.termination_reasons().next().await.expect("it fails").expect_err("it fails");
    printed += &format!("{error} {error:?} {:?}", error.details());

    for secret in all {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
    assert!(printed.contains("[redacted] and [redacted]"), "{printed}");
}

#[tokio::test]
async fn a_secret_is_taken_out_whole_wherever_an_answer_without_an_envelope_has_it_and_beside_one_that_is_a_part_of_it()
{
    let longer = format!("t-{SECRET}-t");
    let tokens = {
        let body = format!(r#"{{"code":0,"tenant_access_token":"{longer}","expire":7200}}"#);
        move |_, _: &raw_server::Seen| json(200, &body)
    };
    let coding = Act::Answer(raw_server::response(200, &[("Content-Encoding", &longer)], "x"));
    let refused = json(400, &format!(r#"{{"code":1002002,"msg":"of {longer} and {SECRET}"}}"#));
    for act in [coding, refused] {
        let server = RawServer::start_with_tokens(tokens.clone(), move |_, _| act.clone()).await;
        let origin = server.origin.parse().expect("loopback is an origin");
        let builder = Client::builder().origin(origin).app("cli_test", SECRET).retry(RetryPolicy::off());
        let client = builder.build().expect("it can be made");
        let error = client.cancel_onboard("1", TerminationType::Other).send().await.expect_err("it is no success");
        let message = error.message();
        assert!(message.contains("[redacted]") && !message.contains("-t"), "{message}");
        assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    }
}
