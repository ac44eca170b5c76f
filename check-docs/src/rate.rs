//! A rate limit in a page's words.

use super::facts::{RateLimit, RateLimits};
use super::outline::one_line;

/// Words for no limit at all.
const NONE: [&str; 5] = ["", "-", "/", "无", "无限制"];

/// Units of a period in seconds; of those that begin alike, the longer ones first.
const UNITS: [(&str, u64); 22] = [
    ("秒钟", 1),
    ("秒", 1),
    ("分钟", 60),
    ("分", 60),
    ("小时", 3600),
    ("时", 3600),
    ("天", 86_400),
    ("日", 86_400),
    ("seconds", 1),
    ("second", 1),
    ("sec", 1),
    ("s", 1),
    ("minutes", 60),
    ("minute", 60),
    ("min", 60),
    ("m", 60),
    ("hours", 3600),
    ("hour", 3600),
    ("h", 3600),
    ("days", 86_400),
    ("day", 86_400),
    ("d", 86_400),
];

/// Words that say what is counted, or that hold several limits together.
const CALLS: [&str; 8] = ["次请求", "次", "requests", "request", "calls", "call", "times", "个请求"];

/// Reads limits such as `1000 次/分钟、50 次/秒`.
pub fn read(text: &str) -> RateLimits {
    // Brackets are left where a link has lost its target.
    let text = one_line(&text.replace(['[', ']'], " "));
    if NONE.contains(&text.as_str()) {
        return RateLimits::default();
    }
    let parts = text.split(['、', '，', ',', '；', ';', '且']).filter(|part| !part.trim().is_empty());
    let limits: Option<Vec<_>> = parts.map(limit).collect();
    match limits {
        Some(mut limits) if !limits.is_empty() => {
            limits.sort();
            RateLimits::Stated(limits)
        }
        _ => RateLimits::Words(text),
    }
}

/// One limit: `10 次/秒`, `10 calls per 2 seconds`, `每秒 10 次`, `10 QPS`.
fn limit(part: &str) -> Option<RateLimit> {
    let part = part.to_lowercase();
    let part = part.trim();
    if let Some(rest) = part.strip_prefix('每') {
        let (count, rest) = number(rest.trim()).unwrap_or((1, rest.trim()));
        let (seconds, rest) = unit(rest)?;
        let (calls, rest) = number(rest.trim())?;
        return built(calls, count, seconds, without_calls(rest));
    }
    let (calls, rest) = number(part)?;
    let rest = without_calls(rest);
    let (rest, seconds_only) = match rest.strip_prefix("qps").or_else(|| rest.strip_prefix("tps")) {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    if seconds_only {
        return built(calls, 1, 1, rest);
    }
    let rest = rest.strip_prefix('/').or_else(|| rest.strip_prefix('每')).or_else(|| rest.strip_prefix("per"))?.trim();
    let (count, rest) = number(rest).unwrap_or((1, rest));
    let (seconds, rest) = unit(rest.trim())?;
    built(calls, count, seconds, rest)
}

/// The limit, if nothing is left over.
fn built(calls: u64, count: u64, seconds: u64, rest: &str) -> Option<RateLimit> {
    let period_seconds = count.checked_mul(seconds)?;
    (rest.trim().is_empty() && period_seconds > 0).then_some(RateLimit { period_seconds, calls })
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn unit(text: &str) -> Option<(u64, &str)> {
    UNITS.iter().find_map(|(unit, seconds)| Some((*seconds, text.strip_prefix(unit)?)))
}

fn without_calls(text: &str) -> &str {
    let text = text.trim();
    CALLS.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text).trim()
}
