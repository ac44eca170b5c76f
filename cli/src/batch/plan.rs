//! What is to be sent: each application once, in the order of the file, unless the report says that it is done.
//!
//! Of each application, little more than its place in the file is kept.

use std::hash::{BuildHasher, RandomState};

use feishu_cancel_onboard::{CancelRequest, TerminationType};

use super::input::{Complaint, Input, Position, Row, Rows, looks_rounded};

/// How it stands with an application, as far as the report tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was ever sent for it.
    #[default]
    New,
    /// It failed, and nothing changed; it is tried again.
    Again,
    /// Something was sent, and what became of it is not known.
    Lost,
    /// It failed, nothing changed, and it is left alone.
    Refused,
    /// It succeeded.
    Done,
}

impl Standing {
    /// Whether there is nothing left to do here.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Refused | Self::Done)
    }
}

/// The applications of a file.
pub struct Plan<'a> {
    input: &'a Input,
    fingerprints: Fingerprints,
    /// In the order of their fingerprints.
    applications: Vec<Application>,
    /// How many lines repeat an earlier one.
    pub repeated: usize,
    /// Ids that look as if a spreadsheet had rounded them.
    pub rounded: Vec<String>,
}

struct Application {
    fingerprint: Fingerprint,
    position: Position,
    standing: Standing,
}

/// Stands for an id, at a length that does not depend on the id's: no two ids have the same.
type Fingerprint = [u64; 2];

/// Makes fingerprints with keys that are different in each run, so that nobody can make two ids that share one.
#[derive(Default)]
struct Fingerprints(RandomState, RandomState);

impl Fingerprints {
    fn of(&self, id: &str) -> Fingerprint {
        [self.0.hash_one(id), self.1.hash_one(id)]
    }
}

impl<'a> Plan<'a> {
    /// Checks a file whole.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn of(input: &'a Input) -> Result<Self, Vec<Complaint>> {
        let mut plan = Self {
            input,
            fingerprints: Fingerprints::default(),
            applications: Vec::new(),
            repeated: 0,
            rounded: Vec::new(),
        };
        let mut complaints = Vec::new();
        for row in input.rows() {
            match row {
                Ok(row) => plan.add(row.request.application_id(), row.position),
                Err(of_row) => complaints.extend(of_row),
            }
        }
        complaints.extend(plan.unite());
        complaints.sort_by_key(|complaint| complaint.line);
        if complaints.is_empty() { Ok(plan) } else { Err(complaints) }
    }

    fn add(&mut self, id: &str, position: Position) {
        let fingerprint = self.fingerprints.of(id);
        self.applications.push(Application { fingerprint, position, standing: Standing::New });
        if looks_rounded(id) {
            self.rounded.push(id.to_owned());
        }
    }

    /// Makes one of the lines with the same id, and complains of those that do not ask for the same.
    fn unite(&mut self) -> Vec<Complaint> {
        let mut differences = Differences { rows: self.input.rows(), place: self.input.place_of_id(), first: None };
        let mut complaints = Vec::new();
        let before = self.applications.len();
        self.applications.sort_unstable_by_key(|application| (application.fingerprint, application.position.byte));
        self.applications.dedup_by(|later, first| {
            let same_id = later.fingerprint == first.fingerprint;
            if same_id {
                complaints.extend(differences.between(first.position, later.position));
            }
            same_id
        });
        self.applications.shrink_to_fit();
        self.repeated = before - self.applications.len();
        complaints
    }

    /// How many applications there are.
    pub fn len(&self) -> usize {
        self.applications.len()
    }

    fn application(&self, id: &str) -> Option<&Application> {
        self.place(id).map(|place| &self.applications[place])
    }

    /// The line of the file on which an application is listed first.
    pub fn line(&self, id: &str) -> u32 {
        self.application(id).map_or(u32::MAX, |application| application.position.line)
    }

    fn place(&self, id: &str) -> Option<usize> {
        let fingerprint = self.fingerprints.of(id);
        self.applications.binary_search_by_key(&fingerprint, |application| application.fingerprint).ok()
    }

    /// Forgets what a report told.
    pub fn forget_standings(&mut self) {
        self.applications.iter_mut().for_each(|application| application.standing = Standing::New);
    }

    /// How it stands with an application, if it is one of the file's.
    pub fn standing_mut(&mut self, id: &str) -> Option<&mut Standing> {
        self.place(id).map(|place| &mut self.applications[place].standing)
    }

    /// How it stands with an application of the file.
    pub fn standing(&self, id: &str) -> Standing {
        self.application(id).map(|application| application.standing).unwrap_or_default()
    }

    /// How many stand like this.
    pub fn count(&self, standing: Standing) -> usize {
        self.applications.iter().filter(|application| application.standing == standing).count()
    }

    /// How many are to be sent.
    pub fn to_send(&self) -> usize {
        self.len() - self.settled()
    }

    /// How many are settled.
    pub fn settled(&self) -> usize {
        self.applications.iter().filter(|application| application.standing.is_settled()).count()
    }

    /// The rows whose applications are to be sent, those too that repeat an earlier one.
    pub fn rows_to_send(&self) -> impl Iterator<Item = Row> {
        // The file was checked, and there is no other one.
        let rows = self.input.rows().filter_map(Result::ok);
        rows.filter(|row| !self.standing(row.request.application_id()).is_settled())
    }

    /// The name by which the place of the reason ids goes.
    pub fn place_of_reasons(&self) -> &'static str {
        self.input.place_of_reasons()
    }

    /// What is to be sent.
    pub fn requests(&self) -> impl Iterator<Item = CancelRequest> {
        self.input.rows().filter_map(|row| {
            // The file was checked, and there is no other one.
            let row = row.ok()?;
            let application = self.application(row.request.application_id())?;
            match application.standing {
                _ if application.position != row.position => None,
                Standing::Refused | Standing::Done => None,
                Standing::Lost => Some(row.request.after_lost_attempt()),
                Standing::New | Standing::Again => Some(row.request),
            }
        })
    }

    /// How many are to be sent of each type.
    pub fn by_type(&self) -> Vec<(TerminationType, usize)> {
        let mut counts: Vec<_> = TerminationType::ALL.iter().map(|known| (*known, 0)).collect();
        for request in self.requests() {
            let of_type = counts.iter_mut().find(|(known, _)| *known == request.termination_type());
            of_type.into_iter().for_each(|(_, count)| *count += 1);
        }
        counts.retain(|(_, count)| *count > 0);
        counts
    }
}

