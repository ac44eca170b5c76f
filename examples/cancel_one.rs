//! One cancellation, on the stand-in: `cargo run --features sandbox --example cancel_one`.

use feishu_cancel_onboard::sandbox::Sandbox;
use feishu_cancel_onboard::{Client, TerminationType};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    // For the platform itself, leave `origin` out and give the id and the secret of your own app.
    let client =
        Client::builder().origin(sandbox.base_url().parse()?).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    let done = client
        .cancel_onboard("1111111111", TerminationType::CandidateDeclined)
        .reason_ids(["6959090661225640000"])
        .notes("took another offer")
        .send()
        .await?;
    println!("{} after {} attempt(s), log id {:?}", done.outcome().as_str(), done.attempts(), done.log_id());
    Ok(())
}
