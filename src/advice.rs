//! What a person should do after a failure, in English and in Chinese.

use std::borrow::Cow;

use crate::error::{Delivery, ErrorKind, Subject};
use crate::facts::RelatedEndpoint;
use crate::generated::cancel_onboard::ErrorCode;
use crate::generated::platform::related::{UPDATE_EMPLOYEE, WITHDRAW_ONBOARDING};
use crate::generated::platform::{PlatformErrorCode, ServiceErrorCode};
use crate::generated::tenant_access_token::ErrorCode as TokenErrorCode;
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

    /// An advice that names an endpoint, where the texts have `{endpoint}`.
    fn naming(endpoint: RelatedEndpoint, en: &str, zh: &str) -> Self {
        let place = "{endpoint}";
        Self {
            en: en.replace(place, &endpoint.in_english()).into(),
            zh: zh.replace(place, &endpoint.in_chinese()).into(),
        }
    }
}

/// What to do about a call that ended with this kind and code.
pub(crate) fn of(kind: ErrorKind, code: Option<Code>, delivery: Delivery, subject: Subject) -> Advice {
    // A code that was taken for another kind than its own has no say: at the token endpoint some refuse the credentials.
    let advice = match code.filter(|code| code.kind() == kind) {
        Some(Code::Endpoint(code)) => of_endpoint(code),
        Some(Code::TerminationReasons(code)) => of_termination_reasons(code),
        Some(Code::Platform(code)) => of_platform(code, subject),
        Some(Code::Service(code)) => of_service(code, subject),
        Some(Code::Token(code)) => of_token(code),
        Some(Code::Unknown(number)) => of_unknown(number),
        None => of_kind(kind, subject),
    };
    match delivery {
        Delivery::Unknown => find_out_first(&advice),
        Delivery::NotSent | Delivery::Rejected => advice,
    }
}

fn find_out_first(advice: &Advice) -> Advice {
    Advice {
        en: format!(
            "It is not known whether the onboarding was cancelled. Look at the application in Feishu Hire before you do anything \
             else, or make the same cancellation again as one after a lost attempt (`cancel --after-lost-attempt`, \
             `batch --resume`, `after_lost_attempt()` in a program). That does no harm: if the lost attempt took effect, the \
             platform says that the application is already terminated, which counts as success then. {}",
            advice.en
        )
        .into(),
        zh: format!(
            "目前无法确定入职是否已取消：请先到飞书招聘查看该投递的状态，再做其他操作；也可以按“之前的请求结果未知”重新执行同一取消\
             （cancel 加 --after-lost-attempt，batch 加 --resume，程序中调用 after_lost_attempt()），这样做是安全的：若之前的请求已\
             生效，平台会提示投递已经终止，此时即视为成功。{}",
            advice.zh
        )
        .into(),
    }
}

