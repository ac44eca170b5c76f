//! `cancel-onboard batch`: what it sends, what it puts on record, and what it says, whatever happens to it.

use test_support::raw_server;

mod command;
mod file;
mod first_line;
mod input;
mod reasons;
mod report;
mod resume;
#[cfg(unix)]
mod signals;
mod summary;
#[cfg(target_os = "linux")]
mod waits;
mod wear;
