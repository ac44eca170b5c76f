//! What a report tells of the applications of a file, and of others.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{Plan, Standing};
use super::report::{Ended, Failed, Line};
use super::tally::Tally;

/// Takes in the lines of a report, in their order.
pub struct History<'p, 'i> {
    plan: &'p mut Plan<'i>,
    /// Whether what the platform refused is tried again too.
    retry_rejected: bool,
    /// What became of those that are done.
    tally: Tally,
    /// Those that are settled by a refusal, unless a later line tells otherwise. Few refusals differ in more than the id.
    refused: BTreeMap<String, Arc<Failed>>,
    refusals: Vec<Arc<Failed>>,
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
    pub fn of(plan: &'p mut Plan<'i>, retry_rejected: bool) -> Self {
        plan.forget_standings();
        let (refused, refusals, strangers) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { plan, retry_rejected, tally: Tally::default(), refused, refusals, strangers }
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
        if *standing == Standing::Done {
            return;
        }
        *standing = after(ended.as_ref(), self.retry_rejected);
        if !is_ours {
            return;
        }
        // What a retry of a refusal came to goes before the refusal.
        match (*standing, ended) {
            (Standing::Done, Some(ended)) => {
                self.refused.remove(&id);
                self.tally.add(&id, self.plan.line(&id), ended);
            }
            (Standing::Refused, Some(Ended::Failed(failed))) => {
                let failed = self.shared(failed);
                self.refused.insert(id, failed);
            }
            _ => drop(self.refused.remove(&id)),
        }
    }

    fn shared(&mut self, failed: Failed) -> Arc<Failed> {
        if let Some(known) = self.refusals.iter().find(|known| ***known == failed) {
            return Arc::clone(known);
        }
        let failed = Arc::new(failed);
        self.refusals.push(Arc::clone(&failed));
        failed
    }

    /// What became of those that are settled, and who else is in the report.
    pub fn finish(mut self) -> (Tally, Strangers) {
        for (id, failed) in &self.refused {
            self.tally.add(id, self.plan.line(id), Ended::Failed(Failed::clone(failed)));
        }
        let (unknown, others): (Vec<_>, Vec<_>) =
            self.strangers.into_iter().partition(|(_, standing)| *standing == Standing::Lost);
        let ids = |entries: Vec<(String, Standing)>| entries.into_iter().map(|(id, _)| id).collect();
        (self.tally, Strangers { unknown: ids(unknown), others: ids(others) })
    }
}

/// How it stands after an end, or after a start that has none.
fn after(ended: Option<&Ended>, retry_rejected: bool) -> Standing {
    match ended {
        None => Standing::Lost,
        Some(Ended::Cancelled | Ended::Terminated) => Standing::Done,
        Some(Ended::Failed(failed)) if failed.unknown => Standing::Lost,
        Some(Ended::Failed(failed)) if failed.is_tried_again() || retry_rejected => Standing::Again,
        Some(Ended::Failed(_)) => Standing::Refused,
    }
}
