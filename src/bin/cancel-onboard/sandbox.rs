//! `sandbox`: the stand-in of the platform, for whoever wants to call it.

use feishu_cancel_onboard::RateLimit;
use feishu_cancel_onboard::printable;
use feishu_cancel_onboard::sandbox::{Call, Sandbox};

use serde_json::json;

use crate::arguments::{self, Common, Output};
use crate::output::{self, Exit};

/// Serves until the operator ends it, with a line for each call that was answered.
pub async fn run(common: &Common, arguments: &arguments::Sandbox) -> Exit {
    let form = common.output();
    let mut builder = Sandbox::builder().port(arguments.port).keep_calls(0).on_call(move |call| {
        output::print(&match form {
            Output::Text => line(call),
            Output::Json => json_line(call),
        });
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
    output::print(&where_it_is(&sandbox, form));
    output::complain("serving on this machine only, until Ctrl-C; use the lines above in the shell that is to call it");
    ended().await;
    sandbox.shutdown().await;
    Exit::Done
}

fn where_it_is(sandbox: &Sandbox, form: Output) -> String {
    let (url, id, secret) = (sandbox.base_url(), sandbox.app_id(), sandbox.app_secret());
    match form {
        Output::Text => {
            format!("export FEISHU_BASE_URL={url}\nexport FEISHU_APP_ID={id}\nexport FEISHU_APP_SECRET={secret}")
        }
        Output::Json => json!({"base_url": url, "app_id": id, "app_secret": secret}).to_string(),
    }
}

fn json_line(call: &Call) -> String {
    json!({
        "method": call.method,
        "path": call.path,
        "http_status": call.status,
        "code": call.code,
        "delivered": call.delivered,
        "log_id": call.log_id,
    })
    .to_string()
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
