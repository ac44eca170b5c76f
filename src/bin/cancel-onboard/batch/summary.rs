//! What an operator is told before and after a run.

use std::fmt::Write;

use feishu_cancel_onboard::{Pace, printable};
use serde::Serialize;
use serde_json::{Map, Value};

use super::history::Strangers;
use super::plan::{Plan, Standing};
use super::progress::duration;
use super::run::WhyStopped;
use super::tally::{OfKind, Tally};
use crate::arguments::Language;
use crate::output;

/// What is worth knowing of a file that is right.
pub fn notes(plan: &Plan<'_>, language: Language) -> Vec<String> {
    let (repeated, rounded) = (plan.repeated, plan.rounded.join(" "));
    let repeated = (repeated > 0).then(|| match language {
        Language::En => format!("note: {repeated} lines repeat an earlier one, and are one call with it"),
        Language::Zh => format!("提示：有 {repeated} 行与之前的行重复，只调用一次"),
    });
    let rounded = (!rounded.is_empty()).then(|| match language {
        Language::En => {
            format!("warning: a spreadsheet may have rounded these ids, whose digits after the fifteenth are zeros: {rounded}")
        }
        Language::Zh => format!("警告：以下 ID 第 15 位之后全为 0，可能已被电子表格软件舍入：{rounded}"),
    });
    [repeated, rounded].into_iter().flatten().collect()
}

/// What is said of a last line that was torn.
pub fn torn(language: Language) -> &'static str {
    language.pick("note: the report's last line was torn, and has been taken off", "提示：报告的最后一行不完整，已移除")
}

/// What is said when a report is gone on with.
pub fn resumed(plan: &Plan<'_>, language: Language) -> String {
    let (total, settled) = (plan.len(), plan.count(Standing::Settled));
    let (again, lost) = (plan.count(Standing::Again), plan.count(Standing::Lost));
    match language {
        Language::En => format!(
            "going on: {settled} of {total} have ended already; to be tried again: {again} that failed for a reason that \
             passes, {lost} of which nobody knows whether they took effect"
        ),
        Language::Zh => format!(
            "继续执行：{total} 个中 {settled} 个已有最终结果；将重试：{again} 个因暂时性原因失败，{lost} 个结果未知"
        ),
    }
}

/// What is said of applications in the report that the file does not name.
pub fn strangers(strangers: &Strangers, language: Language) -> Vec<String> {
    let Strangers { unknown, others } = strangers;
    let others = (!others.is_empty()).then(|| match language {
        Language::En => {
            format!("note: in the report and not in the file, and therefore left alone: {}", others.join(" "))
        }
        Language::Zh => format!("提示：以下 ID 在报告中但不在文件中，不作处理：{}", others.join(" ")),
    });
    let unknown = (!unknown.is_empty()).then(|| match language {
        Language::En => format!(
            "warning: in the report and not in the file, and therefore left alone, although nobody knows whether they took \
             effect: {}",
            unknown.join(" ")
        ),
        Language::Zh => {
            format!("警告：以下 ID 在报告中但不在文件中，不作处理，且其结果未知：{}", unknown.join(" "))
        }
    });
    [others, unknown].into_iter().flatten().collect()
}

/// What is said when the operator does not wait for what is under way.
pub fn left(under_way: usize, language: Language) -> String {
    match language {
        Language::En => format!(
            "stopped at once: {under_way} were under way, of which it is not known whether they took effect; run the same \
             command with --resume to find out"
        ),
        Language::Zh => {
            format!("已立即中止：{under_way} 个正在进行，结果未知；可加 --resume 重新执行同一命令以确认")
        }
    }
}

/// What became of everything, at the end of a run.
pub fn text(tally: &Tally, why: &WhyStopped, language: Language) -> String {
    let mut out = String::new();
    for line in stopped(why, language).into_iter().chain([headline(tally, language)]) {
        let _ = writeln!(out, "{line}");
    }
    if !tally.terminated.is_empty() {
        let ids = tally.terminated.join(" ");
        let _ = writeln!(
            out,
            "{}",
            printable(&match language {
                Language::En => format!(
                    "terminated, most likely by an attempt whose answer was lost; the application's history in Feishu Hire \
                 tells: {ids}"
                ),
                Language::Zh => format!("已终止（很可能由未收到响应的请求造成，可在飞书招聘的投递记录中核实）：{ids}"),
            })
        );
    }
    for of_kind in &tally.failures {
        out.push_str(&failures(of_kind, language));
    }
    for line in what_next(tally, language) {
        let _ = writeln!(out, "{line}");
    }
    out.truncate(out.trim_end().len());
    out
}

