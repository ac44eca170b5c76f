//! A sandbox on its own: prints what a shell needs to use it, then a line for each call, until it is ended.
//!
//! `cargo run --features sandbox --example sandbox_server`, with `--no-rate-limit` to have every call let through.

use feishu_cancel_onboard::sandbox::{Call, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut sandbox = Sandbox::builder().keep_calls(0).on_call(print);
    if std::env::args().any(|argument| argument == "--no-rate-limit") {
        sandbox = sandbox.rate_limits([]);
    }
    let sandbox = sandbox.start().await?;
    println!("export FEISHU_BASE_URL={}", sandbox.base_url());
    println!("export FEISHU_APP_ID={}", sandbox.app_id());
    println!("export FEISHU_APP_SECRET={}", sandbox.app_secret());
    std::future::pending().await
}

fn print(call: &Call) {
    let number = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let lost = if call.delivered { "" } else { " lost" };
    println!("{} {} {} {}{lost}", call.method, call.path, number(call.status.map(i64::from)), number(call.code));
}
