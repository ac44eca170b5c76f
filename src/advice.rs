//! What a person should do after a failure, in English and in Chinese.

use std::borrow::Cow;

use crate::error::{Delivery, ErrorKind, Subject};
use crate::generated::cancel_onboard::ErrorCode;
use crate::generated::platform::PlatformErrorCode;
use crate::generated::termination_reasons::ErrorCode as TerminationReasonsErrorCode;
use crate::meaning::Code;

/// What to do next.
///
/// ```
/// use feishu_cancel_onboard::{Code, ErrorCode};
///
/// let advice = Code::Endpoint(ErrorCode::ManagedByFeishuPeople).advice(400);
/// assert!(advice.en.starts_with("Cancel the onboarding in Feishu People"));
/// assert!(advice.zh.starts_with("请到飞书人事取消入职"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Advice {
    /// In English.
    pub en: Cow<'static, str>,
    /// In Chinese.
    pub zh: Cow<'static, str>,
}

impl Advice {
    const fn fixed(en: &'static str, zh: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), zh: Cow::Borrowed(zh) }
    }
}

/// What to do about a call that ended with this kind and code.
pub(crate) fn of(kind: ErrorKind, code: Option<Code>, delivery: Delivery, subject: Subject) -> Advice {
    let advice = match code {
        Some(Code::Endpoint(code)) => of_endpoint(code),
        Some(Code::TerminationReasons(code)) => of_termination_reasons(code),
        Some(Code::Platform(code)) => of_platform(code, subject),
        Some(Code::Unknown(number)) if kind == ErrorKind::Other => of_unknown(number),
        Some(Code::Unknown(_)) | None => of_kind(kind, subject),
    };
    match delivery {
        Delivery::Unknown => find_out_first(&advice),
        Delivery::NotSent | Delivery::Rejected => advice,
    }
}

fn find_out_first(advice: &Advice) -> Advice {
    Advice {
        en: format!(
            "It is not known whether the onboarding was cancelled: look at the application in Feishu Hire before you do \
             anything else, or run the same cancellation again, which does no harm: if it had taken effect, the platform \
             says that the application is already terminated. {}",
            advice.en
        )
        .into(),
        zh: format!(
            "目前无法确定入职是否已取消：请先到飞书招聘查看该投递的状态，再做其他操作；也可以直接重试同一次取消，重试是安全的：\
             若之前已生效，平台会提示投递已经终止。{}",
            advice.zh
        )
        .into(),
    }
}

fn of_endpoint(code: ErrorCode) -> Advice {
    match code {
        ErrorCode::SystemError => Advice::fixed(
            "The platform failed. If it goes on failing, send the log id to Feishu's support.",
            "平台内部出错。若持续失败，请把日志 ID（log id）提供给飞书技术支持。",
        ),
        ErrorCode::InvalidParameter => Advice::fixed(
            "Check the application id, the termination type and the reason ids: the details name the field where the \
             platform says which one it is. The id must be that of an application, not of a candidate or an offer, and the \
             candidate must be pending onboarding: somebody who has already onboarded is made to leave through the employee \
             update endpoint.",
            "请检查投递 ID、终止类型和终止原因 ID；若平台指出了具体字段，可在 details 中看到。注意要传投递 ID，而不是候选人或 \
             Offer 的 ID；并且候选人须处于待入职阶段，已入职的候选人请改用更新入职状态接口办理离职。",
        ),
        ErrorCode::ApplicationAlreadyTerminated => Advice::fixed(
            "Nothing is left to cancel: the application was terminated before. Look at it in Feishu Hire to see by whom and \
             why, if that was not expected.",
            "该投递此前已经终止，无需再取消。如与预期不符，请到飞书招聘查看终止人和终止原因。",
        ),
        ErrorCode::ManagedByFeishuPeople => Advice::fixed(
            "Cancel the onboarding in Feishu People: the candidate's pre-hire record is there, and from then on it can be \
             cancelled only there.",
            "请到飞书人事取消入职：该候选人已在飞书人事生成待入职记录，此后只能在飞书人事中取消。",
        ),
    }
}

