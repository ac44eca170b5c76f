//! `cancel-onboard`: the library for operators and scripts.
//!
//! What it prints and how it exits are a contract that other programs depend on.

mod after_help;
mod arguments;
mod batch;
mod cancel;
mod check_docs;
mod completions;
mod connection;
mod environment;
mod explain;
mod invisible;
mod language;
mod man;
mod output;
mod page_source;
mod reason_catalogue;
mod reasons;
mod runtime;
mod sandbox;
mod signals;
mod spool;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use arguments::{Arguments, Command, Output};
use clap::Parser;
use output::Exit;

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(&given) {
        Ok(arguments) => arguments,
        Err(error) => return arguments::refused(&given, &error).into(),
    };
    if let Some(error) = arguments::misfit(&arguments) {
        return arguments::refused(&given, &error).into();
    }
    log_to_stderr();
    // What calls nobody needs no runtime, and works where there is none to be had.
    match &arguments.command {
        Command::Explain(explain) => return explain::run(&arguments.common, explain).into(),
        Command::Completions(completions) => return completions::run(completions).into(),
        Command::Man(man) => return man::run(man).into(),
        _ => {}
    }
    let runtime = match runtime::make(runtime::descriptors(&arguments.command)) {
        Ok(runtime) => runtime,
        Err(reason) => return cannot_begin(&arguments, &reason).into(),
    };
    // A task of its own, so that a panic ends as the exit status of a defect.
    let exit = runtime.block_on(async { tokio::spawn(run(arguments)).await });
    runtime.shutdown_background();
    exit.unwrap_or(Exit::Defect).into()
}

/// Says why nothing was begun, in the form that was asked for.
fn cannot_begin(arguments: &Arguments, reason: &str) -> Exit {
    // Whether the line could be printed or not, the status is the same.
    let _ = match (arguments.common.output(), &arguments.command) {
        (Output::Text, _) => {
            output::complain(&format!("error: {reason}"));
            Exit::Defect
        }
        (Output::Json, Command::CheckDocs(_)) => check_docs::refused_here(reason),
        (Output::Json, Command::Cancel(cancel)) => output::refused_here(Some(&cancel.application_id), reason),
        (Output::Json, _) => output::refused_here(None, reason),
    };
    Exit::Defect
}

async fn run(arguments: Arguments) -> Exit {
    if let Err(error) = signals::survive_file_size_limit() {
        return cannot_begin(&arguments, &format!("signals can't be caught: {error}"));
    }
    let Arguments { common, command } = arguments;
    match command {
        Command::Cancel(cancel) => cancel::run(&common, cancel).await,
        Command::Batch(batch) => batch::run(&common, &batch).await,
        Command::Reasons(reasons) => reasons::run(&common, &reasons).await,
        Command::Explain(explain) => explain::run(&common, &explain),
        Command::Sandbox(sandbox) => sandbox::run(&common, &sandbox).await,
        Command::CheckDocs(check_docs) => check_docs::run(&common, check_docs).await,
        Command::Completions(completions) => completions::run(&completions),
        Command::Man(man) => man::run(&man),
    }
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::WARN.into())
        .from_env_lossy();
    // As for help and what is said of arguments: on a terminal, unless the environment wants it otherwise.
    let colours = AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
}
