//! The tenant's termination reasons, to check ids against before a cancellation names them.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use feishu_cancel_onboard::{Client, Error, Received, TerminationReason, TerminationType, printable};

use crate::invisible::visible;
use crate::output;

/// How many reasons are named as near.
const NAMED: usize = 3;
/// The most edits by which an id is still near another one; fewer where it is short.
const ID_EDITS: usize = 2;
/// The longest text for which near ones are sought, in characters.
const COMPARED: usize = 100;

/// For how many ids near ones are sought: each takes a comparison with every reason, and nobody reads more of them.
const SOUGHT: usize = 1000;

/// Every reason of a tenant, by its id. Of an id that is listed more than once, the first entry in the platform's order
/// decides.
pub struct ReasonCatalogue {
    reasons: HashMap<String, Listed>,
    /// For how many ids near ones may still be sought.
    to_seek: Cell<usize>,
}

/// A reason as its first entry has it.
struct Listed {
    reason: TerminationReason,
    times: usize,
    /// Whether a later entry has another type or status.
    contradicted: bool,
}

impl ReasonCatalogue {
    /// Reads all reasons.
    ///
    /// # Errors
    /// When they can't be read; as nothing was cancelled, the error says that nothing was sent.
    pub async fn load(client: &Client) -> Result<Self, Error> {
        let mut reasons: HashMap<_, Listed> = HashMap::new();
        let mut listed = client.termination_reasons();
        while let Some(reason) = listed.next().await {
            let reason = reason.map_err(Error::before_cancelling)?;
            match reasons.entry(reason.id().to_owned()) {
                Entry::Vacant(entry) => drop(entry.insert(Listed { reason, times: 1, contradicted: false })),
                Entry::Occupied(mut entry) => entry.get_mut().add(&reason),
            }
        }
        Ok(Self { reasons, to_seek: Cell::new(SOUGHT) })
    }

    /// Checks the ids that a cancellation of this type is to name.
    ///
    /// A reason whose status this version does not know is let through: the platform knows better.
    ///
    /// # Errors
    /// What is wrong with every id that is unknown, disabled or of another type, with the near ones that would do.
    pub fn check(&self, termination_type: TerminationType, ids: &[String]) -> Result<(), String> {
        let wrong: Vec<_> = ids.iter().filter_map(|id| self.objection(termination_type, id)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    fn objection(&self, termination_type: TerminationType, id: &str) -> Option<String> {
        let listed = self.reasons.get(id);
        let reason = listed.map(|listed| &listed.reason);
        let wrong = match reason {
            None => "is not one of the tenant's".to_owned(),
            Some(reason) => match reason.termination_type() {
                Some(other) if other != Received::Known(termination_type) => {
                    format!("({}) is for the type {other}, not {termination_type}", names(reason))
                }
                _ if reason.is_disabled() => format!("({}) is disabled", names(reason)),
                _ => {
                    listed.and_then(Listed::contradiction).into_iter().for_each(|contradiction| {
                        output::complain(&format!("warning: the reason id {} {contradiction}", quoted(id)));
                    });
                    return None;
                }
            },
        };
        let contradiction =
            listed.and_then(Listed::contradiction).map(|text| format!("; it {text}")).unwrap_or_default();
        let near = self.near(termination_type, id, reason);
        let hint = match near.is_empty() {
            true => format!("`cancel-onboard reasons --type {termination_type}` lists those that can be given"),
            false => format!("near it: {}", near.join(", ")),
        };
        Some(format!("the reason id {} {wrong}{contradiction}; {hint}", quoted(id)))
    }

    /// Those that could have been meant, the nearest first, each with its id and its names.
    fn near(&self, termination_type: TerminationType, id: &str, found: Option<&TerminationReason>) -> Vec<String> {
        match self.to_seek.get().checked_sub(1) {
            Some(left) => self.to_seek.set(left),
            None => return Vec::new(),
        }
        let usable = |reason: &&TerminationReason| {
            !reason.is_disabled()
                && reason.termination_type().is_none_or(|other| other == Received::Known(termination_type))
        };
        let mut near: Vec<_> = self
            .reasons
            .values()
            .map(|listed| &listed.reason)
            .filter(usable)
            .filter_map(|reason| nearness(id, found, reason).map(|nearness| (nearness, reason.id(), reason)))
            .collect();
        near.sort_by_key(|(nearness, id, _)| (*nearness, *id));
        near.iter().take(NAMED).map(|(_, id, reason)| format!("{} ({})", printable(id), names(reason))).collect()
    }
}

impl Listed {
    /// Takes in a later entry of the same id.
    fn add(&mut self, later: &TerminationReason) {
        let decides = |reason: &TerminationReason| (reason.termination_type(), reason.active_status());
        self.times += 1;
        self.contradicted |= decides(&self.reason) != decides(later);
    }

    /// What is said of entries that do not agree.
    fn contradiction(&self) -> Option<String> {
        let times = self.times;
        self.contradicted.then(|| {
            format!(
                "is listed {times} times by the platform, with different types or statuses: the first entry decides"
            )
        })
    }
}

/// An id as it is repeated, with nothing in it that can't be seen.
fn quoted(id: &str) -> String {
    format!("`{}`", visible(&printable(id)))
}

/// How near a reason is to the one that was given, the smaller the nearer; none where it is not.
///
/// Somebody may have given a name in place of an id, or the id of a reason that is called alike.
fn nearness(given: &str, found: Option<&TerminationReason>, reason: &TerminationReason) -> Option<Nearness> {
    let names: Vec<&str> = match found {
        Some(found) => [found.name_zh(), found.name_en()].into_iter().flatten().collect(),
        None => vec![given],
    };
    let own: Vec<&str> = [reason.name_zh(), reason.name_en()].into_iter().flatten().collect();
    let by_name = names.iter().flat_map(|name| own.iter().filter_map(|own| alike(name, own))).min();
    by_name.map(Nearness::Name).or_else(|| id_near(given, reason.id()))
}

/// The order is that in which they are named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// So many edits from the name.
    Name(usize),
    /// So many edits from the id.
    Id(usize),
    /// So many characters of the id in common.
    Prefix(Reverse<usize>),
}

/// By how many edits two names differ, where that is few for their length; none where one is part of the other.
fn alike(a: &str, b: &str) -> Option<usize> {
    let (a, b) = (a.trim().to_lowercase(), b.trim().to_lowercase());
    let shorter = a.chars().count().min(b.chars().count());
    if shorter < 2 || a.chars().count().max(b.chars().count()) > COMPARED {
        return None;
    }
    if a.contains(&b) || b.contains(&a) {
        return Some(0);
    }
    let edits = strsim::osa_distance(&a, &b);
    (edits <= shorter / 3).then_some(edits)
}

fn id_near(given: &str, id: &str) -> Option<Nearness> {
    let length = given.chars().count().max(id.chars().count());
    if length > COMPARED {
        return None;
    }
    let edits = strsim::osa_distance(given, id);
    if edits <= ID_EDITS.min(length / 3) {
        return Some(Nearness::Id(edits));
    }
    let common = given.chars().zip(id.chars()).take_while(|(a, b)| a == b).count();
    (common * 3 >= length * 2).then_some(Nearness::Prefix(Reverse(common)))
}

/// The names of a reason, as in `薪酬期望不一致 / Different salary expectations`.
fn names(reason: &TerminationReason) -> String {
    let names: Vec<_> = [reason.name_zh(), reason.name_en()].into_iter().flatten().map(printable).collect();
    if names.is_empty() { "without a name".to_owned() } else { names.join(" / ") }
}
