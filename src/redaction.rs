//! Keeps the app's secret and its tokens out of what the platform sent, should it ever echo one.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::token::AccessToken;

const PLACEHOLDER: &str = "[redacted]";

/// The shortest secret that is looked for, in bytes. A shorter one is no secret, and would take words out of messages.
const SHORTEST: usize = 8;

/// How many tokens are remembered, those that are not used any more included.
const TOKENS: usize = 64;

/// The secrets that a client has called with.
#[derive(Default)]
pub(crate) struct Secrets(RwLock<Known>);

#[derive(Default)]
struct Known {
    app_secret: Option<SecretString>,
    /// The latest one last.
    tokens: VecDeque<AccessToken>,
}

impl Secrets {
    /// Those of a client that obtains its tokens with this secret.
    pub(crate) fn with_app_secret(secret: SecretString) -> Self {
        Self(RwLock::new(Known { app_secret: Some(secret), tokens: VecDeque::new() }))
    }

    /// Remembers a token, beside those before it.
    pub(crate) fn add(&self, token: &AccessToken) {
        if self.read(|known| known.tokens.back().is_some_and(|latest| latest.is_same(token))) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.tokens.iter().any(|other| other.secret() == token.secret()) {
            known.tokens.retain(|other| other.secret() != token.secret());
        }
        if known.tokens.len() == TOKENS {
            known.tokens.pop_front();
        }
        known.tokens.push_back(token.clone());
    }

    /// The text without the secrets.
    pub(crate) fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.read(|known| {
            let app_secret = known.app_secret.iter().map(|secret| secret.expose_secret());
            let secrets = app_secret.chain(known.tokens.iter().map(AccessToken::secret));
            let mut found: Vec<_> =
                secrets.filter(|secret| secret.len() >= SHORTEST && text.contains(*secret)).collect();
            // One can be a part of another: taken out first, it would leave the rest.
            found.sort_unstable_by_key(|secret| Reverse(secret.len()));
            found.into_iter().fold(Cow::Borrowed(text), |text, secret| text.replace(secret, PLACEHOLDER).into())
        })
    }

    /// The text, if there is one, without the secrets.
    pub(crate) fn apply_to(&self, text: Option<String>) -> Option<String> {
        text.map(|text| match self.apply(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(redacted) => redacted,
        })
    }

    /// Takes the secrets out of every string and key of a value.
    pub(crate) fn apply_to_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.apply(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply_to_json(item)),
            Value::Object(map) => {
                if map.keys().any(|key| matches!(self.apply(key), Cow::Owned(_))) {
                    *map = std::mem::take(map).into_iter().map(|(k, v)| (self.apply(&k).into_owned(), v)).collect();
                }
                map.values_mut().for_each(|below| self.apply_to_json(below));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
