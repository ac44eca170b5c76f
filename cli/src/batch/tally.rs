//! What became of the applications, counted.

use feishu_cancel_onboard::{Cancelled, Delivery, Error, Outcome};

use super::report::{Advice, Ended, Failed};
use crate::output::Exit;

/// How many ids are named of each kind of failure; the report has them all.
pub const NAMED: usize = 10;

/// The results so far.
#[derive(Debug, Default)]
pub struct Tally {
    pub cancelled: usize,
    /// How many are terminated, most likely by an attempt whose answer was lost.
    pub terminated: usize,
    /// The ids of the first ones.
    pub terminated_ids: Vec<String>,
    /// The failures by kind, in alphabetical order, so that two runs that end alike say it alike.
    pub failures: Vec<OfKind>,
    /// How many were not tried.
    pub untried: usize,
    /// How many of those were started earlier, with an end that nobody knows.
    pub untried_unknown: usize,
    /// How many were under way when nobody wanted to wait for them any more.
    pub under_way: usize,
}

/// The failures of one kind.
#[derive(Debug)]
pub struct OfKind {
    pub kind: String,
    pub count: usize,
    /// How many of them can have taken effect.
    pub unknown: usize,
    /// How many of them will not succeed before a person has done something.
    pub need_a_person: usize,
    pub advice: Advice,
    /// The first ones.
    pub ids: Vec<String>,
}

impl Tally {
    /// Counts one in.
    pub fn add(&mut self, id: &str, ended: Ended) {
        match ended {
            Ended::Cancelled => self.cancelled += 1,
            Ended::Terminated => {
                self.terminated += 1;
                if self.terminated_ids.len() < NAMED {
                    self.terminated_ids.push(id.to_owned());
                }
            }
            Ended::Failed(failed) => self.add_failed(id, failed),
        }
    }

    fn add_failed(&mut self, id: &str, failed: Failed) {
        let Failed { kind, unknown, retryable, advice, .. } = failed;
        let known = self.failures.binary_search_by(|of_kind| of_kind.kind.cmp(&kind));
        let index = known.unwrap_or_else(|index| {
            let advice = advice.clone();
            let of_kind = OfKind { kind, count: 0, unknown: 0, need_a_person: 0, advice, ids: Vec::new() };
            self.failures.insert(index, of_kind);
            index
        });
        let of_kind = &mut self.failures[index];
        if unknown && of_kind.unknown == 0 {
            // The advice to look first holds for the whole kind then.
            of_kind.advice = advice;
        }
        of_kind.count += 1;
        of_kind.unknown += usize::from(unknown);
        of_kind.need_a_person += usize::from(!retryable);
        if of_kind.ids.len() < NAMED {
            of_kind.ids.push(id.to_owned());
        }
    }

    /// How many are done.
    pub fn done(&self) -> usize {
        self.cancelled + self.terminated
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.failures.iter().map(|of_kind| of_kind.count).sum()
    }

    /// How many can have taken effect without anybody knowing.
    pub fn unknown(&self) -> usize {
        self.untried_unknown + self.under_way + self.failures.iter().map(|of_kind| of_kind.unknown).sum::<usize>()
    }

    /// How many will not succeed before a person has done something.
    pub fn need_a_person(&self) -> usize {
        self.failures.iter().map(|of_kind| of_kind.need_a_person).sum()
    }

    /// The exit status that says as much.
    pub fn exit(&self) -> Exit {
        match (self.unknown(), self.failed() + self.untried + self.under_way) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Refused,
            _ => Exit::Network,
        }
    }
}

impl From<&Result<Cancelled, Error>> for Ended {
    fn from(result: &Result<Cancelled, Error>) -> Self {
        match result {
            Ok(done) if done.outcome() == Outcome::Terminated => Self::Terminated,
            Ok(_) => Self::Cancelled,
            Err(error) => {
                let advice = error.advice();
                Self::Failed(Failed {
                    kind: error.kind().to_string(),
                    unknown: error.delivery() == Delivery::Unknown,
                    unsent: error.delivery() == Delivery::NotSent,
                    retryable: error.is_retryable(),
                    advice: Advice { en: advice.en.into_owned(), zh: advice.zh.into_owned() },
                })
            }
        }
    }
}
