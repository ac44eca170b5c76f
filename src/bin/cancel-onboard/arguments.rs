//! What can be given on the command line, and what is said of what can't.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use feishu_cancel_onboard::{TerminationType, document};

use crate::check_docs;
use crate::output::{self, Exit};

/// Cancel the onboarding of a Feishu Hire candidate, and know whether it happened.
#[derive(Debug, Parser)]
#[command(name = "cancel-onboard", version, max_term_width = 100)]
#[command(
    after_help = "Credentials come from the environment, never from the command line, where others can see them:\n  \
    FEISHU_APP_ID and FEISHU_APP_SECRET  of a custom app, or\n  \
    FEISHU_TENANT_ACCESS_TOKEN           a token obtained elsewhere\n\n\
    Exit status: 0 done, 1 refused by the platform, 2 wrong arguments or environment, 3 credentials refused,\n\
    4 network failure or no readable answer, 5 a defect of this program."
)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Common {
    /// Where to call: feishu, lark, or an origin such as https://open.feishu.cn [env: FEISHU_BASE_URL]
    // Read later: what is wrong with it is told here with its value, which may hold a password.
    #[arg(long, global = true, value_name = "ORIGIN", help_heading = "Common options")]
    pub base_url: Option<String>,
    /// How results are printed
    #[arg(
        long = "output",
        global = true,
        value_enum,
        value_name = "OUTPUT",
        default_value_t = Format::Text,
        help_heading = "Common options"
    )]
    pub format: Format,
    /// Time for one attempt
    #[arg(long, global = true, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Common options")]
    pub timeout: Duration,
    /// Time for one cancellation or one page of reasons, with all attempts and waits
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60", value_parser = seconds, help_heading = "Common options")]
    pub deadline: Duration,
    /// Start the embedded stand-in of the platform and use that: nothing leaves this machine
    #[arg(long, global = true, conflicts_with = "base_url", help_heading = "Common options")]
    pub sandbox: bool,
    /// Language of the advice [default: from LANG]
    #[arg(long, global = true, value_enum, help_heading = "Common options")]
    pub lang: Option<Language>,
}

impl Common {
    /// How a command prints its results that has no format of its own.
    pub fn output(&self) -> Output {
        match self.format {
            Format::Text | Format::Csv => Output::Text,
            Format::Json => Output::Json,
        }
    }
}

/// What can be asked for as the form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
    /// For spreadsheets; of `reasons` only
    Csv,
}

