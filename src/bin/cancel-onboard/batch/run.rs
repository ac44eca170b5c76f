//! Sends what is to be sent, and puts on record what is about to happen and what has happened.

use std::collections::{HashMap, VecDeque};
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use feishu_cancel_onboard::{CancelAll, CancelRequest, Cancelled, Client, Error};
use futures_util::stream::{self, FusedStream, Stream, StreamExt};

use super::plan::{Plan, Standing};
use super::progress::Progress;
use super::report::{Ended, NotRecorded, Recorded, Recorder, gone, now};
use super::signals::Signals;
use super::tally::Tally;
use crate::arguments::{Language, Output};
use crate::output::{self, Exit};

/// How many ends wait to be recorded at most.
const UNRECORDED: usize = 256;
/// How often the progress is shown while nothing happens.
const TICK: Duration = Duration::from_millis(250);

/// A run, while it runs.
pub struct Run<'a> {
    plan: &'a Plan<'a>,
    recorder: Recorder,
    progress: Progress,
    output: Output,
    language: Language,
    tally: Tally,
    begun: Begun,
    /// Ends that are being recorded, in the order in which they are.
    recording: VecDeque<Recording>,
    /// How many ended in this run, and how many of those had been lost before.
    ended: (usize, usize),
    why_stopped: WhyStopped,
}

/// An end that is being recorded.
struct Recording {
    id: String,
    ended: Ended,
    line: String,
    recorded: Recorded,
}

/// Why nothing more was begun; several can come together.
#[derive(Debug, Default)]
pub struct WhyStopped {
    pub interrupted: bool,
    pub credentials_refused: bool,
    pub not_recorded: Option<NotRecorded>,
    /// Standard output could not be written, which has been said, and stops nothing.
    pub unprinted: bool,
}

/// How a run came to its end.
pub enum Ran {
    /// Everything that had begun has ended.
    InOrder(Tally, WhyStopped),
    /// The operator did not want to wait for so many.
    AtOnce(usize),
}

impl<'a> Run<'a> {
    /// A run that goes on from a tally of what is settled already.
    pub fn new(plan: &'a Plan<'a>, recorder: Recorder, tally: Tally, output: Output, language: Language) -> Self {
        Self {
            plan,
            recorder,
            progress: Progress::begin(output, language, plan.len(), &tally),
            output,
            language,
            tally,
            begun: Begun::default(),
            recording: VecDeque::new(),
            ended: (0, 0),
            why_stopped: WhyStopped::default(),
        }
    }

    /// Runs to the end, or as far as it may.
    pub async fn run(mut self, client: &Client, mut signals: Signals) -> Ran {
        let mut results = self.results(client);
        let mut tick = tokio::time::interval(TICK);
        while !(results.is_terminated() && self.recording.is_empty()) {
            tokio::select! {
                () = signals.next() => {
                    if self.why_stopped.interrupted {
                        return self.leave();
                    }
                    self.interrupt();
                    results.stop();
                }
                outcome = next_recorded(&mut self.recording), if !self.recording.is_empty() => {
                    self.recorded(outcome);
                }
                next = results.next(), if !results.is_terminated() && self.recording.len() < UNRECORDED => {
                    if let Some((request, result)) = next {
                        self.ended(&request, &result);
                    }
                }
                _ = tick.tick() => {}
            }
            if self.why_stopped.not_recorded.is_some() || self.why_stopped.credentials_refused {
                results.stop();
            }
            self.progress.show(&self.tally);
        }
        drop(results);
        self.finish()
    }

