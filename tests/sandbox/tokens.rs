//! Tokens: who gets one, how long it is the same, and what is said of one that is not good.

use std::time::Duration;

use feishu_cancel_onboard::sandbox::{PENDING, Sandbox, TERMINATED};
use serde_json::json;

use crate::wire::{ask_for_token, client, obtain_token, request, send};

async fn sandbox() -> Sandbox {
    Sandbox::builder().rate_limits([]).start().await.expect("it starts")
}

async fn code_with(sandbox: &Sandbox, authorization: Option<&[u8]>) -> i64 {
    let call = request(sandbox, TERMINATED).json(&json!({"termination_type": 1}));
    let call = authorization.into_iter().fold(call, |call, value| call.header("authorization", value));
    let answer = send(call).await.expect("it answers");
    answer.assert(400, answer.code());
    answer.code()
}

async fn code_of(sandbox: &Sandbox, token: &str) -> i64 {
    code_with(sandbox, Some(format!("Bearer {token}").as_bytes())).await
}

/// What a terminated application is answered with: the token was let through.
const LET_THROUGH: i64 = 1002221;

#[tokio::test]
async fn the_credentials_get_a_token_that_is_let_through() {
    let sandbox = sandbox().await;
    let (token, expire) = obtain_token(&sandbox).await;
    assert!(token.starts_with("t-") && token.len() > 20);
    assert_eq!(expire, 7200);
    assert_eq!(code_of(&sandbox, &token).await, LET_THROUGH);
    assert_eq!(sandbox.token_requests(), 1);
}

/// As an official SDK asks.
#[tokio::test]
async fn a_request_for_a_token_needs_no_content_type() {
    let sandbox = sandbox().await;
    let url = format!("{}/open-apis/auth/v3/tenant_access_token/internal", sandbox.base_url());
    let body = json!({"app_id": sandbox.app_id(), "app_secret": sandbox.app_secret()}).to_string();
    send(client().post(url).body(body)).await.expect("it answers").assert(200, 0);
}

#[tokio::test]
async fn wrong_or_malformed_credentials_get_none() {
    let sandbox = sandbox().await;
    let (id, secret) = (sandbox.app_id(), sandbox.app_secret());
    let bodies = [
        json!({"app_id": id, "app_secret": "wrong"}),
        json!({"app_id": "wrong", "app_secret": secret}),
        json!({"app_id": id}),
        json!({"app_id": id, "app_secret": 7}),
        json!({"app_id": null, "app_secret": secret}),
        json!([]),
    ];
    for body in &bodies {
        let answer = ask_for_token(&sandbox, body).await;
        answer.assert(400, 99991543);
        assert!(!answer.body.contains("t-"), "{}", answer.body);
    }
    let url = format!("{}/open-apis/auth/v3/tenant_access_token/internal", sandbox.base_url());
    let call = client().post(url).header("content-type", "application/json").body("{");
    send(call).await.expect("it answers").assert(400, 99991543);
    assert_eq!(sandbox.token_requests(), bodies.len() + 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_has_its_code() {
    let sandbox = sandbox().await;
    let token = sandbox.token();
    assert_eq!(code_with(&sandbox, None).await, 99991661);
    for empty in ["", " ", "Bearer", "Bearer ", "bearer   "] {
        assert_eq!(code_with(&sandbox, Some(empty.as_bytes())).await, 99991661, "{empty:?}");
    }
    for malformed in ["Bearer u-123", "Bearer abc", "Bearer T-1", "Basic t-1", "t-1", &token] {
        assert_eq!(code_with(&sandbox, Some(malformed.as_bytes())).await, 99991671, "{malformed:?}");
    }
    assert_eq!(code_with(&sandbox, Some(b"Bearer \xe5\x80\x99")).await, 99991671);
    for unknown in ["t-", "t-123", &format!("{token}0"), &token[..token.len() - 1]] {
        assert_eq!(code_of(&sandbox, unknown).await, 99991663, "{unknown:?}");
    }
    assert_eq!(code_of(&sandbox, &token).await, LET_THROUGH);
    assert_eq!(code_with(&sandbox, Some(format!("bearer  {token} ").as_bytes())).await, LET_THROUGH);
}

#[tokio::test]
async fn the_token_is_the_same_while_thirty_minutes_remain() {
    let sandbox = sandbox().await;
    let (first, _) = obtain_token(&sandbox).await;
    assert_eq!(obtain_token(&sandbox).await.0, first);
    assert_eq!(sandbox.token(), first);

    let short = Sandbox::builder().token_expire(1799).start().await.expect("it starts");
    let (first, expire) = obtain_token(&short).await;
    assert_eq!(expire, 1799);
    let (second, _) = obtain_token(&short).await;
    assert_ne!(first, second);
    assert_eq!(code_of(&short, &first).await, LET_THROUGH, "the old one lasts to its end");
    assert_eq!(code_of(&short, &second).await, LET_THROUGH);
}

#[tokio::test]
async fn revoked_and_expired_tokens_are_told_apart() {
    let sandbox = sandbox().await;
    let (first, _) = obtain_token(&sandbox).await;
    sandbox.expire_tokens();
    assert_eq!(code_of(&sandbox, &first).await, 99991677);
    let (second, _) = obtain_token(&sandbox).await;
    assert_ne!(first, second);
    assert_eq!(code_of(&sandbox, &second).await, LET_THROUGH);
    sandbox.revoke_tokens();
    assert_eq!(code_of(&sandbox, &second).await, 99991663);
    sandbox.expire_tokens();
    assert_eq!(code_of(&sandbox, &second).await, 99991663);
    assert_eq!(code_of(&sandbox, &obtain_token(&sandbox).await.0).await, LET_THROUGH);
}

#[tokio::test]
async fn a_token_lives_as_long_as_it_says() {
    let sandbox = sandbox().await;
    let (long, _) = obtain_token(&sandbox).await;
    sandbox.set_token_expire(1);
    let (short, expire) = obtain_token(&sandbox).await;
    assert_eq!(expire, 1);
    assert_ne!(long, short);
    tokio::time::sleep(Duration::from_millis(1001)).await;
    assert_eq!(code_of(&sandbox, &short).await, 99991677);
    assert_eq!(code_of(&sandbox, &long).await, LET_THROUGH);
}

#[tokio::test]
async fn nonsense_about_a_life_is_said_but_not_lived() {
    let sandbox = sandbox().await;
    for seconds in [0, -1, i64::MIN, i64::MAX] {
        sandbox.set_token_expire(seconds);
        let (token, expire) = obtain_token(&sandbox).await;
        assert_eq!(expire, seconds);
        assert_eq!(code_of(&sandbox, &token).await, LET_THROUGH);
    }
}

#[tokio::test]
async fn asking_for_a_token_changes_no_application() {
    let sandbox = sandbox().await;
    obtain_token(&sandbox).await;
    let state = sandbox.application(PENDING);
    assert_eq!(state, feishu_cancel_onboard::sandbox::ApplicationState::Pending);
}
