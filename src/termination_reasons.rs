//! The reasons that a tenant has for terminations, over all their pages.
//!
//! Reading is always safe to repeat, so whatever may pass is tried again. The list comes to an end, whatever the platform
//! answers: a page that leads back to one before it, or nowhere, is an error, and so are more pages than any tenant has.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tracing::{Instrument, field};

use crate::answer::Success;
use crate::attempts::{Attempts, Failed, First, Next, Way};
use crate::client::Shared;
use crate::error::{Delivery, Error, ErrorKind, Subject};
use crate::facts::Received;
use crate::failure::{Answer, Failure};
use crate::generated::cancel_onboard::TerminationType;
use crate::generated::termination_reasons::types::{self, TerminationReasonsResponse};
use crate::generated::termination_reasons::{ActiveStatus, Client as EndpointClient, parameters};
use crate::json_object::Object;
use crate::meaning::{Meaning, Retry};
use crate::raw_json::RawJson;

/// The most pages that are read.
const PAGE_LIMIT: usize = 1000;
/// The longest page token that is taken, in bytes.
const PAGE_TOKEN_LIMIT: usize = 4096;

/// A reason for which an application can be terminated.
///
/// The platform promises more than it needs to for the list to be of use, so of all of this only the id is certain: what is
/// missing is `None`, and a type or a status that this version does not know is [`Received::Unknown`].
///
/// ```
/// use feishu_cancel_onboard::{ActiveStatus, Client, Received, TerminationType};
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// let mut reasons = client.termination_reasons();
/// let reason = reasons.next().await.transpose()?.expect("there is one");
/// println!("{}: {:?}, {:?}", reason.id(), reason.name_zh(), reason.name_en());
/// println!("to those who refer: {:?}, {:?}", reason.referral_name_zh(), reason.referral_name_en());
/// match reason.termination_type() {
///     Some(Received::Known(TerminationType::CandidateDeclined)) => println!("the candidate declined"),
///     Some(other) => println!("{other}"),
///     None => println!("the platform does not say"),
/// }
/// assert_eq!(reason.is_disabled(), reason.active_status() == Some(Received::Known(ActiveStatus::Disabled)));
/// println!("also an evaluation: {:?}", reason.is_used_as_evaluation());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TerminationReason(types::TerminationReason);

impl TerminationReason {
    /// Its id, as [`CancelRequest::reason_ids`](crate::CancelRequest::reason_ids) takes it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its name in Chinese.
    #[must_use]
    pub fn name_zh(&self) -> Option<&str> {
        self.0.name.as_ref()?.zh_cn.as_deref()
    }

    /// Its name in English.
    #[must_use]
    pub fn name_en(&self) -> Option<&str> {
        self.0.name.as_ref()?.en_us.as_deref()
    }

    /// What is shown in place of its name where candidates are referred, in Chinese.
    #[must_use]
    pub fn referral_name_zh(&self) -> Option<&str> {
        self.0.referral_name.as_ref()?.zh_cn.as_deref()
    }

    /// What is shown in place of its name where candidates are referred, in English.
    #[must_use]
    pub fn referral_name_en(&self) -> Option<&str> {
        self.0.referral_name.as_ref()?.en_us.as_deref()
    }

    /// The type of termination that it belongs to.
    #[must_use]
    pub fn termination_type(&self) -> Option<Received<TerminationType>> {
        self.0.termination_type
    }

    /// Whether it can be given for a termination now, as the platform puts it.
    #[must_use]
    pub fn active_status(&self) -> Option<Received<ActiveStatus>> {
        self.0.active_status
    }

    /// Whether it is known to be disabled: then a termination for it would be refused.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.0.active_status == Some(Received::Known(ActiveStatus::Disabled))
    }

    /// Whether it is used as an evaluation too.
    #[must_use]
    pub fn is_used_as_evaluation(&self) -> Option<bool> {
        self.0.is_used_as_evaluation
    }
}