fn of_termination_reasons(code: TerminationReasonsErrorCode) -> Advice {
    match code {
        TerminationReasonsErrorCode::SystemError => of_endpoint(ErrorCode::SystemError),
        TerminationReasonsErrorCode::InvalidParameter => Advice::fixed(
            "The platform did not accept the size of the page or where it was to begin. List the reasons again from the first \
             page on; if that fails too, this version may be older than the endpoint.",
            "平台不接受分页大小或分页标记。请从第一页重新获取；若仍失败，当前版本可能已落后于接口。",
        ),
    }
}

fn of_platform(code: PlatformErrorCode, subject: Subject) -> Advice {
    match code {
        PlatformErrorCode::RateLimited => of_kind(ErrorKind::RateLimited, subject),
        PlatformErrorCode::AuthorizationMissing => Advice::fixed(
            "The request arrived without an access token. Check that no proxy on the way takes the Authorization header out.",
            "平台收到的请求没有携带访问凭证。请检查中间代理是否去掉了 Authorization 请求头。",
        ),
        PlatformErrorCode::AppAccessTokenInvalid | PlatformErrorCode::UserAccessTokenInvalid => Advice::fixed(
            "The token is not a tenant access token, or is not valid any more. Give a tenant_access_token of a custom app, or \
             the app id and secret, from which one is obtained.",
            "所用凭证不是有效的 tenant_access_token。请提供自建应用的 tenant_access_token，或提供 app id 与 app secret 自动获取。",
        ),
        PlatformErrorCode::AccessTokenMalformed => Advice::fixed(
            "The token is not one: a tenant access token begins with `t-`. Check what was given as the token, above all for \
             missing or additional characters.",
            "凭证格式不正确：tenant_access_token 以 t- 开头。请检查传入的凭证是否缺少或多出字符。",
        ),
        PlatformErrorCode::AccessTokenInvalid | PlatformErrorCode::AccessTokenExpired => {
            of_kind(ErrorKind::Unauthorized, subject)
        }
        PlatformErrorCode::AppScopeMissing => of_kind(ErrorKind::PermissionDenied, subject),
        PlatformErrorCode::TokenScopeMissing => Advice {
            en: format!(
                "The token was issued without the scope {}. Grant the scope to the app in the developer console, publish a \
                 version of the app, and obtain a new token.",
                scopes(subject)
            )
            .into(),
            zh: format!(
                "当前凭证不含所需权限 {}。请在开发者后台为应用开通该权限并发布版本，然后重新获取凭证。",
                scopes(subject)
            )
            .into(),
        },
        PlatformErrorCode::AppCredentialsWrong => of_kind(ErrorKind::InvalidCredentials, subject),
        PlatformErrorCode::AppDisabled => of_kind(ErrorKind::AppUnavailable, subject),
        PlatformErrorCode::AppStatusUnavailable => Advice::fixed(
            "The app's status does not allow calls. Look at the app in the developer console: it may be under review, disabled \
             or taken down.",
            "应用当前状态不允许调用接口。请在开发者后台查看应用是否处于审核中、已停用或已下架。",
        ),
    }
}

fn of_unknown(number: i64) -> Advice {
    Advice {
        en: format!(
            "The platform answered with code {number}, which the endpoint's page does not list. Look the code up in the \
             platform's documentation, or send the log id to Feishu's support."
        )
        .into(),
        zh: format!(
            "平台返回了接口文档未列出的错误码 {number}。请在开放平台文档中查询该错误码，或把日志 ID（log id）提供给飞书技术支持。"
        )
        .into(),
    }
}

/// The scopes of which one is needed, as in `hire:application (更新投递信息)`.
fn scopes(subject: Subject) -> String {
    let scopes: Vec<_> =
        subject.operation().scopes.iter().map(|scope| format!("{} ({})", scope.name, scope.label)).collect();
    scopes.join(" / ")
}

