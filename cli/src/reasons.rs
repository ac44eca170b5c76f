//! `reasons`: the termination reasons of the tenant, as a table, as JSON or as CSV.
//!
//! They are printed once all of them are read: what looks like the whole list is the whole list.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use feishu_cancel_onboard::{ActiveStatus, Cancelled, Error, Pace, Received, TerminationReason, printable};
use serde::Serialize;

use crate::arguments::{self, Common, Format, Language};
use crate::connection::Connection;
use crate::output::{self, Exit, columns};
use crate::terminal;

/// Lists the reasons that were asked for.
pub async fn run(common: &Common, asked: &arguments::Reasons) -> Exit {
    let began = Instant::now();
    let language = Language::choose(common.lang);
    let all = match list(common, asked).await {
        Ok(all) => all,
        Err(error) => return refused(common.format, error, began.elapsed(), language),
    };
    let (shown, hidden): (Vec<_>, Vec<_>) = all.iter().partition(|reason| asked.all || !reason.is_disabled());
    let exit = match common.format {
        Format::Text => output::print(&table(&shown, language, terminal::width()), Exit::Done),
        Format::Json => print_lines(&shown),
        Format::Csv => match csv(&shown) {
            Ok(text) => output::print(text.trim_end_matches('\n'), Exit::Done),
            Err(error) => {
                output::complain(&format!("error: the list can't be put into CSV: {error}"));
                return Exit::Defect;
            }
        },
    };
    if common.format == Format::Text && !hidden.is_empty() {
        let count = hidden.len();
        output::complain(&match language {
            Language::En => format!("{count} disabled not shown; --all shows them too"),
            Language::Zh => format!("另有 {count} 个已停用的原因未显示；使用 --all 可一并显示"),
        });
    }
    exit
}

/// Prints a line for each reason, up to the first that can't be written.
fn print_lines(reasons: &[&TerminationReason]) -> Exit {
    let mut exits = reasons.iter().map(|reason| output::print(&json(reason), Exit::Done));
    exits.find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done)
}

/// Every reason of the type that was asked for.
async fn list(common: &Common, asked: &arguments::Reasons) -> Result<Vec<TerminationReason>, Error> {
    let connection = Connection::make(common, Pace::default()).await?;
    let mut reasons = connection.client.termination_reasons();
    let mut listed = Vec::new();
    while let Some(reason) = reasons.next().await.transpose()? {
        let wanted =
            asked.termination_type.is_none_or(|wanted| reason.termination_type() == Some(Received::Known(wanted)));
        if wanted {
            listed.push(reason);
        }
    }
    Ok(listed)
}

fn refused(format: Format, error: Error, elapsed: Duration, language: Language) -> Exit {
    let exit = Exit::of(&error);
    match format {
        Format::Json => output::print(&output::json_line(None, &Err::<Cancelled, _>(error), elapsed), exit),
        Format::Text | Format::Csv => {
            output::complain(&output::unlisted_text(&error, language));
            exit
        }
    }
}

/// Whether a reason can be given, where this version knows.
fn enabled(reason: &TerminationReason) -> Option<bool> {
    let status = reason.active_status().and_then(Received::known)?;
    Some(status == ActiveStatus::Enabled)
}

/// The columns with names, which can be broken into several lines.
const NAMES: [usize; 2] = [2, 3];
const STATUS: usize = 4;
/// How far columns are apart.
const GAP: usize = 2;
/// The least width in which names are broken.
const LEAST_FOR_NAMES: usize = 16;

/// A line for each reason below a line of headings, every column as wide as it needs to be. Where that is too wide for the
/// terminal, the names are broken into lines, and a status that is the same for all is left out.
fn table(reasons: &[&TerminationReason], language: Language, most: Option<usize>) -> String {
    let heading = |en, zh| Cow::Borrowed(language.pick(en, zh));
    if reasons.is_empty() {
        return language.pick("no termination reasons", "没有终止原因").to_owned();
    }
    let headings = [
        heading("ID", "原因 ID"),
        heading("TYPE", "终止类型"),
        heading("NAME (ZH)", "中文名称"),
        heading("NAME (EN)", "英文名称"),
        heading("STATUS", "状态"),
    ];
    let rows: Vec<_> = std::iter::once(headings).chain(reasons.iter().map(|reason| row(reason, language))).collect();
    let mut widths: Vec<_> =
        (0..=STATUS).map(|column| rows.iter().map(|row| columns(&row[column])).max().unwrap_or_default()).collect();
    if let Some(most) = most {
        let all_enabled = reasons.iter().all(|reason| enabled(reason) == Some(true));
        fit(&mut widths, most, all_enabled);
    }
    rows.iter().flat_map(|row| lines(row, &widths)).collect::<Vec<_>>().join("\n")
}

