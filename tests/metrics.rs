//! Verdicts can be counted from the log alone: one event for each cancellation, with what its caller was told.

mod faults;
use test_support::raw_server;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use feishu_cancel_onboard::{Client, Pace, RetryPolicy, TerminationType};
use raw_server::{Act, RawServer, SECRET, json};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

type Fields = BTreeMap<&'static str, String>;
/// An outcome, or a kind and a delivery, and how many attempts it took.
type Verdict = (String, String, String);

#[derive(Clone, Default)]
struct Log {
    events: Arc<Mutex<Vec<Fields>>>,
    spans: Arc<Mutex<Vec<Fields>>>,
    warnings: Arc<Mutex<Vec<Fields>>>,
}

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Collect(&mut fields));
        if event.metadata().target() == "feishu_cancel_onboard::verdict" {
            assert_eq!(*event.metadata().level(), tracing::Level::INFO);
            self.events.lock().expect("no panic with it").push(fields);
        } else if *event.metadata().level() == tracing::Level::WARN {
            self.warnings.lock().expect("no panic with it").push(fields);
        }
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Collect(&mut fields));
        context.span(id).expect("it is there").extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("it is there");
        let mut extensions = span.extensions_mut();
        values.record(&mut Collect(extensions.get_mut().expect("it was put there")));
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("it is there");
        if span.name() == "cancel_onboard"
            && let Some(fields) = span.extensions_mut().remove::<Fields>()
        {
            self.spans.lock().expect("no panic with it").push(fields);
        }
    }
}

fn count(fields: &[Fields]) -> BTreeMap<Verdict, usize> {
    let mut counted = BTreeMap::new();
    for fields in fields {
        let field = |name| fields.get(name).cloned().unwrap_or_default();
        assert!(fields.contains_key("outcome") != fields.contains_key("kind"), "{fields:?}");
        let first = field("outcome") + &field("kind");
        *counted.entry((first, field("delivery"), field("attempts"))).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn what_is_counted_from_the_log_is_what_the_callers_were_told() {
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(log.clone());
    tracing::subscriber::set_global_default(subscriber).expect("it is the first one");
    let mut told = BTreeMap::new();
    let mut started = 0;
    let success = || [json(200, r#"{"code":0}"#), json(200, r#"{"code":0,"data":{}}"#)];
    for act in faults::rows().into_iter().map(|row| row.1).chain(success()) {
        // Every time, and only the first time: then it is done, or was done before.
        for then in [None, Some((200, r#"{"code":0}"#)), Some((400, r#"{"code":1002221}"#))] {
            let act = act.clone();
            let server = RawServer::start(move |nth, _| match then {
                Some((status, body)) if nth > 0 => json(status, body),
                _ => act.clone(),
            })
            .await;
            let retry = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2));
            let client = Client::builder().origin(server.origin.parse().expect("loopback is an origin"));
            let client =
                client.app("cli_test", SECRET).attempt_timeout(Duration::from_millis(200)).pace(Pace::unlimited());
            let client = client.retry(retry.deadline(Duration::from_secs(1))).build().expect("it can be made");
            let result = client.cancel_onboard("1", TerminationType::Other).notes("private").send().await;
            started += 1;
            let verdict: Verdict = match &result {
                Ok(done) => (done.outcome().to_string(), String::new(), done.attempts().to_string()),
                Err(error) => (error.kind().to_string(), error.delivery().to_string(), error.attempts().to_string()),
            };
            *told.entry(verdict).or_insert(0) += 1;
        }
    }
    // Refused here, without a request.
    let client = Client::builder().app("cli_test", SECRET).origin("http://127.0.0.1:9".parse().expect("an origin"));
    let client = client.build().expect("it can be made");
    client.cancel_onboard("not an id", TerminationType::Other).send().await.expect_err("it is refused");
    *told.entry(("invalid_request".to_owned(), "not_sent".to_owned(), "0".to_owned())).or_insert(0) += 1;
    started += 1;

    let events = log.events.lock().expect("no panic with it").clone();
    assert_eq!(events.len(), started);
    assert_eq!(count(&events), told);
    assert_eq!(count(&log.spans.lock().expect("no panic with it")), told);
    for fields in &events {
        assert!(fields.contains_key("application_id") && fields.contains_key("attempts"), "{fields:?}");
        assert_eq!(fields.contains_key("kind"), fields.contains_key("retryable"), "{fields:?}");
        assert!(fields.values().all(|value| value != "private"));
    }
    assert!(told.len() > 20, "{told:?}");

    // Nobody waits for this one; it is counted, and said.
    let server =
        RawServer::start(|_, _| Act::Late(Duration::from_millis(100), raw_server::response(200, &[], r#"{"code":0}"#)));
    let server = server.await;
    let client = Client::builder().origin(server.origin.parse().expect("an origin")).app("cli_test", SECRET);
    let client = client.build().expect("it can be made");
    let call = client.cancel_onboard("1", TerminationType::Other).start();
    while server.cancellations().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(call);
    while log.events.lock().expect("no panic with it").len() == started {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let last = log.events.lock().expect("no panic with it").last().cloned().expect("there is one");
    assert_eq!(last["outcome"], "cancelled");
    let warnings = log.warnings.lock().expect("no panic with it").clone();
    assert!(warnings.iter().any(|fields| fields["message"].contains("nobody waited for the result")), "{warnings:?}");
}