fn stopped(why: &WhyStopped, language: Language) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(reason) = &why.not_recorded {
        let reason = printable(&reason.to_string()).into_owned();
        lines.push(match language {
            Language::En => format!("stopped, because nothing may be sent that is not on record: {reason}"),
            Language::Zh => format!("已停止，因为未能记录的请求不得发出：{reason}"),
        });
    }
    if why.credentials_refused {
        let text = language.pick("stopped, because the credentials were refused", "凭证被拒绝，已停止");
        lines.push(text.to_owned());
    }
    if why.interrupted {
        lines.push(language.pick("interrupted", "已中断").to_owned());
    }
    lines
}

fn headline(tally: &Tally, language: Language) -> String {
    let (cancelled, terminated) = (tally.cancelled, tally.terminated.len());
    let (failed, untried) = (tally.failed(), tally.untried);
    let total = tally.done() + failed + untried;
    match language {
        Language::En => format!(
            "{} of {total} done: {cancelled} cancelled, {terminated} terminated; {failed} failed, {untried} not tried",
            tally.done()
        ),
        Language::Zh => format!(
            "共 {total} 个，完成 {} 个：已取消 {cancelled}，已终止 {terminated}；失败 {failed}，未执行 {untried}",
            tally.done()
        ),
    }
}

fn failures(of_kind: &OfKind, language: Language) -> String {
    let OfKind { kind, count, unknown, advice, ids, .. } = of_kind;
    let more = count - ids.len();
    let (more, unknown) = match language {
        Language::En => (
            if more > 0 { format!(" and {more} more") } else { String::new() },
            if *unknown > 0 { format!(", of which {unknown} may have taken effect") } else { String::new() },
        ),
        Language::Zh => (
            if more > 0 { format!(" 等，另有 {more} 个") } else { String::new() },
            if *unknown > 0 { format!("，其中 {unknown} 个可能已生效") } else { String::new() },
        ),
    };
    let ids = ids.join(" ");
    let advice = language.pick(&advice.en, &advice.zh);
    let row = |text: &str| printable(text).into_owned();
    format!("{}\n    {}\n", row(&format!("  {kind} {count}{unknown}: {ids}{more}")), row(advice))
}

fn what_next(tally: &Tally, language: Language) -> Vec<String> {
    let (unknown, person) = (tally.unknown(), tally.need_a_person());
    let again = tally.untried + tally.failed() - person;
    let lines = match language {
        Language::En => [
            (unknown, format!("{unknown} of which it is not known whether they took effect")),
            (person, format!("{person} need a person: see the advice above")),
            (again, format!("{again} are tried again, or tried at all, by the same command with --resume")),
        ],
        Language::Zh => [
            (unknown, format!("{unknown} 个结果未知")),
            (person, format!("{person} 个需要人工处理：见上方建议")),
            (again, format!("{again} 个可通过同一命令加 --resume 重试或继续执行")),
        ],
    };
    lines.into_iter().filter(|(count, _)| *count > 0).map(|(_, line)| line).collect()
}

/// What a dry run says.
pub fn dry_run_text(plan: &Plan<'_>, pace: &Pace, language: Language) -> String {
    let to_send = plan.to_send();
    let types = plan.by_type().iter().map(|(known, count)| format!("{known} {count}")).collect::<Vec<_>>().join(", ");
    let types = if types.is_empty() { String::new() } else { format!(" ({types})") };
    let time = duration(pace.time_for(to_send).as_secs_f64().ceil());
    let settled = plan.count(Standing::Settled);
    match language {
        Language::En => format!(
            "would send {to_send} cancellations{types}\n{settled} of the file's {} have ended already\n\
             takes at least {time} at this rate; nothing was sent",
            plan.len()
        ),
        Language::Zh => format!(
            "将发出 {to_send} 个取消请求{types}\n文件中共 {} 个，其中 {settled} 个已有最终结果\n\
             按此速率至少需要 {time}；本次未发出任何请求",
            plan.len()
        ),
    }
}

#[derive(Serialize)]
struct DryRun {
    dry_run: bool,
    to_send: usize,
    by_type: Map<String, Value>,
    repeated_lines: usize,
    ended_already: usize,
    fate_unknown: usize,
    least_seconds: f64,
}

/// The same as one object of JSON.
pub fn dry_run_json(plan: &Plan<'_>, pace: &Pace) -> String {
    let by_type = plan.by_type().into_iter().map(|(known, count)| (known.name().to_owned(), count.into())).collect();
    let line = DryRun {
        dry_run: true,
        to_send: plan.to_send(),
        by_type,
        repeated_lines: plan.repeated,
        ended_already: plan.count(Standing::Settled),
        fate_unknown: plan.count(Standing::Lost),
        least_seconds: pace.time_for(plan.to_send()).as_secs_f64(),
    };
    output::json(&line)
}
