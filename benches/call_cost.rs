//! What a call costs through the library, against the same call written by hand with reqwest: CPU time and allocations, on
//! the same server, in turns in the same run. Both make a connection for each call; beside them stands the call written by
//! hand on a kept connection, on which an answer can't be told from a late one of the call before.
//!
//! `cargo bench --bench call_cost`. The server is a process of its own, so that its time does not count. Both
//! share one core: what it takes to wake another core is many times the difference that is looked for, and falls on the
//! one or the other as the system happens to place them.

use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use feishu_cancel_onboard::{Client, Pace, TerminationType};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

const ROUNDS: usize = 40;
const CALLS_A_ROUND: usize = 250;
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-Tt-Logid: 20261122\r\n\
    Content-Length: 36\r\n\r\n{\"code\":0,\"data\":{},\"msg\":\"success\"}";

fn main() {
    if std::env::args().any(|argument| argument == "--serve") {
        return serve();
    }
    stay_on_one_core();
    let mut server = Command::new(std::env::current_exe().expect("this program has a path"))
        .arg("--serve")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server can be started");
    let mut origin = String::new();
    let stdout = server.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut origin).expect("the server says where it listens");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    compare(&runtime, origin.trim());
    server.kill().expect("it is ours to end");
    server.wait().expect("it has ended");
}

fn compare(runtime: &tokio::runtime::Runtime, origin: &str) {
    let library = Client::builder()
        .origin(origin.parse().expect("loopback is an origin"))
        .tenant_access_token("t-bench")
        .pace(Pace::unlimited())
        .build()
        .expect("it can be made");
    let (by_hand, reused) = (ByHand::new(origin, 0), ByHand::new(origin, usize::MAX));
    let through_library = || async {
        let call = library.cancel_onboard("1111111111", TerminationType::CandidateDeclined).notes("another offer");
        assert!(call.send().await.expect("it is cancelled").log_id().is_some());
    };
    let through_hand = || async {
        assert!(by_hand.cancel("1111111111", 22, "another offer").await.is_some());
    };
    let through_reused = || async {
        assert!(reused.cancel("1111111111", 22, "another offer").await.is_some());
    };
    for _ in 0..CALLS_A_ROUND {
        runtime.block_on(through_library());
        runtime.block_on(through_hand());
        runtime.block_on(through_reused());
    }
    let (mut cpu, mut ratios) = ([Duration::ZERO; 3], Vec::new());
    for _ in 0..ROUNDS {
        let round =
            [cpu_time(runtime, through_library), cpu_time(runtime, through_hand), cpu_time(runtime, through_reused)];
        ratios.push(round[0].as_secs_f64() / round[1].as_secs_f64());
        cpu = std::array::from_fn(|index| cpu[index] + round[index]);
    }
    ratios.sort_by(f64::total_cmp);
    let allocations = [
        allocations(runtime, through_library),
        allocations(runtime, through_hand),
        allocations(runtime, through_reused),
    ];
    report(cpu, ratios[ROUNDS / 2], allocations);
}

fn report(cpu: [Duration; 3], median: f64, allocations: [(f64, f64); 3]) {
    let calls = (ROUNDS * CALLS_A_ROUND) as f64;
    let micros = cpu.map(|time| time.as_secs_f64() * 1e6 / calls);
    let row = |what: &str, values: [f64; 3], ratio: f64| {
        println!("{what:<22}{:>10.1}{:>10.1}{ratio:>8.3}{:>14.1}", values[0], values[1], values[2]);
    };
    println!("{:<22}{:>10}{:>10}{:>8}{:>14}", "a call", "library", "by hand", "ratio", "kept, by hand");
    row("CPU time, µs", micros, median);
    let counts = allocations.map(|(count, _)| count);
    row("allocations", counts, counts[0] / counts[1]);
    let bytes = allocations.map(|(_, bytes)| bytes);
    row("bytes allocated", bytes, bytes[0] / bytes[1]);
    println!("CPU time: median ratio of {ROUNDS} rounds of {CALLS_A_ROUND} calls each, in turns");
}

fn cpu_time<F: Future<Output = ()>>(runtime: &tokio::runtime::Runtime, call: impl Fn() -> F) -> Duration {
    let before = thread_time();
    for _ in 0..CALLS_A_ROUND {
        runtime.block_on(call());
    }
    thread_time() - before
}

/// The time that this thread, the only one that works here, has been on a CPU.
fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("it is not negative")
}

/// Keeps this process, and with it the server that it starts, on the last of the cores that it may use.
#[cfg(target_os = "linux")]
fn stay_on_one_core() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None).expect("the system says which cores there are");
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)).expect("there is one");
    let mut one = CpuSet::new();
    one.set(last);
    sched_setaffinity(None, &one).expect("fewer cores can be asked for");
}

/// Other systems have no such call; what is measured there is for a quiet machine.
#[cfg(not(target_os = "linux"))]
fn stay_on_one_core() {}

/// How many allocations, and of how many bytes, a call makes.
fn allocations<F: Future<Output = ()>>(runtime: &tokio::runtime::Runtime, call: impl Fn() -> F) -> (f64, f64) {
    let counted = allocation_counter::measure(|| {
        for _ in 0..CALLS_A_ROUND {
            runtime.block_on(call());
        }
    });
    let calls = CALLS_A_ROUND as f64;
    (counted.count_total as f64 / calls, counted.bytes_total as f64 / calls)
}

/// The call as somebody would write it by hand: the body typed, the envelope decoded, the code checked.
struct ByHand {
    http: reqwest::Client,
    origin: String,
    authorization: HeaderValue,
}

#[derive(Serialize)]
struct Body<'a> {
    termination_type: i32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    termination_reason_id_list: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    termination_reason_notes: Option<&'a str>,
}

#[derive(Deserialize)]
struct Envelope {
    code: i64,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    #[allow(dead_code, reason = "typed, and not looked at")]
    data: Option<serde_json::Value>,
}

impl ByHand {
    /// A client that keeps so many connections.
    fn new(origin: &str, kept: usize) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(kept)
            .user_agent("by-hand/0.1")
            .no_proxy()
            .build()
            .expect("a client can be made");
        let mut authorization = HeaderValue::from_static("Bearer t-bench");
        authorization.set_sensitive(true);
        Self { http, origin: origin.to_owned(), authorization }
    }

    async fn cancel(&self, id: &str, termination_type: i32, notes: &str) -> Option<String> {
        let body =
            Body { termination_type, termination_reason_id_list: Vec::new(), termination_reason_notes: Some(notes) };
        let response = self
            .http
            .post(format!("{}/open-apis/hire/v1/applications/{id}/cancel_onboard", self.origin))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .json(&body)
            .send()
            .await
            .expect("it is answered");
        let log_id = response.headers().get("x-tt-logid").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let envelope: Envelope = response.json().await.expect("it is an envelope");
        assert!(envelope.code == 0, "{}", envelope.msg);
        log_id
    }
}

/// Answers every request on loopback with the same bytes.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    println!("http://{}", listener.local_addr().expect("it is bound"));
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || answer_all(stream));
    }
}

fn answer_all(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut request = Vec::new();
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut part) {
        request.extend_from_slice(&part[..read]);
        while let Some(length) = request_length(&request) {
            request.drain(..length);
            if stream.write_all(ANSWER.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// How long the request at the front is, once all of it is there.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).expect("a head is text").to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let length = head + body.unwrap_or(0);
    (bytes.len() >= length).then_some(length)
}