fn of_kind(kind: ErrorKind, subject: Subject) -> Advice {
    match kind {
        ErrorKind::AlreadyTerminated => of_endpoint(ErrorCode::ApplicationAlreadyTerminated),
        ErrorKind::ManagedByFeishuPeople => of_endpoint(ErrorCode::ManagedByFeishuPeople),
        ErrorKind::ApplicationNotFound => Advice::fixed(
            "There is no application with this id in the tenant. Check the id: a spreadsheet rounds long numbers, and the app \
             must belong to the tenant of the application.",
            "当前企业中没有该投递。请检查投递 ID：Excel 会使超过 15 位的数字丢失精度；并确认应用与该投递属于同一企业。",
        ),
        ErrorKind::InvalidParameter => of_endpoint(ErrorCode::InvalidParameter),
        ErrorKind::SystemError => of_endpoint(ErrorCode::SystemError),
        ErrorKind::RateLimited => Advice::fixed(
            "Too many calls in too short a time. Wait as long as the platform asks, then try again; if other programs call \
             with the same app, slow them down too, since they share the limit.",
            "调用过于频繁。请按平台要求的时间等待后重试；若其他程序共用同一应用，也需一并降低频率，它们共享同一限额。",
        ),
        ErrorKind::Unauthorized => Advice::fixed(
            "The access token is not valid, or not any more. Give a new tenant_access_token, or the app id and secret, from \
             which one is obtained and renewed.",
            "访问凭证无效或已过期。请提供新的 tenant_access_token，或提供 app id 与 app secret，由程序自动获取和续期。",
        ),
        ErrorKind::PermissionDenied => Advice {
            en: format!(
                "Grant the app the scope {} in the developer console and publish a version of the app; the details may hold a \
                 link to the right place.",
                scopes(subject)
            )
            .into(),
            zh: format!("请在开发者后台为应用开通权限 {} 并发布版本；details 中可能附有开通链接。", scopes(subject)).into(),
        },
        ErrorKind::AppUnavailable => Advice::fixed(
            "The app is disabled or not installed in this tenant. Ask the tenant's administrator to enable or install it.",
            "应用已停用，或未安装到当前企业。请联系企业管理员启用或安装该应用。",
        ),
        ErrorKind::InvalidCredentials => Advice::fixed(
            "The app id or the app secret is wrong. Compare both with the developer console, and check that they belong to the \
             same platform as the origin: Feishu or Lark.",
            "app id 或 app secret 不正确。请与开发者后台核对，并确认应用与所用域名属于同一平台（飞书或 Lark）。",
        ),
        ErrorKind::Other => Advice::fixed(
            "Look the code up in the platform's documentation, or send the log id to Feishu's support.",
            "请在开放平台文档中查询该错误码，或把日志 ID（log id）提供给飞书技术支持。",
        ),
        ErrorKind::InvalidRequest => Advice::fixed(
            "Nothing was sent. Correct what the message names, then try again.",
            "请求未发出。请按提示修改后重试。",
        ),
        ErrorKind::NotRecorded => Advice::fixed(
            "Nothing was sent, because the record that must come before it could not be written. Put that right, then try \
             again.",
            "请求未发出：发送前的记录未能写入。请排除该问题后重试。",
        ),
        ErrorKind::TokenUnavailable => Advice::fixed(
            "The source of access tokens that this program was given failed. Check that source; it is not the platform that \
             refused.",
            "本程序所用的访问凭证来源出错，并非平台拒绝。请检查该凭证来源。",
        ),
        ErrorKind::Timeout => Advice::fixed(
            "No answer came in time. Check the network, the proxy and the platform's status; a longer timeout may help.",
            "未在规定时间内收到响应。请检查网络、代理和平台状态，也可适当延长超时时间。",
        ),
        ErrorKind::Connect => Advice::fixed(
            "No connection could be made. Check the origin, name resolution, the network and the proxy, and that the server's \
             certificate is trusted here.",
            "无法建立连接。请检查服务地址、域名解析、网络与代理，并确认本机信任对方的证书。",
        ),
        ErrorKind::ConnectionLost => Advice::fixed(
            "The connection broke before the answer was complete. Check the network and the proxy.",
            "连接在收到完整响应之前中断。请检查网络和代理。",
        ),
        ErrorKind::UnexpectedResponse => Advice::fixed(
            "The answer was not the platform's: something between here and it has answered instead, for example a proxy, a \
             gateway or a login page. Check the origin and the proxy.",
            "收到的响应并非来自开放平台，可能由代理、网关或登录页面返回。请检查服务地址和代理设置。",
        ),
        ErrorKind::Interrupted => Advice::fixed(
            "It was stopped before the platform had settled it. To finish it, run it again.",
            "操作在平台给出结果之前已被中止。如需继续，请重新执行。",
        ),
    }
}
