//! `sandbox`: the stand-in of the platform, for whoever wants to call it. It serves whether or not anybody reads what it
//! prints, until it is told to end.

use std::io;
use std::time::Duration;

use feishu_cancel_onboard::RateLimit;
use feishu_cancel_onboard::printable;
use feishu_cancel_onboard::sandbox::{Call, Sandbox};

use serde_json::json;

use crate::arguments::{self, Common, Output};
use crate::output::{self, Exit};
use crate::spool::{Event, Spool};

/// How long a reader may take for what is printed at the beginning and at the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves until the operator ends it, with a line for each call that was answered.
pub async fn run(common: &Common, arguments: &arguments::Sandbox) -> Exit {
    let form = common.output();
    let (spools, mut stop) = match Spools::start().and_then(|spools| Ok((spools, Stop::catch()?))) {
        Ok(started) => started,
        Err(error) => return cannot_start(form, &error),
    };
    let lines = spools.out.clone();
    let mut builder = Sandbox::builder().port(arguments.port).keep_calls(0).on_call(move |call| {
        lines.push(match form {
            Output::Text => line(call),
            Output::Json => json_line(call),
        });
    });
    if arguments.no_rate_limit {
        builder = builder.rate_limits(Vec::<RateLimit>::new()).reason_rate_limits(Vec::<RateLimit>::new());
    }
    let sandbox = match builder.start().await {
        Ok(sandbox) => sandbox,
        Err(error) if is_of_the_port(&error) => {
            let port = arguments.port;
            output::complain(&format!("error: port {port} can't be listened on: {error}; --port 0 picks a free one"));
            return Exit::InvalidRequest;
        }
        Err(error) => return cannot_start(form, &error),
    };
    spools.out.push(where_it_is(&sandbox, form));
    if spools.out.flush(PATIENCE).is_some_and(is_defect) {
        // Nobody can know where to call.
        spools.err.close(PATIENCE);
        return Exit::Defect;
    }
    let hint = "serving on this machine only, until Ctrl-C; use the lines above in the shell that is to call it";
    spools.err.push(hint.to_owned());
    stop.next().await;
    tokio::select! {
        () = sandbox.shutdown() => {}
        () = stop.next() => {}
    }
    spools.close()
}

fn cannot_start(form: Output, error: &io::Error) -> Exit {
    let message = format!("the stand-in can't be started: {error}");
    match form {
        Output::Json => drop(output::refused_here(None, &message)),
        Output::Text => output::complain(&format!("error: {message}")),
    }
    Exit::Defect
}

/// Whether another port may do.
fn is_of_the_port(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable | io::ErrorKind::PermissionDenied)
}

/// Whether that something can't be written is a defect: where nobody reads it any more, nobody misses it.
fn is_defect(error: io::ErrorKind) -> bool {
    error != io::ErrorKind::BrokenPipe
}

/// What is printed while calls are served, which must not wait for whoever reads it.
struct Spools {
    out: Spool,
    err: Spool,
}

impl Spools {
    fn start() -> io::Result<Self> {
        let err = Spool::start(io::stderr(), |_| {})?;
        let notes = err.clone();
        let out = Spool::start(io::stdout(), move |event| notes.push(said(&event)))?;
        Ok(Self { out, err })
    }

    /// Prints what can be printed, and says what can't.
    fn close(self) -> Exit {
        let ended = self.out.close(PATIENCE);
        if ended.unwritten > 0 && ended.failed.is_none() {
            self.err.push(said(&Event::Dropped(ended.unwritten)));
        }
        self.err.close(PATIENCE);
        if ended.failed.is_some_and(is_defect) { Exit::Defect } else { Exit::Done }
    }
}

fn said(event: &Event) -> String {
    match event {
        Event::Dropped(1) => "warning: 1 line was not printed, because nobody read standard output".to_owned(),
        Event::Dropped(lines) => {
            format!("warning: {lines} lines were not printed, because nobody read standard output")
        }
        Event::Failed(error) if is_defect(error.kind()) => {
            format!("error: standard output can't be written: {error}; calls are served, and no longer printed")
        }
        Event::Failed(_) => {
            "standard output has no reader any more; calls are served, and no longer printed".to_owned()
        }
    }
}

fn where_it_is(sandbox: &Sandbox, form: Output) -> String {
    let (url, id, secret) = (sandbox.base_url(), sandbox.app_id(), sandbox.app_secret());
    match form {
        Output::Text => {
            format!("export FEISHU_BASE_URL={url}\nexport FEISHU_APP_ID={id}\nexport FEISHU_APP_SECRET={secret}")
        }
        Output::Json => output::json(&json!({"base_url": url, "app_id": id, "app_secret": secret})),
    }
}

fn json_line(call: &Call) -> String {
    output::json(&json!({
        "method": call.method,
        "path": call.path,
        "http_status": call.status,
        "code": call.code,
        "delivered": call.delivered,
        "log_id": call.log_id,
    }))
}

fn line(call: &Call) -> String {
    let status = match (call.delivered, call.status) {
        (true, Some(status)) => status.to_string(),
        (false, _) | (true, None) => "no answer".to_owned(),
    };
    let code = call.code.map(|code| format!(" code {code}")).unwrap_or_default();
    format!("{} {} {status}{code} log id {}", printable(&call.method), printable(&call.path), call.log_id)
}

/// The operator's wish that it should end: Ctrl-C, or the signal by which service managers end a program.
struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// From now on, these signals do not end the program by themselves.
    #[cfg(unix)]
    fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn catch() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
