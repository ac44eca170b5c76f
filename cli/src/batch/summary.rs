//! What an operator is told before and after a run.

use std::fmt::Write;

use feishu_cancel_onboard::{Pace, printable};
use serde::Serialize;
use serde_json::{Map, Value};

use super::history::Strangers;
use super::plan::{Plan, Standing};
use super::progress::duration;
use super::report::NotRecorded;
use super::run::{Ran, UNANSWERED, WhyStopped};
use super::tally::{NAMED, OfKind, Tally};
use crate::arguments::Language;
use crate::output;

/// What is worth knowing of a file that is right.
pub fn notes(plan: &Plan<'_>, language: Language) -> Vec<String> {
    let (repeated, rounded) = (plan.repeated, first_of(&plan.rounded, plan.rounded.len(), language));
    let repeated = (repeated > 0).then(|| match language {
        Language::En => format!("note: {repeated} lines repeat an earlier one, and are one call with it"),
        Language::Zh => format!("提示：有 {repeated} 行与之前的行重复，只调用一次"),
    });
    let rounded = (!plan.rounded.is_empty()).then(|| match language {
        Language::En => {
            format!("warning: a spreadsheet may have rounded these ids, whose digits after the fifteenth are zeros: {rounded}")
        }
        Language::Zh => format!("警告：以下 ID 第 15 位之后全为 0，可能已被电子表格软件舍入：{rounded}"),
    });
    [repeated, rounded].into_iter().flatten().collect()
}

/// The first ids of so many, and how many more there are.
fn first_of(ids: &[String], count: usize, language: Language) -> String {
    let named = &ids[..ids.len().min(NAMED)];
    let mut text = named.join(" ");
    if let Some(more) = count.checked_sub(named.len()).filter(|more| *more > 0) {
        text += &match language {
            Language::En => format!(" and {more} more"),
            Language::Zh => format!(" 等，另有 {more} 条"),
        };
    }
    text
}

fn ids_of(listed: &[(u32, String)]) -> Vec<String> {
    listed.iter().map(|(_, id)| id.clone()).collect()
}

/// What is said where a crash had left the end of the report incomplete.
pub fn torn(bytes: u64, language: Language) -> String {
    match language {
        Language::En => format!("note: the report's last line was torn: {bytes} bytes have been cut off its end"),
        Language::Zh => format!("提示：报告的最后一行不完整，已从末尾截去 {bytes} 字节"),
    }
}

/// What is said when a report is resumed.
pub fn resumed(plan: &Plan<'_>, language: Language) -> String {
    let (total, settled, new) = (plan.len(), plan.settled(), plan.count(Standing::New));
    let (again, lost) = (plan.count(Standing::Again), plan.count(Standing::Lost));
    match language {
        Language::En => format!(
            "resuming: {settled} of {total} already finished; retrying {again} that failed and {lost} with an unknown result; \
             {new} not started yet"
        ),
        Language::Zh => format!(
            "继续执行：共 {total} 条，{settled} 条已有最终结果；将重试 {again} 条失败的、{lost} 条结果未知的；{new} 条尚未开始"
        ),
    }
}

/// What is said of applications in the report that the file does not name.
pub fn strangers(strangers: &Strangers, language: Language) -> Vec<String> {
    let say = |ids: &[String], en: &str, zh: &str| {
        let (count, first) = (ids.len(), first_of(ids, ids.len(), language));
        (count > 0).then(|| match language {
            Language::En => format!("{en}: {count}: {first}"),
            Language::Zh => format!("{zh}（共 {count} 条）：{first}"),
        })
    };
    let Strangers { unknown, others } = strangers;
    let others = say(
        others,
        "note: in the report and not in the file, and therefore left alone",
        "提示：以下投递在报告中但不在文件中，不作处理",
    );
    let unknown = say(
        unknown,
        "warning: in the report and not in the file, and therefore left alone, although nobody knows whether they took effect",
        "警告：以下投递在报告中但不在文件中，不作处理，且结果未知",
    );
    [others, unknown].into_iter().flatten().collect()
}

/// What is said of a result that had come and was not in the report when the run was stopped at once.
pub fn unrecorded(line: &str, language: Language) -> String {
    match language {
        Language::En => format!("not yet in the report: {line}"),
        Language::Zh => format!("尚未写入报告：{line}"),
    }
}

