//! What a page says: from its bytes to its facts.

use super::description::Description;
use super::document::colon_parameters;
use super::facts::{AppType, ErrorCode, Facts, Field, Kind, Required, Scope};
use super::mend::{NO_BORDER, keys, mend};
use super::notes::Prose;
use super::outline::{Block, Cell, Section, Table, one_line, sections};
use super::{PageError, SIZE_LIMIT, rate};

/// What a page says of its endpoint.
pub struct Page {
    pub facts: Facts,
    /// The title in the front matter, where there is one.
    pub front_title: Option<String>,
}

impl Page {
    /// Reads a page in either of the forms in which it is published.
    ///
    /// # Errors
    /// When the bytes are no text, or a text that is no page of an endpoint.
    pub fn read(content: &[u8]) -> Result<Self, PageError> {
        let mended = mend(text(content)?).ok_or(PageError::TooLarge)?;
        let sections = sections(&mended.markdown);
        let facts = facts(&sections);
        if facts.title.is_none() && mended.front_title.is_none() && facts.url.is_none() {
            return Err(PageError::NotAPage);
        }
        Ok(Self { facts, front_title: mended.front_title })
    }

    /// The path of the request, with parameters as `:name`.
    pub fn path(&self) -> Option<&str> {
        self.facts.url.as_deref().map(path_of)
    }
}

/// The path of an address, without what follows it.
pub fn path_of(url: &str) -> &str {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("", |slash| &rest[slash..]));
    path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/')
}

/// How HTML begins.
const HTML: [&str; 7] = ["<!doctype", "<html", "<head", "<body", "<script", "<meta", "<?xml"];

/// Words of a page that asks to log in.
const LOG_IN: [&str; 7] = ["login", "log in", "log-in", "signin", "sign in", "passport", "登录"];

/// The text of a page's bytes.
fn text(content: &[u8]) -> Result<&str, PageError> {
    if content.len() > SIZE_LIMIT {
        return Err(PageError::TooLarge);
    }
    let text = std::str::from_utf8(content).map_err(|error| PageError::NotText { valid_up_to: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(PageError::Empty);
    }
    let lower = text.trim_start().to_lowercase();
    if HTML.iter().any(|opening| lower.starts_with(opening)) || lower.contains("</html>") {
        // The documentation's own HTML has a link to log in, too.
        let log_in = !lower.contains("http url") && LOG_IN.iter().any(|word| lower.contains(word));
        return Err(PageError::Html { log_in });
    }
    Ok(text)
}

/// What a section is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Request,
    Headers,
    Path,
    Query,
    RequestBody,
    ResponseBody,
    Errors,
    Example,
    Other,
}

const TOPICS: [(&str, Topic); 6] = [
    ("请求头", Topic::Headers),
    ("路径参数", Topic::Path),
    ("查询参数", Topic::Query),
    ("请求体", Topic::RequestBody),
    ("响应体", Topic::ResponseBody),
    ("错误码", Topic::Errors),
];

impl Topic {
    fn of(section: &Section) -> Self {
        let heading: String = section.heading.chars().filter(|c| !c.is_whitespace()).collect();
        if heading.contains("示例") {
            return Self::Example;
        }
        if heading == "请求" {
            return Self::Request;
        }
        TOPICS.iter().find(|(word, _)| heading.starts_with(word)).map_or(Self::Other, |(_, topic)| *topic)
    }
}

/// What was read of a page so far.
#[derive(Default)]
struct Reader {
    facts: Facts,
    prose: Prose,
}

impl Reader {
    fn section(&mut self, section: &Section) {
        let topic = Topic::of(section);
        if topic == Topic::Example {
            return;
        }
        let is_title = section.level == 1 && self.facts.title.is_none();
        if is_title && !section.heading.is_empty() {
            self.facts.title = Some(section.heading.clone());
        }
        let (mut found, mut besides) = (false, Vec::new());
        for block in &section.blocks {
            besides.push(match block {
                Block::Paragraph(text) | Block::Prose(text) => text.clone(),
                Block::Table(table) => {
                    let unread = self.table(topic, table);
                    found |= unread.is_some();
                    unread.unwrap_or_else(|| whole_text(table))
                }
            });
        }
        // A table that can't be read is reported by what it held.
        let lost = topic != Topic::Other && !found && besides.iter().any(|text| text.contains(NO_BORDER));
        // What is above the title belongs to the site; the first paragraph below it says what the endpoint does.
        let summary = usize::from(is_title && matches!(section.blocks.first(), Some(Block::Paragraph(_))));
        if section.level > 0 && !lost {
            besides[summary..].iter().for_each(|text| self.prose.push(text));
        }
    }

