//! What can happen to an attempt, and what is to come of it: the table that the tests go through.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use feishu_cancel_onboard::{Delivery, ErrorKind};

use crate::raw_server::{Act, json, response};

/// An answer with a status and a code.
pub fn status(status: u16, code: i64) -> Act {
    json(status, &format!(r#"{{"code":{code},"msg":"m"}}"#))
}

/// An answer with a status, headers and a body.
pub fn with_headers(status: u16, headers: &[(&str, &str)], body: &str) -> Act {
    Act::Answer(response(status, headers, body))
}

/// An answer with a status, a code and the platform's log id.
pub fn signed(status: u16, code: i64) -> Act {
    with_headers(status, &[("X-Tt-Logid", "L")], &format!(r#"{{"code":{code},"msg":"m"}}"#))
}

/// Something that happens to an attempt: its name, what the server does, and the kind, the delivery and the number of
/// attempts when it happens every time.
pub struct Row(pub &'static str, pub Act, pub ErrorKind, pub Delivery, pub u32);

/// As many attempts as the deadline leaves time for.
pub const UNTIL_THE_DEADLINE: u32 = u32::MAX;

/// Time for two attempts with the wait that the rows of the rate limit ask for in between.
pub const FOR_TWO: std::time::Duration = std::time::Duration::from_millis(1900);

/// Checks how many attempts were made: what a row says, or with [`FOR_TWO`] as the deadline, one or two.
pub fn assert_attempts(made: u32, expected: u32, name: &str) {
    match expected {
        UNTIL_THE_DEADLINE => assert!((1..=2).contains(&made), "{name}: {made}"),
        expected => assert_eq!(made, expected, "{name}"),
    }
}

pub fn rows() -> Vec<Row> {
    use Delivery::{Rejected, Unknown};
    use ErrorKind::{
        AlreadyTerminated, AppUnavailable, ApplicationNotFound, ConnectionLost, InvalidCredentials, InvalidParameter,
        ManagedByFeishuPeople, Other, PermissionDenied, RateLimited, SystemError, Timeout, Unauthorized,
        UnexpectedResponse,
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let cut_body = format!("{head}Content-Length: 40\r\n\r\n{{\"code\":0").into_bytes();
    let cut_head = b"HTTP/1.1 200 OK\r\nContent-Le".to_vec();
    let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n8\r\n{{\"code\"").into_bytes();
    let limited = |status| with_headers(status, &[("x-ogw-ratelimit-reset", "1")], r#"{"code":99991400}"#);
    let gateway = |status, body| json(status, body);
    let signed_within = r#"{"code":7,"msg":"m","error":{"log_id":"L"}}"#;
    let unsigned_within = r#"{"code":7,"error":{"log_id":" "}}"#;
    vec![
        Row("rate limit at 429", limited(429), RateLimited, Rejected, UNTIL_THE_DEADLINE),
        Row("rate limit at 400", limited(400), RateLimited, Rejected, UNTIL_THE_DEADLINE),
        Row("rate limit at 200", limited(200), RateLimited, Rejected, UNTIL_THE_DEADLINE),
        Row("token missing", status(400, 99991661), Unauthorized, Rejected, 2),
        Row("token invalid", status(400, 99991663), Unauthorized, Rejected, 2),
        Row("app token invalid", status(401, 99991664), Unauthorized, Rejected, 2),
        Row("user token invalid", status(403, 99991668), Unauthorized, Rejected, 2),
        Row("token malformed", status(400, 99991671), Unauthorized, Rejected, 2),
        Row("token expired", status(500, 99991677), Unauthorized, Rejected, 2),
        Row("system error", status(500, 1002001), SystemError, Unknown, 4),
        Row("system error at 200", status(200, 1002001), SystemError, Unknown, 4),
        Row("internal error", status(500, 2200), SystemError, Unknown, 4),
        Row("internal error at 200", status(200, 2200), SystemError, Unknown, 4),
        Row("no such application", status(400, 1002201), ApplicationNotFound, Rejected, 1),
        Row("no such application at 500", status(500, 1002201), ApplicationNotFound, Rejected, 1),
        Row("hired", status(500, 1002209), Other, Rejected, 1),
        Row("update failed", status(400, 1002212), Other, Unknown, 4),
        Row("not locked", status(400, 1002218), Other, Rejected, 4),
        Row("unlisted code at 502", signed(502, 7), Other, Unknown, 4),
        Row("unlisted code at 200", signed(200, 7), Other, Rejected, 1),
        Row("unlisted code at 409", signed(409, 7), Other, Rejected, 1),
        Row("unlisted code at 429", signed(429, 7), Other, Rejected, 1),
        Row("unlisted code at 302", signed(302, 7), Other, Unknown, 1),
        Row("unlisted code, log id within", json(400, signed_within), Other, Rejected, 1),
        Row("unlisted code, blank log id within", json(400, unsigned_within), UnexpectedResponse, Unknown, 4),
        Row("unlisted code at 200 without log id", status(200, 7), UnexpectedResponse, Unknown, 4),
        Row("unlisted code at 409 without log id", status(409, 7), UnexpectedResponse, Unknown, 4),
        Row("unlisted code at 502 without log id", status(502, 7), UnexpectedResponse, Unknown, 4),
        Row("unlisted code at 302 without log id", status(302, 7), UnexpectedResponse, Unknown, 1),
        Row(
            "unlisted code with a request id",
            with_headers(400, &[("X-Request-Id", "R")], r#"{"code":7}"#),
            UnexpectedResponse,
            Unknown,
            4,
        ),
        Row("invalid parameter", status(400, 1002002), InvalidParameter, Rejected, 1),
        Row("terminated", status(400, 1002221), AlreadyTerminated, Rejected, 1),
        Row("terminated at 500", status(500, 1002221), AlreadyTerminated, Rejected, 1),
        Row("in Feishu People", status(400, 1002910), ManagedByFeishuPeople, Rejected, 1),
        Row("scope missing", status(400, 99991672), PermissionDenied, Rejected, 1),
        Row("scope missing at 503", status(503, 99991676), PermissionDenied, Rejected, 1),
        Row("app disabled", status(400, 99991662), AppUnavailable, Rejected, 1),
        Row("app status", status(400, 99991673), AppUnavailable, Rejected, 1),
        Row("credentials", status(400, 99991543), InvalidCredentials, Rejected, 1),
        Row("reset after the request", Act::Reset, ConnectionLost, Unknown, 4),
        Row("closed after the request", Act::Close, ConnectionLost, Unknown, 4),
        Row("never answered", Act::Hang, Timeout, Unknown, 4),
        Row("cut in the head", Act::AnswerAndClose(cut_head.clone()), ConnectionLost, Unknown, 4),
        Row("cut in the body", Act::AnswerAndClose(cut_body.clone()), ConnectionLost, Unknown, 4),
        Row("reset in the body", Act::AnswerAndReset(cut_body), ConnectionLost, Unknown, 4),
        Row("cut in a chunk", Act::AnswerAndClose(endless.clone()), ConnectionLost, Unknown, 4),
        Row("a body that goes silent", Act::Answer(endless), Timeout, Unknown, 4),
        Row("a head that goes silent", Act::Answer(cut_head), Timeout, Unknown, 4),
        Row("204", Act::Answer(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()), UnexpectedResponse, Unknown, 4),
        Row("empty 200", with_headers(200, &[], ""), UnexpectedResponse, Unknown, 4),
        Row("HTML 200", with_headers(200, &[], "<html>log in</html>"), UnexpectedResponse, Unknown, 4),
        Row("HTML 502", with_headers(502, &[], "<html>bad gateway</html>"), UnexpectedResponse, Unknown, 4),
        Row("code as a string", json(200, r#"{"code":"0"}"#), UnexpectedResponse, Unknown, 4),
        Row("code as a fraction", json(200, r#"{"code":0.0}"#), UnexpectedResponse, Unknown, 4),
        Row("code null", json(200, r#"{"code":null}"#), UnexpectedResponse, Unknown, 4),
        Row("code twice", json(200, r#"{"code":1,"code":0}"#), UnexpectedResponse, Unknown, 4),
        Row("no code", json(200, r#"{"msg":"success"}"#), UnexpectedResponse, Unknown, 4),
        Row("a list", json(200, "[0]"), UnexpectedResponse, Unknown, 4),
        Row("a list in the order of the keys", json(200, "[0,null,null,null]"), UnexpectedResponse, Unknown, 4),
        Row("more than JSON", json(200, r#"{"code":0} {}"#), UnexpectedResponse, Unknown, 4),
        Row("not HTTP", Act::AnswerAndClose(b"220 mail.example.com ESMTP\r\n".to_vec()), ConnectionLost, Unknown, 4),
        Row("a gateway's 408", gateway(408, r#"{"error":"timeout"}"#), UnexpectedResponse, Unknown, 4),
        Row("a gateway's code at 200", gateway(200, r#"{"code":504,"msg":"late"}"#), UnexpectedResponse, Unknown, 4),
        Row("a gateway's code 0", gateway(504, r#"{"code":0,"message":"late"}"#), UnexpectedResponse, Unknown, 4),
        Row("code 0 at 404 without log id", status(404, 0), UnexpectedResponse, Unknown, 4),
        Row("code 0 at a redirect without log id", status(302, 0), UnexpectedResponse, Unknown, 1),
        Row("unreadable 403", with_headers(403, &[], "<html>no</html>"), UnexpectedResponse, Unknown, 4),
        Row("unreadable 404", with_headers(404, &[], "page not found"), UnexpectedResponse, Unknown, 4),
        Row("unreadable 413", with_headers(413, &[], ""), UnexpectedResponse, Unknown, 4),
        Row("unreadable 425", with_headers(425, &[], "early"), UnexpectedResponse, Unknown, 4),
        Row("unreadable 429", with_headers(429, &[("Retry-After", "0")], "slow"), UnexpectedResponse, Unknown, 4),
        Row("unreadable 451", with_headers(451, &[], "<html>law</html>"), UnexpectedResponse, Unknown, 4),
        Row("unreadable 499", with_headers(499, &[], ""), UnexpectedResponse, Unknown, 4),
        Row(
            "a login page",
            with_headers(302, &[("Location", "http://127.0.0.1:1/")], ""),
            UnexpectedResponse,
            Unknown,
            1,
        ),
        Row("redirect", with_headers(307, &[("Location", "/")], ""), UnexpectedResponse, Unknown, 1),
        Row("not modified", with_headers(304, &[], ""), UnexpectedResponse, Unknown, 1),
    ]
}
