//! How far a run is: a bar on a terminal, a line now and then where there is none.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::tally::Tally;
use crate::arguments::{Language, Output};
use crate::output;

/// How often a line is printed where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows how far a run is, on standard error.
pub struct Progress {
    form: Form,
    language: Language,
    total: usize,
    /// How many had ended before this run.
    before: usize,
    began: Instant,
}

enum Form {
    Bar(ProgressBar),
    Lines { last: Instant },
    Silent,
}

impl Progress {
    /// Begins to show the progress of a run from what it begins with.
    pub fn begin(output: Output, language: Language, total: usize, tally: &Tally) -> Self {
        let (now, before) = (Instant::now(), tally.ended());
        let form = match (output, ProgressDrawTarget::stderr()) {
            (Output::Json, _) => Form::Silent,
            // No terminal, or one that can't go back on its line.
            (Output::Text, target) if target.is_hidden() => Form::Lines { last: now },
            (Output::Text, target) => Form::Bar(bar(total, target)),
        };
        Self { form, language, total, before, began: now }
    }

    /// Shows how far it is now.
    pub fn show(&mut self, tally: &Tally) {
        let text = match &self.form {
            Form::Silent => return,
            Form::Lines { last } if last.elapsed() < BETWEEN_LINES => return,
            Form::Lines { .. } | Form::Bar(_) => self.text(tally),
        };
        match &mut self.form {
            Form::Bar(bar) => {
                bar.set_position((tally.ended()) as u64);
                bar.set_message(text);
            }
            Form::Lines { last } => {
                *last = Instant::now();
                output::complain(&text);
            }
            Form::Silent => {}
        }
    }

    fn text(&self, tally: &Tally) -> String {
        let (done, failed, total) = (tally.done(), tally.failed(), self.total);
        let ended = tally.ended();
        let rate = ended.saturating_sub(self.before) as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        let left = match rate > 0.0 {
            true => duration((total.saturating_sub(ended) as f64 / rate).ceil()),
            false => "?".to_owned(),
        };
        match self.language {
            Language::En => format!("{done} of {total} done, {failed} failed, {rate:.1} a second, {left} left"),
            Language::Zh => format!("已完成 {done}/{total}，失败 {failed}，每秒 {rate:.1} 个，剩余 {left}"),
        }
    }

    /// Prints a line for the operator, whatever is shown.
    pub fn complain(&self, line: &str) {
        match &self.form {
            Form::Bar(bar) => bar.suspend(|| output::complain(line)),
            Form::Lines { .. } | Form::Silent => output::complain(line),
        }
    }

    /// Shows nothing any more.
    pub fn end(self) {
        if let Form::Bar(bar) = self.form {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: usize, target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), target);
    // With the longest text that is likely, in 80 columns.
    if let Ok(style) = ProgressStyle::with_template("{bar:20} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Seconds as in `1:05:09`, or `12 s`.
pub fn duration(seconds: f64) -> String {
    // Longer than anybody waits, and within the type.
    let seconds = seconds.clamp(0.0, 1e9) as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}
