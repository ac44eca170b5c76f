//! `cancel`: one cancellation.

use std::time::Instant;

use feishu_cancel_onboard::{CancelRequest, Cancelled, Error, Pace};

use crate::arguments::{Cancel, Common, Language, Output};
use crate::connection::Connection;
use crate::output::{self, Exit};
use crate::reason_catalogue::ReasonCatalogue;

/// Makes the cancellation and prints what became of it.
pub async fn run(common: &Common, cancel: Cancel) -> Exit {
    let began = Instant::now();
    let language = Language::choose(common.lang);
    let id = cancel.application_id.clone();
    let (result, exit) = tokio::select! {
        result = make(common, cancel) => {
            let exit = result.as_ref().map_or_else(Exit::of, |_| Exit::Done);
            (result, exit)
        }
        () = interrupted_twice(language) => {
            (Err(Error::given_up("stopped before the answer came")), Exit::Interrupted)
        }
    };
    match common.output() {
        Output::Json => output::print_result(&output::json_line(Some(&id), &result, began.elapsed()), exit),
        Output::Text if result.is_ok() => output::print_result(&output::text(&id, &result, language), exit),
        Output::Text => {
            output::complain(&output::text(&id, &result, language));
            exit
        }
    }
}

async fn make(common: &Common, cancel: Cancel) -> Result<Cancelled, Error> {
    let connection = Connection::make(common, Pace::default()).await?;
    let mut request = CancelRequest::new(cancel.application_id, cancel.termination_type).reason_ids(&cancel.reason_ids);
    if cancel.check_reasons && !cancel.reason_ids.is_empty() {
        request.check()?;
        let catalogue = ReasonCatalogue::load(&connection.client).await?;
        catalogue.check(cancel.termination_type, &cancel.reason_ids).map_err(Error::invalid_request)?;
    }
    if let Some(notes) = cancel.notes {
        request = request.notes(notes);
    }
    connection.client.prepare(request).send().await
}

/// Waits until the operator has asked twice: once is a wish to stop, and an answer under way is worth waiting for.
async fn interrupted_twice(language: Language) {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
    output::complain(language.pick(
        "waiting for the answer that is under way, so that the result is known; once more to stop at once",
        "正在等待进行中的请求返回结果；再按一次立即中止",
    ));
    let _ = tokio::signal::ctrl_c().await;
}
