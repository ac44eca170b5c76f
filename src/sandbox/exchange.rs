//! The life of a call, from its path to its answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, ops::RangeInclusive};

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use http_body::Body as _;
use serde_json::Value;

use super::answer::{self, Answer};
use super::applications::Applications;
use super::connection::Cut;
use super::fault::{Ending, Fault, Faults};
use super::journal::{Call, Entry, Journal};
use super::limit::{Exceeded, Limits};
use super::random::{Random, unpredictable};
use super::schema::Schema;
use super::tokens::Tokens;
use super::{cancel_onboard, server, tenant_access_token, termination_reasons};
use crate::{ErrorCode, Operation, generated};

/// The most that is kept of a request's body, in bytes; the rest is read and dropped.
const BODY_LIMIT: usize = 1024 * 1024;

/// What the calls have in common.
pub(super) struct Shared {
    pub applications: Mutex<Applications>,
    pub tokens: Mutex<Tokens>,
    pub limits: Mutex<Limits>,
    pub reasons: Vec<Value>,
    pub reasons_per_page: usize,
    pub reason_limits: Mutex<Limits>,
    pub reason_faults: Mutex<Faults>,
    pub cancellation_faults: Mutex<Faults>,
    pub token_faults: Mutex<Faults>,
    pub latency: Mutex<(RangeInclusive<Duration>, Random)>,
    pub journal: Arc<Journal>,
    pub cancellation_schema: Schema,
    pub token_schema: Schema,
}

/// Locks what no panic can leave half-done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a handler needs besides its request.
#[derive(Clone)]
pub(super) struct Context {
    pub shared: Arc<Shared>,
    ending: server::Ending,
}

pub(super) fn router(shared: Arc<Shared>, ending: server::Ending) -> io::Result<Router> {
    use generated::cancel_onboard::OPERATION as CANCEL_ONBOARD;
    use generated::tenant_access_token::OPERATION as TENANT_ACCESS_TOKEN;
    use generated::termination_reasons::OPERATION as TERMINATION_REASONS;
    Ok(Router::new()
        .route(CANCEL_ONBOARD.path, route(&CANCEL_ONBOARD, cancel_onboard::handle)?)
        .route(TENANT_ACCESS_TOKEN.path, route(&TENANT_ACCESS_TOKEN, tenant_access_token::handle)?)
        .route(TERMINATION_REASONS.path, route(&TERMINATION_REASONS, termination_reasons::handle)?)
        .fallback(|context, cut, request| refuse(StatusCode::NOT_FOUND, context, cut, request))
        .method_not_allowed_fallback(|context, cut, request| {
            refuse(StatusCode::METHOD_NOT_ALLOWED, context, cut, request)
        })
        .with_state(Context { shared, ending }))
}

fn route<H: Handler<T, Context>, T: 'static>(operation: &Operation, handler: H) -> io::Result<MethodRouter<Context>> {
    let method = Method::from_bytes(operation.method.as_bytes()).map_err(io::Error::other)?;
    Ok(on(MethodFilter::try_from(method).map_err(io::Error::other)?, handler))
}

/// Answers a call to a path or by a method that there isn't.
async fn refuse(
    status: StatusCode,
    State(context): State<Context>,
    Extension(cut): Extension<Cut>,
    request: Request,
) -> Response {
    let mut exchange = context.begin(cut, request, None);
    exchange.read().await;
    exchange.answer(Answer::gateway(status))
}

impl Context {
    /// Notes that a call has come.
    pub fn begin(self, cut: Cut, request: Request, application_id: Option<String>) -> Exchange {
        let (head, body) = request.into_parts();
        let call = Call {
            at: Instant::now(),
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            application_id,
            status: None,
            code: None,
            delivered: false,
            log_id: format!("{:016X}{:016X}", unpredictable(), unpredictable()),
        };
        let entry = self.shared.journal.begin(call);
        Exchange { entry, head, body, cut, ending: self.ending }
    }
}

/// A call under way.
pub(super) struct Exchange {
    entry: Entry,
    pub head: http::request::Parts,
    body: Body,
    cut: Cut,
    ending: server::Ending,
}

impl Exchange {
    /// The answer to a call that the token or the limits of its endpoint do not let through.
    pub fn refusal(&self, tokens: &Mutex<Tokens>, limits: &Mutex<Limits>) -> Option<Answer> {
        let authorization = self.head.headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
        if let Err(code) = lock(tokens).check(authorization) {
            return Some(code.into());
        }
        let Exceeded { ceiling, reset_seconds } = lock(limits).admit(self.entry.at()).err()?;
        Some(Answer::rate_limited(ceiling, reset_seconds))
    }

    /// Reads the body to its end; none if it is too long, or if it broke off.
    pub async fn read(&mut self) -> Option<Vec<u8>> {
        let mut read = Some(Vec::new());
        while let Some(frame) = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await {
            let Ok(data) = frame.ok()?.into_data() else { continue };
            read = read.filter(|read| read.len() + data.len() <= BODY_LIMIT);
            if let Some(read) = &mut read {
                read.extend_from_slice(&data);
            }
        }
        read
    }

    /// Sends the answer.
    pub fn answer(mut self, answer: Answer) -> Response {
        self.entry.due(answer.outcome());
        let response = answer::signed(answer.into_response(self.entry.log_id()), self.entry.log_id());
        self.entry.end(true);
        answer::whole(response)
    }

    /// Deals with the call as its fault wants it; `work` makes the answer from the body, and takes what effect there is.
    /// Every answer waits for the latency.
    pub async fn perform(
        mut self,
        fault: Fault,
        latency: Duration,
        work: impl FnOnce(&http::request::Parts, Option<&[u8]>) -> Answer,
    ) -> Response {
        let (ending, latency, effect) = match fault {
            Fault::None => (None, latency, true),
            Fault::Delay(delay) => (None, latency.saturating_add(delay), true),
            Fault::WithEffect(ending) => (Some(ending), latency, true),
            Fault::WithoutEffect(ending) => (Some(ending), latency, false),
        };
        let unread = !effect && matches!(ending, Some(Ending::Reset));
        let body = if unread { None } else { self.read().await };
        let due = if effect { work(&self.head, body.as_deref()) } else { ErrorCode::SystemError.into() };
        // A caller that leaves while it waits does not undo what was done.
        if effect {
            self.entry.due(due.outcome());
        }
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match ending {
            None => self.answer(due),
            Some(Ending::Answer(answer)) => self.answer_as_given(answer),
            Some(ending) => self.withhold(due, ending).await,
        }
    }

    fn answer_as_given(mut self, answer: Answer) -> Response {
        self.entry.due(answer.outcome());
        let response = answer.into_response(self.entry.log_id());
        self.entry.end(true);
        answer::whole(response)
    }

    /// Ends the call without the answer that was due.
    async fn withhold(mut self, due: Answer, ending: Ending) -> Response {
        if matches!(ending, Ending::Truncated(_)) {
            self.entry.due(due.outcome());
        }
        self.entry.end(false);
        match ending {
            Ending::Answer(_) | Ending::Reset => self.cut.reset(),
            Ending::Close => self.cut.end_with(Bytes::new()),
            Ending::Raw(bytes) => self.cut.end_with(bytes),
            Ending::Truncated(kept) => {
                let response = due.into_response(self.entry.log_id());
                let kept = kept.min(response.body().len().saturating_sub(1));
                self.cut.end_with(answer::cut_short(&response, kept));
            }
            Ending::Hang => {
                self.ending.wait().await;
                self.cut.reset();
            }
        }
        // Writing it is what the cut prevents.
        Response::new(Body::empty())
    }
}
