//! `batch`: many cancellations from a file, with a report of what became of each.

mod history;
mod input;
mod plan;
mod progress;
mod reason_check;
mod report;
mod run;
mod summary;
mod tally;

use std::path::Path;
use std::time::Duration;

use feishu_cancel_onboard::{Cancelled, Error, Pace, printable};

use self::history::{History, Strangers};
use self::input::{Complaint, Input};
use self::plan::Plan;
use self::reason_check::Objection;
use self::report::{Opened, Recorder};
use self::run::{Ran, Run};
use crate::arguments::{Batch, Common, Language, Output};
use crate::connection::{Connection, Identity};
use crate::output::{self, Exit};
use crate::signals::Signals;

/// The most complaints about a file that are printed.
const COMPLAINTS: usize = 1000;

/// Checks the file, sends what is to be sent, and says what became of it.
pub async fn run(common: &Common, batch: &Batch) -> Exit {
    let language = Language::choose(common.lang);
    let performed = perform(common, batch, language).await;
    performed.unwrap_or_else(|refusal| refusal.print(common.output(), language))
}

async fn perform(common: &Common, batch: &Batch, language: Language) -> Result<Exit, Refusal> {
    let input = input_of(batch).map_err(Refusal::Whole)?;
    let plan = Plan::of(&input).map_err(Refusal::Lines)?;
    summary::notes(&plan, language).iter().for_each(|note| output::complain(&printable(note)));
    match batch.dry_run {
        true => dry_run(common, batch, plan, language).await,
        false => send(common, batch, plan, language).await,
    }
}

/// Why nothing was sent.
enum Refusal {
    Whole(String),
    Lines(Vec<Complaint>),
    Connection(Error),
    /// The tenant's reasons could not be read, in so much time.
    ReasonsUnread(Error, Duration),
}

impl From<Objection> for Refusal {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::Reasons(complaints) => Self::Lines(complaints),
            Objection::Unread(error, elapsed) => Self::ReasonsUnread(error, elapsed),
        }
    }
}

impl Refusal {
    /// Says why, in the form that was asked for, and returns how that ends the program.
    fn print(self, form: Output, language: Language) -> Exit {
        match self {
            Self::Whole(reason) => refuse(None, &reason, form),
            Self::Connection(error) => refuse(None, &error.message(), form),
            Self::Lines(complaints) => print_complaints(&complaints, form),
            Self::ReasonsUnread(error, elapsed) => print_unread(error, elapsed, form, language),
        }
    }
}

fn refuse(application_id: Option<&str>, reason: &str, form: Output) -> Exit {
    match form {
        Output::Json => output::refused_here(application_id, reason),
        Output::Text => {
            output::complain(&format!("error: {}", printable(reason)));
            Exit::InvalidRequest
        }
    }
}

fn print_complaints(complaints: &[Complaint], form: Output) -> Exit {
    let print = |complaint: &Complaint| refuse(complaint.application_id.as_deref(), &complaint.to_string(), form);
    let mut exits = complaints.iter().take(COMPLAINTS).map(print);
    let exit = exits.find(|exit| *exit != Exit::InvalidRequest).unwrap_or(Exit::InvalidRequest);
    if let Some(more) = complaints.len().checked_sub(COMPLAINTS).filter(|more| *more > 0) {
        output::complain(&format!("error: and {more} more like these"));
    }
    output::complain("nothing was sent: the file must be right as a whole");
    exit
}

/// Says that the reasons could not be read, as any other command would.
fn print_unread(error: Error, elapsed: Duration, form: Output, language: Language) -> Exit {
    let mut exit = Exit::of(&error);
    match form {
        Output::Json => exit = output::print(&output::json_line(None, &Err::<Cancelled, _>(error), elapsed), exit),
        Output::Text => output::complain(&output::unlisted_text(&error, language)),
    }
    output::complain("nothing was sent: the reasons that the file names could not be checked");
    exit
}

fn input_of(batch: &Batch) -> Result<Input, String> {
    match &batch.report {
        Some(report) if report::is_same_file(&batch.file, report) => {
            Err("the report must be another file than the one with the cancellations".to_owned())
        }
        _ => Input::read(&batch.file, batch.file_format),
    }
}

