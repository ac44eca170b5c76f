//! TLS in front of a server on loopback, with certificates of an authority that the test makes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// An authority that nobody trusts who was not told to.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// When a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valid {
    Now,
    Before,
    Later,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).expect("no name is wrong");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key can be made");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("it can be signed"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn der(&self) -> &[u8] {
        self.0.der()
    }

    fn server(&self, names: &[&str], valid: Valid) -> ServerConfig {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names).expect("they are names");
        let year = |year| rcgen::date_time_ymd(year, 1, 1);
        (parameters.not_before, parameters.not_after) = match valid {
            Valid::Now => (year(2020), year(4000)),
            Valid::Before => (year(2000), year(2001)),
            Valid::Later => (year(3999), year(4000)),
        };
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = parameters.signed_by(&key, &self.0).expect("it can be signed");
        ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .expect("the key is that of the certificate")
    }
}

/// The relay; it ends when it is dropped.
pub struct TlsRelay {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl TlsRelay {
    /// Relays to the server with this origin, after a delay before each handshake.
    pub async fn start(to: &str, authority: &Authority, (names, valid): (&[&str], Valid), delay: Duration) -> Self {
        let to: SocketAddr = to.trim_start_matches("http://").parse().expect("it is an address");
        let acceptor = TlsAcceptor::from(Arc::new(authority.server(names, valid)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let address = listener.local_addr().expect("it is bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut relayed = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let acceptor = acceptor.clone();
                relayed.spawn(async move {
                    tokio::time::sleep(delay).await;
                    stream.set_nodelay(true)?;
                    let mut inner = acceptor.accept(stream).await?;
                    let mut server = TcpStream::connect(to).await?;
                    server.set_nodelay(true)?;
                    copy_bidirectional(&mut inner, &mut server).await.map(drop)
                });
                while relayed.try_join_next().is_some() {}
            }
        });
        Self { address, connections, task }
    }

    pub fn origin(&self) -> String {
        format!("https://{}", self.address)
    }

    /// How many connections were made to it so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for TlsRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
