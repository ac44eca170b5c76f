//! The server itself, on a thread with a runtime of its own: what the caller's runtime does, or its test clock, does not
//! touch it, and when the thread ends nothing of the server is left.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::thread;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tower_service::Service;

use super::connection::Connection;

/// How long no connection is accepted after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A running server. Dropping it ends it.
pub(super) struct Server {
    pub address: SocketAddr,
    ending: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
}

/// Tells those who wait in calls that the server is about to end.
#[derive(Clone)]
pub(super) struct Ending(watch::Receiver<bool>);

impl Ending {
    /// Waits until the server is about to end.
    pub async fn wait(mut self) {
        // An error means that the server's handle is gone, which ends it too.
        let _ = self.0.wait_for(|ending| *ending).await;
    }

    /// Waits until the handle of the server is gone, or calls under way have had their time.
    async fn enforced(mut self, grace: Duration) {
        if self.0.wait_for(|ending| *ending).await.is_ok() {
            let gone = async { while self.0.changed().await.is_ok() {} };
            let _ = tokio::time::timeout(grace, gone).await;
        }
    }
}

impl Server {
    /// Serves what `router` makes, on this port of the loopback interface, or on one that the system picks for 0. A graceful
    /// end waits for calls under way, but no longer than `grace`.
    pub async fn start(
        port: u16,
        grace: Duration,
        router: impl FnOnce(Ending) -> io::Result<Router>,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (ending, receiver) = watch::channel(false);
        let receiver = Ending(receiver);
        let router = router(receiver.clone())?;
        let (started_sender, started) = oneshot::channel();
        let (ended_sender, ended) = oneshot::channel();
        thread::Builder::new().name("feishu-sandbox".to_owned()).spawn(move || {
            // Dropped last, when the runtime and with it every connection is gone.
            let _ended = ended_sender;
            serve(listener, router, receiver, grace, started_sender);
        })?;
        started.await.unwrap_or_else(|_| Err(io::Error::other("the server's thread ended before it served")))?;
        Ok(Self { address, ending, ended })
    }

    /// Takes no more calls, waits for those under way, for its grace at most, and ends.
    pub async fn shutdown(self) {
        let Self { ending, ended, .. } = self;
        ending.send_replace(true);
        let _ = ended.await;
    }
}

fn serve(
    listener: std::net::TcpListener,
    router: Router,
    ending: Ending,
    grace: Duration,
    started: oneshot::Sender<io::Result<()>>,
) {
    let prepared = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let within = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        drop(within);
        io::Result::Ok((runtime, listener))
    };
    let (runtime, listener) = match prepared() {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let _ = started.send(Ok(()));
    runtime.block_on(async {
        tokio::select! {
            () = accept(&listener, &router, &ending) => {}
            () = ending.clone().enforced(grace) => {}
        }
    });
}

/// Serves every connection that comes, until the server is about to end and those that there are have ended.
async fn accept(listener: &TcpListener, router: &Router, ending: &Ending) {
    let mut connections = JoinSet::new();
    let mut over = pin!(ending.clone().wait());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut over => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, router.clone(), ending.clone()));
            }
            // The system has no descriptor to give, which passes, or the caller has left already.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn serve_connection(stream: TcpStream, router: Router, ending: Ending) {
    let (connection, cut) = Connection::new(stream);
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(cut.clone());
        // A router is always ready.
        router.clone().call(request)
    });
    // The platform writes `X-Tt-Logid`, and there are clients that look for just that.
    let mut builder = http1::Builder::new();
    let served = builder.title_case_headers(true).serve_connection(TokioIo::new(connection), service);
    let mut served = pin!(served);
    // What goes wrong on a connection is its caller's affair.
    tokio::select! {
        _ = served.as_mut() => return,
        () = ending.wait() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}
