//! Cancel the onboarding of a Feishu Hire candidate, and know for certain whether it happened.
//!
//! This is a guide for those who call it from an HR back-end. The items say the rest, each with an example. What calls
//! the platform in an example is run against the [`sandbox`].
//!
//! # The first call
//!
//! With the id and the secret of a custom app that has one of the scopes that [`document::OPERATION`] lists, in a Tokio
//! runtime:
//!
//! ```
//! use feishu_cancel_onboard::{Client, TerminationType};
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let (app_id, app_secret) = (sandbox.app_id(), sandbox.app_secret());
//! let client = Client::builder()
//! #     .origin(sandbox.base_url().parse()?)
//!     .app(app_id, app_secret) // from your vault, or the environment
//!     .build()?;
//!
//! let done = client
//!     .cancel_onboard("1111111111", TerminationType::CandidateDeclined)
//!     .notes("took another offer")
//!     .send()
//!     .await?;
//! println!("{}, log id {:?}", done.outcome().as_str(), done.log_id());
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! It calls Feishu; [`ClientBuilder::origin`] leads to Lark, or to a gateway of yours. Whatever the origin,
//! certificates are checked and redirects are not followed, and neither tokens nor secrets come up in errors, logs or
//! `Debug`.
//!
//! # What went wrong, and what it asks of you
//!
//! An [`Error`] answers questions. [`kind`](Error::kind) says what happened, in few enough kinds to decide by:
//!
//! | [`ErrorKind`] | what it asks of you |
//! | --- | --- |
//! | [`AlreadyTerminated`](ErrorKind::AlreadyTerminated) | nothing: nothing is left to cancel |
//! | [`ManagedByFeishuPeople`](ErrorKind::ManagedByFeishuPeople) | somebody cancels it in Feishu People |
//! | [`InvalidRequest`](ErrorKind::InvalidRequest), [`InvalidParameter`](ErrorKind::InvalidParameter) | correct the request; the first was not even sent |
//! | [`Unauthorized`](ErrorKind::Unauthorized), [`InvalidCredentials`](ErrorKind::InvalidCredentials), [`PermissionDenied`](ErrorKind::PermissionDenied), [`AppUnavailable`](ErrorKind::AppUnavailable) | stop calling until somebody has set the app right: every call fails |
//! | all others | first ask [whether it is done](#is-it-done), then whether [the same call can succeed later](#trying-again) |
//!
//! [`advice`](Error::advice) says it to a person, in English and in Chinese; [`log_id`](Error::log_id) is what Feishu's
//! support asks for; [`details`](Error::details) holds what the platform sent besides, such as the scope that is
//! missing and a link to where it is granted.
//!
//! ```
//! use feishu_cancel_onboard::{Client, ErrorKind, TerminationType};
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let origin = sandbox.base_url().parse()?;
//! # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//! match client.cancel_onboard("3333333333", TerminationType::Other).send().await {
//!     Ok(done) => println!("{}", done.outcome().as_str()),
//!     Err(error) if error.kind() == ErrorKind::AlreadyTerminated => println!("nothing to do"),
//!     Err(error) => {
//!         println!("{error}\n{}", error.advice().zh);
//!         for field in error.details().iter().flat_map(|details| details.field_violations()) {
//!             println!("{}: {}", field.field.unwrap_or_default(), field.description.unwrap_or_default());
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # Is it done?
//!
//! After every failure, [`delivery`](Error::delivery) says which of three things is true of the whole cancellation, all
//! its attempts together:
//!
//! | [`Delivery`] | what is true | what follows |
//! | --- | --- | --- |
//! | [`NotSent`](Delivery::NotSent) | no request of it was sent | nothing changed |
//! | [`Rejected`](Delivery::Rejected) | the platform said no | nothing changed |
//! | [`Unknown`](Delivery::Unknown) | some attempt may have taken effect | look at the application, or make the cancellation again, as [after a crash](#after-a-crash) |
//!
//! An answer is the platform's only if it has the platform's envelope, and a code that is listed or the platform's log id:
//! any other may come from a gateway or a proxy in front of a platform that did what was asked.
//!
//! An answer that is lost is not the end: the cancellation is made again, and where the platform then says that the
//! application is terminated already, it succeeds with [`Outcome::Terminated`]. The state that was asked for holds;
//! that it was this cancellation which brought it about is likely, not proven.
//!
//! ```
//! use feishu_cancel_onboard::{Client, Outcome, TerminationType};
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let origin = sandbox.base_url().parse()?;
//! # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//! # use feishu_cancel_onboard::sandbox::{Ending, Fault};
//! # sandbox.fail_cancellations([Fault::WithEffect(Ending::Reset)]);
//! // The first attempt takes effect, and its answer is lost.
//! let done = client.cancel_onboard("1111111111", TerminationType::Other).send().await?;
//! assert_eq!((done.outcome(), done.attempts()), (Outcome::Terminated, 2));
//! # assert_eq!(sandbox.cancellations(), 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # After a crash
//!
//! A program can be killed between a request and its answer. So that the next run knows, put on record that a
//! cancellation starts with [`before_sending`](CancelOnboard::before_sending), which is awaited just before the first
//! request is written; if that fails, nothing is sent. Put its end on record too. What has started and has not ended is
//! made again with [`after_lost_attempt`](CancelOnboard::after_lost_attempt).
//!
//! ```
//! use feishu_cancel_onboard::{Client, Outcome, TerminationType};
//!
//! async fn put_on_record(application_id: &str) -> std::io::Result<()> {
//!     // A row in your database, committed.
//! #     let _ = application_id;
//!     Ok(())
//! }
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let origin = sandbox.base_url().parse()?;
//! # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//! # use feishu_cancel_onboard::sandbox::{Ending, Fault};
//! # sandbox.fail_cancellations([Fault::WithEffect(Ending::Hang)]);
//! let first_run = client
//!     .cancel_onboard("1111111111", TerminationType::Other)
//!     .before_sending(|| put_on_record("1111111111"))
//!     .send();
//! // While this is awaited, the program is killed.
//! # let killed = async {
//! #     while sandbox.cancellations() == 0 {
//! #         tokio::time::sleep(std::time::Duration::from_millis(1)).await;
//! #     }
//! # };
//! # tokio::select! { biased; _ = first_run => panic!("it hangs"), () = killed => {} }
//!
//! let next_run = client.cancel_onboard("1111111111", TerminationType::Other).after_lost_attempt().send();
//! assert_eq!(next_run.await?.outcome(), Outcome::Terminated);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # When a caller stops waiting
//!
//! Servers drop the future of a request whose own caller hangs up. A cancellation runs in a separate task, so that this loses
//! nothing: a request that has begun is carried to its answer, the verdict is logged and reaches
//! [`on_finished`](CancelOnboard::on_finished), and no further request is sent. Whoever makes the cancellation again before the
//! verdict is on record does so with [`after_lost_attempt`](CancelOnboard::after_lost_attempt). The repository's
//! `examples/service.rs` is such a server.
//!
//! [`CancelOnboard::start`] gives a [`Cancellation`] that can be stopped while it is waited for, for instance when a service
//! shuts down. Keep the runtime until those under way have ended.
//!
//! ```
//! use feishu_cancel_onboard::{Client, Delivery, ErrorKind, TerminationType};
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let origin = sandbox.base_url().parse()?;
//! # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//! # let answer = feishu_cancel_onboard::sandbox::Answer::rate_limited(10, 30);
//! # sandbox.fail_cancellations([feishu_cancel_onboard::sandbox::Fault::WithoutEffect(answer.into())]);
//! // The platform asks to wait for half a minute, and the service shuts down in the meantime.
//! let cancellation = client.cancel_onboard("1111111111", TerminationType::Other).start();
//! # while sandbox.calls().len() < 2 {
//! #     tokio::time::sleep(std::time::Duration::from_millis(5)).await;
//! # }
//! # tokio::time::sleep(std::time::Duration::from_millis(50)).await;
//! cancellation.stop();
//! let error = cancellation.await.expect_err("it begins nothing more");
//! assert_eq!((error.kind(), error.delivery()), (ErrorKind::Interrupted, Delivery::Rejected));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # Trying again
//!
//! What is safe to try again is tried again, and nothing else; how often, after which waits and until when is for the
//! [`RetryPolicy`] to say. The deadline holds for the whole, waits for the platform's limit and for a token included:
//! nobody waits longer than that. [`ClientBuilder::attempt_timeout`] is for one attempt.
//!
//! Where the policy has come to its end, [`is_retryable`](Error::is_retryable) says whether the same call can succeed
//! later, and [`retry_after`](Error::retry_after) how long the platform asked to wait before that: put it back into
//! your queue.
//!
//! ```
//! use std::time::Duration;
//! use feishu_cancel_onboard::{CancelRequest, Client, Delivery, RetryPolicy, TerminationType};
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let answer = feishu_cancel_onboard::sandbox::Answer::rate_limited(10, 30);
//! # sandbox.fail_cancellations([feishu_cancel_onboard::sandbox::Fault::WithoutEffect(answer.into())]);
//! # let mut queue = Vec::new();
//! let client = Client::builder()
//! #     .origin(sandbox.base_url().parse()?)
//! #     .app(sandbox.app_id(), sandbox.app_secret())
//!     .retry(RetryPolicy::default().attempts(2).deadline(Duration::from_secs(20)))
//!     // …
//!     .build()?;
//! let request = CancelRequest::new("1111111111", TerminationType::Other);
//! if let Err(error) = client.prepare(request.clone()).send().await
//!     && error.is_retryable()
//! {
//!     let unknown = error.delivery() == Delivery::Unknown;
//!     let again = if unknown { request.after_lost_attempt() } else { request };
//!     queue.push((again, error.retry_after().unwrap_or(Duration::from_secs(60))));
//! }
//! # assert_eq!(queue[0].1, Duration::from_secs(30));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # Pace
//!
//! The platform counts the calls of one app in one tenant, and refuses those above the documented limit, which is
//! [`document::OPERATION.rate_limits`](Operation::rate_limits). A client keeps to it by itself, with all its clones:
//! make one at the start, clone it wherever it is needed. A second client, or a second process, does not know how fast
//! the first one calls. What the platform refuses for that waits and is made again, without using up an attempt; dividing
//! the limit between them avoids the refusals. Calls are served in the order in which they come: a single one beside a bulk
//! run waits behind those that have their turn already, about one period of the limit.
//!
//! ```
//! use feishu_cancel_onboard::{Client, Pace, document};
//!
//! let limit = document::OPERATION.rate_limits[0];
//! let half = Pace::new(limit.calls / 2, limit.period);
//! println!("500 take {:?} at least, in each of two processes", half.time_for(250));
//! let client = Client::builder().app("cli_a1b2c3", "the app's secret").pace(half).build()?;
//! # Ok::<(), feishu_cancel_onboard::Error>(())
//! ```
//!
//! # Many cancellations
//!
//! [`Client::cancel_all`] takes a stream of [`CancelRequest`]s and gives the results as they come: at the client's
//! pace, as many at once as that takes, and each with all that a single cancellation promises. The methods of streams
//! are in `futures_util`.
//!
//! ```
//! use feishu_cancel_onboard::{CancelRequest, Client, Delivery, TerminationType};
//! use futures_util::{StreamExt, stream};
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let origin = sandbox.base_url().parse()?;
//! # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//! let requests = ["1111111111", "2222222222", "4444444444"]
//!     .map(|id| CancelRequest::new(id, TerminationType::CompanyRejected).notes("hiring freeze"));
//! let mut results = client.cancel_all(stream::iter(requests));
//! let (mut done, mut unknown) = (0, Vec::new());
//! while let Some((request, result)) = results.next().await {
//!     match result {
//!         Ok(_) => done += 1,
//!         Err(error) if error.delivery() == Delivery::Unknown => unknown.push(request.after_lost_attempt()),
//!         Err(error) => println!("{}: {error}", request.application_id()),
//!     }
//! }
//! assert_eq!((done, unknown.len()), (2, 0)); // 2222222222 was terminated before
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # Reasons
//!
//! Besides its [`TerminationType`], a cancellation can give reasons that the tenant has set up.
//! [`Client::termination_reasons`] reads their ids; a reason belongs to one type, and can be disabled.
//!
//! ```
//! use feishu_cancel_onboard::{Client, Received, TerminationType};
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let origin = sandbox.base_url().parse()?;
//! # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//! let of_type = Some(Received::Known(TerminationType::CandidateDeclined));
//! let mut reasons = client.termination_reasons();
//! let mut fitting = Vec::new();
//! while let Some(reason) = reasons.next().await.transpose()? {
//!     if reason.termination_type() == of_type && !reason.is_disabled() {
//!         fitting.push(reason.id().to_owned());
//!     }
//! }
//! let cancellation = client.cancel_onboard("1111111111", TerminationType::CandidateDeclined);
//! cancellation.reason_ids(fitting.into_iter().take(1)).send().await?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # Tokens
//!
//! | given to the builder | who renews the token |
//! | --- | --- |
//! | [`app`](ClientBuilder::app) | this library, before it ends, for all clones together |
//! | [`tenant_access_token`](ClientBuilder::tenant_access_token) | nobody: once it is refused, every call is [`Unauthorized`](ErrorKind::Unauthorized) |
//! | [`token_source`](ClientBuilder::token_source) | your [`TokenSource`], for instance a vault or a cache that several services share |
//!
//! A token that the platform refuses is replaced and the call made once more, where there is somebody to bring another
//! one. Where no token can be had, nothing is sent, and the error says so.
//!
//! # Logs and metrics
//!
//! This library logs through [`tracing`](https://docs.rs/tracing), and nothing that it logs holds a secret, a token, or the
//! notes of a cancellation. Its spans, each at the level `info`:
//!
//! | span | fields |
//! | --- | --- |
//! | `cancel_onboard`, of one cancellation | `application_id`, `termination_type`, `attempts`; `outcome` of one that succeeded; `kind` and `delivery` of one that failed |
//! | `termination_reasons`, of one page | `attempts` and `kind` of one that failed |
//! | `attempt`, within each of them | `number`; `wait_ms`, the wait before it; `status`, `code`, `log_id` of its answer; `delivery` of one that failed |
//!
//! And its events:
//!
//! | event | level | says |
//! | --- | --- | --- |
//! | target `feishu_cancel_onboard::verdict` | `info` | how a cancellation ended: `application_id`, `attempts`, `log_id`; `outcome` of one that succeeded; `kind`, `delivery`, `code` and `retryable` of one that failed |
//! | a failed attempt | `debug` | why, and where there was no connection, the [`cause`](Error::cause) |
//! | `nobody waited for the result` | `warn` | `application_id` and the result of a cancellation whose caller stopped waiting before fetching it: it is [carried to its answer](CancelOnboard::send) all the same |
//! | a token that could not be renewed in time | `warn` | why; the token that is there still serves |
//!
//! There is exactly one verdict for each cancellation that was started, whether or not anybody waits for it, so verdicts can
//! be counted from that event alone. A value of `outcome`, `kind` and `delivery` is what [`Outcome`], [`ErrorKind`] and
//! [`Delivery`] print. Two verdicts are not those that a caller was given: that of a cancellation which the caller
//! [gave up](Cancellation::give_up) comes later, and says what came of it; and one that [`cancel_all`](Client::cancel_all)
//! gives up before it begins is `interrupted` and `not_sent`, and has no result.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::fmt::Debug;
//! use std::sync::{Arc, Mutex};
//!
//! use feishu_cancel_onboard::{Client, TerminationType};
//! use tracing::field::{Field, Visit};
//! use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
//!
//! /// Counts verdicts by their outcome, or by their kind and delivery.
//! #[derive(Clone, Default)]
//! struct Verdicts(Arc<Mutex<BTreeMap<String, u64>>>);
//!
//! impl<S: tracing::Subscriber> Layer<S> for Verdicts {
//!     fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
//!         if event.metadata().target() == "feishu_cancel_onboard::verdict" {
//!             let mut labels = Labels::default();
//!             event.record(&mut labels);
//!             *self.0.lock().expect("nobody panics with it").entry(labels.0.join(" ")).or_default() += 1;
//!         }
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Labels(Vec<String>);
//!
//! impl Visit for Labels {
//!     fn record_str(&mut self, field: &Field, value: &str) {
//!         if matches!(field.name(), "outcome" | "kind" | "delivery") {
//!             self.0.push(value.to_owned());
//!         }
//!     }
//!
//!     fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
//! }
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = feishu_cancel_onboard::sandbox::Sandbox::start().await?;
//! # let origin = sandbox.base_url().parse()?;
//! # let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//! let verdicts = Verdicts::default();
//! tracing::subscriber::set_global_default(tracing_subscriber::registry().with(verdicts.clone()))?;
//! for id in ["1111111111", "2222222222", "4444444444"] {
//!     let _ = client.cancel_onboard(id, TerminationType::Other).send().await;
//! }
//! let counted = verdicts.0.lock().expect("nobody panics with it");
//! assert_eq!((counted["cancelled"], counted["already_terminated rejected"]), (2, 1));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # Tests of your own
//!
//! With the feature `sandbox`, [`Sandbox`] is the platform on loopback: a real HTTP server with its checks, codes,
//! limits and state, which goes wrong as told.
//!
//! ```console
//! $ cargo add --dev feishu-cancel-onboard --features sandbox
//! ```
//!
//! ```
//! # #[cfg(feature = "sandbox")]
//! use feishu_cancel_onboard::sandbox::{Ending, Fault, Sandbox};
//! use feishu_cancel_onboard::{Client, TerminationType};
//!
//! // What is to be tested: how your service speaks of it.
//! async fn tell_hr(client: &Client, id: &str) -> String {
//!     match client.cancel_onboard(id, TerminationType::Other).send().await {
//!         Ok(_) => "cancelled".to_owned(),
//!         Err(error) => format!("not cancelled: {}", error.kind()),
//!     }
//! }
//!
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start().await?;
//! let origin = sandbox.base_url().parse()?;
//! let client = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret()).build()?;
//!
//! sandbox.fail_cancellations([Fault::WithEffect(Ending::Reset)]);
//! assert_eq!(tell_hr(&client, "4444444444").await, "cancelled");
//! assert_eq!(tell_hr(&client, "3333333333").await, "not cancelled: managed_by_feishu_people");
//! assert_eq!(sandbox.cancellations(), 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # Features
//!
//! | feature | default | what it brings |
//! | --- | --- | --- |
//! | `rustls` | yes | TLS by rustls; without it, TLS is whatever the `reqwest` features elsewhere in your build bring |
//! | `sandbox` | | the module [`sandbox`] |
//!
//! # When the page changes
//!
//! The client, its codes, values and limits are generated from documents in `spec/`, which say what the pages in
//! [`document`] said when this version was made. A code or a value that is newer than that is read all the same, as
//! [`Code::Unknown`] or [`Received::Unknown`]. `cancel-onboard check-docs`, or the package `feishu-cancel-onboard-check-docs`
//! in a program, says whether a page says something else by now; the repository's `CONTRIBUTING.md` leads from there to the next
//! release.
//!
//! # Versions
//!
//! Semantic versioning: kinds, codes and values can be added by any release, which is why their enums are
//! `non_exhaustive`; what takes something away, or brings a new major version of a dependency whose types are in public
//! signatures (`bytes`, `futures-core`, `http`, `reqwest`, `secrecy`, `serde`, `serde_json`), is a breaking release.
//!
#![cfg_attr(feature = "sandbox", doc = "[`Sandbox`]: sandbox::Sandbox")]
#![cfg_attr(not(feature = "sandbox"), doc = "[`sandbox`]: #features\n[`Sandbox`]: #features")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod advice;
mod answer;
mod app_credentials;
mod attempts;
mod builder;
mod bulk;
mod cancellation;
mod client;
mod clock;
mod connect_cause;
mod connecting;
mod details;
mod error;
mod facts;
mod failure;
mod generated;
#[cfg(feature = "rustls")]
mod issuer;
mod json_object;
mod meaning;
mod origin;
mod own_connection;
mod pace;
mod printable;
mod proxy;
mod raw_json;
mod redaction;
mod request;
mod request_json;
mod retry;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod stop;
mod termination_reasons;
#[cfg(feature = "rustls")]
mod tls;
mod token;

