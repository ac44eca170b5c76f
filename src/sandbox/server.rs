//! The server itself, on a thread with a runtime of its own: what the caller's runtime does, or its test clock, does not
//! touch it, and when the thread ends nothing of the server is left.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::connection::{Cut, Cuttable};

/// How long a graceful end waits for calls under way.
const GRACE: Duration = Duration::from_secs(5);

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
    async fn enforced(mut self) {
        if self.0.wait_for(|ending| *ending).await.is_ok() {
            let gone = async { while self.0.changed().await.is_ok() {} };
            let _ = tokio::time::timeout(GRACE, gone).await;
        }
    }
}

impl Server {
    /// Serves what `router` makes, on this port of the loopback interface, or on one that the system picks for 0.
    pub async fn start(port: u16, router: impl FnOnce(Ending) -> io::Result<Router>) -> io::Result<Self> {
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
            serve(listener, router, receiver, started_sender);
        })?;
        started.await.unwrap_or_else(|_| Err(io::Error::other("the server's thread ended before it served")))?;
        Ok(Self { address, ending, ended })
    }

    /// Takes no more calls, waits for those under way, for a few seconds at most, and ends.
    pub async fn shutdown(self) {
        let Self { ending, ended, .. } = self;
        ending.send_replace(true);
        let _ = ended.await;
    }
}

fn serve(listener: std::net::TcpListener, router: Router, ending: Ending, started: oneshot::Sender<io::Result<()>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        let service = router.into_make_service_with_connect_info::<Cut>();
        let served = axum::serve(Cuttable(listener), service).with_graceful_shutdown(ending.clone().wait());
        let _ = started.send(Ok(()));
        tokio::select! {
            _ = served.into_future() => {}
            () = ending.enforced() => {}
        }
    });
}
