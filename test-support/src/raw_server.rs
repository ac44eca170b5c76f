//! A server on a raw socket that does with each request what a test says, and remembers what it saw.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A request, as it came off the wire.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub at: Instant,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
}

impl Seen {
    /// The values of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn is_token_request(&self) -> bool {
        self.path.contains("tenant_access_token")
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers, and keeps the connection.
    Answer(Vec<u8>),
    /// Answers, and a while later, without being asked again, answers a second time.
    AnswerTwice(Vec<u8>, Duration, Vec<u8>),
    /// Answers after a while.
    Late(Duration, Vec<u8>),
    /// Answers, and ends the connection in good order.
    AnswerAndClose(Vec<u8>),
    /// Answers, and resets the connection.
    AnswerAndReset(Vec<u8>),
    /// Answers one byte at a time.
    Drip(Vec<u8>),
    /// Writes a head, then so many bytes of body as fast as they are taken.
    Flood(Vec<u8>, usize),
    /// Resets the connection without an answer.
    Reset,
    /// Ends the connection in good order without an answer.
    Close,
    /// Never answers.
    Hang,
}

/// An answer with a JSON body.
pub fn json(status: u16, body: &str) -> Act {
    Act::Answer(response(status, &[("Content-Type", "application/json")], body))
}

/// The bytes of an answer with a length.
pub fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Any\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

type Script = Arc<dyn Fn(usize, &Seen) -> Act + Send + Sync>;

/// The server; it ends when it is dropped.
pub struct RawServer {
    pub origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

/// The token that the server issues.
pub const TOKEN: &str = "t-5e3cre7-0f-the-tests";
/// The secret with which it is asked for.
pub const SECRET: &str = "app-5e3cre7-0f-the-tests";

impl RawServer {
    /// Issues [`TOKEN`] to whoever asks, and does with the cancellations, counted from 0, what `script` says.
    pub async fn start(script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        let body = format!(r#"{{"code":0,"msg":"ok","tenant_access_token":"{TOKEN}","expire":7200}}"#);
        Self::start_with_tokens(move |_, _| json(200, &body), script).await
    }

    /// Does with each request for a token, and with each cancellation, what its script says.
    pub async fn start_with_tokens(
        tokens: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
        script: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (tokens, script): (Script, Script) = (Arc::new(tokens), Arc::new(script));
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { break };
                let (log, tokens, script) = (Arc::clone(&log), Arc::clone(&tokens), Arc::clone(&script));
                connections.spawn(serve(connection, stream, log, tokens, script));
            }
        });
        Self { origin, seen, task }
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics with it").clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.seen.lock().expect("no test panics with it").clear();
    }

    /// The cancellations so far.
    pub fn cancellations(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.is_token_request()).collect()
    }

    /// How many tokens were asked for so far.
    pub fn token_requests(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_token_request()).count()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    connection: usize,
    mut stream: TcpStream,
    log: Arc<Mutex<Vec<Seen>>>,
    tokens: Script,
    script: Script,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(mut seen) = read_request(&mut stream, &mut buffer).await? {
        seen.connection = connection;
        let act = {
            let mut log = log.lock().expect("no test panics with it");
            let nth = log.iter().filter(|other| other.is_token_request() == seen.is_token_request()).count();
            let act = if seen.is_token_request() { tokens(nth, &seen) } else { script(nth, &seen) };
            log.push(seen);
            act
        };
        match act {
            Act::Answer(bytes) => stream.write_all(&bytes).await?,
            Act::AnswerTwice(bytes, wait, more) => {
                stream.write_all(&bytes).await?;
                tokio::time::sleep(wait).await;
                stream.write_all(&more).await?;
            }
            Act::Late(wait, bytes) => {
                tokio::time::sleep(wait).await;
                stream.write_all(&bytes).await?;
            }
            Act::AnswerAndClose(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Act::AnswerAndReset(bytes) => {
                stream.write_all(&bytes).await?;
                // Long enough for the bytes to be read: a reset throws away what is not.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return stream.set_zero_linger();
            }
            Act::Drip(bytes) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    tokio::task::yield_now().await;
                }
            }
            Act::Flood(head, total) => {
                stream.write_all(&head).await?;
                let chunk = vec![b' '; 64 * 1024];
                for _ in 0..total / chunk.len() {
                    stream.write_all(&chunk).await?;
                }
            }
            Act::Reset => return stream.set_zero_linger(),
            Act::Close => return stream.shutdown().await,
            Act::Hang => std::future::pending().await,
        }
    }
    Ok(())
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Seen>> {
    loop {
        if let Some((seen, length)) = parse(buffer) {
            buffer.drain(..length);
            return Ok(Some(seen));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn parse(buffer: &[u8]) -> Option<(Seen, usize)> {
    let head_end = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&buffer[..head_end]).expect("a head is text");
    let mut lines = head.lines();
    let mut request_line = lines.next().expect("a head has a first line").split(' ');
    let method = request_line.next().expect("a method").to_owned();
    let path = request_line.next().expect("a path").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length is a number"));
    let body = buffer.get(head_end..head_end + length)?;
    let body = String::from_utf8(body.to_vec()).expect("a body is text");
    Some((Seen { method, path, headers, body, at: Instant::now(), connection: 0 }, head_end + length))
}
