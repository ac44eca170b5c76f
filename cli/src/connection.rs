//! The client that a command uses, as the options and the environment say.

use feishu_cancel_onboard::sandbox::{APP_ID, Sandbox};
use feishu_cancel_onboard::{Client, ClientBuilder, Error, Origin, Pace, RetryPolicy};

use crate::arguments::Common;
use crate::environment::{Credential, credential, variable};

/// A client, and the stand-in that it calls where that was asked for.
pub struct Connection {
    pub client: Client,
    _sandbox: Option<Sandbox>,
}

/// Where is called and as whom, as a report has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The origin's URL without a slash at its end, or [`Identity::SANDBOX`].
    pub origin: String,
    /// None where the environment has no credentials.
    pub caller: Option<Caller>,
}

/// As whom is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    App(String),
    /// Whoever was given a ready-made token, which does not say to whom.
    Token,
}

impl Caller {
    /// The id of the app, where it is known.
    pub fn app_id(&self) -> Option<&str> {
        match self {
            Self::App(id) => Some(id),
            Self::Token => None,
        }
    }
}

impl Identity {
    /// Stands for the origin of the embedded stand-in, which is another one in each run.
    pub const SANDBOX: &str = "sandbox";

    /// Where would be called and as whom.
    ///
    /// # Errors
    /// As for [`Connection::make`], except that no credentials are needed.
    pub fn of(common: &Common) -> Result<Self, Error> {
        if common.sandbox {
            return Ok(Self { origin: Self::SANDBOX.to_owned(), caller: Some(Caller::App(APP_ID.to_owned())) });
        }
        let caller = credentials()?.map(|credentials| match credentials {
            Credentials::App { id, .. } => Caller::App(id),
            Credentials::Token(_) => Caller::Token,
        });
        Ok(Self { origin: origin_of(common)?.as_str().to_owned(), caller })
    }
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
    let builder = Client::builder().origin(origin_of(common)?);
    match credentials()? {
        Some(Credentials::App { id, secret }) => Ok(builder.app(id, secret)),
        Some(Credentials::Token(token)) => Ok(builder.tenant_access_token(token)),
        None => Err(Error::invalid_request(
            "no credentials: set FEISHU_APP_ID and FEISHU_APP_SECRET, or FEISHU_TENANT_ACCESS_TOKEN; or try it with --sandbox",
        )),
    }
}

fn origin_of(common: &Common) -> Result<Origin, Error> {
    match (&common.base_url, variable("FEISHU_BASE_URL")?) {
        (None, None) => Ok(Origin::default()),
        (Some(given), _) => origin("--base-url", given),
        (None, Some(given)) => origin("FEISHU_BASE_URL", &given),
    }
}

enum Credentials {
    App { id: String, secret: String },
    Token(String),
}

/// The credentials in the environment, if there are any.
fn credentials() -> Result<Option<Credentials>, Error> {
    let of_app = |name| credential(name, Credential::OfApp);
    let app = (of_app("FEISHU_APP_ID")?, of_app("FEISHU_APP_SECRET")?);
    match (app, credential("FEISHU_TENANT_ACCESS_TOKEN", Credential::Token)?) {
        ((Some(id), Some(secret)), None) => Ok(Some(Credentials::App { id, secret })),
        ((None, None), Some(token)) => Ok(Some(Credentials::Token(token))),
        ((None, None), None) => Ok(None),
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
