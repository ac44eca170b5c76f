//! The runtime, and the threads and descriptors that a command needs: they are asked for before anything begins, so that a
//! system that has too few of them is told in a line. Later, some of what is used here would panic or wait for ever.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::arguments::Command;

/// Two, so that calls continue while one thread waits for standard output.
const WORKERS: usize = 2;
/// The workers, one for what blocks, and at most three that a command starts: the stand-in's and those that write.
const THREADS: usize = WORKERS + 4;
/// How long the thread for what blocks is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer than any run: that thread stays, since another one may not be had later.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How many descriptors a command needs: for the runtime, signals, certificates, files, and both ends of its connections.
pub fn descriptors(command: &Command) -> usize {
    match command {
        Command::Batch(_) => 128,
        _ => 32,
    }
}

/// Makes the runtime, where so many descriptors can be had.
///
/// # Errors
/// With what the system does not give, and how to see why.
pub fn make(count: usize) -> Result<Runtime, String> {
    let pairs: io::Result<Vec<_>> = (0..count.div_ceil(2)).map(|_| io::pipe()).collect();
    drop(
        pairs.map_err(|error| {
            format!("the system does not let {count} files be open at once: {error}; see `ulimit -n`")
        })?,
    );
    let too_few = |error: String| {
        format!("the system does not let {THREADS} threads run: {error}; see `ulimit -u` and `ulimit -v`")
    };
    try_threads().map_err(|error| too_few(error.to_string()))?;
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(WORKERS).thread_keep_alive(FOR_EVER).enable_all();
    // What was to be had a moment ago may be gone, and then making a runtime can panic.
    let runtime = panic::catch_unwind(AssertUnwindSafe(move || builder.build()))
        .unwrap_or_else(|_| Err(io::Error::other("it panicked")))
        .map_err(|error| format!("no runtime can be made: {error}"))?;
    let blocking = runtime.spawn_blocking(|| ());
    let started = runtime.block_on(async { tokio::time::timeout(PATIENCE, blocking).await });
    match started {
        Ok(Ok(())) => Ok(runtime),
        Ok(Err(_)) | Err(_) => {
            runtime.shutdown_background();
            Err(too_few("one that was to be had is gone".to_owned()))
        }
    }
}

/// Starts as many threads as are needed, all at once, and lets them end.
fn try_threads() -> io::Result<()> {
    let start = |_| {
        let (hold, held) = mpsc::channel::<()>();
        let thread = thread::Builder::new().spawn(move || held.recv().ok())?;
        Ok((hold, thread))
    };
    let threads: Vec<_> = (0..THREADS).map(start).collect::<io::Result<_>>()?;
    for (hold, thread) in threads {
        drop(hold);
        let _ = thread.join();
    }
    Ok(())
}
