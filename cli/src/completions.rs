//! `completions`: what makes a shell complete this program's commands and options.

use clap::builder::PossibleValue;
use clap::{Arg, Command, CommandFactory};
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
        Shell::Fish => script + &values_of_positions(&command),
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

/// What fish needs to complete values that have no option before them, of which clap_complete tells it nothing.
fn values_of_positions(command: &Command) -> String {
    let program = command.get_name();
    let function = format!("__fish_{}_using_subcommand", program.replace('-', "_"));
    let of_position = |subcommand: &Command, position: &Arg| {
        let values: Vec<_> = position.get_possible_values().iter().map(described).collect();
        let (name, values) = (subcommand.get_name(), values.join("\n"));
        format!("complete -c {program} -n \"{function} {name}\" -f -a \"{values}\"\n")
    };
    let positions = command.get_subcommands().flat_map(|subcommand| {
        let positions = subcommand.get_positionals().filter(|position| !position.get_possible_values().is_empty());
        positions.map(move |position| of_position(subcommand, position))
    });
    positions.collect()
}

/// A value and what it means, as fish takes it.
fn described(value: &PossibleValue) -> String {
    match value.get_help() {
        // Nothing in it may end the text that it stands in.
        Some(help) => format!("{}\\t'{}'", value.get_name(), help.to_string().replace(['\'', '"', '\\', '$'], " ")),
        None => value.get_name().to_owned(),
    }
}