fn pace(batch: &Batch) -> Pace {
    batch.rate.map_or_else(Pace::default, |rate| Pace::new(rate, Duration::from_secs(1)))
}

/// What the report tells, without touching it.
fn look_back(batch: &Batch, report: &Path, identity: &Identity, plan: &mut Plan<'_>) -> Result<Strangers, Refusal> {
    let mut history = History::of(plan, batch.retry_rejected);
    match batch.resume {
        true => report::look_at(report, identity, |line| history.take(line)).map_err(Refusal::Whole)?,
        false if report.exists() => return Err(Refusal::Whole(report::exists(report))),
        false => {}
    }
    Ok(history.finish().1)
}

/// Says what would be sent.
async fn dry_run(common: &Common, batch: &Batch, mut plan: Plan<'_>, language: Language) -> Result<Exit, Refusal> {
    if let Some(report) = &batch.report {
        let identity = Identity::of(common).map_err(Refusal::Connection)?;
        tell_strangers(&look_back(batch, report, &identity, &mut plan)?, language);
    }
    let pace = pace(batch);
    if batch.check_reasons {
        let connection = Connection::make(common, pace.clone()).await.map_err(Refusal::Connection)?;
        reason_check::check(&plan, &connection.client).await?;
    }
    let text = match common.output() {
        Output::Json => summary::dry_run_json(&plan, &pace),
        Output::Text => summary::dry_run_text(&plan, &pace, language),
    };
    Ok(output::print(&text, Exit::Done))
}

async fn send(common: &Common, batch: &Batch, mut plan: Plan<'_>, language: Language) -> Result<Exit, Refusal> {
    let Some(path) = &batch.report else { return Err(Refusal::Whole("--report is missing".to_owned())) };
    let connection = Connection::make(common, pace(batch)).await.map_err(Refusal::Connection)?;
    let identity = Identity::of(common).map_err(Refusal::Connection)?;
    if batch.check_reasons {
        // Of a file that is refused nothing remains, so no report is made before.
        look_back(batch, path, &identity, &mut plan)?;
        reason_check::check(&plan, &connection.client).await?;
    }
    let mut history = History::of(&mut plan, batch.retry_rejected);
    let opened = match batch.resume {
        true => report::resume(path, &identity, |line| history.take(line)),
        false => report::create(path, &identity),
    };
    let Opened { disk, length, cut } = opened.map_err(Refusal::Whole)?;
    let (tally, strangers) = history.finish();
    if cut > 0 {
        output::complain(&summary::torn(cut, language));
    }
    tell_strangers(&strangers, language);
    if batch.resume {
        output::complain(&summary::resumed(&plan, language));
    }
    let started = Recorder::start(disk, length).and_then(|recorder| Ok((recorder, Signals::catch()?)));
    let (recorder, signals) = started.map_err(|error| Refusal::Whole(format!("the run can't be started: {error}")))?;
    let run = Run::new(&plan, recorder, tally, common.output(), language);
    let ran = run.run(&connection.client, signals.into_stream()).await;
    Ok(finish(common.output(), &ran, language))
}

fn tell_strangers(strangers: &Strangers, language: Language) {
    summary::strangers(strangers, language).iter().for_each(|text| output::complain(&printable(text)));
}

/// Prints the summary, and says how to exit.
fn finish(form: Output, ran: &Ran, language: Language) -> Exit {
    for line in ran.left.iter().flatten() {
        output::complain(&printable(&summary::unrecorded(line, language)));
    }
    let summary = summary::text(ran, language);
    let exit = exit(ran);
    if form == Output::Text {
        let printed = output::print(&summary, exit);
        if printed != exit {
            output::complain(&summary);
        }
        return printed;
    }
    // Standard output holds results alone.
    output::complain(&summary);
    exit
}

/// How to exit: the first that applies.
fn exit(ran: &Ran) -> Exit {
    let why = &ran.why_stopped;
    match ran.tally.exit() {
        _ if ran.unprinted => Exit::Defect,
        _ if why.interrupted => Exit::Interrupted,
        _ if why.not_recorded.is_some() => Exit::InvalidRequest,
        _ if why.credentials_refused => Exit::Credentials,
        _ if why.unanswered || why.asked_to_wait.is_some() => Exit::Network,
        exit => exit,
    }
}
