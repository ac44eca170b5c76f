//! Calls to a sandbox as a client makes them, and as raw bytes.

use std::sync::LazyLock;
use std::time::Duration;

use feishu_cancel_onboard::sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A client that all tests share, as making one takes long; it keeps no connection, as each test has its own runtime.
pub fn client() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("there is nothing to go wrong")
    });
    &CLIENT
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn code(&self) -> i64 {
        self.json()["code"].as_i64().expect("the envelope has a code")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("the header is text"))
    }

    /// Asserts status and code, and that a failure has the log id in the envelope and in the header.
    pub fn assert(&self, status: u16, code: i64) -> &Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.body);
        let header = self.header("X-Tt-Logid").expect("every answer has a log id");
        assert!(!header.is_empty());
        if code != 0 {
            assert_eq!(self.json()["error"]["log_id"], header, "{}", self.body);
        }
        self
    }

    /// The fields that the answer says were not accepted, each with its value.
    pub fn violations(&self) -> Vec<(String, String)> {
        let body = self.json();
        let violations = body["error"]["field_violations"].as_array().expect("there are violations");
        let text = |violation: &Value, key: &str| violation[key].as_str().expect("it is a string").to_owned();
        violations
            .iter()
            .map(|violation| {
                assert!(!text(violation, "description").is_empty());
                (text(violation, "field"), text(violation, "value"))
            })
            .collect()
    }
}

/// Waits until something has come about, for as long as a test may hang.
pub async fn until(mut come_about: impl FnMut() -> bool) {
    let wait = async {
        while !come_about() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it comes about");
}

/// Makes a request and reads the answer.
pub async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<Answered> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answered { status, headers, body: response.text().await? })
}

/// A cancellation without a token and a body.
pub fn request(sandbox: &Sandbox, id: &str) -> reqwest::RequestBuilder {
    let path = format!("{}/open-apis/hire/v1/applications/{id}/cancel_onboard", sandbox.base_url());
    client().post(path)
}

/// The page's example request, with a good token.
pub fn cancellation(sandbox: &Sandbox, id: &str) -> reqwest::RequestBuilder {
    request(sandbox, id).bearer_auth(sandbox.token()).json(&json!({
        "termination_type": 1,
        "termination_reason_id_list": ["6959090661225640000"],
        "termination_reason_notes": "候选人经历不匹配",
    }))
}

/// Cancels with the page's example request.
pub async fn cancel(sandbox: &Sandbox, id: &str) -> Answered {
    send(cancellation(sandbox, id)).await.expect("it answers")
}

/// Asks for a token with this body.
pub async fn ask_for_token(sandbox: &Sandbox, body: &Value) -> Answered {
    let path = format!("{}/open-apis/auth/v3/tenant_access_token/internal", sandbox.base_url());
    send(client().post(path).json(body)).await.expect("it answers")
}

/// The token that the credentials get.
pub async fn obtain_token(sandbox: &Sandbox) -> (String, i64) {
    let body = json!({"app_id": sandbox.app_id(), "app_secret": sandbox.app_secret()});
    let answer = ask_for_token(sandbox, &body).await;
    answer.assert(200, 0);
    let answer = answer.json();
    let token = answer["tenant_access_token"].as_str().expect("there is a token").to_owned();
    (token, answer["expire"].as_i64().expect("there is an expire"))
}

/// Sends bytes on a new connection and reads until it ends.
pub async fn exchange(sandbox: &Sandbox, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let address = sandbox.base_url().strip_prefix("http://").expect("it is an HTTP origin");
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// The head of a cancellation with a good token, as raw bytes up to its empty line, its target as given.
pub fn head(sandbox: &Sandbox, target: &str, more: &str) -> String {
    let token = sandbox.token();
    format!(
        "POST {target} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{more}\r\n"
    )
}

/// The head and the body of a cancellation of this id, as raw bytes.
pub fn raw_cancellation(sandbox: &Sandbox, id: &str) -> Vec<u8> {
    let body = r#"{"termination_type":22}"#;
    let more = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let target = format!("/open-apis/hire/v1/applications/{id}/cancel_onboard");
    let mut bytes = head(sandbox, &target, &more).into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// Reads what a raw exchange gave: status and envelope.
pub fn parse(answer: &[u8]) -> (u16, Value) {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("there is a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}
