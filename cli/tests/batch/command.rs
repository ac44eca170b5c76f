//! Running the binary, in a folder of its own.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use feishu_cancel_onboard::sandbox::{Sandbox, SandboxBuilder};
use serde_json::Value;
use tokio::runtime::Runtime;

pub const BINARY: &str = env!("CARGO_BIN_EXE_cancel-onboard");

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime can be made"));

/// Starts a sandbox, which serves on a thread of its own.
pub fn start(builder: SandboxBuilder) -> Sandbox {
    RUNTIME.block_on(builder.start()).expect("it starts")
}

/// A sandbox without a rate limit.
pub fn unlimited() -> Sandbox {
    start(Sandbox::builder().rate_limits([]))
}

/// What a command needs in its environment to call a sandbox.
pub fn environment(sandbox: &Sandbox) -> Vec<(String, String)> {
    [
        ("FEISHU_BASE_URL", sandbox.base_url()),
        ("FEISHU_APP_ID", sandbox.app_id()),
        ("FEISHU_APP_SECRET", sandbox.app_secret()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The first line of the reports of runs that call a sandbox.
pub fn header(sandbox: &Sandbox) -> String {
    header_of(sandbox.base_url(), Some(sandbox.app_id()))
}

/// The first line of a report.
pub fn header_of(origin: &str, app_id: Option<&str>) -> String {
    let app_id = serde_json::to_string(&app_id).expect("it is JSON");
    format!(
        "{{\"report\":1,\"origin\":\"{origin}\",\"app_id\":{app_id},\"version\":\"0.1.0\",\"at\":\"2026-01-01T00:00:00.000Z\"}}\n"
    )
}

/// A folder that is gone when the test is.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("batch-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a file can be written");
    }

    /// Writes `list.csv` with so many applications, numbered from 0.
    pub fn list(&self, count: usize) {
        let rows: String = (0..count).map(|id| format!("{id},other\n")).collect();
        self.write("list.csv", format!("application_id,termination_type\n{rows}"));
    }

    /// The lines of the report, behind the first one.
    pub fn report(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("report.jsonl")).expect("there is a report");
        assert!(text.ends_with('\n'), "{text}");
        let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
        let first: Value = lines.next().expect("there is a first line");
        assert_eq!(first["report"], 1, "{first}");
        lines.collect()
    }

    /// The final lines of the report by application, in the order in which they came.
    pub fn ends(&self) -> HashMap<String, Vec<Value>> {
        let mut ends: HashMap<_, Vec<_>> = HashMap::new();
        for line in self.report().into_iter().filter(|line| line.get("ok").is_some()) {
            ends.entry(id(&line)).or_default().push(line);
        }
        ends
    }

    /// The command `batch list.csv --report report.jsonl` with these arguments besides.
    pub fn batch(&self, arguments: &[&str], environment: &[(String, String)]) -> Command {
        self.command(&[&["batch", "list.csv", "--report", "report.jsonl"], arguments].concat(), environment)
    }

    /// Any command, run in this folder with nothing in its environment but what is given.
    pub fn command(&self, arguments: &[&str], environment: &[(String, String)]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(&self.0).env_clear().args(arguments).envs(environment.iter().cloned());
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The application id of a line.
pub fn id(line: &Value) -> String {
    line["application_id"].as_str().expect("each line has one").to_owned()
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().expect("the binary runs");
    Ran::from(output)
}

/// Runs a command to its end, with this on its standard input.
pub fn run_with_input(mut command: Command, input: &[u8]) -> Ran {
    let mut child = spawn(command.stdin(Stdio::piped()));
    child.stdin.take().expect("it is piped").write_all(input).expect("it is read");
    Ran::from(child.wait_with_output().expect("it ends"))
}

/// Starts a command, its output kept.
pub fn spawn(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
}

/// Waits for what must come true sooner or later.
pub fn until(mut what: impl FnMut() -> bool) {
    while !what() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What became of a command.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        Self { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// The lines of JSON on standard output.
    pub fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    #[track_caller]
    pub fn assert_status(&self, status: i32) {
        assert_eq!(self.status, Some(status), "{self:?}");
    }
}
