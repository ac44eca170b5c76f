//! `sandbox`: the stand-in of the platform, for whoever wants to call it.

use feishu_cancel_onboard::RateLimit;
use feishu_cancel_onboard::printable;
use feishu_cancel_onboard::sandbox::{Call, Sandbox};

use crate::arguments;
use crate::output::{self, Exit};

/// Serves until the operator ends it, with a line for each call that was answered.
pub async fn run(arguments: &arguments::Sandbox) -> Exit {
    let mut builder = Sandbox::builder().port(arguments.port).keep_calls(0).on_call(|call| output::print(&line(call)));
    if arguments.no_rate_limit {
        builder = builder.rate_limits(Vec::<RateLimit>::new());
    }
    let sandbox = match builder.start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let port = arguments.port;
            output::complain(&format!("error: port {port} can't be listened on: {error}; --port 0 picks a free one"));
            return Exit::InvalidRequest;
        }
    };
    output::print(&format!(
        "export FEISHU_BASE_URL={}\nexport FEISHU_APP_ID={}\nexport FEISHU_APP_SECRET={}",
        sandbox.base_url(),
        sandbox.app_id(),
        sandbox.app_secret(),
    ));
    output::complain("serving on this machine only, until Ctrl-C; use the lines above in the shell that is to call it");
    ended().await;
    sandbox.shutdown().await;
    Exit::Done
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
