//! `--check-reasons`: whether the reasons that a file names would do, as far as the tenant's list tells.

use std::collections::HashMap;
use std::slice;
use std::time::{Duration, Instant};

use feishu_cancel_onboard::{Client, Error, TerminationType};

use super::input::{Complaint, Row};
use super::plan::Plan;
use crate::reason_catalogue::ReasonCatalogue;

/// Why nothing may be sent.
pub enum Objection {
    /// These reasons would not do.
    Reasons(Vec<Complaint>),
    /// The tenant's reasons can't be read; this took so long.
    Unread(Error, Duration),
}

/// Checks the reasons of all that is to be sent; of what has ended, nothing is sent, and nothing is checked.
///
/// # Errors
/// Everything that is wrong with them, in the order of the file.
pub async fn check(plan: &Plan<'_>, client: &Client) -> Result<(), Objection> {
    if plan.rows_to_send().all(|row| row.request.termination_reason_ids().is_empty()) {
        return Ok(());
    }
    let began = Instant::now();
    let catalogue = ReasonCatalogue::load(client).await.map_err(|error| Objection::Unread(error, began.elapsed()))?;
    let mut verdicts = Verdicts { catalogue, known: HashMap::new() };
    let place = plan.place_of_reasons();
    let complaints: Vec<_> = plan.rows_to_send().flat_map(|row| verdicts.complaints(&row, place)).collect();
    if complaints.is_empty() { Ok(()) } else { Err(Objection::Reasons(complaints)) }
}

/// What was said of each reason before: a file names few of them, many times.
struct Verdicts {
    catalogue: ReasonCatalogue,
    known: HashMap<(TerminationType, String), Option<String>>,
}

impl Verdicts {
    fn complaints(&mut self, row: &Row, place: &str) -> Vec<Complaint> {
        let request = &row.request;
        let reasons = request.termination_reason_ids().iter();
        let wrong = reasons.filter_map(|id| self.of(request.termination_type(), id));
        wrong
            .map(|reason| Complaint {
                line: row.position.line,
                place: Some(place.to_owned()),
                reason,
                application_id: Some(request.application_id().into()),
            })
            .collect()
    }

    fn of(&mut self, termination_type: TerminationType, id: &String) -> Option<String> {
        let verdict = || self.catalogue.check(termination_type, slice::from_ref(id)).err();
        self.known.entry((termination_type, id.clone())).or_insert_with(verdict).clone()
    }
}
