//! Errors, handled one by one, on the stand-in: `cargo run --features sandbox --example errors`.

use feishu_cancel_onboard::sandbox::{Ending, Fault, IN_FEISHU_PEOPLE, PENDING, Sandbox, TERMINATED};
use feishu_cancel_onboard::{Client, Delivery, Error, ErrorKind, RetryPolicy, TerminationType};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let client = Client::builder()
        .origin(sandbox.base_url().parse()?)
        .app(sandbox.app_id(), sandbox.app_secret())
        .retry(RetryPolicy::off())
        .build()?;
    // The answer of the fourth cancellation is lost.
    sandbox.fail_cancellations([Fault::None, Fault::None, Fault::None, Fault::WithEffect(Ending::Reset)]);
    for id in [TERMINATED, IN_FEISHU_PEOPLE, PENDING, "4444444444", "not an id"] {
        match client.cancel_onboard(id, TerminationType::Other).send().await {
            Ok(done) => println!("{id}: {}", done.outcome().as_str()),
            Err(error) => println!("{id}: {}", what_to_do(&error)),
        }
    }
    Ok(())
}

fn what_to_do(error: &Error) -> String {
    match error.kind() {
        // There is nothing left to do.
        ErrorKind::AlreadyTerminated => "was terminated before".to_owned(),
        // A person has to act, in another system.
        ErrorKind::ManagedByFeishuPeople => error.advice().en.into_owned(),
        // The request is wrong, and would be wrong again.
        ErrorKind::InvalidRequest | ErrorKind::InvalidParameter => format!("correct the request: {}", error.message()),
        // The app has to be set right first, and until then every call fails.
        ErrorKind::Unauthorized
        | ErrorKind::InvalidCredentials
        | ErrorKind::PermissionDenied
        | ErrorKind::AppUnavailable => format!("stop calling: {}", error.advice().en),
        // For everything else, what counts is whether it can have taken effect.
        _ => match error.delivery() {
            Delivery::Unknown => format!("its fate is unknown, so it has to be looked at: {error}"),
            Delivery::NotSent | Delivery::Rejected if error.is_retryable() => {
                format!("nothing changed, again in {:?}", error.retry_after().unwrap_or_default())
            }
            Delivery::NotSent | Delivery::Rejected => format!("nothing changed: {error}"),
        },
    }
}
