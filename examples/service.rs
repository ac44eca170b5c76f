//! A service that shares one client among its requests, on the stand-in: `cargo run --features sandbox --example service`.
//!
//! It serves `POST /applications/{id}/cancel` on loopback, calls itself three times and ends.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use feishu_cancel_onboard::sandbox::Sandbox;
use feishu_cancel_onboard::{Client, Delivery, TerminationType};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let client =
        Client::builder().origin(sandbox.base_url().parse()?).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    // A clone for each request shares connections, token and pace with all others.
    let service = Router::new().route("/applications/{id}/cancel", post(cancel)).with_state(client);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, service).await });

    let http = reqwest::Client::new();
    for id in ["1111111111", "1111111111", "3333333333"] {
        let answer = http.post(format!("http://{address}/applications/{id}/cancel")).send().await?;
        println!("{id}: {} {}", answer.status(), answer.text().await?);
    }
    Ok(())
}

async fn cancel(State(client): State<Client>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    match client.cancel_onboard(id, TerminationType::CandidateDeclined).send().await {
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