pub use advice::Advice;
pub use builder::ClientBuilder;
pub use bulk::CancelAll;
pub use cancellation::Cancellation;
pub use client::{CancelOnboard, Client};
pub use connect_cause::{CertificateProblem, ConnectCause, ConnectProblem};
pub use details::Details;
pub use error::{Delivery, Error, ErrorKind};
pub use facts::{NamedOrigin, Operation, Page, RateLimit, Received, Scope, UnknownValue};
pub use failure::Failure;
/// What the endpoint that cancels answers with where it refuses, or fails.
///
/// ```
/// use feishu_cancel_onboard::{Code, ErrorCode};
///
/// for &code in ErrorCode::ALL {
///     println!("{} {}, at HTTP {:?}", code.code(), code.label(), code.http_status());
///     assert_eq!(ErrorCode::from_code(code.code()), Some(code));
///     assert_eq!(Code::from_number(code.code()), Code::Endpoint(code));
/// }
/// ```
pub use generated::cancel_onboard::ErrorCode;
/// The type of reason, which every cancellation gives.
///
/// ```
/// use feishu_cancel_onboard::TerminationType;
///
/// let declined = TerminationType::CandidateDeclined;
/// assert_eq!(declined.name(), "candidate-declined");
/// assert_eq!("candidate-declined".parse(), Ok(declined));
/// assert_eq!(declined.value().to_string().parse(), Ok(declined));
/// assert_eq!(TerminationType::from_value(declined.value()), Some(declined));
/// for known in TerminationType::ALL {
///     println!("{known} {}", known.label());
/// }
/// ```
pub use generated::cancel_onboard::TerminationType;
/// What the platform answers with before the endpoint has a say: about the token, the app, its scopes and the limit.
///
/// ```
/// use feishu_cancel_onboard::PlatformErrorCode;
///
/// for &code in PlatformErrorCode::ALL {
///     println!("{} {}", code.code(), code.label());
///     assert_eq!(PlatformErrorCode::from_code(code.code()), Some(code));
///     assert_eq!(code.http_status(), None); // the platform does not fix it
/// }
/// ```
pub use generated::platform::PlatformErrorCode;
/// What any endpoint of the Hire service can answer with, beside its own codes.
///
/// ```
/// use feishu_cancel_onboard::{Code, ErrorKind, ServiceErrorCode};
///
/// for &code in ServiceErrorCode::ALL {
///     println!("{} {}", code.code(), code.label());
///     assert_eq!(Code::from_number(code.code()), Code::Service(code));
/// }
/// let missing = Code::Service(ServiceErrorCode::ApplicationNotFound);
/// assert_eq!(missing.meaning(400).kind, ErrorKind::ApplicationNotFound);
/// ```
pub use generated::platform::ServiceErrorCode;
/// An entry of [`Details::field_violations`], whose example reads one.
pub use generated::platform::types::FieldViolation;
/// An entry of [`Details::helps`], whose example reads one.
pub use generated::platform::types::Help;
/// An entry of [`Details::further`], whose example reads one.
pub use generated::platform::types::KeyedDetail;
/// An entry of [`Details::permission_violations`], whose example reads one.
pub use generated::platform::types::PermissionViolation;
/// What the endpoint that issues tokens answers with where it refuses the app's id or secret.
///
/// ```
/// use feishu_cancel_onboard::{Code, ErrorKind, TokenErrorCode};
///
/// for &code in TokenErrorCode::ALL {
///     println!("{} {}", code.code(), code.label());
///     assert_eq!(Code::Token(code).meaning(200).kind, ErrorKind::InvalidCredentials);
/// }
/// ```
pub use generated::tenant_access_token::ErrorCode as TokenErrorCode;
/// Whether a [`TerminationReason`] can be given now.
///
/// ```
/// use feishu_cancel_onboard::ActiveStatus;
///
/// let disabled = ActiveStatus::Disabled;
/// assert_eq!(disabled.name(), "disabled");
/// assert_eq!("disabled".parse(), Ok(disabled));
/// assert_eq!(ActiveStatus::from_value(disabled.value()), Some(disabled));
/// for known in ActiveStatus::ALL {
///     println!("{known} {}", known.label());
/// }
/// ```
pub use generated::termination_reasons::ActiveStatus;
/// What the endpoint that lists termination reasons answers with where it refuses, or fails.
///
/// ```
/// use feishu_cancel_onboard::TerminationReasonsErrorCode;
///
/// for &code in TerminationReasonsErrorCode::ALL {
///     println!("{} {}, at HTTP {:?}", code.code(), code.label(), code.http_status());
///     assert_eq!(TerminationReasonsErrorCode::from_code(code.code()), Some(code));
/// }
/// ```
pub use generated::termination_reasons::ErrorCode as TerminationReasonsErrorCode;
pub use meaning::{Code, Meaning, Retry};
pub use origin::Origin;
pub use pace::Pace;
pub use printable::printable;
pub use request::{CancelRequest, Cancelled, Outcome};
pub use retry::RetryPolicy;
pub use termination_reasons::{TerminationReason, TerminationReasons};
pub use token::{AccessToken, TokenError, TokenFuture, TokenSource};

