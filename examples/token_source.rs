//! Tokens from elsewhere, such as a vault that other programs use too, on the stand-in:
//! `cargo run --features sandbox --example token_source`.

use std::sync::{Arc, Mutex};

use feishu_cancel_onboard::sandbox::Sandbox;
use feishu_cancel_onboard::{AccessToken, Client, TerminationType, TokenFuture, TokenSource};

/// Keeps the token that the vault gave last, until the platform refuses it.
struct Vault {
    sandbox: Arc<Sandbox>,
    kept: Mutex<Option<AccessToken>>,
}

impl TokenSource for Vault {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async {
            let mut kept = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(token) = &*kept {
                return Ok(token.clone());
            }
            // Here the vault would be asked.
            println!("asking for a token");
            let token = AccessToken::new(self.sandbox.token())?;
            *kept = Some(token.clone());
            Ok(token)
        })
    }

    fn refused(&self, token: &AccessToken) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if kept.as_ref().is_some_and(|kept| kept.is_same(token)) {
            *kept = None;
        }
        true
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Arc::new(Sandbox::start().await?);
    let vault = Vault { sandbox: Arc::clone(&sandbox), kept: Mutex::default() };
    let client = Client::builder().origin(sandbox.base_url().parse()?).token_source(vault).build()?;
    for id in ["1111111111", "4444444444", "5555555555"] {
        let done = client.cancel_onboard(id, TerminationType::CompanyRejected).send().await?;
        println!("{id}: {} after {} attempt(s)", done.outcome().as_str(), done.attempts());
        if id == "4444444444" {
            // The next call is refused once, and made again with a new token.
            sandbox.revoke_tokens();
        }
    }
    Ok(())
}