    /// Reads a table; returns what it says that is no fact, or nothing where it is not a table that is known.
    fn table(&mut self, topic: Topic, table: &Table) -> Option<String> {
        if topic == Topic::Request || is_request(table) {
            return Some(self.request(table));
        }
        let facts = &mut self.facts;
        let fields = match topic {
            Topic::Headers => &mut facts.headers,
            Topic::Path => &mut facts.path,
            Topic::Query => &mut facts.query,
            Topic::RequestBody => &mut facts.request_body,
            Topic::ResponseBody => &mut facts.response_body,
            Topic::Errors => {
                facts.errors.extend(errors(table)?);
                return Some(String::new());
            }
            Topic::Request | Topic::Example | Topic::Other => return None,
        };
        for (field, description) in self::fields(table)? {
            if topic == Topic::Headers && field.name.eq_ignore_ascii_case("Authorization") {
                facts.token_types.extend(token_types(&description.prose));
            }
            fields.push(field);
        }
        Some(String::new())
    }

    /// Reads the table that says what the request is; returns the rows whose key is not known.
    fn request(&mut self, table: &Table) -> String {
        let facts = &mut self.facts;
        let mut unread = String::new();
        for row in &table.rows {
            let key: String = row.first().map(Cell::text).unwrap_or_default();
            let Some(value) = row.get(1) else { continue };
            let text = value.text();
            let text = (!text.is_empty()).then_some(text);
            match known_key(&key) {
                Some(keys::URL) => facts.url = facts.url.take().or(text.map(|text| address(&text))),
                Some(keys::METHOD) => facts.method = facts.method.take().or(text.map(|text| text.to_uppercase())),
                Some(keys::RATE_LIMIT) => facts.rate_limits = rate::read(text.as_deref().unwrap_or_default()),
                Some(keys::APP_TYPES) => facts.app_types.extend(app_types(value)),
                Some(keys::SCOPES) => facts.scopes.extend(scopes(value)),
                Some(keys::FIELD_SCOPES) => {
                    facts.field_scopes.extend(scopes(value).filter(|scope| scope.name.is_some()))
                }
                _ => unread.extend([key, text.unwrap_or_default()]),
            }
        }
        unread
    }
}

fn facts(sections: &[Section]) -> Facts {
    let mut reader = Reader::default();
    sections.iter().for_each(|section| reader.section(section));
    Facts { notes: reader.prose.digest(), ..reader.facts }
}

fn whole_text(table: &Table) -> String {
    let cells = table.rows.iter().flatten().map(Cell::text);
    table.headings.iter().cloned().chain(cells).collect()
}

fn is_request(table: &Table) -> bool {
    let keys = table.rows.iter().filter_map(|row| row.first());
    keys.into_iter().any(|key| matches!(known_key(&key.text()), Some(keys::URL | keys::METHOD)))
}

/// The key of a row, where only its beginning counts: remarks may follow it.
fn known_key(text: &str) -> Option<&'static str> {
    let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let text = squeezed(text);
    keys::ALL.into_iter().find(|key| text.starts_with(&squeezed(key)))
}

/// The address in a cell, where remarks may follow it.
fn address(text: &str) -> String {
    let mut words = text.split_whitespace();
    colon_parameters(words.find(|word| word.contains('/')).unwrap_or(text))
}

fn app_types(cell: &Cell) -> impl Iterator<Item = AppType> {
    let texts = cell.lines.iter().map(|line| line.lead.iter().cloned().chain([line.text.clone()]).collect::<String>());
    let labels = texts.flat_map(|text| text.split(['、', '，', ',', '；', ';', '/']).map(one_line).collect::<Vec<_>>());
    labels.filter(|label| !is_nothing(label)).map(|label| AppType { labels: vec![label] })
}

fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "-" | "/" | "无")
}

/// Scopes as `label(name)`, or as names that their labels follow.
fn scopes(cell: &Cell) -> impl Iterator<Item = Scope> {
    let lines = cell.lines.iter().map(|line| line.lead.iter().cloned().chain([line.text.clone()]).collect::<String>());
    lines.flat_map(|line| scopes_of_line(&line))
}

fn scopes_of_line(line: &str) -> Vec<Scope> {
    let clean = |text: &str| {
        one_line(text.trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '(' | ')' | '（' | '）' | '、' | '，' | ',' | '；' | ';')
        }))
    };
    let names = scope_names(line);
    let mut scopes = Vec::new();
    let mut behind = 0;
    for (index, (begin, end)) in names.iter().copied().enumerate() {
        let next = names.get(index + 1).map_or(line.len(), |(next, _)| *next);
        let bracketed = line[..begin].ends_with(['(', '（']);
        let label = if bracketed { &line[behind..begin] } else { &line[end..next] };
        scopes.push(Scope { name: Some(line[begin..end].to_owned()), label: clean(label) });
        behind = end;
    }
    let label = clean(line);
    if names.is_empty() && !is_nothing(&label) {
        scopes.push(Scope { name: None, label });
    }
    scopes
}

