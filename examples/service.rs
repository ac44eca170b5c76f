//! A service that shares one client among its requests, on the stand-in: `cargo run --features sandbox --example service`.
//!
//! It serves `POST /applications/{id}/cancel` on loopback, calls itself and ends. The last caller hangs up after half a
//! second, before the platform has answered: the cancellation is carried to its answer all the same, and its result is
//! recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use feishu_cancel_onboard::sandbox::{Fault, Sandbox};
use feishu_cancel_onboard::{CancelRequest, Client, Delivery, TerminationType};
use serde_json::{Value, json};

/// Stands in for a table of your database: the state of each application's cancellation.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<BTreeMap<String, &'static str>>>);

impl Record {
    fn set(&self, application_id: &str, known: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(application_id.to_owned(), known);
    }

    fn get(&self, application_id: &str) -> Option<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(application_id).copied()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let client =
        Client::builder().origin(sandbox.base_url().parse()?).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    let record = Record::default();
    // A clone for each request shares the token and the pace with all others.
    let service = Router::new().route("/applications/{id}/cancel", post(cancel)).with_state((client, record.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, service).await });

    let http = reqwest::Client::new();
    for id in ["1111111111", "1111111111", "3333333333"] {
        let answer = http.post(format!("http://{address}/applications/{id}/cancel")).send().await?;
        println!("{id}: {} {}", answer.status(), answer.text().await?);
    }

    sandbox.fail_cancellations([Fault::Delay(Duration::from_secs(1))]);
    let hurried = http.post(format!("http://{address}/applications/4444444444/cancel"));
    let hung_up = hurried.timeout(Duration::from_millis(500)).send().await;
    println!("4444444444: {}; on record: {:?}", hung_up.is_err(), record.get("4444444444"));
    while record.get("4444444444") == Some("started") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("4444444444: on record: {:?}", record.get("4444444444"));
    assert_eq!(record.get("4444444444"), Some("cancelled"));
    Ok(())
}

async fn cancel(State((client, record)): State<(Client, Record)>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    let mut request = CancelRequest::new(&id, TerminationType::CandidateDeclined);
    // Whoever asks again without a verdict on record asks after a lost attempt.
    if matches!(record.get(&id), Some("started" | "unknown")) {
        request = request.after_lost_attempt();
    }
    let (started, ended) = (record.clone(), record);
    // Both run in the cancellation's own task, whether or not the caller is still there.
    let cancellation = client
        .prepare(request)
        .before_sending(move || async move {
            started.set(&id, "started");
            Ok::<_, std::io::Error>(())
        })
        .on_finished(move |request, result| {
            let known = match result {
                Ok(done) => done.outcome().as_str(),
                Err(error) => error.delivery().as_str(),
            };
            ended.set(request.application_id(), known);
            async {}
        });
    match cancellation.send().await {
        Ok(done) => (StatusCode::OK, Json(json!({"outcome": done.outcome().as_str(), "log_id": done.log_id()}))),
        Err(error) => {
            // Whoever called must not take "nobody knows yet" for "no".
            let status = match error.delivery() {
                Delivery::NotSent => StatusCode::SERVICE_UNAVAILABLE,
                Delivery::Rejected => StatusCode::CONFLICT,
                Delivery::Unknown => StatusCode::GATEWAY_TIMEOUT,
            };
            let body = json!({
                "kind": error.kind().as_str(),
                "delivery": error.delivery().as_str(),
                "retryable": error.is_retryable(),
                "log_id": error.log_id(),
                "advice": error.advice().zh,
            });
            (status, Json(body))
        }
    }
}
