//! Many cancellations from a stream, on the stand-in: `cargo run --features sandbox --example bulk`.

use feishu_cancel_onboard::sandbox::Sandbox;
use feishu_cancel_onboard::{CancelRequest, Client, TerminationType};
use futures_util::{StreamExt, stream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let client =
        Client::builder().origin(sandbox.base_url().parse()?).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    // Any stream will do, of any length: what is next is fetched when the pace lets it through.
    let ids = (0..25).map(|number| format!("70000000000000000{number:02}"));
    let requests = stream::iter(ids.map(|id| CancelRequest::new(id, TerminationType::CompanyRejected)));
    let mut results = client.cancel_all(requests);
    while let Some((request, result)) = results.next().await {
        match result {
            Ok(done) => println!("{}: {}", request.application_id(), done.outcome().as_str()),
            Err(error) => println!("{}: {error}", request.application_id()),
        }
    }
    Ok(())
}