/// The forms that every command has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// Chinese
    Zh,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Cancel the onboarding that one application leads to
    Cancel(Cancel),
    /// Cancel all onboardings that a file lists, and put on record what becomes of each
    Batch(Batch),
    /// List the termination reasons of your tenant, whose ids `cancel --reason-id` takes
    Reasons(Reasons),
    /// Say what an error code means and what to do about it, without calling anything
    Explain(Explain),
    /// Serve the stand-in of the platform on this machine, for tests and trials
    Sandbox(Sandbox),
    /// Find what the published page says otherwise than the document that this program was built from
    CheckDocs(CheckDocs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    cancel-onboard cancel 1111111111 --type candidate-declined --notes 'took another offer'\n\n\
    Try it without credentials, on the embedded stand-in:\n  \
    cancel-onboard cancel 1111111111 --type candidate-declined --sandbox")]
pub struct Cancel {
    /// Id of the application, not of the candidate or the offer
    pub application_id: String,
    /// Why: 1 or company-rejected, 22 or candidate-declined, 27 or other
    #[arg(long = "type", value_name = "TYPE", value_parser = termination_type)]
    pub termination_type: TerminationType,
    /// Id of a detailed reason, of those that `reasons` lists; can be given several times
    #[arg(long = "reason-id", value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub reason_ids: Vec<String>,
    /// Before anything is sent, look the reasons up: refuse one that is unknown, disabled or of another type
    #[arg(long)]
    pub check_reasons: bool,
    /// A remark, kept with the application
    #[arg(long, value_name = "TEXT")]
    pub notes: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cancel-onboard reasons --type candidate-declined\n  \
    cancel-onboard reasons --all --output csv > reasons.csv\n\n\
    In the CSV, a cell that a spreadsheet could take for a formula begins with an apostrophe. Import the\n\
    column of ids as text: as numbers they are too long for a spreadsheet to keep every digit.")]
pub struct Reasons {
    /// Only those of one type: 1 or company-rejected, 22 or candidate-declined, 27 or other
    #[arg(long = "type", value_name = "TYPE", value_parser = termination_type)]
    pub termination_type: Option<TerminationType>,
    /// Disabled ones too, which no cancellation can name
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = BATCH_HELP)]
pub struct Batch {
    /// The cancellations, CSV or JSON Lines; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where to put on record what is begun and what becomes of it, as JSON Lines
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    pub report: Option<PathBuf>,
    /// Go on with a report: what has ended is left alone, everything else is tried
    #[arg(long, requires = "report")]
    pub resume: bool,
    /// Before anything is sent, look the reasons up: refuse a file that names one that is unknown, disabled or of another type
    #[arg(long)]
    pub check_reasons: bool,
    /// Check the file and say what would be sent and how long it takes; sends nothing and needs no credentials, except to
    /// check the reasons
    #[arg(long)]
    pub dry_run: bool,
    /// At most so many calls in a second [default: the documented limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// The form of FILE [default: as its name ends, in .csv, .jsonl or .ndjson]
    #[arg(long = "format", value_enum)]
    pub file_format: Option<FileFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// Comma-separated values, the columns named in the first line
    Csv,
    /// JSON Lines: one object a line
    Jsonl,
}

const BATCH_HELP: &str = "\
FILE as CSV has the columns application_id and termination_type and, if you like, termination_reason_ids, with ; between \
several, and termination_reason_notes, in any order. As JSON Lines, each line has application_id and the fields of the \
endpoint's request body. It is checked whole before anything is sent.

With --output json, standard output has the final line of each application as it is put on record, and standard error the \
summary. Of an application that has ended, the report's word holds, even if its line in FILE has changed since.

Ctrl-C once, or SIGTERM: nothing new is begun, and what is under way ends and is put on record. Twice: the end at once.

Exit status, the first that applies: 130 interrupted, 2 wrong arguments, file or environment, 3 credentials refused, 4 of \
some it is not known whether they took effect, 1 some are not done, 0 all are done.

Example, on the embedded stand-in:
  printf 'application_id,termination_type\\n1111111111,company-rejected\\n' > freeze.csv
  cancel-onboard batch freeze.csv --report freeze.jsonl --sandbox";

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cancel-onboard explain 1002910")]
pub struct Explain {
    /// The code; without one, every known code is listed
    #[arg(allow_negative_numbers = true)]
    pub code: Option<i64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example, in one shell and then in another one with the lines that the first one printed:\n  \
    cancel-onboard sandbox --port 8099\n  \
    cancel-onboard cancel 1111111111 --type other")]
pub struct Sandbox {
    /// Port on the loopback address; 0 lets the system pick one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Do not enforce the documented rate limits
    #[arg(long)]
    pub no_rate_limit: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cancel-onboard check-docs\n  \
    cancel-onboard check-docs page.md --output json\n\n\
    With --output json each document gives one line: {\"ok\",\"spec\",\"page\",\"drift\":[…]}, or where the page can't be \
    checked, {\"ok\":false,\"spec\",\"page\",\"error\":{\"message\"}}.\n\n\
    Exit status: 0 no drift, 1 drift, 2 wrong arguments, or the page can't be read or is another one, 4 the page can't be \
    had over the network; with --all, the highest of those of the documents.")]
pub struct CheckDocs {
    /// The page as Markdown: a file, - for standard input, or an https:// address; without it, the address at which the
    /// page is published as Markdown
    pub page: Option<OsString>,
    /// Name of the document, that of its file in spec/
    #[arg(long, value_name = "NAME", default_value = document::OPERATION.id, conflicts_with = "all")]
    pub spec: String,
    /// Check every document whose page is published as Markdown; with PAGE, find the document whose page that is
    #[arg(long)]
    pub all: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be seconds, from 0.001 to 86400".to_owned())
}

fn termination_type(text: &str) -> Result<TerminationType, String> {
    text.parse().map_err(|error: feishu_cancel_onboard::UnknownValue| error.to_string())
}

/// What is wrong with arguments that are right each for itself, and not together.
pub fn misfit(arguments: &Arguments) -> Option<clap::Error> {
    let csv_elsewhere = arguments.common.format == Format::Csv && !matches!(arguments.command, Command::Reasons(_));
    csv_elsewhere.then(|| {
        let message = "`--output csv` is for `reasons` only: use text or json here";
        Arguments::command().error(ErrorKind::ArgumentConflict, message)
    })
}

/// Says what is wrong with the arguments, in the form that they themselves ask for.
pub fn refused(given: &[OsString], error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Exit::Done;
    }
    let wants_json = given.iter().any(|argument| argument == "--output=json")
        || given.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    if wants_json {
        let text = error.render().to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let message = first.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
        match command(given) {
            Some("check-docs") => check_docs::refused_here(&message),
            _ => output::refused_here(application_id(given).as_deref(), &message),
        }
    } else {
        let _ = error.print();
    }
    Exit::InvalidRequest
}

/// The command among arguments that could not be read as a whole: the first of them that is one's name.
fn command(given: &[OsString]) -> Option<&str> {
    let names = ["cancel", "batch", "reasons", "explain", "sandbox", "check-docs"];
    given.iter().skip(1).filter_map(|argument| argument.to_str()).find(|argument| names.contains(argument))
}

/// The application id among arguments that could not be read as a whole, where it is plain to see.
fn application_id(given: &[OsString]) -> Option<String> {
    const WITH_VALUE: [&str; 5] = ["--base-url", "--output", "--timeout", "--deadline", "--lang"];
    let mut words = given.iter().skip(1);
    while let Some(word) = words.next() {
        if WITH_VALUE.iter().any(|option| word == option) {
            words.next();
        } else if word == "cancel" {
            let id = words.next()?.to_str()?;
            return (!id.starts_with('-')).then(|| id.to_owned());
        }
    }
    None
}
