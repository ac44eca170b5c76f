//! What the binary says of a network that is in its way: proxies, certificates, and the variables that name them.

use test_support::{proxies, raw_server, tls_relay};

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use proxies::{Does, Proxy};
use raw_server::{RawServer, SECRET, json};
use serde_json::Value;
use tls_relay::{Authority, TlsRelay, Valid};
use tokio::net::TcpListener;

const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");
const ELSEWHERE: &str = "https://open.feishu.test";
const PASSWORD: &str = "pa55-of-the-pr0xy";
const CANCEL: [&str; 6] = ["cancel", "1111111111", "--type", "other", "--deadline", "20"];

/// Runs the binary with nothing in its environment but credentials and what is given.
async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.env_clear().args(arguments).envs([("FEISHU_APP_ID", "cli_test"), ("FEISHU_APP_SECRET", SECRET)]);
    command.envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output().expect("the binary runs")).await.expect("no panic")
}

async fn cancel(more: &[&str], environment: &[(&str, &str)]) -> Output {
    run(&[&CANCEL, more].concat(), environment).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints UTF-8")
}

fn json_line(output: &Output) -> Value {
    serde_json::from_str(&text(&output.stdout)).expect("it is a line of JSON")
}

/// A file of authorities, which is gone with the test.
struct CertificateFile(PathBuf);

impl CertificateFile {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cancel-onboard-{}-{name}.pem", std::process::id()));
        std::fs::write(&path, content).expect("it can be written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("it is UTF-8")
    }
}

impl Drop for CertificateFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_not_trusted_is_named_in_text_in_json_and_in_the_log() {
    let (authority, trusted) = (Authority::new("Inspection Root 某某公司"), Authority::new("Another Root"));
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let names: (&[&str], _) = (&["127.0.0.1"], Valid::Now);
    let relay = TlsRelay::start(&server.origin, &authority, names, Duration::ZERO).await;
    let file = CertificateFile::new("another", &trusted.pem());
    let origin = relay.origin();
    let environment = [("FEISHU_BASE_URL", origin.as_str()), ("SSL_CERT_FILE", file.path())];
    let cause =
        "the certificate of 127.0.0.1 is not trusted: it was issued by CN=Inspection Root 某某公司, after 4 tries";

    let output = cancel(&["--output", "json"], &environment).await;
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    let line = json_line(&output);
    assert_eq!(line["error"]["kind"], "connect");
    assert_eq!(line["error"]["message"], format!("no connection could be made: {cause}"));

    let output = cancel(&["--lang", "en"], &[&environment[..], &[("RUST_LOG", "debug")]].concat()).await;
    let printed = text(&output.stderr);
    assert!(printed.contains(&format!("\n  cause          {cause}\n")), "{printed}");
    let logged = printed.lines().filter(|line| line.contains("DEBUG") && line.contains("Inspection Root 某某公司"));
    assert!(logged.count() >= 4, "{printed}");

    let output = cancel(&["--lang", "zh"], &environment).await;
    let zh = "127.0.0.1 的证书不受信任，颁发者为 CN=Inspection Root 某某公司（共尝试连接 4 次）";
    let printed = text(&output.stderr);
    assert!(printed.lines().any(|line| line.trim_start().starts_with("原因") && line.ends_with(zh)), "{printed}");
    // The row says it in the operator's language, and nothing else says it again.
    assert!(!printed.contains("it was issued by"), "{printed}");
    assert!(server.seen().is_empty());

