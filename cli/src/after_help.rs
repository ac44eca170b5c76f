//! What stands below the options in the help of the commands, and as sections of its own in their man pages.
//!
//! A text is blocks with an empty line between them. A block is prose, all of it on one line, so that it wraps wherever
//! the terminal ends; or a heading with a colon and below it indented lines, which stay as they are. Those are short enough
//! for 80 columns also where a man page indents them more. All of it is ASCII, which every reader of man pages takes.

pub const MAIN: &str = "\
Credentials come from the environment, never from the command line, where others could see them.

Environment:
  FEISHU_APP_ID               id of a custom app, and
  FEISHU_APP_SECRET           its secret; or instead of both
  FEISHU_TENANT_ACCESS_TOKEN  a token obtained elsewhere
  FEISHU_BASE_URL             where to call, unless --base-url does
  HTTPS_PROXY                 proxy to call through: http://, socks5://
                              or socks5h://; else ALL_PROXY
  NO_PROXY                    hosts that are called without it
  SSL_CERT_FILE               on Linux: authorities to trust instead of the
                              system's
  LC_ALL, LC_MESSAGES, LANG   language of the advice, unless --lang does
  RUST_LOG                    what is logged on standard error; else warn
  NO_COLOR                    if set, no colours, on a terminal either

Exit status:
  0  done
  1  refused by the platform
  2  wrong arguments or environment
  3  credentials refused
  4  network failure, or not known whether it took effect
  5  a defect of this program, output that can't be written, or too
     little left of the system

Try it without credentials, on the embedded stand-in:
  cancel-onboard cancel 1111111111 --type candidate-declined --sandbox";

pub const CANCEL: &str = "\
Examples:
  cancel-onboard cancel 1111111111 --type candidate-declined \\
      --notes 'took another offer'
  cancel-onboard cancel 1111111111 --type company-rejected \\
      --reason-id 6959090661225640001 --check-reasons --sandbox";

pub const BATCH: &str = "\
FILE as CSV has the columns application_id and termination_type and, if you like, termination_reason_ids, with ; between \
several, and termination_reason_notes, in any order. As JSON Lines, each line has application_id and the fields of the \
endpoint's request body. It is checked whole before anything is sent.

With --output json, standard output has the final line of each application as it is put on record, and standard error the \
summary. Of an application that has ended, the report's word holds, even if its line in FILE has changed since.

The first line of REPORT names the origin and the app. --resume continues a report of the same ones only, and changes no other \
file. It tries again what has not ended, what failed without an answer of the platform, for a reason that passes, or because of \
credentials or a permission; with --retry-rejected also what the platform refused for good.

Ten in a row that end without an answer of the platform stop the run, as refused credentials do, and so does a report that is \
removed or can't be written.

Ctrl-C once, SIGTERM, or SIGHUP unless it is ignored (nohup): nothing new is begun, and what is under way ends and is put on \
record. Press twice to stop immediately.

Exit status (the first that applies; 5 if output can't be written):
  130  interrupted
  2    wrong arguments, file, report or environment, or the report was
       lost during the run
  3    credentials refused
  4    of some it is not known whether they took effect, or nothing of
       the platform answered
  1    some are not done
  0    all are done

Example, on the embedded stand-in:
  printf 'application_id,termination_type\\n1111111111,other\\n' > freeze.csv
  cancel-onboard batch freeze.csv --report freeze.jsonl --sandbox";

pub const REASONS: &str = "\
In the CSV, a cell that a spreadsheet could take for a formula begins with an apostrophe. Import the column of ids as text: \
as numbers they are too long for a spreadsheet to keep every digit.

Examples:
  cancel-onboard reasons --type candidate-declined
  cancel-onboard reasons --all --output csv > reasons.csv";

pub const EXPLAIN: &str = "\
Example:
  cancel-onboard explain 1002910";

pub const SANDBOX: &str = "\
Example, in one shell:
  cancel-onboard sandbox --port 8099

And in another one, with the lines that the first one printed:
  cancel-onboard cancel 1111111111 --type other";

pub const CHECK_DOCS: &str = "\
With --output json each document gives one line: {\"ok\",\"spec\",\"page\",\"drift\":[...]}, or where the page can't be checked, \
{\"ok\":false,\"spec\",\"page\",\"error\":{\"message\"}}.

Exit status (with --all, the highest of those of the documents):
  0  no drift
  1  drift
  2  wrong arguments, or the page can't be read or is another one
  4  the page can't be had over the network

Examples:
  cancel-onboard check-docs
  cancel-onboard check-docs page.md --output json";

pub const COMPLETIONS: &str = "\
Examples:
  cancel-onboard completions bash > \\
      ~/.local/share/bash-completion/completions/cancel-onboard
  cancel-onboard completions zsh > \"${fpath[1]}/_cancel-onboard\"
  cancel-onboard completions fish > \\
      ~/.config/fish/completions/cancel-onboard.fish";

pub const MAN: &str = "\
`man cancel-onboard` looks in ~/.local/share/man only if ~/.local/bin is in PATH; otherwise, \
`man -M ~/.local/share/man cancel-onboard` finds the page.

Examples:
  cancel-onboard man --dir ~/.local/share/man/man1
  cancel-onboard man | man -l -";

/// A part of such a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Block<'a> {
    Prose(&'a str),
    Section { heading: &'a str, lines: Vec<&'a str> },
}

/// The parts of such a text, in their order.
pub fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    text.split("\n\n").map(|block| match block.split_once(":\n") {
        Some((heading, lines)) => Block::Section { heading, lines: lines.lines().collect() },
        None => Block::Prose(block),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_of_prose_on_one_line_and_headings_with_indented_lines() {
        for text in [MAIN, CANCEL, BATCH, REASONS, EXPLAIN, SANDBOX, CHECK_DOCS, COMPLETIONS, MAN] {
            assert!(text.is_ascii());
            for block in blocks(text) {
                match &block {
                    Block::Prose(line) => assert!(!line.contains('\n') && !line.starts_with(' '), "{block:?}"),
                    Block::Section { heading, lines } => {
                        assert!(!heading.contains('\n') && !lines.is_empty(), "{block:?}");
                        assert!(lines.iter().all(|line| line.starts_with("  ") && line.len() <= 75), "{block:?}");
                    }
                }
            }
        }
    }
}
