//! The generated code, and the one place that touches it: what the hooks of progenitor add to each call.
//!
//! A call here knows afterwards whether its request had begun to be written, and what the head of the answer said, also
//! when the answer could not be decoded: the generated client alone forgets both.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::own_connection::{Closed, Gate};
use crate::pace::Permit;

/// Gives a generated client its hooks; build.rs calls it once for each document.
macro_rules! client_hooks {
    ($module:ident) => {
        impl progenitor_client::ClientHooks<Exchange> for $module::Client {
            async fn pre<E>(
                &self,
                request: &mut reqwest::Request,
                _: &progenitor_client::OperationInfo,
            ) -> Result<(), progenitor_client::Error<E>> {
                self.inner.prepare(request, $module::OPERATION.content_type);
                Ok(())
            }

            async fn exec(
                &self,
                request: reqwest::Request,
                _: &progenitor_client::OperationInfo,
            ) -> reqwest::Result<reqwest::Response> {
                self.inner.perform(&self.client, request).await
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// A header of progenitor's own, which the platform does not know.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

/// The most that is read of an answer's body, in bytes.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// The longest body, in bytes, that is read whatever else is read at the moment.
const SMALL_BODY: usize = 16 * 1024;

/// Room for the bodies that are longer. The platform's are short, so who waits for it was answered by something else.
static LONG_BODIES: Semaphore = Semaphore::const_new(8);

/// One call: what it is made with, and what became of it.
#[derive(Clone)]
pub(crate) struct Exchange {
    record: Arc<Record>,
}

#[derive(Default)]
struct Record {
    authorization: Option<HeaderValue>,
    permit: Mutex<Option<Permit>>,
    gate: Option<Arc<Gate>>,
    sending: AtomicU8,
    head: OnceLock<Head>,
    over_limit: OnceLock<()>,
    room: Mutex<Option<SemaphorePermit<'static>>>,
}

/// Nobody has asked for the request's body, and it can still be withheld.
const FRESH: u8 = 0;
/// The body has been asked for: any of the request may have left this machine.
const BEGUN: u8 = 1;
/// The body was withheld before anybody asked for it: nothing leaves this machine any more.
const WITHHELD: u8 = 2;

impl Record {
    /// Takes note that the body is asked for; false where it is withheld.
    fn begin(&self) -> bool {
        match self.sending.compare_exchange(FRESH, BEGUN, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                let of_gate = self.gate.as_ref().and_then(|gate| gate.take_permit());
                if let Some(permit) = of_gate.or_else(|| self.lock_permit().take()) {
                    permit.begin();
                }
                true
            }
            Err(now) => now == BEGUN,
        }
    }

    fn lock_permit(&self) -> MutexGuard<'_, Option<Permit>> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub status: u16,
    pub headers: HeaderMap,
}

impl Exchange {
    /// A call with this Authorization header, which must be marked sensitive.
    pub(crate) fn new(authorization: Option<HeaderValue>) -> Self {
        Self { record: Arc::new(Record { authorization, ..Record::default() }) }
    }

    /// The same, which spends a permit when its request begins to be written, and gives it back if that never happens.
    pub(crate) fn with_permit(self, permit: Permit) -> Self {
        *self.record.lock_permit() = Some(permit);
        self
    }

    /// A call whose request has a connection of its own, which passes this gate.
    pub(crate) fn with_gate(authorization: HeaderValue, gate: Arc<Gate>) -> Self {
        let (authorization, gate) = (Some(authorization), Some(gate));
        Self { record: Arc::new(Record { authorization, gate, ..Record::default() }) }
    }

    /// Why no request was let through to its connection, if none was.
    pub(crate) fn gate_closed(&self) -> Option<Closed> {
        self.record.gate.as_ref()?.closed()
    }

    /// Whether the request has begun to be written, as far as it is known now.
    pub(crate) fn has_begun(&self) -> bool {
        self.record.sending.load(Ordering::Acquire) == BEGUN
    }

    /// Whether any of the request can have left this machine, and if not, sees to it that none will.
    ///
    /// The body is asked for only once a connection stands, and before the head is flushed to it: while nobody has asked
    /// for the body, nothing was sent. The connection has a task of its own, which can come to ask for it even after the
    /// call was given up: it is then told that there is none, and gives up too without having sent anything.
    pub(crate) fn begun_or_withheld(&self) -> bool {
        let before = self.record.sending.compare_exchange(FRESH, WITHHELD, Ordering::AcqRel, Ordering::Acquire);
        before == Err(BEGUN)
    }

    /// The head of the answer, once it has come.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.record.head.get()
    }

    /// Whether the answer's body is longer than [`BODY_LIMIT`], and therefore was not read.
    pub(crate) fn is_over_limit(&self) -> bool {
        self.record.over_limit.get().is_some()
    }

    /// Gives back the room that the answer's body took, once nothing of it is held any more.
    pub(crate) fn forget_body(&self) {
        self.record.room.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Waits for room for a long body, within the time of the attempt.
    async fn make_room(&self) {
        // It is never closed.
        let room = LONG_BODIES.acquire().await.ok();
        *self.record.room.lock().unwrap_or_else(PoisonError::into_inner) = room;
    }

    fn prepare(&self, request: &mut reqwest::Request, content_type: Option<&'static str>) {
        let headers = request.headers_mut();
        headers.remove(API_VERSION);
        // An answer may come compressed to who says nothing of it.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(authorization) = &self.record.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
    }

    async fn perform(
        &self,
        client: &reqwest::Client,
        mut request: reqwest::Request,
    ) -> reqwest::Result<reqwest::Response> {
        let body = request.body_mut().take();
        *request.body_mut() = Some(reqwest::Body::wrap(Watched { body, record: Arc::clone(&self.record) }));
        let sent = client.execute(request);
        let mut response = match &self.record.gate {
            Some(gate) => gate.guard(sent).await?,
            None => sent.await?,
        };
        let headers = std::mem::take(response.headers_mut());
        let _ = self.record.head.set(Head { status: response.status().as_u16(), headers });
        // The length that the head announces holds: whatever comes after it is not part of the answer.
        match response.content_length() {
            Some(length) if length <= SMALL_BODY as u64 => Ok(response),
            _ => self.limited(response).await,
        }
    }

    /// The same answer with its body read, or with nothing of it where it is over the limit.
    async fn limited(&self, mut response: reqwest::Response) -> reqwest::Result<reqwest::Response> {
        let announced = response.content_length().unwrap_or(0);
        let mut body: Vec<u8> = Vec::new();
        let mut over = announced > BODY_LIMIT as u64;
        let mut is_long = announced > SMALL_BODY as u64;
        if is_long && !over {
            self.make_room().await;
            body.reserve_exact(usize::try_from(announced).unwrap_or(0));
        }
        while !over && let Some(chunk) = response.chunk().await? {
            let length = body.len() + chunk.len();
            over = length > BODY_LIMIT;
            if !over && !is_long && length > SMALL_BODY {
                self.make_room().await;
                is_long = true;
            }
            if !over {
                body.extend_from_slice(&chunk);
            }
        }
        if over {
            let _ = self.record.over_limit.set(());
            body.clear();
        }
        let mut whole = http::Response::new(body);
        *whole.status_mut() = response.status();
        Ok(whole.into())
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("head", &self.head()).finish_non_exhaustive()
    }
}

/// A request's body that notes when it is first asked for; where there is none, when somebody asks whether there is one.
struct Watched {
    body: Option<reqwest::Body>,
    record: Arc<Record>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if !self.record.begin() {
            return Poll::Ready(Some(Err("the call was given up before its request was sent".into())));
        }
        let body = self.body.as_mut().map(|body| Pin::new(body).poll_frame(context).map_err(Into::into));
        body.unwrap_or(Poll::Ready(None))
    }

    fn is_end_stream(&self) -> bool {
        let Some(body) = &self.body else {
            // Without a body no frame is asked for: this question, with the connection at hand, is the only one.
            self.record.begin();
            return true;
        };
        body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// A string of the API that is a secret: what a document calls `format: password`.
#[derive(Clone, Debug)]
pub struct Secret(pub(crate) SecretString);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|secret| Self(secret.into()))
    }
}
