//! `cancel`: one cancellation.

use std::time::{Duration, Instant};

use feishu_cancel_onboard::{CancelRequest, Cancellation, Cancelled, Error, Pace};

use crate::arguments::{Cancel, Common, Language, Output};
use crate::connection::Connection;
use crate::output::{self, Exit};
use crate::reason_catalogue::ReasonCatalogue;
use crate::signals::Signals;

/// How long a cancellation that is told to stop may take to end without a word on why.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Makes the cancellation and prints its result: always a line, also where the operator stops it.
pub async fn run(common: &Common, cancel: Cancel) -> Exit {
    let began = Instant::now();
    let language = Language::choose(common.lang);
    let id = cancel.application_id.clone();
    let result = make(common, cancel, language).await;
    let exit = result.as_ref().map_or_else(Exit::of, |_| Exit::Done);
    match common.output() {
        Output::Json => output::print_result(&output::json_line(Some(&id), &result, began.elapsed()), exit),
        Output::Text if result.is_ok() => output::print_result(&output::text(&id, &result, language), exit),
        Output::Text => {
            output::complain(&output::text(&id, &result, language));
            exit
        }
    }
}

async fn make(common: &Common, cancel: Cancel, language: Language) -> Result<Cancelled, Error> {
    let mut signals =
        Signals::catch().map_err(|error| Error::invalid_request(format!("signals can't be caught: {error}")))?;
    let lost_before = cancel.after_lost_attempt;
    let prepared = tokio::select! {
        biased;
        () = signals.next() => Err(Error::interrupted("stopped before anything was sent")),
        prepared = prepare(common, cancel) => prepared,
    };
    // Whatever happens here, an attempt that was lost before may have taken effect.
    let (connection, request) =
        prepared.map_err(|error| if lost_before { error.with_lost_attempt() } else { error })?;
    settle(connection.client.prepare(request).start(), &mut signals, language).await
}

/// All that comes before the cancellation, of which nothing is sent yet.
async fn prepare(common: &Common, cancel: Cancel) -> Result<(Connection, CancelRequest), Error> {
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
    if cancel.after_lost_attempt {
        request = request.after_lost_attempt();
    }
    Ok((connection, request))
}

/// Waits for the result. The first wish to stop begins nothing more, and an answer that is under way is waited for; the second
/// one ends at once.
async fn settle(mut cancellation: Cancellation, signals: &mut Signals, language: Language) -> Result<Cancelled, Error> {
    tokio::select! {
        biased;
        result = &mut cancellation => return result,
        () = signals.next() => cancellation.stop(),
    }
    if let Ok(result) = tokio::time::timeout(A_MOMENT, &mut cancellation).await {
        return result;
    }
    output::complain(language.pick(
        "waiting for the answer that is under way, so that the result is known; press Ctrl-C again to stop immediately",
        "正在等待进行中的请求返回结果；再按一次 Ctrl-C 立即中止",
    ));
    tokio::select! {
        biased;
        result = &mut cancellation => result,
        () = signals.next() => cancellation.give_up(),
    }
}