fn of_endpoint(code: ErrorCode) -> Advice {
    match code {
        ErrorCode::SystemError => Advice::fixed(
            "The platform failed. If it keeps failing, send the log id to Feishu's support.",
            "平台内部出错。若持续失败，请把日志 ID（log id）提供给飞书技术支持。",
        ),
        ErrorCode::InvalidParameter => Advice::naming(
            UPDATE_EMPLOYEE,
            "Check the application id, the termination type and the reason ids: the details name the field where the \
             platform says which one it is. The id must be that of an application, not of a candidate or an offer, and the \
             candidate must be pending onboarding. Somebody who has already onboarded must be offboarded through the \
             employee update endpoint: {endpoint}.",
            "请检查投递 ID、终止类型和终止原因 ID；若平台指出了具体字段，可在 details 中看到。注意要传投递 ID，而不是候选人或 \
             Offer 的 ID；并且候选人须处于待入职阶段，已入职的候选人请通过{endpoint}办理离职。",
        ),
        ErrorCode::ApplicationAlreadyTerminated => Advice::fixed(
            "Nothing is left to cancel: the application was terminated before. Look at it in Feishu Hire to see by whom and \
             why, if that was not expected.",
            "该投递此前已经终止，无需再取消。如与预期不符，请到飞书招聘查看终止人和终止原因。",
        ),
        ErrorCode::ManagedByFeishuPeople => Advice::naming(
            WITHDRAW_ONBOARDING,
            "Cancel the onboarding in Feishu People: the candidate's pre-hire record is there, and from then on it can be \
             cancelled only there. A program can do so through another endpoint: {endpoint}.",
            "请到飞书人事取消入职：该候选人已在飞书人事生成待入职记录，此后只能在飞书人事中取消。也可由程序调用{endpoint}办理。",
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
        PlatformErrorCode::RateLimited => Advice::fixed(
            "Too many calls in too short a time. Wait as long as the platform asks, then try again; if other programs call \
             with the same app, slow them down too, since they share the limit.",
            "调用过于频繁。请按平台要求的时间等待后重试；若其他程序共用同一应用，也需一并降低频率，它们共享同一限额。",
        ),
        PlatformErrorCode::AuthorizationMissing => Advice::fixed(
            "The request arrived without an access token. Check that no proxy on the way takes the Authorization header out.",
            "平台收到的请求没有携带访问凭证。请检查中间代理是否去掉了 Authorization 请求头。",
        ),
        PlatformErrorCode::AppAccessTokenInvalid | PlatformErrorCode::UserAccessTokenInvalid => Advice::fixed(
            "The token is not a tenant access token, or is not valid any more. Give a tenant_access_token of a custom app, or \
             the app id and secret, from which one is obtained.",
            "所用凭证不是有效的 tenant_access_token。请提供自建应用的 tenant_access_token，或提供 App ID 与 App Secret 自动获取。",
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
        PlatformErrorCode::InternalError => of_kind(ErrorKind::SystemError, subject),
        PlatformErrorCode::FieldValidationFailed => Advice::fixed(
            "The platform did not accept a field of the request; the details name it. Correct that field, then try again.",
            "平台未接受请求中的某个字段，details 中会指出是哪个字段。请修改后重试。",
        ),
    }
}

fn of_service(code: ServiceErrorCode, subject: Subject) -> Advice {
    match code {
        ServiceErrorCode::ApplicationNotFound => of_kind(ErrorKind::ApplicationNotFound, subject),
        ServiceErrorCode::JobProcessNotFound
        | ServiceErrorCode::JobProcessStageNotFound
        | ServiceErrorCode::ApplicationStageNotFound => Advice::fixed(
            "The recruiting process of the application, or a stage of it, does not exist. Look at the application in Feishu \
             Hire, and have its administrator put that right, then try again.",
            "该投递所在的招聘流程或阶段不存在。请到飞书招聘查看该投递，由管理员修正后重试。",
        ),
        ServiceErrorCode::TalentHired => Advice::naming(
            UPDATE_EMPLOYEE,
            "The candidate has been hired already, so there is no onboarding to cancel. Somebody who has onboarded must be \
             offboarded through the employee update endpoint: {endpoint}.",
            "该候选人已被录用，无法再取消入职；已入职的候选人请通过{endpoint}办理离职。",
        ),
        ServiceErrorCode::TalentLocked => Advice::fixed(
            "Another application has locked the candidate. Deal with that application in Feishu Hire, then try again.",
            "该候选人已被其他投递锁定。请先在飞书招聘处理那条投递，再重试。",
        ),
        ServiceErrorCode::ApplicationUpdateFailed => Advice::fixed(
            "The platform could not update the application, and does not say whether a part of the update was made. If it \
             keeps failing, send the log id to Feishu's support.",
            "平台更新投递失败，且未说明是否已有部分更新生效。若持续失败，请把日志 ID（log id）提供给飞书技术支持。",
        ),
        ServiceErrorCode::TalentConfidential => Advice::fixed(
            "The candidate is confidential. Have somebody who may see the candidate cancel the onboarding in Feishu Hire.",
            "该候选人为保密候选人。请由有权查看该候选人的人员在飞书招聘中取消入职。",
        ),
        ServiceErrorCode::ApplicationLockFailed => Advice::fixed(
            "Something else is changing the application at the moment. Try again later.",
            "该投递正在被其他操作修改。请稍后重试。",
        ),
        ServiceErrorCode::StateNotAllowed => Advice::naming(
            UPDATE_EMPLOYEE,
            "The state of the employee, or the stage of the application, does not allow it: only a candidate who is pending \
             onboarding can be cancelled. Look at the application in Feishu Hire. Somebody who has already onboarded must be \
             offboarded through the employee update endpoint: {endpoint}.",
            "员工状态或投递阶段不允许该操作：只有待入职的候选人才能取消入职。请到飞书招聘查看该投递；已入职的候选人请通过{endpoint}\
             办理离职。",
        ),
        ServiceErrorCode::EmployeeNotFound => Advice::fixed(
            "Feishu Hire has no employee for this application. Look there whether the candidate is pending onboarding.",
            "飞书招聘中没有与该投递对应的员工。请到飞书招聘确认该候选人是否处于待入职阶段。",
        ),
        ServiceErrorCode::HrSyncNotEnabled => Advice::fixed(
            "Synchronisation with the HR system is not switched on in this tenant. Ask the administrator of Feishu Hire to \
             switch it on, or to cancel the onboarding there.",
            "当前企业未开启与人事系统的同步。请联系飞书招聘管理员开启同步，或直接在飞书招聘中取消入职。",
        ),
    }
}

fn of_token(code: TokenErrorCode) -> Advice {
    match code {
        TokenErrorCode::CredentialsMalformed => Advice::fixed(
            "The app id or the app secret is empty or malformed. Copy both again from the developer console, whole and \
             without blanks or quotation marks around them.",
            "App ID 或 App Secret 为空或格式不正确。请从开发者后台重新完整复制，前后不要带空格或引号。",
        ),
        TokenErrorCode::AppSecretWrong => Advice::fixed(
            "The app secret is wrong, or is that of another app. Compare app id and app secret with the developer console: \
             the secret may have been reset.",
            "App Secret 不正确，或属于其他应用。请与开发者后台核对 App ID 和 App Secret，App Secret 可能已被重置。",
        ),
    }
}

fn of_unknown(number: i64) -> Advice {
    Advice {
        en: format!(
            "The platform answered with code {number}, which is not listed. Look the code up in the \
             platform's documentation, or send the log id to Feishu's support."
        )
        .into(),
        zh: format!(
            "平台返回了未列出的错误码 {number}。请在开放平台文档中查询该错误码，或把日志 ID（log id）提供给飞书技术支持。"
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
        // The platform refuses a call with a code. Without one, it is the client that let nothing through.
        ErrorKind::RateLimited => Advice::fixed(
            "The call waited for its turn until its time was over: all calls of this client share the documented rate. Make \
             fewer calls at once, or give each call more time.",
            "本次调用在时限内未轮到发送：本程序的所有调用共享接口的频率限额。请减少同时进行的调用，或延长每次调用的总时限。",
        ),
        ErrorKind::Unauthorized => Advice::fixed(
            "The access token is not valid, or not any more. Give a new tenant_access_token, or the app id and secret, from \
             which one is obtained and renewed.",
            "访问凭证无效或已过期。请提供新的 tenant_access_token，或提供 App ID 与 App Secret，由程序自动获取和续期。",
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
            "App ID 或 App Secret 不正确。请与开发者后台核对，并确认应用与服务地址属于同一平台（飞书或 Lark）。",
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
