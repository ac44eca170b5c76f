//! What a report tells of the applications of a file, and of others.

use std::collections::BTreeMap;

use super::plan::{Plan, Standing};
use super::report::{Ended, Line};
use super::tally::Tally;

/// Takes in the lines of a report, in their order.
pub struct History<'p, 'i> {
    plan: &'p mut Plan<'i>,
    /// What became of those that are settled.
    tally: Tally,
    strangers: BTreeMap<String, Standing>,
}

/// Applications in a report that the file does not name.
pub struct Strangers {
    /// Those of which nobody knows whether they are cancelled.
    pub unknown: Vec<String>,
    pub others: Vec<String>,
}

impl<'p, 'i> History<'p, 'i> {
    /// The history of a plan's applications; what another reading told of them is forgotten.
    pub fn of(plan: &'p mut Plan<'i>) -> Self {
        plan.forget_standings();
        Self { plan, tally: Tally::default(), strangers: BTreeMap::new() }
    }

    /// Takes in the next line.
    pub fn take(&mut self, line: Line) {
        let (id, ended) = match line {
            Line::Started { application_id } => (application_id, None),
            Line::Ended { application_id, ended } => (application_id, Some(ended)),
        };
        let of_file = self.plan.standing_mut(&id);
        let is_ours = of_file.is_some();
        let standing = match of_file {
            Some(standing) => standing,
            None => self.strangers.entry(id.clone()).or_default(),
        };
        if *standing == Standing::Settled {
            return;
        }
        *standing = after(ended.as_ref());
        if let (Standing::Settled, Some(ended), true) = (*standing, ended, is_ours) {
            self.tally.add(&id, ended);
        }
    }

    /// What became of those that are settled, and who else is in the report.
    pub fn finish(self) -> (Tally, Strangers) {
        let (unknown, others): (Vec<_>, Vec<_>) =
            self.strangers.into_iter().partition(|(_, standing)| *standing == Standing::Lost);
        let ids = |entries: Vec<(String, Standing)>| entries.into_iter().map(|(id, _)| id).collect();
        (self.tally, Strangers { unknown: ids(unknown), others: ids(others) })
    }
}

/// How it stands after an end, or after a start that has none.
fn after(ended: Option<&Ended>) -> Standing {
    match ended {
        None => Standing::Lost,
        Some(Ended::Failed(failed)) if failed.passes() => match failed.unknown {
            true => Standing::Lost,
            false => Standing::Again,
        },
        Some(Ended::Cancelled | Ended::Terminated | Ended::Failed(_)) => Standing::Settled,
    }
}
