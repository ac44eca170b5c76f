//! The shapes in which build.rs hands a document's facts to Rust.

use std::fmt;
use std::time::Duration;

use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A published page of the platform's documentation.
///
/// ```
/// use feishu_cancel_onboard::document;
///
/// println!("{}: {}", document::PAGE.title, document::PAGE.url);
/// println!("as of {}", document::PAGE.updated.unwrap_or("an unknown day"));
/// println!("as Markdown: {}", document::PAGE.markdown_url.unwrap_or("nowhere"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Page {
    /// Its title.
    pub title: &'static str,
    /// Its address.
    pub url: &'static str,
    /// The address of its Markdown form, where one is published.
    pub markdown_url: Option<&'static str>,
    /// The day on which it was last changed, as `YYYY-MM-DD`, where the page gives one.
    pub updated: Option<&'static str>,
}

/// An origin at which the platform answers.
///
/// ```
/// use feishu_cancel_onboard::{Origin, document};
///
/// let first = document::ORIGINS.first().expect("there is one");
/// assert_eq!(first.url, Origin::default().as_str());
/// assert_eq!(first.name.parse::<Origin>()?, Origin::default());
/// # Ok::<(), feishu_cancel_onboard::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NamedOrigin {
    /// The name by which it is chosen.
    pub name: &'static str,
    /// The origin itself, without a path.
    pub url: &'static str,
}

/// An endpoint, as its page describes it.
///
/// ```
/// use feishu_cancel_onboard::document::OPERATION;
///
/// println!("{}: {} {}", OPERATION.id, OPERATION.method, OPERATION.path);
/// println!("{}", OPERATION.content_type.unwrap_or("no body"));
/// for limit in OPERATION.rate_limits {
///     println!("{} calls in {:?}", limit.calls, limit.period);
/// }
/// for scope in OPERATION.scopes {
///     println!("{} ({})", scope.name, scope.label);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Operation {
    /// Its name.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The content type of the request, where it has a body.
    pub content_type: Option<&'static str>,
    /// The documented rate limits, all of which hold together.
    pub rate_limits: &'static [RateLimit],
    /// The scopes, any one of which suffices.
    pub scopes: &'static [Scope],
}

/// A documented rate limit.
///
/// ```
/// use std::time::Duration;
/// use feishu_cancel_onboard::{Pace, RateLimit};
///
/// let limit = RateLimit { calls: 50, period: Duration::from_secs(1) };
/// assert_eq!(Pace::new(50, Duration::from_secs(1)).limits(), [limit]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RateLimit {
    /// How many calls the period allows.
    pub calls: u32,
    /// The period.
    pub period: Duration,
}

/// A permission to ask for.
///
/// ```
/// use feishu_cancel_onboard::document;
///
/// for scope in document::OPERATION.scopes {
///     println!("grant {}, which the console calls {}", scope.name, scope.label);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Scope {
    /// Its name in the API.
    pub name: &'static str,
    /// Its name in the developer console.
    pub label: &'static str,
}

/// An endpoint that is not called here, and named where a person is advised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RelatedEndpoint {
    /// The title of its page.
    pub title: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The scopes, any one of which suffices.
    pub scopes: &'static [&'static str],
}

impl RelatedEndpoint {
    /// The request and its scopes, as in `POST /path, with the scope a:b`.
    pub(crate) fn in_english(self) -> String {
        let Self { method, path, scopes, .. } = self;
        format!("{method} {path}, with the scope {}", scopes.join(" or "))
    }

    /// The same in Chinese, with the title of its page.
    pub(crate) fn in_chinese(self) -> String {
        let Self { title, method, path, scopes } = self;
        format!("「{title}」接口（{method} {path}，所需权限 {}）", scopes.join(" 或 "))
    }
}

/// A text that is none of the values that the document takes.
///
/// ```
/// use feishu_cancel_onboard::TerminationType;
///
/// let error = "declined".parse::<TerminationType>().expect_err("it is none");
/// assert!(error.to_string().starts_with("must be one of "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownValue {
    accepted: &'static str,
}

impl UnknownValue {
    /// An error that says what is taken, in words that go on from "must be".
    pub(crate) const fn new(accepted: &'static str) -> Self {
        Self { accepted }
    }
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be {}", self.accepted)
    }
}

impl std::error::Error for UnknownValue {}

/// A value that the platform sent: one that the document names, or a number that it does not know yet.
///
/// ```
/// use feishu_cancel_onboard::{Received, TerminationType};
///
/// let known: Received<TerminationType> = serde_json::from_str("22")?;
/// assert_eq!(known.known(), Some(TerminationType::CandidateDeclined));
/// let newer: Received<TerminationType> = serde_json::from_str("31")?;
/// assert_eq!((newer, newer.to_string().as_str()), (Received::Unknown(31), "31"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Received<T> {
    /// One that the document names.
    Known(T),
    /// One that it does not.
    Unknown(i64),
}

impl<T> Received<T> {
    /// The value, if the document names it.
    #[must_use]
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<T: fmt::Display> fmt::Display for Received<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Unknown(number) => number.fmt(f),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Received<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let known = T::deserialize(IntoDeserializer::<ValueError>::into_deserializer(number));
        Ok(known.map_or(Self::Unknown(number), Self::Known))
    }
}

impl<T: Serialize> Serialize for Received<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(number) => serializer.serialize_i64(*number),
        }
    }
}

/// The integer that a text is, in the one form in which it is written back: neither `+1` nor `01`.
pub(crate) fn exact_integer(text: &str) -> Option<i64> {
    text.parse().ok().filter(|value: &i64| value.to_string() == text)
}
