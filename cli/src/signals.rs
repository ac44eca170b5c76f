//! The operator's wish that the program should end: Ctrl-C, and what else asks for it on this system.

use std::io;

use futures_util::stream::{self, Stream};

/// From when they are caught, these do not end the program by themselves: Ctrl-C; the signal by which service managers end a
/// program; and that of a terminal which is closed, unless whoever started the program had it ignored, as `nohup` does.
#[cfg(unix)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// When the system does not let them be caught.
    pub fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = SignalKind::hangup();
        // To catch it would undo that it is ignored.
        let hang_up = if is_left_alone(hang_up) { None } else { Some(signal(hang_up)?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hang_up })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let Self { interrupt, terminate, hang_up } = self;
        let hung_up = async {
            match hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => None,
            }
        };
        tokio::select! {
            Some(()) = interrupt.recv() => {}
            Some(()) = terminate.recv() => {}
            Some(()) = hung_up => {}
            else => std::future::pending().await,
        }
    }
}

impl Signals {
    /// All of them, as they come.
    pub fn into_stream(self) -> impl Stream<Item = ()> {
        stream::unfold(self, |mut signals| async {
            signals.next().await;
            Some(((), signals))
        })
    }
}

/// Makes a write fail, as on a full disk, where it exceeds the limit of a file's size. By default, a signal ends the program
/// then, and with it what is known of the cancellations under way.
///
/// # Errors
/// When the system does not let the signal be caught.
#[cfg(unix)]
pub fn survive_file_size_limit() -> io::Result<()> {
    // Once caught, it stays caught for as long as the program runs.
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(libc::SIGXFSZ)).map(drop)
}

/// Elsewhere, no signal ends the program for that.
#[cfg(not(unix))]
pub fn survive_file_size_limit() -> io::Result<()> {
    Ok(())
}

/// Whether a signal is ignored already, or may be for all that can be known here.
#[cfg(unix)]
fn is_left_alone(signal: tokio::signal::unix::SignalKind) -> bool {
    // Other systems tell only those who may use unsafe code.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_ignored(&status, signal.as_raw_value()).unwrap_or(true)
}

/// Whether a signal is ignored, from what Linux says of a process in `/proc`.
#[cfg(unix)]
fn is_ignored(status: &str, signal: i32) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    let bit = u32::try_from(signal).ok()?.checked_sub(1)?;
    Some(mask.checked_shr(bit)? & 1 == 1)
}

/// From when they are caught, Ctrl-C and Ctrl-Break do not end the program by themselves.
#[cfg(windows)]
pub struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    stop: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// When the system does not let them be caught.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()?, stop: tokio::signal::windows::ctrl_break()? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            Some(()) = self.interrupt.recv() => {}
            Some(()) = self.stop.recv() => {}
            else => std::future::pending().await,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_is_ignored_is_told_from_one_that_is_not() {
        let status = "Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n";
        let told = [1, 2, 12, 13, 64].map(|signal| is_ignored(status, signal));
        assert_eq!(told, [Some(true), Some(false), Some(false), Some(true), Some(false)]);
        assert_eq!((is_ignored("Name:\tx\n", 1), is_ignored(status, 0), is_ignored(status, 65)), (None, None, None));
    }
}
