//! The tokens: issued to whoever has the credentials, the same one again while enough of its life is left.

use std::time::{Duration, Instant};

use secrecy::ExposeSecret;

use super::random::unpredictable;
use crate::PlatformErrorCode;
use crate::generated::Secret;
use crate::generated::platform::SUCCESS_CODE;
use crate::generated::tenant_access_token::types::{TenantAccessTokenRequest, TenantAccessTokenResponse};
use crate::generated::tenant_access_token::{TOKEN_LIFETIME_MAXIMUM, TOKEN_PREFIX, TOKEN_RENEW_BEFORE_END};

pub(super) struct Tokens {
    app_id: String,
    app_secret: String,
    issued: Vec<Token>,
    /// What new tokens' `expire` says, in seconds.
    expire: i64,
    requests: usize,
}

struct Token {
    text: String,
    issued: Instant,
    expire: i64,
    state: TokenState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenState {
    /// Handed out again while enough of its life is left.
    Current,
    /// Good until its end, but not handed out any more.
    Replaced,
    Expired,
    Revoked,
}

impl Tokens {
    pub fn new(app_id: String, app_secret: String) -> Self {
        let expire = i64::try_from(TOKEN_LIFETIME_MAXIMUM.as_secs()).unwrap_or(i64::MAX);
        Self { app_id, app_secret, issued: Vec::new(), expire, requests: 0 }
    }

    /// How many requests for a token came.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Notes that a request for a token came.
    pub fn requested(&mut self) {
        self.requests += 1;
    }

    /// The answer to a request for a token.
    pub fn grant(
        &mut self,
        request: &TenantAccessTokenRequest,
    ) -> Result<TenantAccessTokenResponse, PlatformErrorCode> {
        if request.app_id != self.app_id || request.app_secret.0.expose_secret() != self.app_secret {
            return Err(PlatformErrorCode::AppCredentialsWrong);
        }
        let (token, expire) = self.current(Instant::now());
        Ok(TenantAccessTokenResponse {
            code: SUCCESS_CODE,
            msg: Some("success".to_owned()),
            tenant_access_token: Some(Secret(token.into())),
            expire: Some(expire),
            error: None,
        })
    }

    /// The token to hand out, and how many seconds of its life are left.
    pub fn current(&mut self, now: Instant) -> (String, i64) {
        let renew = i64::try_from(TOKEN_RENEW_BEFORE_END.as_secs()).unwrap_or(i64::MAX);
        let current = self.issued.iter_mut().find(|token| token.state == TokenState::Current);
        if let Some(token) = current {
            let left = token.left(now);
            if left >= renew {
                return (token.text.clone(), left);
            }
            token.state = TokenState::Replaced;
        }
        let text = format!("{TOKEN_PREFIX}{:016x}{:016x}", unpredictable(), unpredictable());
        self.issued.push(Token { text: text.clone(), issued: now, expire: self.expire, state: TokenState::Current });
        (text, self.expire)
    }

    /// Whether the value of an Authorization header, if there is one, lets a call through.
    pub fn check(&self, authorization: Option<&[u8]>) -> Result<(), PlatformErrorCode> {
        let header = authorization.unwrap_or_default().trim_ascii();
        let (scheme, token) = header.split_at(header.iter().position(u8::is_ascii_whitespace).unwrap_or(header.len()));
        let token = token.trim_ascii();
        if header.is_empty() || (scheme.eq_ignore_ascii_case(b"bearer") && token.is_empty()) {
            return Err(PlatformErrorCode::AuthorizationMissing);
        }
        if !scheme.eq_ignore_ascii_case(b"bearer") || !token.starts_with(TOKEN_PREFIX.as_bytes()) {
            return Err(PlatformErrorCode::AccessTokenMalformed);
        }
        match self.issued.iter().rev().find(|issued| issued.text.as_bytes() == token) {
            None => Err(PlatformErrorCode::AccessTokenInvalid),
            Some(token) => match token.state {
                TokenState::Revoked => Err(PlatformErrorCode::AccessTokenInvalid),
                TokenState::Expired => Err(PlatformErrorCode::AccessTokenExpired),
                _ if token.is_over(Instant::now()) => Err(PlatformErrorCode::AccessTokenExpired),
                TokenState::Current | TokenState::Replaced => Ok(()),
            },
        }
    }

    /// From now on, the tokens handed out so far are not good any more.
    pub fn revoke(&mut self) {
        self.issued.iter_mut().for_each(|token| token.state = TokenState::Revoked);
    }

    /// From now on, the tokens handed out so far have come to their end, unless they are revoked.
    pub fn expire(&mut self) {
        let good = self.issued.iter_mut().filter(|token| token.state != TokenState::Revoked);
        good.for_each(|token| token.state = TokenState::Expired);
    }

    /// From now on, new tokens are handed out, which say that they live so many seconds.
    pub fn set_expire(&mut self, seconds: i64) {
        self.expire = seconds;
        let current = self.issued.iter_mut().filter(|token| token.state == TokenState::Current);
        current.for_each(|token| token.state = TokenState::Replaced);
    }
}

impl Token {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.issued)
    }

    /// How many seconds it says are left.
    fn left(&self, now: Instant) -> i64 {
        self.expire.saturating_sub(i64::try_from(self.age(now).as_secs()).unwrap_or(i64::MAX))
    }

    /// Whether it came to its end. One that says nonsense about that lives as long as a token can.
    fn is_over(&self, now: Instant) -> bool {
        let said = u64::try_from(self.expire).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
        self.age(now) >= said.unwrap_or(TOKEN_LIFETIME_MAXIMUM).min(TOKEN_LIFETIME_MAXIMUM)
    }
}
