//! Where the `tenant_access_token` comes from.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::app_credentials::AppCredentials;
use crate::error::{Delivery, Error, ErrorKind};
use crate::failure::Failure;
use crate::meaning::{Meaning, Retry};

/// The longest token that is taken: a longer one would not fit into the head of a request.
const LONGEST: usize = 4096;

/// A token to call with.
///
/// Two tokens are the same only if one is a clone of the other: the platform can hand out the same string twice, and a
/// refusal of the first says nothing of the second.
///
/// ```
/// use feishu_cancel_onboard::AccessToken;
///
/// let token = AccessToken::new("t-0123456789abcdef")?;
/// assert!(token.is_same(&token.clone()));
/// assert!(!token.is_same(&AccessToken::new("t-0123456789abcdef")?));
/// assert!(AccessToken::new("").is_err());
/// assert!(!format!("{token:?}").contains("0123456789"));
/// # Ok::<(), feishu_cancel_onboard::TokenError>(())
/// ```
#[derive(Clone)]
pub struct AccessToken {
    header: HeaderValue,
    generation: u64,
}

impl AccessToken {
    /// A token newly obtained.
    ///
    /// # Errors
    /// When it is empty, longer than 4096 characters, or has characters that can't stand in a header.
    pub fn new(token: impl Into<SecretString>) -> Result<Self, TokenError> {
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);
        let token = token.into();
        let token = token.expose_secret();
        if token.is_empty() || token.len() > LONGEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::refused(
                "the access token is empty, too long, or has characters that no token has",
            ));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| TokenError::refused("the access token can't stand in a header"))?;
        header.set_sensitive(true);
        Ok(Self { header, generation: GENERATIONS.fetch_add(1, Ordering::Relaxed) })
    }

    /// Whether this is the other one, not merely an equal string.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.generation == other.generation
    }

    pub(crate) fn authorization(&self) -> HeaderValue {
        self.header.clone()
    }

    /// The token itself, to keep it out of messages.
    pub(crate) fn secret(&self) -> &str {
        self.header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// What [`TokenSource::token`] returns.
///
/// ```
/// use feishu_cancel_onboard::{AccessToken, TokenFuture};
///
/// fn from_memory() -> TokenFuture<'static> {
///     Box::pin(async { AccessToken::new("t-from-memory") })
/// }
/// # let _ = from_memory();
/// ```
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send + 'a>>;

/// Where tokens come from: a vault, a cache that several processes share, or this library's own.
///
/// It is asked before every attempt, by many calls at once, so it should answer from memory whenever it can.
///
/// ```
/// use feishu_cancel_onboard::{AccessToken, TokenError, TokenFuture, TokenSource};
///
/// struct Vault;
///
/// impl TokenSource for Vault {
///     fn token(&self) -> TokenFuture<'_> {
///         Box::pin(async {
///             let secret = read_from_the_vault().await.map_err(TokenError::unavailable)?;
///             AccessToken::new(secret)
///         })
///     }
/// }
/// # async fn read_from_the_vault() -> std::io::Result<String> { Ok("t-0".into()) }
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is valid as far as the source knows.
    fn token(&self) -> TokenFuture<'_>;

    /// Takes note that the platform refused a token, and says whether the next call of [`token`](Self::token) can bring
    /// another one, which is then tried once.
    ///
    /// A source that keeps tokens drops this one only if it [is](AccessToken::is_same) the one that it still keeps.
    /// Without an implementation, there is no other token.
    ///
    /// ```
    /// use std::sync::{Mutex, PoisonError};
    ///
    /// use feishu_cancel_onboard::{AccessToken, TokenError, TokenFuture, TokenSource};
    ///
    /// #[derive(Default)]
    /// struct Vault {
    ///     kept: Mutex<Option<AccessToken>>,
    /// }
    ///
    /// impl TokenSource for Vault {
    ///     fn token(&self) -> TokenFuture<'_> {
    ///         Box::pin(async {
    ///             let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
    ///             match &*kept {
    ///                 Some(token) => Ok(token.clone()),
    ///                 None => Ok(kept.insert(AccessToken::new(read_from_the_vault()?)?).clone()),
    ///             }
    ///         })
    ///     }
    ///
    ///     fn refused(&self, token: &AccessToken) -> bool {
    ///         let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
    ///         kept.take_if(|kept| kept.is_same(token));
    ///         true
    ///     }
    /// }
    /// # fn read_from_the_vault() -> Result<String, TokenError> { Ok("t-0".into()) }
    /// #
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), TokenError> {
    ///
    /// let vault = Vault::default();
    /// let first = vault.token().await?;
    /// assert!(first.is_same(&vault.token().await?));
    /// assert!(vault.refused(&first));
    /// assert!(!first.is_same(&vault.token().await?));
    /// # Ok(())
    /// # }
    /// ```
    fn refused(&self, token: &AccessToken) -> bool {
        let _ = token;
        false
    }
}

/// Why there is no token.
///
/// ```
/// use feishu_cancel_onboard::{AccessToken, TokenError};
///
/// fn token_in(answer: std::io::Result<Option<String>>) -> Result<AccessToken, TokenError> {
///     match answer {
///         Ok(Some(token)) => AccessToken::new(token),
///         Ok(None) => Err(TokenError::refused("the vault has no token for this tenant")),
///         Err(error) => Err(TokenError::unavailable(error)),
///     }
/// }
///
/// let error = token_in(Ok(None)).expect_err("there is none");
/// assert!(error.to_string().contains("no token for this tenant"));
/// ```
#[derive(Clone, Debug)]
pub struct TokenError(pub(crate) Failure);

impl TokenError {
    /// The source can't be reached, or failed: another try may succeed.
    #[must_use]
    pub fn unavailable(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Retry::Later, reason.into())
    }

    /// The source says no: another try would fail as well.
    #[must_use]
    pub fn refused(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Retry::Never, reason.into())
    }

    fn with_source(retry: Retry, source: Box<dyn StdError + Send + Sync>) -> Self {
        let meaning = Meaning { kind: ErrorKind::TokenUnavailable, delivery: Delivery::NotSent, retry };
        Self(Failure::new(meaning).with_message(format!("no access token: {source}")).with_source(Arc::from(source)))
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no access token: {}", self.0)
    }
}

impl StdError for TokenError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// Where the tokens of a client come from.
pub(crate) enum Tokens {
    /// A token that the caller gave. There is no other one.
    Given(AccessToken),
    /// An app's id and secret.
    App(AppCredentials),
    /// A source of the caller's own.
    Source(Arc<dyn TokenSource>),
}

impl Tokens {
    /// # Errors
    /// When it can't be a token.
    pub(crate) fn given(token: impl Into<SecretString>) -> Result<Self, Error> {
        match AccessToken::new(token) {
            Ok(token) => Ok(Self::Given(token)),
            Err(error) => Err(Error::refused_here(error.0.message())),
        }
    }

    /// As [`TokenSource::token`] says it.
    pub(crate) async fn token(&self) -> Result<AccessToken, TokenError> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::App(app) => app.token().await,
            Self::Source(source) => source.token().await,
        }
    }

    /// As [`TokenSource::refused`] says it.
    pub(crate) fn refused(&self, token: &AccessToken) -> bool {
        match self {
            Self::Given(_) => false,
            Self::App(app) => app.refused(token),
            Self::Source(source) => source.refused(token),
        }
    }
}
