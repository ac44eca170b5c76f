//! What can be given on the command line, and what is said of what can't.

#![allow(rustdoc::bare_urls, reason = "the comments on arguments are their help, which is printed as it is")]

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValue, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use feishu_cancel_onboard::{Code, TerminationType, document};
use feishu_cancel_onboard_check_docs as docs_page;

use crate::after_help;
use crate::check_docs;
use crate::output::{self, Exit};

/// The version, and the date of the page that this program was built from.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let page = document::PAGE.updated.map(|date| format!(" (page of {date})")).unwrap_or_default();
    env!("CARGO_PKG_VERSION").to_owned() + &page
});

/// Cancel the onboarding of a Feishu Hire candidate, and know whether it happened.
#[derive(Debug, Parser)]
#[command(name = "cancel-onboard", version = VERSION.as_str(), max_term_width = 80, after_help = after_help::MAIN)]
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
    #[arg(
        long,
        global = true,
        value_name = "ORIGIN",
        value_parser = Suggesting { parser: StringValueParser::new(), values: origins },
        hide_possible_values = true,
        help_heading = "Common options"
    )]
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
    /// Cancel all onboardings that a file lists, with a record of each
    Batch(Batch),
    /// List the termination reasons of your tenant, with their ids
    Reasons(Reasons),
    /// Say what an error code means and what to do about it
    ///
    /// Nothing is called for that.
    Explain(Explain),
    /// Serve the stand-in of the platform, for tests and trials
    ///
    /// It is to be reached from this machine only.
    Sandbox(Sandbox),
    /// Say whether the published page has changed since this build
    ///
    /// Finds what the page says otherwise than the document that this program was built from.
    CheckDocs(CheckDocs),
    /// Print what a shell needs to complete commands and options
    Completions(Completions),
    /// Print the man page, or write those of all commands to a folder
    Man(Man),
}

#[derive(Debug, Args)]
#[command(after_help = after_help::CANCEL)]
pub struct Cancel {
    /// Id of the application, not of the candidate or the offer
    pub application_id: String,
    /// Why: 1 or company-rejected, 22 or candidate-declined, 27 or other
    #[arg(long = "type", value_name = "TYPE", value_parser = TypeParser, hide_possible_values = true)]
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
    /// An earlier run of this cancellation ended without a known result: "already terminated" then counts as success
    #[arg(long)]
    pub after_lost_attempt: bool,
}

#[derive(Debug, Args)]
#[command(after_help = after_help::REASONS)]
pub struct Reasons {
    /// Only those of one type: 1 or company-rejected, 22 or candidate-declined, 27 or other
    #[arg(long = "type", value_name = "TYPE", value_parser = TypeParser, hide_possible_values = true)]
    pub termination_type: Option<TerminationType>,
    /// Disabled ones too, which no cancellation can name
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = BATCH_USAGE, after_help = after_help::BATCH)]
pub struct Batch {
    /// The cancellations, CSV or JSON Lines; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// File that records every started cancellation and its result, as JSON Lines
    #[arg(long, value_name = "REPORT", required_unless_present = "dry_run")]
    pub report: Option<PathBuf>,
    /// Continue the report of an earlier run: finished entries are skipped, everything else is tried
    #[arg(long, requires = "report")]
    pub resume: bool,
    /// With --resume, also retry what the platform refused for good
    #[arg(long, requires = "resume")]
    pub retry_rejected: bool,
    /// Before anything is sent, look the reasons up: refuse a file that names one that is unknown, disabled or of another type
    #[arg(long)]
    pub check_reasons: bool,
    /// Check the file, and with --resume the report, and say what would be sent and how long it takes; sends nothing and
    /// needs no credentials, except to check the reasons
    #[arg(long)]
    pub dry_run: bool,
    /// At most so many calls in a second [default: the documented limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// The form of FILE [default: as its name ends, in .csv, .jsonl or .ndjson]
    #[arg(long = "format", value_enum)]
    pub file_format: Option<FileFormat>,
}

/// One or the other is needed, which can't be seen in what would stand there otherwise.
const BATCH_USAGE: &str = "cancel-onboard batch [OPTIONS] --report <REPORT> <FILE>
       cancel-onboard batch [OPTIONS] --dry-run <FILE>";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// Comma-separated values, the columns named in the first line
    Csv,
    /// JSON Lines: one object a line
    Jsonl,
}

