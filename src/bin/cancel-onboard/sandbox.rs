//! `sandbox`: the stand-in of the platform, for whoever wants to call it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use feishu_cancel_onboard::RateLimit;
use feishu_cancel_onboard::printable;
use feishu_cancel_onboard::sandbox::{Call, Sandbox};

use serde_json::json;

use crate::arguments::{self, Common, Output};
use crate::output::{self, Exit};

/// Serves until the operator ends it, with a line for each call that was answered.
pub async fn run(common: &Common, arguments: &arguments::Sandbox) -> Exit {
    let form = common.output();
    let unwritten = Arc::new(AtomicBool::new(false));
    let calls_unwritten = Arc::clone(&unwritten);
    let mut builder = Sandbox::builder().port(arguments.port).keep_calls(0).on_call(move |call| {
        let line = match form {
            Output::Text => line(call),
            Output::Json => json_line(call),
        };
        // Those who call are served all the same; it is said once, and how the program ends says it again.
        if !calls_unwritten.load(Ordering::Relaxed) && output::print(&line, Exit::Done) != Exit::Done {
            calls_unwritten.store(true, Ordering::Relaxed);
        }
    });
    if arguments.no_rate_limit {
        builder = builder.rate_limits(Vec::<RateLimit>::new()).reason_rate_limits(Vec::<RateLimit>::new());
    }
    let sandbox = match builder.start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let port = arguments.port;
            output::complain(&format!("error: port {port} can't be listened on: {error}; --port 0 picks a free one"));
            return Exit::InvalidRequest;
        }
    };
    let exit = output::print(&where_it_is(&sandbox, form), Exit::Done);
    if exit != Exit::Done {
        // Nobody can know where to call.
        return exit;
    }
    output::complain("serving on this machine only, until Ctrl-C; use the lines above in the shell that is to call it");
    ended().await;
    sandbox.shutdown().await;
    if unwritten.load(Ordering::Relaxed) { Exit::Defect } else { Exit::Done }
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

/// Waits for Ctrl-C, or for the end that a service manager asks for.
async fn ended() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}
