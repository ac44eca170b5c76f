//! The client that a command uses, as the options and the environment say.

use feishu_cancel_onboard::sandbox::Sandbox;
use feishu_cancel_onboard::{Client, ClientBuilder, Error, Origin, Pace, RetryPolicy};

use crate::arguments::Common;
use crate::environment::{Credential, credential, variable};

/// A client, and the stand-in that it calls where that was asked for.
pub struct Connection {
    pub client: Client,
    _sandbox: Option<Sandbox>,
}

impl Connection {
    /// Makes the client, which calls at this pace.
    ///
    /// # Errors
    /// When the environment holds no credentials, or more than one kind, or a value that can't be right.
    pub async fn make(common: &Common, pace: Pace) -> Result<Self, Error> {
        let sandbox =
            match common.sandbox {
                false => None,
                true => Some(Sandbox::builder().keep_calls(0).start().await.map_err(|error| {
                    Error::invalid_request(format!("the embedded stand-in can't be started: {error}"))
                })?),
            };
        let builder = match &sandbox {
            Some(sandbox) => {
                Client::builder().origin(sandbox.base_url().parse()?).app(sandbox.app_id(), sandbox.app_secret())
            }
            None => from_environment(common)?,
        };
        let retry = RetryPolicy::default().deadline(common.deadline);
        let client = builder.attempt_timeout(common.timeout).retry(retry).pace(pace).build()?;
        Ok(Self { client, _sandbox: sandbox })
    }
}

fn from_environment(common: &Common) -> Result<ClientBuilder, Error> {
    let origin = match (&common.base_url, variable("FEISHU_BASE_URL")?) {
        (None, None) => Origin::default(),
        (Some(given), _) => origin("--base-url", given)?,
        (None, Some(given)) => origin("FEISHU_BASE_URL", &given)?,
    };
    let of_app = |name| credential(name, Credential::OfApp);
    let app = (of_app("FEISHU_APP_ID")?, of_app("FEISHU_APP_SECRET")?);
    let builder = Client::builder().origin(origin);
    match (app, credential("FEISHU_TENANT_ACCESS_TOKEN", Credential::Token)?) {
        ((Some(id), Some(secret)), None) => Ok(builder.app(id, secret)),
        ((None, None), Some(token)) => Ok(builder.tenant_access_token(token)),
        ((None, None), None) => Err(Error::invalid_request(
            "no credentials: set FEISHU_APP_ID and FEISHU_APP_SECRET, or FEISHU_TENANT_ACCESS_TOKEN; or try it with --sandbox",
        )),
        (_, Some(_)) => Err(Error::invalid_request(
            "credentials of two kinds: unset FEISHU_TENANT_ACCESS_TOKEN, or FEISHU_APP_ID and FEISHU_APP_SECRET",
        )),
        ((Some(_), None), None) => {
            Err(Error::invalid_request("FEISHU_APP_ID is set, and FEISHU_APP_SECRET is missing"))
        }
        ((None, Some(_)), None) => {
            Err(Error::invalid_request("FEISHU_APP_SECRET is set, and FEISHU_APP_ID is missing"))
        }
    }
}

fn origin(from: &str, given: &str) -> Result<Origin, Error> {
    given.parse().map_err(|error: Error| Error::invalid_request(format!("{from}: {}", error.message())))
}
