//! The tenant's termination reasons, to check ids against before a cancellation names them.

use std::cmp::Reverse;
use std::collections::HashMap;

use feishu_cancel_onboard::{Client, Error, Received, TerminationReason, TerminationType, printable};

/// How many reasons are named as near.
const NAMED: usize = 3;
/// The most edits by which an id is still near another one; fewer where it is short.
const ID_EDITS: usize = 2;
/// The longest text for which near ones are sought, in characters.
const COMPARED: usize = 100;

/// Every reason of a tenant, by its id.
pub struct ReasonCatalogue(HashMap<String, TerminationReason>);

impl ReasonCatalogue {
    /// Reads all reasons.
    ///
    /// # Errors
    /// When they can't be read; as nothing was cancelled, the error says that nothing was sent.
    pub async fn load(client: &Client) -> Result<Self, Error> {
        let mut reasons = HashMap::new();
        let mut listed = client.termination_reasons();
        while let Some(reason) = listed.next().await {
            let reason = reason.map_err(Error::before_cancelling)?;
            reasons.insert(reason.id().to_owned(), reason);
        }
        Ok(Self(reasons))
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
        let reason = self.0.get(id);
        let wrong = match reason {
            None => "is not one of the tenant's".to_owned(),
            Some(reason) => match reason.termination_type() {
                Some(other) if other != Received::Known(termination_type) => {
                    format!("({}) is for the type {other}, not {termination_type}", names(reason))
                }
                _ if reason.is_disabled() => format!("({}) is disabled", names(reason)),
                _ => return None,
            },
        };
        let near = self.near(termination_type, id, reason);
        let hint = match near.is_empty() {
            true => format!("`cancel-onboard reasons --type {termination_type}` lists those that can be given"),
            false => format!("near it: {}", near.join(", ")),
        };
        Some(format!("the reason id `{}` {wrong}; {hint}", printable(id)))
    }

    /// Those that could have been meant, the nearest first, each with its id and its names.
    fn near(&self, termination_type: TerminationType, id: &str, found: Option<&TerminationReason>) -> Vec<String> {
        let usable = |reason: &&TerminationReason| {
            !reason.is_disabled()
                && reason.termination_type().is_none_or(|other| other == Received::Known(termination_type))
        };
        let mut near: Vec<_> = self
            .0
            .values()
            .filter(usable)
            .filter_map(|reason| nearness(id, found, reason).map(|nearness| (nearness, reason.id(), reason)))
            .collect();
        near.sort_by_key(|(nearness, id, _)| (*nearness, *id));
        near.iter().take(NAMED).map(|(_, id, reason)| format!("{} ({})", printable(id), names(reason))).collect()
    }
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
