//! Verdicts can be counted from the events alone, by outcome, or by kind and delivery.

mod faults;
use test_support::raw_server;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use faults::{FOR_TWO, rows};
use feishu_cancel_onboard::{Client, ErrorKind, RetryPolicy, TerminationType};
use raw_server::{RawServer, SECRET, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

type Counts = BTreeMap<String, usize>;

/// Counts events by these fields, as a layer for metrics would.
#[derive(Clone, Default)]
struct Verdicts(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Found {
    outcome: Option<String>,
    kind: Option<String>,
    delivery: Option<String>,
}

impl Visit for Found {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "outcome" => self.outcome = Some(value.to_owned()),
            "kind" => self.kind = Some(value.to_owned()),
            "delivery" => self.delivery = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Verdicts {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut found = Found::default();
        event.record(&mut found);
        let verdict = match (found.outcome, found.kind, found.delivery) {
            (Some(outcome), None, None) => outcome,
            (None, Some(kind), Some(delivery)) => format!("{kind} {delivery}"),
            _ => return,
        };
        *self.0.lock().expect("no panic with it").entry(verdict).or_default() += 1;
    }
}

#[tokio::test]
async fn every_verdict_is_counted_once() {
    let verdicts = Verdicts::default();
    // The runtime has one thread, so that tasks are seen too.
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(verdicts.clone()));
    let mut expected = Counts::new();
    let acts = rows().into_iter().map(|row| (row.1, row.2)).chain([(json(200, r#"{"code":0}"#), ErrorKind::Other)]);
    for (act, kind) in acts {
        let server = RawServer::start(move |_, _| act.clone()).await;
        let timeout = if kind == ErrorKind::Timeout { Duration::from_millis(300) } else { Duration::from_secs(10) };
        let retry = RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(2)).attempts(2);
        let retry = retry.deadline(if kind == ErrorKind::RateLimited { FOR_TWO } else { Duration::from_secs(20) });
        let origin = server.origin.parse().expect("loopback is an origin");
        let client = Client::builder().origin(origin).app("cli_test", SECRET).attempt_timeout(timeout).retry(retry);
        let client = client.build().expect("it can be made");
        let call = client.cancel_onboard("1111111111", TerminationType::Other);
        let verdict = match call.send().await {
            Ok(done) => done.outcome().as_str().to_owned(),
            Err(error) => format!("{} {}", error.kind(), error.delivery()),
        };
        *expected.entry(verdict).or_default() += 1;
    }
    assert!(expected.len() > 10, "{expected:?}");
    assert_eq!(*verdicts.0.lock().expect("no panic with it"), expected);
}