/// Makes columns narrower as far as that is possible, so that together they are no wider than this.
fn fit(widths: &mut Vec<usize>, most: usize, status_is_known: bool) {
    let wide = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
    if wide(widths) > most && status_is_known {
        widths.truncate(STATUS);
    }
    let [zh, en] = NAMES;
    let others = wide(widths) - widths[zh] - widths[en];
    let Some(room) = most.checked_sub(others).filter(|room| *room >= LEAST_FOR_NAMES) else { return };
    if widths[zh] + widths[en] > room {
        // Half for each, and more for one of them if the other does not need it.
        widths[zh] = widths[zh].min((room / 2).max(room.saturating_sub(widths[en])));
        widths[en] = widths[en].min(room - widths[zh]);
    }
}

/// A row as lines of text; of a row without a column for it, the status is left out.
fn lines(row: &[Cow<'_, str>; STATUS + 1], widths: &[usize]) -> Vec<String> {
    let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| terminal::cell(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    let line = |number: usize| {
        let mut out = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let text = cell.get(number).map_or("", |line| line.as_ref());
            let _ = write!(out, "{text}{}", " ".repeat(width.saturating_sub(columns(text)) + GAP));
        }
        out.truncate(out.trim_end().len());
        out
    };
    (0..height).map(line).collect()
}

fn row(reason: &TerminationReason, language: Language) -> [Cow<'_, str>; 5] {
    let text = |text: Option<&'_ str>| text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
    let status = match reason.active_status() {
        Some(Received::Known(ActiveStatus::Enabled)) => language.pick("enabled", "已启用").to_owned(),
        Some(Received::Known(ActiveStatus::Disabled)) => language.pick("disabled", "已停用").to_owned(),
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    let termination_type = reason.termination_type().map_or_else(|| "-".to_owned(), |known| known.to_string());
    let cells = [reason.id().to_owned(), termination_type, text(reason.name_zh()), text(reason.name_en()), status];
    cells.map(|cell| printable(&cell).into_owned().into())
}

/// The line for one reason.
#[derive(Serialize)]
struct Line<'a> {
    ok: bool,
    id: &'a str,
    termination_type: Option<Received<feishu_cancel_onboard::TerminationType>>,
    #[serde(rename = "type")]
    type_name: Option<&'static str>,
    name: Names<'a>,
    referral_name: Names<'a>,
    used_as_evaluation: Option<bool>,
    active_status: Option<Received<ActiveStatus>>,
    enabled: Option<bool>,
}

#[derive(Serialize)]
struct Names<'a> {
    en: Option<&'a str>,
    zh: Option<&'a str>,
}

fn json(reason: &TerminationReason) -> String {
    let line = Line {
        ok: true,
        id: reason.id(),
        termination_type: reason.termination_type(),
        type_name: reason.termination_type().and_then(Received::known).map(|known| known.name()),
        name: Names { en: reason.name_en(), zh: reason.name_zh() },
        referral_name: Names { en: reason.referral_name_en(), zh: reason.referral_name_zh() },
        used_as_evaluation: reason.is_used_as_evaluation(),
        active_status: reason.active_status(),
        enabled: enabled(reason),
    };
    output::json(&line)
}

/// A line of names and a line for each reason.
fn csv(reasons: &[&TerminationReason]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "id",
        "type",
        "name_zh",
        "name_en",
        "referral_name_zh",
        "referral_name_en",
        "used_as_evaluation",
        "enabled",
    ])?;
    for reason in reasons {
        let truth = |truth: Option<bool>| truth.map(|truth| truth.to_string()).unwrap_or_default();
        let text = |text: Option<&str>| cell(text.unwrap_or_default());
        writer.write_record([
            cell(reason.id()),
            reason.termination_type().map(|known| known.to_string()).unwrap_or_default(),
            text(reason.name_zh()),
            text(reason.name_en()),
            text(reason.referral_name_zh()),
            text(reason.referral_name_en()),
            truth(reason.is_used_as_evaluation()),
            truth(enabled(reason)),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text of the platform as a cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let text = printable(text);
    let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    if text.trim_start().starts_with(formula) { format!("'{text}") } else { text.into_owned() }
}