/// A stream of all termination reasons, from [`Client::termination_reasons`](crate::Client::termination_reasons).
///
/// Each page is read when the reasons before it have been taken, at the endpoint's own pace, and tried again as the
/// [`RetryPolicy`](crate::RetryPolicy) says, whose attempts and deadline hold for each page alone. A reason that can't be
/// read at all, for want of an id, is left out with a warning in the log.
///
/// ```
/// use feishu_cancel_onboard::Client;
///
/// # #[cfg(feature = "sandbox")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
/// # let origin = sandbox.base_url().parse()?;
/// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
/// let mut reasons = client.termination_reasons();
/// # let mut count = 0;
/// while let Some(reason) = reasons.next().await.transpose()? {
///     println!("{} {}", reason.id(), reason.name_zh().unwrap_or_default());
/// #     count += 1;
/// }
/// # assert_eq!(count, 12);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sandbox"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// The stream ends with the first error; the reasons before it were handed out. Pages that lead round in a circle or nowhere
/// are one, and so are more than 1000 pages. Nothing has changed then: this call only reads, and its
/// [`delivery`](Error::delivery) is never [`Delivery::Unknown`].
///
/// # Panics
/// When it is polled outside of a Tokio runtime with I/O and time enabled, or when the source of tokens panics.
#[must_use = "nothing is sent before it is polled"]
pub struct TerminationReasons {
    client: Arc<Shared>,
    page_size: i64,
    then: Then,
    /// The page tokens that led to the pages so far.
    seen: HashSet<String>,
    pages: usize,
    read: VecDeque<TerminationReason>,
}

/// What comes after the reasons that are read already.
enum Then {
    /// The page that this token leads to, the first one without.
    Page(Option<String>),
    /// The page that is being read.
    Reading(Reading),
    Failed(Error),
    End,
}

type Reading = Pin<Box<dyn Future<Output = Result<Page, Error>> + Send>>;

/// A page that was read.
struct Page {
    reasons: Vec<TerminationReason>,
    /// Where the next one begins, as the platform says it.
    next: Option<Option<String>>,
    answer: Answer,
}

impl TerminationReasons {
    pub(crate) fn new(client: Arc<Shared>) -> Self {
        let page_size = parameters::PAGE_SIZE_MAXIMUM;
        Self { client, page_size, then: Then::Page(None), seen: HashSet::new(), pages: 0, read: VecDeque::new() }
    }

    /// How many reasons to ask for at a time: as many as the endpoint's page allows by default, and never more. Zero is
    /// taken as one.
    ///
    /// ```
    /// use feishu_cancel_onboard::Client;
    ///
    /// # #[cfg(feature = "sandbox")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
    /// # let origin = sandbox.base_url().parse()?;
    /// # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
    /// let mut reasons = client.termination_reasons().page_size(5);
    /// let first = reasons.next().await.transpose()?;
    /// # assert!(first.is_some());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sandbox"))]
    /// # fn main() {}
    /// ```
    pub fn page_size(self, reasons: u32) -> Self {
        Self { page_size: i64::from(reasons).clamp(1, parameters::PAGE_SIZE_MAXIMUM), ..self }
    }

    /// The next reason, none after the last one and after an error.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<TerminationReason, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Takes a page in, and decides what comes after it.
    fn take(&mut self, Page { reasons, next, answer }: Page) {
        self.pages += 1;
        self.read.extend(reasons);
        self.then = match next {
            None => Then::End,
            Some(token) => match self.follow(token) {
                Ok(token) => Then::Page(Some(token)),
                Err(reason) => {
                    let failure = not_a_page(Retry::Never, reason).with_answer(answer);
                    Then::Failed(failed(Delivery::Rejected, 1, failure, Vec::new()))
                }
            },
        };
    }

    /// The token of the next page, if it leads on.
    fn follow(&mut self, token: Option<String>) -> Result<String, &'static str> {
        match token {
            None => Err("the platform says that there is another page, and not where"),
            Some(token) if token.is_empty() => Err("the platform says that there is another page, and not where"),
            Some(token) if token.len() > PAGE_TOKEN_LIMIT => Err("the page token is longer than any should be"),
            Some(_) if self.pages >= PAGE_LIMIT => Err("there are more pages than any list of reasons should have"),
            Some(token) if !self.seen.insert(token.clone()) => {
                Err("the page token came a second time: the pages lead round in a circle")
            }
            Some(token) => Ok(token),
        }
    }
}

