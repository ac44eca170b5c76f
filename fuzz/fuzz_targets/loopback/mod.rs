//! A server on loopback that answers every request with the same bytes, and a client that calls it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use feishu_cancel_onboard::{CancelRequest, Cancelled, Client, Error, Pace, RetryPolicy};
use tokio::runtime::Runtime;

/// The server, the client and what goes between them.
pub struct Loopback {
    answer: Arc<Mutex<Vec<u8>>>,
    paths: Arc<Mutex<Vec<String>>>,
    client: Client,
    runtime: Runtime,
}

impl Loopback {
    /// Starts the server, which ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (answer, paths) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (given, seen) = (Arc::clone(&answer), Arc::clone(&paths));
        std::thread::spawn(move || {
            // One after the other: each call has its own connection, which it drops with the answer.
            for stream in listener.incoming().flatten() {
                serve(stream, &given, &seen);
            }
        });
        let client = Client::builder()
            .origin(origin.parse().expect("loopback is an origin"))
            .tenant_access_token("t-fuzz")
            .pace(Pace::unlimited())
            .retry(RetryPolicy::off())
            .build()
            .expect("a client can be made");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { answer, paths, client, runtime: runtime.expect("a runtime can be made") }
    }

    /// Makes a cancellation that is answered with these bytes; returns what became of it, and the paths that were called.
    pub fn cancel(&self, request: CancelRequest, answer: Vec<u8>) -> (Result<Cancelled, Error>, Vec<String>) {
        *self.answer.lock().expect("nobody panics with it") = answer;
        self.paths.lock().expect("nobody panics with it").clear();
        let result = self.runtime.block_on(self.client.prepare(request).send());
        (result, self.paths.lock().expect("nobody panics with it").clone())
    }
}

/// An answer with a length.
pub fn response(status: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} Any\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn serve(mut stream: TcpStream, answer: &Mutex<Vec<u8>>, paths: &Mutex<Vec<String>>) {
    let _ = stream.set_nodelay(true);
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut part) {
        request.extend_from_slice(&part[..read]);
        while let Some((path, length)) = parse(&request) {
            request.drain(..length);
            paths.lock().expect("nobody panics with it").push(path);
            let answer = answer.lock().expect("nobody panics with it").clone();
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

/// The path and the length of the request at the front, once all of it is there.
fn parse(bytes: &[u8]) -> Option<(String, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).expect("a head is text");
    let body =
        text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let length = head + body.unwrap_or(0);
    let path = text.split(' ').nth(1).expect("a request has a path").to_owned();
    (bytes.len() >= length).then_some((path, length))
}
