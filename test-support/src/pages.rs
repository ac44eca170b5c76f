//! A page of this test's own wording that says what `spec/cancel_onboard.yaml` says, in each form in which pages are
//! published. A test changes its parts and has it written down in both.

/// The form in which a page is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Line breaks in the middle of a table's row, and front matter.
    Scraped,
    /// `<br>` in cells.
    Published,
}

pub const FORMS: [Form; 2] = [Form::Scraped, Form::Published];

/// A table: its headings and its rows. A line break in a cell is `\n`.
pub type Rows = Vec<Vec<String>>;

/// The parts of a page.
#[derive(Clone)]
pub struct Page {
    pub title: String,
    pub summary: String,
    /// Sections above the request: heading and Markdown.
    pub notes: Vec<(String, String)>,
    /// `CUSTOM_APP` stands for the form's own word.
    pub request: Rows,
    /// The sections below the request with a table each.
    pub headers: Option<Rows>,
    pub path: Option<Rows>,
    pub query: Option<Rows>,
    pub body: Option<Rows>,
    pub response: Option<Rows>,
    pub errors: Option<Rows>,
    pub request_example: String,
}

pub const CUSTOM_APP: &str = "CUSTOM_APP";

impl Page {
    #[allow(clippy::new_without_default, reason = "a whole page, not an empty one")]
    pub fn new() -> Self {
        let link = |text: &str| format!("[{text}](https://open.feishu.cn/document/somewhere/{})", text.len());
        Self {
            title: "取消候选人入职".into(),
            summary: "把一位还没有入职的候选人的入职流程撤回。".into(),
            notes: vec![(
                "注意事项".into(),
                format!(
                    "- 候选人须处在待入职阶段；人已经到岗的，请改用{}\n来办理离开。\n\n- 租户若启用飞书人事，并且那边已有待入职记录，就只能到那边撤回。",
                    link("另一个接口")
                ),
            )],
            request: rows(&[
                &["HTTP URL", "https://open.feishu.cn/open-apis/hire/v1/applications/:application_id/cancel_onboard"],
                &["HTTP Method", "POST"],
                &["接口频率限制", &link("10 次/秒")],
                &["支持的应用类型", CUSTOM_APP],
                &["权限要求\n**调用前须有下列权限之一**", "更新投递信息(hire:application)"],
            ]),
            headers: Some(rows(&[
                &["名称", "类型", "必填", "描述"],
                &[
                    "Authorization",
                    "string",
                    "是",
                    "`tenant_access_token`\n**值格式**：\"Bearer `access_token`\"\n**示例值**：\"Bearer t-0000\"",
                ],
                &["Content-Type", "string", "是", "**固定值**：\"application/json; charset=utf-8\""],
            ])),
            path: Some(rows(&[
                &["名称", "类型", "描述"],
                &["application_id", "string", &format!("投递的标识，见{}\n**示例值**：\"7000\"", link("投递列表"))],
            ])),
            query: None,
            body: Some(rows(&[
                &["名称", "类型", "必填", "描述"],
                &[
                    "termination_type",
                    "int",
                    "是",
                    "为什么终止\n**示例值**：22\n**可选值有**：\n- 1：我们拒绝了候选人\n- 22：候选人拒绝了我们\n- 27：其他",
                ],
                &[
                    "termination_reason_id_list",
                    "string\\[\\]",
                    "否",
                    &format!("更细的原因，取自{}\n**示例值**：[\"7001\"]", link("原因列表")),
                ],
                &["termination_reason_notes", "string", "否", "补充的话\n**示例值**：\"改去别处\""],
            ])),
            response: Some(rows(&[
                &["名称", "类型", "描述"],
                &["code", "int", "为 0 即成功"],
                &["msg", "string", "给开发者看的话"],
                &["data", "\\-", "\\-"],
            ])),
            errors: Some(rows(&[
                &["HTTP状态码", "错误码", "描述", "排查建议"],
                &["500", "1002001", "系统错误", &format!("请联系{}", link("支持人员"))],
                &["400", "1002002", "参数错误", "请核对参数"],
                &["400", "1002221", "投递已经终止", "请先看投递的状态"],
                &["400", "1002910", "候选人已在飞书人事创建待入职记录", "请到飞书人事撤回"],
            ])),
            request_example: "{\n    \"termination_type\": 22\n}".into(),
        }
    }

    /// The page as Markdown.
    pub fn write(&self, form: Form) -> String {
        let mut text = match form {
            Form::Scraped => format!(
                "---\ntitle: \"{}\"\nsource_url: https://open.feishu.cn/document/x\nlast_remote_update: 2025-02-20\n---\n最后更新于 2025-02-20\n\n",
                self.title
            ),
            Form::Published => String::new(),
        };
        text += &format!("# {}\n\n{}\n\n", self.title, self.summary);
        for (heading, prose) in &self.notes {
            text += &format!("## {heading}\n\n{prose}\n\n");
        }
        if !self.request.is_empty() {
            let headings = match form {
                Form::Scraped => vec!["名称".to_owned(), "值".to_owned()],
                Form::Published => vec!["基本".to_owned(), "&nbsp;".to_owned()],
            };
            let table: Rows = [headings].into_iter().chain(self.request.iter().cloned()).collect();
            let own = if form == Form::Scraped { "自建应用" } else { "Custom App" };
            text += &format!("## 请求\n\n{}", write_table(&table, form).replace(CUSTOM_APP, own));
        }
        let example = format!("### 请求体示例\n```json\n{}\n```\n\n## 响应\n\n", self.request_example);
        for (heading, table, after) in [
            ("请求头", &self.headers, ""),
            ("路径参数", &self.path, ""),
            ("查询参数", &self.query, ""),
            ("请求体", &self.body, example.as_str()),
            ("响应体", &self.response, "### 响应体示例\n```json\n{\n    \"code\": 0\n}\n```\n\n"),
            ("错误码", &self.errors, ""),
        ] {
            if let Some(table) = table {
                text += &format!("### {heading}\n\n{}", write_table(table, form));
            }
            text += after;
        }
        text
    }
}

pub fn rows(rows: &[&[&str]]) -> Rows {
    rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}

fn write_table(rows: &Rows, form: Form) -> String {
    let (line_break, delimiter) = match form {
        // A key that runs over several lines is indented there.
        Form::Scraped if rows[0].len() == 2 => ("  \n            ", "---"),
        Form::Scraped => ("  \n", " --- "),
        Form::Published => ("<br>", "---"),
    };
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell.replace('\n', line_break)).collect::<Vec<_>>().join(" | "))
        .collect();
    lines.insert(1, vec![delimiter; rows[0].len()].join("|").trim().to_owned());
    lines.join("\n") + "\n\n"
}