impl Stream for TerminationReasons {
    type Item = Result<TerminationReason, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(reason) = this.read.pop_front() {
                return Poll::Ready(Some(Ok(reason)));
            }
            match std::mem::replace(&mut this.then, Then::End) {
                Then::End => return Poll::Ready(None),
                Then::Failed(error) => return Poll::Ready(Some(Err(error))),
                Then::Page(token) => {
                    this.then = Then::Reading(Box::pin(read_page(Arc::clone(&this.client), this.page_size, token)));
                }
                Then::Reading(mut reading) => match reading.as_mut().poll(context) {
                    Poll::Pending => {
                        this.then = Then::Reading(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(page)) => this.take(page),
                    Poll::Ready(Err(error)) => this.then = Then::Failed(error),
                },
            }
        }
    }
}

impl fmt::Debug for TerminationReasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminationReasons")
            .field("page_size", &self.page_size)
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}

/// Reads the page that a token leads to, with as many attempts as it takes and the policy allows.
async fn read_page(client: Arc<Shared>, page_size: i64, token: Option<String>) -> Result<Page, Error> {
    let span = tracing::info_span!("termination_reasons", attempts = field::Empty, kind = field::Empty);
    let reading = async {
        let mut attempts = Attempts::new(&client, Way::SharedConnections(&client.reasons_pacer), First::default());
        let mut delivery = Delivery::NotSent;
        loop {
            let failed = match attempt(&client, &mut attempts, page_size, token.as_deref()).await {
                Ok(page) => return Ok(page),
                Err(failed) => failed,
            };
            delivery = delivery.max(failed.failure.delivery());
            if let Next::End(failure) = attempts.next(failed).await {
                return Err(self::failed(delivery, attempts.begun(), failure, attempts.into_earlier()));
            }
        }
    };
    let result = reading.instrument(span.clone()).await;
    if let Err(error) = &result {
        span.record("attempts", error.attempts()).record("kind", error.kind().as_str());
    }
    result
}

async fn attempt(
    client: &Shared,
    attempts: &mut Attempts<'_>,
    page_size: i64,
    token: Option<&str>,
) -> Result<Page, Failed> {
    let send = |exchange| {
        let (baseurl, client) = (client.origin.clone(), client.http.clone());
        let endpoint = EndpointClient { baseurl, client, inner: exchange };
        async move { endpoint.list_termination_reasons(Some(page_size), token).await }
    };
    Ok(page(attempts.make(send).await?)?)
}

/// The page in an answer that says it is a success. One that holds nothing is the list's last.
fn page(success: Success<TerminationReasonsResponse>) -> Result<Page, Failure> {
    let Success { content, http_status, log_id } = success;
    let answer = Answer { http_status, log_id, ..Answer::default() };
    let Some(content) = content else {
        let failure = not_a_page(Retry::Later, "the platform says that it succeeded, and its list can't be read");
        return Err(failure.with_answer(answer));
    };
    let Some(data) = content.data else {
        return Ok(Page { reasons: Vec::new(), next: None, answer });
    };
    let reasons = data.items.unwrap_or_default().into_iter().filter_map(reason).collect();
    let next = (data.has_more == Some(true)).then_some(data.page_token);
    Ok(Page { reasons, next, answer })
}

/// One reason of a list: by itself, so that one that can't be read leaves the others readable.
fn reason(listed: RawJson) -> Option<TerminationReason> {
    let reason: Option<types::TerminationReason> =
        serde_json::from_str(listed.text()).ok().map(|Object(reason)| reason);
    if reason.is_none() {
        tracing::warn!("a termination reason that has another form than the documented one is left out");
    }
    reason.map(TerminationReason)
}

fn not_a_page(retry: Retry, message: &str) -> Failure {
    let meaning = Meaning { kind: ErrorKind::UnexpectedResponse, delivery: Delivery::Rejected, retry };
    Failure::new(meaning).with_message(message)
}

fn failed(delivery: Delivery, attempts: u32, last: Failure, earlier: Vec<Failure>) -> Error {
    Error::new(delivery, attempts, last, earlier).about(Subject::TerminationReasons)
}