/// Where the names of scopes begin and end in a text.
fn scope_names(text: &str) -> Vec<(usize, usize)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-');
    let mut names = Vec::new();
    let mut begin = 0;
    for (end, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if is_part(c) {
            continue;
        }
        let run = &text[begin..end];
        let name = run.trim_matches([':', '.', '-', '_']);
        if name.contains(':') {
            let at = begin + (run.len() - run.trim_start_matches([':', '.', '-', '_']).len());
            names.push((at, at + name.len()));
        }
        begin = end + c.len_utf8();
    }
    names
}

/// The kinds of access token that a text names.
fn token_types(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let mut types: Vec<_> = words.filter(|word| word.ends_with("_access_token")).map(str::to_owned).collect();
    types.sort();
    types.dedup();
    types
}

/// Where the columns of a table of fields are.
struct Columns {
    name: usize,
    kind: Option<usize>,
    required: Option<usize>,
    description: Option<usize>,
}

impl Columns {
    fn of(table: &Table) -> Option<Self> {
        let find = |words: &[&str]| {
            let matches = |heading: &String| words.iter().any(|word| heading.eq_ignore_ascii_case(word));
            table.headings.iter().position(matches)
        };
        let kind = find(&["类型", "数据类型", "参数类型", "type"]);
        let required = find(&["必填", "是否必填", "必须", "是否必须", "required"]);
        let description = find(&["描述", "说明", "备注", "description"]);
        let name =
            find(&["名称", "参数", "参数名", "参数名称", "字段", "字段名", "字段名称", "name", "parameter", "field"]);
        match name {
            Some(name) => Some(Self { name, kind, required, description }),
            // The first column under another heading.
            None if kind.is_some() => Some(Self { name: 0, kind, required, description }),
            None => None,
        }
    }
}

/// The fields in a table, if it is one of fields.
fn fields(table: &Table) -> Option<Vec<(Field, Description)>> {
    let columns = Columns::of(table)?;
    let fields = table.rows.iter().filter(|row| row.iter().any(|cell| !cell.text().is_empty()));
    Some(fields.map(|row| field(row, &columns)).collect())
}

fn field(row: &[Cell], columns: &Columns) -> (Field, Description) {
    let cell = |column: Option<usize>| column.and_then(|column| row.get(column));
    let text = |column| cell(column).map(Cell::text).unwrap_or_default();
    let mut description = cell(columns.description).map(Description::read).unwrap_or_default();
    let required = text(columns.required);
    let required = match required.to_lowercase().as_str() {
        "" => None,
        "是" | "必须" | "必填" | "true" | "yes" | "y" => Some(Required::Yes),
        "否" | "非必须" | "非必填" | "可选" | "false" | "no" | "n" => Some(Required::No),
        _ => Some(Required::Words(required)),
    };
    let field = Field {
        name: name(&text(Some(columns.name))),
        kind: Kind::of_page(&text(columns.kind)),
        required,
        values: std::mem::take(&mut description.values),
        length: std::mem::take(&mut description.length),
        range: std::mem::take(&mut description.range),
        rules: std::mem::take(&mut description.rules),
        fixed_value: description.fixed_value.take(),
        value_format: description.value_format.take(),
        ..Field::default()
    };
    (field, description)
}

/// A field's name without what shows how deep it is nested.
fn name(text: &str) -> String {
    one_line(&text.replace('\\', "").replace(['└', '├', '─', '∟'], " "))
}

/// The codes in a table, if it is one of codes.
fn errors(table: &Table) -> Option<Vec<ErrorCode>> {
    let find =
        |words: &[&str]| table.headings.iter().position(|heading| words.iter().any(|word| heading.contains(word)));
    let status = find(&["状态码"]);
    let code = find(&["错误码"])?;
    let label = find(&["描述", "错误信息", "说明"]);
    let rows = table.rows.iter().map(|row| {
        let text =
            |column: Option<usize>| column.and_then(|column| row.get(column)).map(Cell::text).unwrap_or_default();
        let http_status = Some(text(status)).filter(|status| !is_nothing(status));
        ErrorCode { code: text(Some(code)), http_status, label: text(label), ..ErrorCode::default() }
    });
    Some(rows.filter(|row| !row.code.is_empty() || !row.label.is_empty()).collect())
}
