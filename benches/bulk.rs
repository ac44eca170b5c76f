//! How much of the documented rate the bulk stream uses, and what it costs: 300 cancellations that take 150 to 350 ms each,
//! against a server that lets no second, wherever it begins, hold more calls than documented; once with connections that
//! cost nothing, and once over TLS with 150 ms before each handshake.
//!
//! Run it with `cargo bench --features sandbox --bench bulk`.

use std::error::Error;
use std::time::{Duration, Instant};

use feishu_cancel_onboard::sandbox::Sandbox;
use feishu_cancel_onboard::{CancelRequest, Client, ClientBuilder, Pace, PlatformErrorCode, TerminationType};
use futures_util::stream::{self, StreamExt};
use test_support::tls_relay::{Authority, TlsRelay, Valid};

const COUNT: usize = 300;

fn main() -> Result<(), Box<dyn Error>> {
    // Tests of all targets run this too, and need no numbers.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let sandbox = start().await?;
    measure("connections that cost nothing", &sandbox, Client::builder().origin(sandbox.base_url().parse()?)).await?;

    let (sandbox, authority) = (start().await?, Authority::new("Bench Root"));
    let names: &[&str] = &["127.0.0.1"];
    let delay = Duration::from_millis(150);
    let relay = TlsRelay::start(sandbox.base_url(), &authority, (names, Valid::Now), delay).await;
    let trust = reqwest::Certificate::from_der(authority.der())?;
    let client = Client::builder().origin(relay.origin().parse()?).root_certificate(trust);
    measure("150 ms to connect, over TLS", &sandbox, client).await?;
    println!("connections   {}", relay.connections());
    Ok(())
}

async fn start() -> std::io::Result<Sandbox> {
    Sandbox::builder().latency(Duration::from_millis(150)..=Duration::from_millis(350)).start().await
}

async fn measure(what: &str, sandbox: &Sandbox, client: ClientBuilder) -> Result<(), Box<dyn Error>> {
    let client = client.app(sandbox.app_id(), sandbox.app_secret()).build()?;
    let requests = (0..COUNT).map(|id| CancelRequest::new(id.to_string(), TerminationType::Other));
    let began = Instant::now();
    let failed = client.cancel_all(stream::iter(requests)).filter(|(_, result)| std::future::ready(result.is_err()));
    let failed = failed.count().await;
    let took = began.elapsed();
    let told_to_wait = PlatformErrorCode::RateLimited.code();
    let told_to_wait = sandbox.calls().iter().filter(|call| call.code == Some(told_to_wait)).count();
    let floor = Pace::default().time_for(COUNT);
    println!("{COUNT} cancellations of 150 to 350 ms each, {what}: {failed} failed");
    println!("took          {:.2} s", took.as_secs_f64());
    println!("floor         {:.2} s", floor.as_secs_f64());
    println!("ratio         {:.3}", took.as_secs_f64() / floor.as_secs_f64());
    println!("told to wait  {told_to_wait}");
    println!("tokens        {}", sandbox.token_requests());
    Ok(())
}