    let both = CertificateFile::new("both", &(trusted.pem() + &authority.pem()));
    let output = cancel(&[], &[("FEISHU_BASE_URL", origin.as_str()), ("SSL_CERT_FILE", both.path())]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_makes_no_connection_is_named_with_its_answer_and_without_its_password() {
    let proxy = |address: SocketAddr| format!("http://operator:{PASSWORD}@{address}");
    let free =
        TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound").local_addr().expect("it is bound");
    let long = format!("{}.test:3128", "a".repeat(64));
    let file = CertificateFile::new("any", &Authority::new("Any").pem());
    let mut cases = Vec::new();
    let mut servers = Vec::new();
    for (status, said) in [
        (407, "answered HTTP 407: it requires a user name and a password"),
        (403, "answered HTTP 403"),
        (502, "answered HTTP 502"),
    ] {
        let server = Proxy::http(Does::Refuse(status)).await;
        cases.push((proxy(server.address), format!("the proxy {} {said}", server.address)));
        servers.push(server);
    }
    let server = Proxy::socks5(Does::Refuse(5)).await;
    let url = format!("socks5h://operator:{PASSWORD}@{}", server.address);
    cases.push((url, format!("the proxy {} made no connection (", server.address)));
    cases.push((proxy(free), format!("{free} refused the connection")));
    cases.push((format!("socks5h://{free}"), format!("{free} refused the connection")));
    cases.push((
        format!("http://operator:{PASSWORD}@{long}"),
        format!("the name {} was not found", "a".repeat(64) + ".test"),
    ));
    for (url, said) in cases {
        let environment = [
            ("FEISHU_BASE_URL", ELSEWHERE),
            ("HTTPS_PROXY", &url),
            ("SSL_CERT_FILE", file.path()),
            ("RUST_LOG", "trace"),
        ];
        let output = cancel(&["--output", "json"], &environment).await;
        assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
        let line = json_line(&output);
        let message = line["error"]["message"].as_str().expect("it is text");
        assert!(message.contains(&said) && message.ends_with(", after 4 tries"), "{said}: {message}");
        assert_eq!(line["error"]["delivery"], "not_sent");
        let printed = text(&output.stdout) + &text(&output.stderr);
        assert!(!printed.contains(PASSWORD), "{printed}");
    }
    // The status is asked for with the credentials that the connection was asked for with.
    let asked = servers[2].asked();
    assert_eq!(asked.len(), 8, "{asked:?}");
    let credentials = |head: &&String| head.to_ascii_lowercase().contains("\r\nproxy-authorization: basic ");
    assert_eq!(asked.iter().filter(credentials).count(), 8, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_goes_through_a_proxy_of_either_kind() {
    let authority = Authority::new("Company Root");
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let names: (&[&str], _) = (&["open.feishu.test"], Valid::Now);
    let relay = TlsRelay::start(&server.origin, &authority, names, Duration::ZERO).await;
    let file = CertificateFile::new("company", &authority.pem());
    let (http, socks5) = (Proxy::http(Does::Lead(relay.address)).await, Proxy::socks5(Does::Lead(relay.address)).await);
    for (variable, url) in [
        ("HTTPS_PROXY", format!("http://{}", http.address)),
        ("https_proxy", http.address.to_string()),
        ("HTTPS_PROXY", format!("socks5h://{}", socks5.address)),
        ("ALL_PROXY", format!("socks5h://{}", socks5.address)),
    ] {
        let environment = [("FEISHU_BASE_URL", ELSEWHERE), (variable, &url), ("SSL_CERT_FILE", file.path())];
        let output = cancel(&[], &environment).await;
        assert_eq!(output.status.code(), Some(0), "{url}: {}", text(&output.stderr));
    }
    assert_eq!(server.cancellations().len(), 4);
    assert_eq!(socks5.asked(), ["open.feishu.test"; 4]);
    assert_eq!(http.asked().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_no_proxy_can_have_is_refused_with_its_variable() {
    let file = CertificateFile::new("unused", &Authority::new("Any").pem());
    let common = [("FEISHU_BASE_URL", ELSEWHERE), ("SSL_CERT_FILE", file.path())];
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for bad in ["htp://operator:pa55@proxy:3128", "http://operator:pa55@proxy:99999", "not a proxy", "http://"] {
            let output = cancel(&["--output", "json"], &[&common[..], &[(variable, bad)]].concat()).await;
            assert_eq!(output.status.code(), Some(2), "{variable}={bad}: {}", text(&output.stderr));
            let line = json_line(&output);
            let message = line["error"]["message"].as_str().expect("it is text");
            assert!(message.starts_with(&format!("{variable} ")), "{message}");
            let printed = text(&output.stdout) + &text(&output.stderr);
            assert!(!printed.contains("pa55"), "{printed}");
        }
    }
    let output = run(&["check-docs", "https://open.feishu.test/page.md"], &[("HTTPS_PROXY", "htp://proxy:3128")]).await;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("HTTPS_PROXY"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_certificates_that_cannot_be_used_is_refused_with_its_variable() {
    let garbage = CertificateFile::new("garbage", "this is no certificate\n");
    let folder = std::env::temp_dir();
    let folder = folder.to_str().expect("it is UTF-8");
    for (path, said) in [
        ("/no/such/file.pem", "can't be read"),
        (folder, "can't be read"),
        (garbage.path(), "holds no certificate"),
        ("", "can't be read"),
    ] {
        let output = cancel(&["--output", "json"], &[("FEISHU_BASE_URL", ELSEWHERE), ("SSL_CERT_FILE", path)]).await;
        assert_eq!(output.status.code(), Some(2), "{path}: {}", text(&output.stderr));
        let line = json_line(&output);
        let message = line["error"]["message"].as_str().expect("it is text");
        assert!(message.starts_with("SSL_CERT_FILE ") && message.contains(path) && message.contains(said), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_leads_elsewhere_does_not_matter_on_this_machine() {
    let server = RawServer::start(|_, _| json(200, r#"{"code":0}"#)).await;
    let bad =
        [("HTTPS_PROXY", "htp://proxy:3128"), ("ALL_PROXY", "http://proxy:99999"), ("SSL_CERT_FILE", "/no/such/file")];
    let output = cancel(&["--sandbox"], &bad).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = cancel(&[], &[&bad[..], &[("FEISHU_BASE_URL", &server.origin)]].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // A host that needs no proxy is reached without one, whatever the variable says.
    let file = CertificateFile::new("exempt", &Authority::new("Any").pem());
    let long = format!("https://{}.test", "a".repeat(64));
    let exempt = [
        ("FEISHU_BASE_URL", long.as_str()),
        ("HTTPS_PROXY", "htp://proxy:3128"),
        ("NO_PROXY", "test"),
        ("SSL_CERT_FILE", file.path()),
    ];
    let output = cancel(&["--output", "json"], &exempt).await;
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(json_line(&output)["error"]["message"].as_str().is_some_and(|message| message.contains("was not found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_names_what_leads_through_a_company_s_network() {
    let output = run(&["--help"], &[]).await;
    let help = text(&output.stdout);
    for variable in ["SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(variable)), "{help}");
    }
}