/// What the endpoint's published page says, as generated from the document in `spec/`.
///
/// ```
/// use feishu_cancel_onboard::document;
///
/// println!("{} is described at {}", document::OPERATION.path, document::PAGE.url);
/// println!("it is called at {}", document::ORIGINS[0].url);
/// println!("an answer with the code {} is a success", document::SUCCESS_CODE);
/// let (name, text) = document::SOURCES[0];
/// println!("spec/{name}.yaml has {} lines", text.lines().count());
/// ```
pub mod document {
    pub use crate::generated::cancel_onboard::{OPERATION, PAGE};
    pub use crate::generated::platform::{ORIGINS, SUCCESS_CODE};

    include!(concat!(env!("OUT_DIR"), "/sources.rs"));

    /// What the page of the endpoint that issues tokens says.
    ///
    /// ```
    /// use feishu_cancel_onboard::document::tenant_access_token::{OPERATION, PAGE};
    ///
    /// println!("{} {} is described at {}", OPERATION.method, OPERATION.path, PAGE.url);
    /// ```
    pub mod tenant_access_token {
        pub use crate::generated::tenant_access_token::{OPERATION, PAGE};
    }

    /// What the page of the endpoint that lists termination reasons says.
    ///
    /// ```
    /// use feishu_cancel_onboard::document::termination_reasons::{OPERATION, PAGE};
    ///
    /// println!("{} {} is described at {}", OPERATION.method, OPERATION.path, PAGE.url);
    /// ```
    pub mod termination_reasons {
        pub use crate::generated::termination_reasons::{OPERATION, PAGE};
    }
}

/// The code in the READMEs, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../README.zh-CN.md")]
struct Readme;
