//! `completions`: what makes a shell complete this program's commands and options.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::{self, Arguments};
use crate::output::{self, Exit};

/// Prints the script for a shell.
pub fn run(asked: &arguments::Completions) -> Exit {
    output::print_document(script(asked.shell).as_bytes())
}

fn script(shell: Shell) -> String {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => with_labels_that_agree(&script, &name),
        _ => script,
    }
}

/// The script for bash, with one label for each command.
///
/// Of a program with a hyphen in its name, clap_complete writes the hyphen in one way where it sets a label and in another
/// where it looks for it, so that the options of no command would be completed.
fn with_labels_that_agree(script: &str, name: &str) -> String {
    script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"))
}
