//! `man`: the man pages, one for the program and one for each of its commands.

use std::fs;
use std::io;
use std::path::Path;

use clap::builder::Resettable;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use feishu_cancel_onboard::printable;

use crate::after_help::{self, Block};
use crate::arguments::{self, Arguments};
use crate::output::{self, Exit};

/// The heading of what has none.
const NOTES: &str = "NOTES";

/// No date, in a form that holds its place among what follows it.
const NO_DATE: &str = "\"\"";

/// A man page, and the name that its file must have to be found.
struct Page {
    file_name: String,
    content: Vec<u8>,
}

/// Prints the program's own page, or writes all pages to a folder.
pub fn run(asked: &arguments::Man) -> Exit {
    let mut pages = match pages() {
        Ok(pages) => pages,
        Err(error) => {
            output::complain(&format!("error: the man pages can't be made: {error}"));
            return Exit::Defect;
        }
    };
    match &asked.dir {
        None => output::print_document(&pages.swap_remove(0).content),
        Some(folder) => write(folder, &pages),
    }
}

/// Writes pages to a folder, which is made if it isn't there, and says where each is.
fn write(folder: &Path, pages: &[Page]) -> Exit {
    let refused = |path: &Path, error: io::Error| {
        output::complain(&printable(&format!("error: {} can't be written: {error}", path.display())));
        Exit::InvalidRequest
    };
    if let Err(error) = fs::create_dir_all(folder) {
        return refused(folder, error);
    }
    let mut exit = Exit::Done;
    for page in pages {
        let path = folder.join(&page.file_name);
        if let Err(error) = fs::write(&path, &page.content) {
            return refused(&path, error);
        }
        exit = output::print(&path.display().to_string(), exit);
        if exit != Exit::Done {
            break;
        }
    }
    exit
}

/// The program's own page, and then one for each command.
fn pages() -> io::Result<Vec<Page>> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    // From here on each command knows its whole name and the options that all have in common.
    program.build();
    let commands: Vec<_> = program.get_subcommands().cloned().collect();
    let source = program.render_version().trim().to_owned();
    std::iter::once(program).chain(commands).map(|command| page(command, &source)).collect()
}

fn page(mut command: Command, source: &str) -> io::Result<Page> {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let command = command.override_usage(usage).after_help(Resettable::Reset);
    let man = Man::new(command).date(NO_DATE).source(source);
    let mut content = Vec::new();
    man.render(&mut content)?;
    sections(&below).to_writer(&mut content)?;
    Ok(Page { file_name: man.get_filename(), content })
}

/// What stands below the options in the help, as sections; what is lined up there stays so.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    let mut in_notes = false;
    for block in after_help::blocks(text).filter(|block| *block != Block::Prose("")) {
        match block {
            Block::Prose(line) => {
                let (macro_name, heading) = if in_notes { ("PP", None) } else { ("SH", Some(NOTES)) };
                roff.control(macro_name, heading).text([roman(line)]);
                in_notes = true;
            }
            Block::Section { heading, lines } => {
                in_notes = false;
                roff.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
                for line in lines {
                    roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
                }
                roff.control("fi", []);
            }
        }
    }
    roff
}
