//! What became of the applications, counted.

use feishu_cancel_onboard::{Cancelled, Delivery, Error, ErrorKind, Outcome};

use super::report::{Advice, Ended, Failed, Remarks};
use crate::output::Exit;

/// How many ids are named of each kind of failure; the report has them all.
pub const NAMED: usize = 10;

/// The kind of what was terminated before: nothing is left to do about it.
const TERMINATED_BEFORE: &str = ErrorKind::AlreadyTerminated.as_str();

/// An application of the list: its line, and its id.
type Listed = (u32, String);

/// The results so far.
#[derive(Debug, Default)]
pub struct Tally {
    pub cancelled: usize,
    /// How many are terminated, most likely by an attempt whose answer was lost.
    pub terminated: usize,
    /// The first ones of the list.
    pub terminated_ids: Vec<Listed>,
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
    /// The first ones of the list.
    pub ids: Vec<Listed>,
    /// What the platform said along with them, each with how many it said it of.
    pub fields: Vec<(String, usize)>,
    pub links: Vec<(String, usize)>,
}

impl OfKind {
    /// Whether they were terminated before.
    pub fn is_terminated_before(&self) -> bool {
        self.kind == TERMINATED_BEFORE
    }
}

/// Keeps the first ones of the list, in its order.
fn keep_first(listed: &mut Vec<Listed>, line: u32, id: &str) {
    let place = listed.partition_point(|(other, _)| *other < line);
    if place < NAMED {
        listed.insert(place, (line, id.to_owned()));
        listed.truncate(NAMED);
    }
}

/// Counts what was said, in the order in which it was said first.
fn count(counted: &mut Vec<(String, usize)>, said: Vec<String>) {
    for text in said {
        match counted.iter().position(|(other, _)| *other == text) {
            Some(index) => counted[index].1 += 1,
            None if counted.len() < NAMED => counted.push((text, 1)),
            None => {}
        }
    }
}

impl Tally {
    /// Counts one in, which is listed on this line.
    pub fn add(&mut self, id: &str, line: u32, ended: Ended) {
        match ended {
            Ended::Cancelled => self.cancelled += 1,
            Ended::Terminated => {
                self.terminated += 1;
                keep_first(&mut self.terminated_ids, line, id);
            }
            Ended::Failed(failed) => self.add_failed(id, line, failed),
        }
    }

    fn add_failed(&mut self, id: &str, line: u32, failed: Failed) {
        let Failed { kind, unknown, retryable, advice, remarks, .. } = failed;
        let known = self.failures.binary_search_by(|of_kind| of_kind.kind.cmp(&kind));
        let index = known.unwrap_or_else(|index| {
            let advice = advice.clone();
            let (ids, fields, links) = (Vec::new(), Vec::new(), Vec::new());
            let of_kind = OfKind { kind, count: 0, unknown: 0, need_a_person: 0, advice, ids, fields, links };
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
        // Nobody has to do anything about what was terminated before.
        of_kind.need_a_person += usize::from(!retryable && of_kind.kind != TERMINATED_BEFORE);
        keep_first(&mut of_kind.ids, line, id);
        count(&mut of_kind.fields, remarks.fields);
        count(&mut of_kind.links, remarks.links);
    }

    /// How many are done.
    pub fn done(&self) -> usize {
        self.cancelled + self.terminated
    }

    /// How many failed, those apart that were terminated before.
    pub fn failed(&self) -> usize {
        self.failures.iter().filter(|of_kind| !of_kind.is_terminated_before()).map(|of_kind| of_kind.count).sum()
    }

    /// How many were terminated before, and not by this list.
    pub fn terminated_before(&self) -> usize {
        self.failures.iter().filter(|of_kind| of_kind.is_terminated_before()).map(|of_kind| of_kind.count).sum()
    }

    /// How many ended, whatever the end.
    pub fn ended(&self) -> usize {
        self.done() + self.terminated_before() + self.failed()
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
        match (self.unknown(), self.terminated_before() + self.failed() + self.untried + self.under_way) {
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
                let (advice, details) = (error.advice(), error.details());
                Self::Failed(Failed {
                    kind: error.kind().to_string(),
                    unknown: error.delivery() == Delivery::Unknown,
                    unsent: error.delivery() == Delivery::NotSent,
                    retryable: error.is_retryable(),
                    advice: Advice { en: advice.en.into_owned(), zh: advice.zh.into_owned() },
                    remarks: Remarks::of(details.as_ref().map(|details| details.as_json())),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_list_are_named_in_its_order_whatever_ends_first() {
        let mut tally = Tally::default();
        for line in (2..=30).rev() {
            tally.add(&format!("id-{line}"), line, Ended::Terminated);
        }
        let lines: Vec<_> = tally.terminated_ids.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, (2..2 + NAMED as u32).collect::<Vec<_>>());
        assert_eq!((tally.terminated, tally.terminated_ids[0].1.as_str()), (29, "id-2"));
    }
}
