//! What a request must be, whatever the form in which it was written.

use std::sync::Arc;

use feishu_cancel_onboard::CancelRequest;

use super::Complaint;
use crate::invisible::visible;

/// The most characters of a value that a complaint repeats.
const SHOWN: usize = 80;

/// The names by which the parts of a request go where it was written.
pub struct Names {
    pub application_id: &'static str,
    pub reason_ids: &'static str,
}

/// What is said of text in another encoding.
pub const NOT_UTF_8: &str = "is not UTF-8; save the file as UTF-8, which spreadsheets call `CSV UTF-8`";

/// Everything that is wrong with a request.
pub fn complaints(line: u32, request: &CancelRequest, names: &Names) -> Vec<Complaint> {
    let id = request.application_id();
    let of_id = if id.is_empty() {
        Some("is empty".to_owned())
    } else if let Some(reason) = misread(id) {
        Some(reason)
    } else {
        request.check().err().map(|error| format!("{}: {}", shown(id), error.message()))
    };
    let of_id = of_id.map(|reason| (names.application_id, reason));
    let of_reasons = request.termination_reason_ids().iter().filter_map(|id| {
        let reason = match id.as_str() {
            "" => Some("an id is empty".to_owned()),
            id => misread(id),
        };
        reason.map(|reason| (names.reason_ids, reason))
    });
    let application_id: Option<Arc<str>> = (!id.is_empty()).then(|| id.into());
    let all = of_id.into_iter().chain(of_reasons);
    all.map(|(place, reason)| Complaint {
        application_id: application_id.clone(),
        ..Complaint::new(line, place.to_owned(), reason)
    })
    .collect()
}

/// A value as it is repeated in a complaint, with nothing in it that can't be seen.
pub fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        None => format!("`{}`", visible(value)),
        Some((end, _)) => format!("`{}…`", visible(&value[..end])),
    }
}

/// What is said of an id that was taken for a number by what wrote the file.
fn misread(id: &str) -> Option<String> {
    let lost = match whole_number_with_point(id) {
        Some(digits) => digits > KEPT_DIGITS,
        None => is_rounded(id),
    };
    match (lost, whole_number_with_point(id)) {
        (true, _) => Some(format!(
            "{} is what a spreadsheet makes of a long number, and digits of the id are lost: fetch the id anew, into a \
             column that is formatted as text",
            shown(id)
        )),
        (false, Some(_)) => Some(format!(
            "{} is an id that was taken for a number: fetch the id anew, into a column that is formatted as text",
            shown(id)
        )),
        (false, None) => None,
    }
}

/// How many digits a whole number has before its point, where it is written with one, as in `7127600247627320320.0`.
fn whole_number_with_point(text: &str) -> Option<usize> {
    let (whole, fraction) = text.split_once(['.', ','])?;
    let zeros = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    (zeros && is_digits(whole)).then_some(whole.len())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a number is written as in `7.0E+18`.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    // Without a point and a sign it can be an id of letters and digits.
    let marked = mantissa.contains(['.', ',']) || exponent.starts_with('+');
    marked && is_digits(whole) && is_digits(fraction) && is_digits(exponent.trim_start_matches('+'))
}

/// Whether a number has lost the digits that a spreadsheet doesn't keep: those after the fifteenth.
pub fn looks_rounded(id: &str) -> bool {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    digits && id.len() > KEPT_DIGITS + 2 && id[KEPT_DIGITS..].bytes().all(|byte| byte == b'0')
}

const KEPT_DIGITS: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_a_spreadsheet_rounded_is_told_from_an_id() {
        for text in ["7.0E+18", "6.94981E+18", "7E+18", "7,0E+18", "7.0e18", "6.9E+018"] {
            assert!(is_rounded(text), "{text}");
        }
        for text in ["6949805467799537964", "7E18", "E+18", "7E+", "7.E+18", "a7.0E+18", "7.0E+18x", ""] {
            assert!(!is_rounded(text), "{text}");
        }
        for (text, digits) in [("7127600247627320320.0", 19), ("7.00", 1), ("7,0", 1)] {
            assert_eq!(whole_number_with_point(text), Some(digits), "{text}");
        }
        for text in ["7", "7.", ".0", "7.5", "7.0.0", "a.0", "7.0a"] {
            assert_eq!(whole_number_with_point(text), None, "{text}");
        }
        assert!(looks_rounded("6949805467799540000") && !looks_rounded("6949805467799537964"));
        assert!(!looks_rounded("100000000000000") && !looks_rounded("cli_0000000000000000000"));
    }
}
