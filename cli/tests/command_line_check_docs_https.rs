//! `cancel-onboard check-docs` over https: what begins on this machine stays there.

use test_support::pages;
use test_support::raw_server;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use pages::{Form, Page};
use raw_server::{Act, RawServer, response};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server that is called over TLS, with its own certificate.
struct TlsServer {
    /// How it is called by its name.
    origin: String,
    /// The file with its certificate.
    certificate: PathBuf,
    behind: RawServer,
    task: JoinHandle<()>,
}

impl TlsServer {
    /// Does with each request what `script` says, which gets the path.
    async fn start(name: &str, script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
            .expect("it can be made");
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("it is a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("the key is that of the certificate");
        let certificate = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.pem", std::process::id()));
        std::fs::write(&certificate, certified.cert.pem()).expect("the folder for tests is writable");

        let behind = RawServer::start(move |_, seen| script(&seen.path)).await;
        let plain = behind.origin.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let origin = format!("https://localhost:{}", listener.local_addr().expect("it is bound").port());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, plain) = (acceptor.clone(), plain.clone());
                connections.spawn(async move {
                    let mut outside = acceptor.accept(stream).await?;
                    let mut inside = TcpStream::connect(plain).await?;
                    tokio::io::copy_bidirectional(&mut outside, &mut inside).await
                });
            }
        });
        Self { origin, certificate, behind, task }
    }

    /// Checks a page of this server, with a proxy in the environment.
    async fn check(&self, path: &str, proxy: &RawServer) -> (Output, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cancel-onboard"));
        command.env_clear().env("SSL_CERT_FILE", &self.certificate);
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, &proxy.origin);
        }
        command.args(["check-docs", &format!("{}{path}", self.origin), "--output", "json"]);
        let run = tokio::task::spawn_blocking(move || command.output().expect("the binary runs"));
        let output = run.await.expect("no panic");
        let line = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no line of JSON: {output:?}"));
        (output, line)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.certificate);
    }
}

fn page() -> Act {
    Act::Answer(response(200, &[("Content-Type", "text/markdown")], &Page::new().write(Form::Published)))
}

fn redirect(to: &str) -> Act {
    Act::Answer(response(302, &[("Location", to)], ""))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_and_no_proxy_takes_a_check_off_this_machine() {
    let proxy = RawServer::start(|_, _| Act::AnswerAndClose(response(502, &[], ""))).await;
    let server = TlsServer::start("off-this-machine", |path| match path.split_once("to=") {
        None => page(),
        Some((_, to)) => redirect(to),
    })
    .await;
    let (output, line) = server.check("/page.md", &proxy).await;
    assert_eq!((output.status.code(), &line["spec"]), (Some(1), &Value::from("cancel_onboard")), "{line}");
    for to in [
        "https://example.invalid/page.md",
        "https://192.0.2.1/",
        "https://localhost.example.invalid/",
        "https://[2001:db8::1]/",
        &server.behind.origin,
        "http://example.invalid/",
    ] {
        let (output, line) = server.check(&format!("/?to={to}"), &proxy).await;
        let message = line["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("it leads away from https, or from this machine"), "{to}: {line}");
        assert_eq!(output.status.code(), Some(4), "{to}");
    }
    assert_eq!(proxy.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_on_this_machine_is_followed() {
    let proxy = RawServer::start(|_, _| Act::AnswerAndClose(response(502, &[], ""))).await;
    let server = TlsServer::start("on-this-machine", |path| match path.split_once("to=") {
        None => page(),
        Some((_, to)) => redirect(to),
    })
    .await;
    let by_address = server.origin.replace("localhost", "127.0.0.1");
    for to in ["/page.md", &format!("{}/page.md", server.origin), &format!("{by_address}/page.md")] {
        let (output, line) = server.check(&format!("/?to={to}"), &proxy).await;
        assert_eq!((output.status.code(), &line["spec"]), (Some(1), &Value::from("cancel_onboard")), "{to}: {line}");
    }
    assert_eq!(proxy.seen().len(), 0);
}