#[derive(Debug, Args)]
#[command(after_help = after_help::EXPLAIN)]
pub struct Explain {
    /// The code; without one, every known code is listed
    #[arg(
        allow_negative_numbers = true,
        value_parser = Suggesting { parser: clap::value_parser!(i64), values: codes },
        hide_possible_values = true
    )]
    pub code: Option<i64>,
}

#[derive(Debug, Args)]
#[command(after_help = after_help::SANDBOX)]
pub struct Sandbox {
    /// Port on the loopback address; 0 lets the system pick one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Do not enforce the documented rate limits
    #[arg(long)]
    pub no_rate_limit: bool,
}

#[derive(Debug, Args)]
#[command(after_help = after_help::CHECK_DOCS)]
pub struct CheckDocs {
    /// The page as Markdown: a file, - for standard input, or an https:// address; without it, the address at which the
    /// page is published as Markdown
    #[arg(value_hint = ValueHint::FilePath)]
    pub page: Option<OsString>,
    /// Name of the document, that of its file in spec/
    #[arg(
        long,
        value_name = "NAME",
        default_value = document::OPERATION.id,
        value_parser = Suggesting { parser: StringValueParser::new(), values: specs },
        hide_possible_values = true,
        conflicts_with = "all"
    )]
    pub spec: String,
    /// Check every document whose page is published as Markdown; with PAGE, find the document whose page that is
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = after_help::COMPLETIONS)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = after_help::MAN)]
pub struct Man {
    /// Where to write the page of the program and one for each command; made if it isn't there
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "must be seconds, from 0.001 to 86400".to_owned())
}

/// Reads a termination type, and tells shells its names.
#[derive(Clone)]
struct TypeParser;

impl TypedValueParser for TypeParser {
    type Value = TerminationType;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<TerminationType, clap::Error> {
        let parse = |text: &str| text.parse::<TerminationType>();
        parse.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(TerminationType::ALL.iter().map(|known| PossibleValue::new(known.name()))))
    }
}

/// Reads a value as another parser does, and tells shells some of the values that it takes.
#[derive(Clone)]
struct Suggesting<P> {
    parser: P,
    values: fn() -> Vec<PossibleValue>,
}

impl<P: TypedValueParser> TypedValueParser for Suggesting<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<P::Value, clap::Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.values)().into_iter()))
    }
}

/// The origins that have names.
fn origins() -> Vec<PossibleValue> {
    document::ORIGINS.iter().map(|origin| PossibleValue::new(origin.name).help(origin.url)).collect()
}

/// The codes that have a meaning here.
fn codes() -> Vec<PossibleValue> {
    let known = Code::known().map(|code| PossibleValue::new(code.number().to_string()).help(code.label()));
    known.collect()
}

/// The documents that pages are checked against.
fn specs() -> Vec<PossibleValue> {
    // What is wrong with the documents is told when they are used.
    let documents = docs_page::documents().unwrap_or_default();
    documents.iter().map(|document| PossibleValue::new(document.name().to_owned())).collect()
}

/// What is wrong with arguments that are right each for itself, and not together.
pub fn misfit(arguments: &Arguments) -> Option<clap::Error> {
    let message = match (arguments.common.format, &arguments.command) {
        (Format::Text, _) | (Format::Json | Format::Csv, Command::Reasons(_)) => return None,
        (_, Command::Completions(_) | Command::Man(_)) => {
            "`--output` is not for `completions` and `man`, which have one form each: leave it out"
        }
        (Format::Json, _) => return None,
        (Format::Csv, _) => "`--output csv` is for `reasons` only: use text or json here",
    };
    Some(Arguments::command().error(ErrorKind::ArgumentConflict, message))
}

/// Says what is wrong with the arguments, in the form that they themselves ask for.
pub fn refused(given: &[OsString], error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let printed = error.print().and_then(|()| std::io::stdout().flush());
        return output::unless_unwritten(printed, Exit::Done);
    }
    let wants_json = given.iter().any(|argument| argument == "--output=json")
        || given.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    if wants_json {
        let text = error.render().to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let message = first.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
        return match command(given) {
            Some("check-docs") => check_docs::refused_here(&message),
            _ => output::refused_here(application_id(given).as_deref(), &message),
        };
    }
    let _ = error.print();
    Exit::InvalidRequest
}

/// The command among arguments that could not be read as a whole: the first of them that is one's name.
fn command(given: &[OsString]) -> Option<&str> {
    let program = Arguments::command();
    let is_name = |argument: &&str| program.find_subcommand(argument).is_some();
    given.iter().skip(1).filter_map(|argument| argument.to_str()).find(is_name)
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
