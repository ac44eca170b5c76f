//! Sends what is to be sent, and puts on record what is about to happen and what has happened.

use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use feishu_cancel_onboard::{
    CancelAll, CancelRequest, Cancelled, Client, Delivery, Error, ErrorKind, Failure, printable,
};
use futures_util::FutureExt;
use futures_util::stream::{self, FusedStream, Stream, StreamExt};
use jiff::fmt::strtime;
use jiff::{SignedDuration, Timestamp};
use tokio::task::coop::unconstrained;

use super::plan::{Plan, Standing};
use super::progress::{Progress, duration};
use super::report::{Ended, NotRecorded, Recorded, Recorder, gone, now};
use super::tally::Tally;
use crate::arguments::{Language, Output};
use crate::output::{self, Exit};

/// How many ends wait to be recorded at most.
const UNRECORDED: usize = 256;
/// How often the progress is shown while nothing happens.
const TICK: Duration = Duration::from_millis(250);
/// The longest wait that the platform can ask for without an end of the run.
pub const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// The shortest wait that is worth a word.
const TOLD_WAIT: Duration = Duration::from_secs(3);
/// How many cancellations in a row may end without any answer of the platform.
pub const UNANSWERED: usize = 10;

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
    unanswered: Unanswered,
    /// The end of the wait that was told of last.
    told_until: Option<Timestamp>,
    why_stopped: WhyStopped,
    unprinted: bool,
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
    /// Too many in a row ended without any answer of the platform.
    pub unanswered: bool,
    /// The platform asked to wait until then, which is too long.
    pub asked_to_wait: Option<Timestamp>,
    pub not_recorded: Option<NotRecorded>,
}

impl WhyStopped {
    /// Whether something other than the operator stopped it.
    fn on_its_own(&self) -> bool {
        let Self { interrupted: _, credentials_refused, unanswered, asked_to_wait, not_recorded } = self;
        *credentials_refused || *unanswered || asked_to_wait.is_some() || not_recorded.is_some()
    }
}