    fn results(&self, client: &Client) -> CancelAll<impl Stream<Item = CancelRequest> + use<'a>> {
        let begun = self.begun.clone();
        let requests = self.plan.requests().inspect(move |request| begun.note(request.application_id(), false));
        let (begun, sender) = (self.begun.clone(), self.recorder.sender());
        client.cancel_all(stream::iter(requests)).before_sending(move |request| {
            let (sender, id) = (sender.clone(), request.application_id().to_owned());
            begun.note(&id, true);
            async move { sender.started(&id).await }
        })
    }

    fn interrupt(&mut self) {
        self.why_stopped.interrupted = true;
        let under_way = self.begun.announced();
        self.progress.complain(&match self.language {
            Language::En => format!(
                "interrupted: nothing new is begun; waiting for {under_way} under way, so that their results are known; \
                 once more to stop at once"
            ),
            Language::Zh => format!("已中断：不再发起新的取消；正在等待进行中的 {under_way} 个返回结果；再按一次立即中止"),
        });
    }

    fn leave(self) -> Ran {
        self.progress.end();
        Ran::AtOnce(self.begun.announced())
    }

    /// Has an end put on record.
    fn ended(&mut self, request: &CancelRequest, result: &Result<Cancelled, Error>) {
        let id = request.application_id();
        let elapsed = self.begun.end(id);
        if let Some(reason) = result.as_ref().err().and_then(never_announced) {
            self.why_stopped.not_recorded.get_or_insert_with(|| reason.clone());
            return;
        }
        if result.as_ref().is_err_and(|error| Exit::of_kind(error.kind()) == Exit::Credentials) {
            self.why_stopped.credentials_refused = true;
        }
        self.ended.0 += 1;
        self.ended.1 += usize::from(self.plan.standing(id) == Standing::Lost);
        let line = output::dated_json_line(id, result, elapsed, &now());
        let recorded = self.recorder.ended(line.clone());
        self.recording.push_back(Recording { id: id.to_owned(), ended: Ended::from(result), line, recorded });
    }

    /// Counts and prints an end that is on record, or never will be.
    fn recorded(&mut self, outcome: Result<(), NotRecorded>) {
        let Some(Recording { id, ended, line, .. }) = self.recording.pop_front() else { return };
        self.tally.add(&id, ended);
        if self.output == Output::Json {
            self.print(&line);
        }
        if let Err(reason) = outcome {
            self.progress.complain(&match self.language {
                Language::En => format!("not in the report: {line}"),
                Language::Zh => format!("未能写入报告：{line}"),
            });
            self.why_stopped.not_recorded.get_or_insert(reason);
        }
    }

    /// Prints a result, unless an earlier one could not be: the report has them all.
    fn print(&mut self, line: &str) {
        if !self.why_stopped.unprinted {
            self.why_stopped.unprinted = output::print(line, Exit::Done) != Exit::Done;
        }
    }

    fn finish(mut self) -> Ran {
        self.progress.end();
        self.recorder.close();
        let (ended, of_lost) = self.ended;
        self.tally.untried = self.plan.to_send() - ended;
        self.tally.untried_unknown = self.plan.count(Standing::Lost) - of_lost;
        Ran::InOrder(self.tally, self.why_stopped)
    }
}

/// Waits until the first one of those that are being recorded is; if it is called off, nothing is lost.
async fn next_recorded(recording: &mut VecDeque<Recording>) -> Result<(), NotRecorded> {
    match recording.front_mut() {
        Some(first) => (&mut first.recorded).await.unwrap_or_else(|_| Err(gone())),
        None => std::future::pending().await,
    }
}

/// The reason why nothing was sent, if it is that this could not be announced.
fn never_announced(error: &Error) -> Option<&NotRecorded> {
    error.failures().last()?.source()?.downcast_ref()
}

/// Since when the cancellations under way are, and which of them have been announced.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<HashMap<String, (Instant, bool)>>>);

impl Begun {
    fn note(&self, id: &str, announced: bool) {
        self.lock().insert(id.to_owned(), (Instant::now(), announced));
    }

    /// How long it has been under way, which it no longer is.
    fn end(&self, id: &str) -> Duration {
        self.lock().remove(id).map(|(since, _)| since.elapsed()).unwrap_or_default()
    }

    fn announced(&self) -> usize {
        self.lock().values().filter(|(_, announced)| *announced).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, bool)>> {
        // Nothing that is done under the lock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
