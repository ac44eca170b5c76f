//! A separate connection for each attempt of a cancellation, which waits for the rate limit only once it is established.
//!
//! On a kept HTTP/1.1 connection, a late or additional answer can't be told from the answer to the next request: somebody's
//! cancellation that never happened would be reported as done. So an attempt of a cancellation makes a connection, uses it
//! for one request and drops it.
//!
//! Making it takes time, which must not be lost to the rate: the permit is waited for when the connection stands, just
//! before the request is written to it. The connection is made within the future of the request, so the gate that the
//! connection has to pass is a task-local value.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::clock::Clock;
use crate::connecting::BoxError;
use crate::pace::{Permit, TooLong, Turn};

/// How long a connection may wait for its permit: a server ends one on which nothing comes.
const LONGEST_IDLE: Duration = Duration::from_secs(3);

tokio::task_local! {
    static GATE: Arc<Gate>;
}

/// What one attempt's connection has to pass before anything is written to it.
pub(crate) struct Gate {
    clock: Arc<Clock>,
    turn: Mutex<Option<Turn>>,
    permit: Mutex<Option<Permit>>,
    closed: OnceLock<Closed>,
}

/// Why the gate let nothing through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// There is no permit within the time of the call, but only after this wait.
    TooLong(Duration),
    /// The connection would have waited too long for its permit; another one can be made later.
    Idle,
}

impl Gate {
    /// The gate of an attempt that has this turn.
    pub(crate) fn new(clock: Arc<Clock>, turn: Turn) -> Arc<Self> {
        let (permit, closed) = (Mutex::new(None), OnceLock::new());
        Arc::new(Self { clock, turn: Mutex::new(Some(turn)), permit, closed })
    }

    /// Runs the request with which this gate's connection is made.
    pub(crate) async fn guard<T>(self: &Arc<Self>, request: impl Future<Output = T>) -> T {
        GATE.scope(Arc::clone(self), request).await
    }

    /// Why nothing was let through, if nothing was.
    pub(crate) fn closed(&self) -> Option<Closed> {
        self.closed.get().copied()
    }

    /// The permit, once a connection has passed.
    pub(crate) fn take_permit(&self) -> Option<Permit> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits for the permit, now that a connection stands.
    async fn pass(&self) -> Result<(), BoxError> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner).take();
        let turn = turn.ok_or("an attempt makes one connection only")?;
        let outcome = self
            .clock
            .stopped(|until| async move {
                let idle = Instant::now() + LONGEST_IDLE;
                turn.permit(until.min(idle)).await.map_err(|TooLong(wait)| match until <= idle {
                    true => Closed::TooLong(wait),
                    false => Closed::Idle,
                })
            })
            .await;
        match outcome {
            Ok(permit) => {
                *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
                Ok(())
            }
            Err(closed) => {
                let _ = self.closed.set(closed);
                Err("the rate limit let no request through".into())
            }
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("closed", &self.closed()).finish_non_exhaustive()
    }
}

/// Lets each connection that is made pass its attempt's [`Gate`].
#[derive(Clone, Copy)]
pub(crate) struct GateLayer;

impl<S> Layer<S> for GateLayer {
    type Service = GatedConnector<S>;

    fn layer(&self, connector: S) -> GatedConnector<S> {
        GatedConnector { connector: Arc::new(connector) }
    }
}

/// A connector behind a [`GateLayer`].
pub(crate) struct GatedConnector<S> {
    /// Shared, since reqwest clones its connector several times for each request.
    connector: Arc<S>,
}

impl<S> Clone for GatedConnector<S> {
    fn clone(&self) -> Self {
        Self { connector: Arc::clone(&self.connector) }
    }
}

impl<S, R> Service<R> for GatedConnector<S>
where
    S: Service<R, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Response: Send,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The connector is asked when there is something to connect to.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: R) -> Self::Future {
        let mut connector = S::clone(&self.connector);
        let gate = GATE.try_with(Arc::clone);
        Box::pin(async move {
            // Without a gate nobody would count the request.
            let gate = gate?;
            poll_fn(|context| connector.poll_ready(context)).await?;
            let connection = connector.call(to).await?;
            gate.pass().await?;
            Ok(connection)
        })
    }
}