/// Finds the lines that ask for something other than the first line of the same id does.
struct Differences<'a> {
    rows: Rows<'a>,
    /// The name by which the place of the application id goes.
    place: &'static str,
    /// The first line that was read last: many later ones may be compared with it.
    first: Option<Row>,
}

impl Differences<'_> {
    /// What is wrong with a later line, unless it asks for the same as the first.
    fn between(&mut self, first: Position, later: Position) -> Option<Complaint> {
        let first = match self.first.take().filter(|row| row.position == first) {
            Some(row) => row,
            None => self.rows.at(first)?,
        };
        let request = self.rows.at(later)?.request;
        let id = request.application_id();
        let complaint = (first.request != request).then(|| Complaint {
            line: later.line,
            place: Some(self.place.to_owned()),
            reason: format!("{id} stands on line {} already, with a different request", first.position.line),
            application_id: Some(id.into()),
        });
        self.first = Some(first);
        complaint
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::time::{ClockId, clock_gettime};

    use super::*;
    use crate::arguments::FileFormat;

    /// The time that this thread computes to check a file of so many lines, in nanoseconds.
    fn cost(lines: usize, line: impl Fn(usize) -> String) -> i64 {
        let header = "application_id,termination_type,termination_reason_notes\n".to_owned();
        let text = header + &(0..lines).map(line).collect::<String>();
        let input = Input::new(text.into_bytes(), FileFormat::Csv);
        let now = || {
            let time = clock_gettime(ClockId::ThreadCPUTime);
            time.tv_sec * 1_000_000_000 + time.tv_nsec
        };
        let before = now();
        drop(Plan::of(&input));
        now() - before
    }

    #[test]
    fn four_times_the_lines_take_no_more_than_eight_times_the_time_whatever_the_quotes() {
        for line in
            ["\"a\"b\"c,\"\n", "1,\"\n", "\"\n", "1,1,\"a\n", "\"\"\"\n", "\",\n1,1,\n", "1,1,\"\"\"\"\n", "\",1,\"\n"]
        {
            let costs = [2_000, 8_000].map(|lines| cost(lines, |_| line.to_owned()));
            assert!(costs[1] <= 8 * costs[0], "{line:?}: {costs:?}");
        }
    }

    #[test]
    fn lines_that_repeat_an_id_take_no_more_than_eight_times_the_time_of_others() {
        const LINES: usize = 10_000;
        let others = cost(LINES, |number| format!("{number},1,\n"));
        let same = cost(LINES, |_| "1,1,\n".to_owned());
        let different = cost(LINES, |number| format!("1,1,{number}\n"));
        assert!(same.max(different) <= 8 * others, "{others}, {same}, {different}");
    }

    #[test]
    fn a_line_with_many_mistakes_does_not_keep_its_long_id_for_each() {
        let costs = [500, 2_000].map(|size| {
            let (id, ids) = ("x".repeat(100 * size), ";".repeat(size));
            let text = format!("application_id,termination_type,termination_reason_ids\n{id},1,{ids}\n");
            let input = Input::new(text.into_bytes(), FileFormat::Csv);
            let complaints = Plan::of(&input).err().expect("it is refused");
            assert_eq!(complaints.len(), size + 2);
            let ids = complaints.iter().filter_map(|complaint| complaint.application_id.as_ref());
            ids.map(|id| id.as_ptr()).collect::<std::collections::BTreeSet<_>>().len()
        });
        assert_eq!(costs, [1, 1]);
    }
}