/// What a run came to.
pub struct Ran {
    pub tally: Tally,
    pub why_stopped: WhyStopped,
    /// Where the operator did not want to wait for what was under way: the results that had come and were not in the report
    /// yet.
    pub left: Option<Vec<String>>,
    /// Whether a result could not be written to standard output, which has been said.
    pub unprinted: bool,
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
            unanswered: Unanswered::default(),
            told_until: None,
            why_stopped: WhyStopped::default(),
            unprinted: false,
        }
    }

    /// Runs to the end, or as far as it may; the stream has an item for each time that the operator asks to stop.
    pub async fn run(mut self, client: &Client, stops: impl Stream<Item = ()>) -> Ran {
        let mut stops = pin!(stops.fuse());
        let mut results = self.results(client);
        let mut tick = tokio::time::interval(TICK);
        while !(results.is_terminated() && self.recording.is_empty()) {
            tokio::select! {
                Some(()) = stops.next() => {
                    if self.why_stopped.interrupted {
                        return self.leave(results);
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
            self.heed(client.asked_to_wait());
            if self.why_stopped.on_its_own() {
                results.stop();
            }
            self.progress.show(&self.tally);
        }
        drop(results);
        self.finish()
    }

    /// Tells of a wait that the platform asked for, once for each end that it has, or ends the run for it.
    fn heed(&mut self, wait: Option<Duration>) {
        let Some(wait) = wait.filter(|wait| *wait >= TOLD_WAIT) else { return };
        // Beyond what can be reckoned with, it is as good as for ever.
        let until = SignedDuration::try_from(wait).ok().and_then(|wait| Timestamp::now().checked_add(wait).ok());
        let until = until.unwrap_or(Timestamp::MAX);
        if wait > LONGEST_WAIT {
            self.why_stopped.asked_to_wait.get_or_insert(until);
            return;
        }
        let second = SignedDuration::from_secs(1);
        if self.told_until.is_some_and(|told| until.duration_since(told).abs() < second) {
            return;
        }
        self.told_until = Some(until);
        let length = duration(wait.as_secs_f64().ceil());
        let until = strtime::format("%H:%M:%S", until).unwrap_or_default();
        self.progress.complain(&match self.language {
            Language::En => format!("the platform asks to wait: {length}, until {until} UTC; the run continues then"),
            Language::Zh => format!("平台要求等待 {length}，至 {until}（UTC）；届时自动继续"),
        });
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
        let under_way = self.begun.announced().len();
        self.progress.complain(&match self.language {
            Language::En => format!(
                "interrupted: nothing new is begun; waiting for {under_way} under way, so that their results are known; \
                 once more to stop at once"
            ),
            Language::Zh => format!("已中断：不再发起新的取消；正在等待进行中的 {under_way} 个返回结果；再按一次立即中止"),
        });
    }

    /// Ends at once: counts and prints the results that have come, and waits neither for others nor for the disk.
    fn leave(mut self, mut results: CancelAll<impl Stream<Item = CancelRequest>>) -> Ran {
        while let Some(Some((request, result))) = unconstrained(results.next()).now_or_never() {
            self.ended(&request, &result);
        }
        let mut unrecorded = Vec::new();
        for Recording { id, ended, line, mut recorded } in std::mem::take(&mut self.recording) {
            self.tally.add(&id, self.plan.line(&id), ended);
            self.print(&line);
            if recorded.try_recv() != Ok(Ok(())) {
                unrecorded.push(line);
            }
        }
        let under_way = self.begun.announced();
        let lost_before = under_way.iter().filter(|id| self.plan.standing(id) == Standing::Lost).count();
        self.ended.0 += under_way.len();
        self.ended.1 += lost_before;
        self.tally.under_way = under_way.len();
        self.count_untried();
        self.progress.end();
        let Self { tally, why_stopped, unprinted, .. } = self;
        Ran { tally, why_stopped, left: Some(unrecorded), unprinted }
    }

    /// Has an end put on record.
    fn ended(&mut self, request: &CancelRequest, result: &Result<Cancelled, Error>) {
        let id = request.application_id();
        let Begin { since, announced } = self.begun.end(id);
        if let Err(error) = result {
            if let Some(reason) = never_announced(error) {
                self.why_stopped.not_recorded.get_or_insert_with(|| reason.clone());
                return;
            }
            if !announced && error.kind() == ErrorKind::Interrupted && error.delivery() == Delivery::NotSent {
                // It was stopped before anything of it was on record: it was not tried.
                return;
            }
        }
        self.take_note(result);
        self.ended.0 += 1;
        self.ended.1 += usize::from(self.plan.standing(id) == Standing::Lost);
        let line = output::dated_json_line(id, result, since.elapsed(), &now());
        let recorded = self.recorder.ended(line.clone());
        self.recording.push_back(Recording { id: id.to_owned(), ended: Ended::from(result), line, recorded });
    }

    /// Finds out whether the next ones would end no better.
    fn take_note(&mut self, result: &Result<Cancelled, Error>) {
        self.why_stopped.unanswered |= self.unanswered.too_many_with(result);
        self.why_stopped.credentials_refused |=
            result.as_ref().is_err_and(|error| Exit::of_kind(error.kind()) == Exit::Credentials);
    }

    /// Counts and prints an end that is on record, or never will be.
    fn recorded(&mut self, outcome: Result<(), NotRecorded>) {
        let Some(Recording { id, ended, line, .. }) = self.recording.pop_front() else { return };
        self.tally.add(&id, self.plan.line(&id), ended);
        self.print(&line);
        if let Err(reason) = outcome {
            self.progress.complain(&printable(&match self.language {
                Language::En => format!("not in the report: {line}"),
                Language::Zh => format!("未能写入报告：{line}"),
            }));
            self.why_stopped.not_recorded.get_or_insert(reason);
        }
    }

    /// Prints a result where they are asked for, unless an earlier one could not be: the report has them all.
    fn print(&mut self, line: &str) {
        if self.output == Output::Json && !self.unprinted {
            self.unprinted = output::print(line, Exit::Done) != Exit::Done;
        }
    }

    fn finish(mut self) -> Ran {
        self.count_untried();
        self.progress.end();
        self.recorder.close();
        let Self { tally, why_stopped, unprinted, .. } = self;
        Ran { tally, why_stopped, left: None, unprinted }
    }

    fn count_untried(&mut self) {
        let (ended, of_lost) = self.ended;
        self.tally.untried = self.plan.to_send() - ended;
        self.tally.untried_unknown = self.plan.count(Standing::Lost) - of_lost;
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
    let last = error.failures().last()? as &dyn std::error::Error;
    std::iter::successors(Some(last), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// How many of the last cancellations ended without any answer of the platform.
#[derive(Default)]
struct Unanswered(usize);

impl Unanswered {
    /// Counts the next one, and says whether there are too many in a row.
    fn too_many_with(&mut self, result: &Result<Cancelled, Error>) -> bool {
        match result {
            // What ends for another reason before it is sent says nothing either way.
            Err(error) if !error.failures().any(is_answer_of_platform) => {
                self.0 += usize::from(is_without_answer(error.kind()));
            }
            Ok(_) | Err(_) => self.0 = 0,
        }
        self.0 >= UNANSWERED
    }
}

/// Whether an attempt ended with an answer that was the platform's, whatever it said.
fn is_answer_of_platform(attempt: &Failure) -> bool {
    attempt.code().is_some() && attempt.kind() != ErrorKind::UnexpectedResponse
}

/// Whether a cancellation ended because the platform was not reached, or did not answer, as the network or its settings
/// would have it.
fn is_without_answer(kind: ErrorKind) -> bool {
    use ErrorKind::{Connect, ConnectionLost, Timeout, UnexpectedResponse};
    matches!(kind, Connect | Timeout | ConnectionLost | UnexpectedResponse)
}

/// The cancellations under way.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<HashMap<String, Begin>>>);

/// Since when a cancellation is under way, and whether that has been announced.
#[derive(Clone, Copy)]
struct Begin {
    since: Instant,
    announced: bool,
}

impl Begun {
    fn note(&self, id: &str, announced: bool) {
        self.lock().insert(id.to_owned(), Begin { since: Instant::now(), announced });
    }

    /// How it began, which is no longer under way.
    fn end(&self, id: &str) -> Begin {
        self.lock().remove(id).unwrap_or(Begin { since: Instant::now(), announced: false })
    }

    /// Those that have been announced.
    fn announced(&self) -> Vec<String> {
        self.lock().iter().filter(|(_, begin)| begin.announced).map(|(id, _)| id.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Begin>> {
        // Nothing that is done under the lock leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc as blocking;

    use feishu_cancel_onboard::sandbox::{Ending, Fault, Sandbox};
    use feishu_cancel_onboard::{ErrorCode, RetryPolicy, TerminationType};
    use tokio::sync::mpsc;

    use super::*;
    use crate::arguments::FileFormat;
    use crate::batch::input::Input;
    use crate::batch::report::Disk;

    async fn sandbox() -> (Sandbox, Client) {
        let sandbox = Sandbox::builder().rate_limits([]).start().await.expect("it starts");
        let origin = sandbox.base_url().parse().expect("it is one");
        let builder = Client::builder().origin(origin).app(sandbox.app_id(), sandbox.app_secret());
        let client = builder.retry(RetryPolicy::off()).build().expect("it can be made");
        (sandbox, client)
    }

    #[tokio::test]
    async fn only_those_in_a_row_count_as_unanswered() {
        let (sandbox, client) = sandbox().await;
        let cancel = async |id: &str, fault| {
            sandbox.fail_cancellations([fault]);
            client.cancel_onboard(id, TerminationType::Other).send().await
        };
        let unanswered = cancel("10", Fault::WithoutEffect(Ending::Close)).await;
        let not_sent = Err(Error::invalid_request("not an answer, and not the lack of one"));
        let refused = cancel("11", Fault::WithoutEffect(ErrorCode::InvalidParameter.into())).await;
        let done = cancel("12", Fault::None).await;
        assert!(unanswered.is_err() && refused.is_err() && done.is_ok());
        let mut count = Unanswered::default();
        for answer in [&refused, &done] {
            for _ in 1..UNANSWERED {
                assert!(!count.too_many_with(&unanswered) && !count.too_many_with(&not_sent));
            }
            assert!(!count.too_many_with(answer));
        }
        for _ in 1..UNANSWERED {
            assert!(!count.too_many_with(&unanswered));
        }
        assert!(count.too_many_with(&unanswered));
    }

    const COUNT: usize = 10;

    /// A disk that takes results only until everything has been announced, and then waits until it is let go.
    struct Slow {
        announced: usize,
        /// Gets each time that something waits.
        waits: mpsc::UnboundedSender<()>,
        let_go: blocking::Receiver<()>,
    }

    impl Disk for Slow {
        fn append(&mut self, _: u64, bytes: &[u8]) -> io::Result<()> {
            let text = String::from_utf8_lossy(bytes);
            let announced = text.matches("\"started\"").count();
            self.announced += announced;
            // What is announced can be sent only once it is on disk.
            if self.announced == COUNT && announced == 0 {
                let _ = self.waits.send(());
                // Ends with the test at the latest.
                let _ = self.let_go.recv();
            }
            Ok(())
        }

        fn cut(&mut self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn is_in_place(&self) -> bool {
            true
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn results_that_a_slow_disk_has_not_taken_yet_are_counted_and_told() {
        let (sandbox, client) = sandbox().await;
        let lines = (0..COUNT).map(|id| format!("{{\"application_id\":\"{id}\",\"termination_type\":27}}\n"));
        let path = std::env::temp_dir().join(format!("cancel-onboard-slow-disk-{}.jsonl", std::process::id()));
        std::fs::write(&path, lines.collect::<String>()).expect("a file can be written");
        let input = Input::read(&path, Some(FileFormat::Jsonl)).expect("it can be read");
        std::fs::remove_file(&path).expect("it is there");
        let plan = Plan::of(&input).expect("the file is right");
        let (waits, mut waiting) = mpsc::unbounded_channel();
        let (release, let_go) = blocking::channel();
        let recorder = Recorder::start(Slow { announced: 0, waits, let_go }, 0).expect("a thread can be made");
        let (stop, stops) = mpsc::unbounded_channel::<()>();
        let stops = stream::unfold(stops, |mut stops| async { stops.recv().await.map(|()| ((), stops)) });

        let run = Run::new(&plan, recorder, Tally::default(), Output::Text, Language::En);
        let operator = async {
            waiting.recv().await.expect("the disk is slow");
            // All others have been sent once the platform has cancelled everything; their results come by themselves.
            while sandbox.cancellations() < COUNT {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop.send(()).expect("it runs");
            stop.send(()).expect("it runs");
        };
        let (ran, ()) = tokio::join!(run.run(&client, stops), operator);
        let unrecorded = ran.left.expect("it did not wait");
        // What has come is counted, on disk or not, and all else is known to be under way.
        assert_eq!(ran.tally.cancelled + ran.tally.under_way, COUNT, "{:?}", ran.tally);
        assert!((1..=ran.tally.cancelled).contains(&unrecorded.len()), "{:?}", ran.tally);
        assert!(unrecorded.iter().all(|line| line.starts_with("{\"ok\":true,")), "{unrecorded:?}");
        assert_eq!((ran.tally.untried, ran.tally.unknown()), (0, ran.tally.under_way));
        drop(release);
    }
}