/// What became of everything, at the end of a run.
pub fn text(ran: &Ran, language: Language) -> String {
    let tally = &ran.tally;
    let mut out = String::new();
    for line in stopped(ran, language).into_iter().chain([headline(tally, language)]) {
        let _ = writeln!(out, "{line}");
    }
    if tally.terminated > 0 {
        let ids = first_of(&ids_of(&tally.terminated_ids), tally.terminated, language);
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

fn stopped(ran: &Ran, language: Language) -> Vec<String> {
    let WhyStopped { interrupted, credentials_refused, unanswered, asked_to_wait, not_recorded } = &ran.why_stopped;
    let mut lines = Vec::new();
    lines.extend(not_recorded.as_ref().map(|reason| not_on_record(reason, language)));
    if *credentials_refused {
        let text = language.pick("stopped, because the credentials were refused", "凭证被拒绝，已停止");
        lines.push(text.to_owned());
    }
    if *unanswered {
        lines.push(match language {
            Language::En => format!(
                "stopped, because {UNANSWERED} in a row ended without an answer of the platform: check the network, the proxy \
                 and the origin, put it right, then --resume"
            ),
            Language::Zh => format!(
                "连续 {UNANSWERED} 条未收到平台的响应，已停止：请检查网络、代理和服务地址，排除问题后加 --resume 继续执行"
            ),
        });
    }
    lines.extend(asked_to_wait.map(|until| {
        let until = format!("{until:.0}");
        match language {
            Language::En => format!(
                "stopped, because the platform asks to wait until {until}: run the same command with --resume after that"
            ),
            Language::Zh => format!("平台要求等待至 {until}，已停止：请在该时间之后于原命令后加 --resume 继续执行"),
        }
    }));
    match &ran.left {
        Some(unrecorded) => lines.push(left(ran.tally.under_way, unrecorded.len(), language)),
        None if *interrupted => lines.push(language.pick("interrupted", "已中断").to_owned()),
        None => {}
    }
    lines
}

/// What is said where a line could not be put into the report.
fn not_on_record(reason: &NotRecorded, language: Language) -> String {
    let shown = printable(&reason.to_string()).into_owned();
    match (language, reason) {
        (Language::En, NotRecorded::Unwritten(_)) => {
            format!("stopped, because nothing may be sent that is not on record: {shown}")
        }
        (Language::En, NotRecorded::Removed) => format!(
            "stopped, because nothing may be sent that is not on record: {shown}; results that came after that are on standard \
             error; if the report was moved, put it back, then --resume"
        ),
        (Language::Zh, NotRecorded::Unwritten(_)) => format!("已停止，因为未能记录的请求不得发出：{shown}"),
        (Language::Zh, NotRecorded::Removed) => {
            "已停止，因为未能记录的请求不得发出：报告文件在执行过程中被删除或替换；此后返回的结果见标准错误输出；\
             如果只是移动了报告，请移回原处，再加 --resume 继续执行"
                .to_owned()
        }
    }
}

/// What is said when the operator did not wait for what was under way.
fn left(under_way: usize, unrecorded: usize, language: Language) -> String {
    match language {
        Language::En => format!(
            "stopped at once: {under_way} were under way, of which it is not known whether they took effect; {unrecorded} \
             results had come and are not yet in the report: see standard error; run the same command with --resume to find out"
        ),
        Language::Zh => format!(
            "已立即中止：{under_way} 条正在进行，结果未知；另有 {unrecorded} 条已返回结果但尚未写入报告，见标准错误输出；\
             可在原命令后加 --resume 重新执行以确认"
        ),
    }
}

fn headline(tally: &Tally, language: Language) -> String {
    let Tally { cancelled, terminated, untried, under_way, .. } = tally;
    let (done, failed) = (tally.done(), tally.failed());
    let (before, total) = (tally.terminated_before(), tally.ended() + untried + under_way);
    let before = match (before, language) {
        (0, _) => String::new(),
        (_, Language::En) => format!("{before} already terminated before, "),
        (_, Language::Zh) => format!("此前已终止 {before}，"),
    };
    let left = match (under_way, language) {
        (0, _) => String::new(),
        (_, Language::En) => format!("{under_way} under way, "),
        (_, Language::Zh) => format!("进行中 {under_way}，"),
    };
    match language {
        Language::En => format!(
            "{done} of {total} done: {cancelled} cancelled, {terminated} terminated; {before}{failed} failed, {left}{untried} \
             not tried"
        ),
        Language::Zh => format!(
            "共 {total} 条，成功 {done} 条：已取消 {cancelled}，已终止 {terminated}；{before}失败 {failed}，{left}未执行 {untried}"
        ),
    }
}

fn failures(of_kind: &OfKind, language: Language) -> String {
    let OfKind { kind, count, unknown, advice, ids, fields, links, .. } = of_kind;
    let unknown = match (unknown, language) {
        (0, _) => String::new(),
        (_, Language::En) => format!(", of which {unknown} may have taken effect"),
        (_, Language::Zh) => format!("，其中 {unknown} 条可能已生效"),
    };
    let ids = first_of(&ids_of(ids), *count, language);
    let advice = language.pick(&advice.en, &advice.zh);
    let said = |label: &str, said: &[(String, usize)]| {
        let texts = said.iter().map(|(text, times)| match times {
            1 => format!("    {label}: {text}"),
            times => format!("    {label}: {text} (×{times})"),
        });
        texts.collect::<Vec<_>>()
    };
    let mut lines = vec![format!("  {kind} {count}{unknown}: {ids}"), format!("    {advice}")];
    lines.extend(said(language.pick("field", "字段"), fields));
    lines.extend(said(language.pick("link", "链接"), links));
    lines.iter().map(|line| format!("{}\n", printable(line))).collect()
}

fn what_next(tally: &Tally, language: Language) -> Vec<String> {
    let (unknown, person) = (tally.unknown(), tally.need_a_person());
    let again = tally.untried + tally.under_way + tally.failed() - person;
    let lines = match language {
        Language::En => [
            (unknown, format!("{unknown} of which it is not known whether they took effect")),
            (person, format!("{person} {} a person: see the advice above", if person == 1 { "needs" } else { "need" })),
            (again, format!("{again} are tried again, or tried at all, by the same command with --resume")),
        ],
        Language::Zh => [
            (unknown, format!("{unknown} 条结果未知")),
            (person, format!("{person} 条需要人工处理：见上方建议")),
            (again, format!("其余 {again} 条可在原命令后加 --resume 继续执行")),
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
    let settled = plan.settled();
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
        ended_already: plan.settled(),
        fate_unknown: plan.count(Standing::Lost),
        least_seconds: pace.time_for(plan.to_send()).as_secs_f64(),
    };
    output::json(&line)
}
