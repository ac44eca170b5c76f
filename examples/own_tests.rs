//! The stand-in in tests of your own: that your program does the right thing when an answer is lost.
//! `cargo run --features sandbox --example own_tests`; in your project, this is a `#[tokio::test]`.

use feishu_cancel_onboard::sandbox::{ApplicationState, Ending, Fault, Sandbox};
use feishu_cancel_onboard::{Client, Outcome, TerminationType};

/// What is to be tested: a program that tells HR what became of a cancellation.
async fn tell_hr(client: &Client, application_id: &str) -> String {
    match client.cancel_onboard(application_id, TerminationType::CompanyRejected).send().await {
        Ok(done) if done.outcome() == Outcome::Terminated => "cancelled, most likely by us".to_owned(),
        Ok(_) => "cancelled".to_owned(),
        Err(error) => format!("not cancelled: {}", error.kind()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let client =
        Client::builder().origin(sandbox.base_url().parse()?).app(sandbox.app_id(), sandbox.app_secret()).build()?;

    // The first cancellation takes effect, and its answer never arrives.
    sandbox.fail_cancellations([Fault::WithEffect(Ending::Reset)]);
    assert_eq!(tell_hr(&client, "4444444444").await, "cancelled, most likely by us");
    assert_eq!(sandbox.application("4444444444"), ApplicationState::Terminated);
    assert_eq!(sandbox.cancellations(), 1);

    sandbox.set_application("5555555555", ApplicationState::InFeishuPeople);
    assert_eq!(tell_hr(&client, "5555555555").await, "not cancelled: managed_by_feishu_people");
    println!("{} calls, {} cancellation took effect", sandbox.calls().len(), sandbox.cancellations());
    Ok(())
}
