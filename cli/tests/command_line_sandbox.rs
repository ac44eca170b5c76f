//! `cancel-onboard sandbox` serves whether or not anybody reads what it prints, says what it did not print, and ends when it is
//! told to.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// So many calls with so long a path that neither a pipe nor any queue of a sensible size holds all lines.
const CALLS: usize = 2000;
const PATH: usize = 2000;

/// A sandbox whose first lines have been read, and nothing else.
struct Sandbox {
    child: Child,
    stdout: Option<ChildStdout>,
    address: String,
}

impl Sandbox {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cancel-onboard"))
            .env_clear()
            .arg("sandbox")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut stdout = child.stdout.take().expect("it is piped");
        // Byte by byte, so that nothing is read beyond them.
        let mut head = Vec::new();
        while head.iter().filter(|byte| **byte == b'\n').count() < 3 {
            let mut byte = [0];
            stdout.read_exact(&mut byte).expect("it prints three lines");
            head.extend(byte);
        }
        let head = String::from_utf8(head).expect("it is text");
        let url = head.lines().next().and_then(|line| line.strip_prefix("export FEISHU_BASE_URL=http://"));
        let address = url.expect("the first line has the URL").to_owned();
        Self { child, stdout: Some(stdout), address }
    }

    /// Makes calls on one connection, each of which must be answered.
    fn call(&self, calls: usize) {
        let mut connection = BufReader::new(TcpStream::connect(&self.address).expect("it listens"));
        let path = "x".repeat(PATH);
        for _ in 0..calls {
            let request = format!("GET /{path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", self.address);
            connection.get_mut().write_all(request.as_bytes()).expect("it reads");
            let (mut line, mut length) = (String::new(), 0);
            connection.read_line(&mut line).expect("it answers");
            assert!(line.starts_with("HTTP/1.1 404 "), "{line}");
            while line != "\r\n" {
                line.clear();
                assert_ne!(connection.read_line(&mut line).expect("it answers"), 0, "the head has an end");
                if let Some((name, value)) = line.split_once(": ")
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().expect("a length is a number");
                }
            }
            connection.read_exact(&mut vec![0; length]).expect("the answer has a body");
        }
    }

    /// Sends a signal; gives what is still to be read of standard output, and standard error, when it has ended.
    fn end(mut self, signal: &str) -> (Option<i32>, String, String) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("a signal can be sent").success());
        let status = self.child.wait().expect("it ends");
        let (mut out, mut err) = (String::new(), String::new());
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_string(&mut out).expect("it is text");
        }
        if let Some(stderr) = &mut self.child.stderr {
            stderr.read_to_string(&mut err).expect("it is text");
        }
        (status.code(), out, err)
    }
}

/// How many lines it says that it did not print.
fn said_unprinted(stderr: &str) -> usize {
    let lines = stderr.lines().filter_map(|line| line.strip_prefix("warning: "));
    let counts = lines.filter_map(|line| line.split_once(" lines were not printed")?.0.parse::<usize>().ok());
    counts.sum()
}

#[test]
fn when_nobody_reads_it_serves_and_ends_by_either_signal_and_counts_what_it_dropped() {
    for signal in ["-INT", "-TERM"] {
        let sandbox = Sandbox::start();
        sandbox.call(CALLS);
        let (status, out, err) = sandbox.end(signal);
        assert_eq!(status, Some(0), "{signal}: {err}");
        let printed = out.matches('\n').count();
        assert!(printed > 0 && printed < CALLS, "{printed}");
        assert_eq!(printed + said_unprinted(&err), CALLS, "{err}");
    }
}

#[test]
fn when_somebody_reads_again_it_says_how_many_lines_are_missing_and_prints_the_rest() {
    let mut sandbox = Sandbox::start();
    sandbox.call(CALLS);
    let (lines, read) = mpsc::channel();
    let stdout = sandbox.stdout.take().expect("nobody else reads it");
    let reader = thread::spawn(move || {
        let read = BufReader::new(stdout).lines().map_while(Result::ok);
        read.for_each(|line| drop(lines.send(line)));
    });
    let stderr = BufReader::new(sandbox.child.stderr.take().expect("it is piped"));
    let (notes, noted) = mpsc::channel();
    let teller = thread::spawn(move || {
        stderr.lines().map_while(Result::ok).for_each(|line| drop(notes.send(line)));
    });
    let mut calls = CALLS;
    let missing = loop {
        // There is room for the line of a later call.
        sandbox.call(1);
        calls += 1;
        let said: String = noted.try_iter().map(|line| line + "\n").collect();
        if said_unprinted(&said) > 0 {
            break said_unprinted(&said);
        }
    };
    let (status, _, _) = sandbox.end("-TERM");
    reader.join().expect("no panic");
    teller.join().expect("no panic");
    assert_eq!(status, Some(0));
    let missing = missing + said_unprinted(&noted.try_iter().map(|line| line + "\n").collect::<String>());
    assert_eq!(read.try_iter().count() + missing, calls);
}

#[test]
fn when_the_reader_has_left_it_serves_all_the_same() {
    let mut sandbox = Sandbox::start();
    drop(sandbox.stdout.take());
    sandbox.call(CALLS);
    let (status, _, err) = sandbox.end("-TERM");
    assert_eq!(status, Some(0), "{err}");
    assert_eq!(err.matches("standard output has no reader any more").count(), 1, "{err}");
}

#[cfg(target_os = "linux")]
#[test]
fn when_its_output_can_not_be_written_nobody_can_know_where_to_call() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    let output = Command::new(env!("CARGO_BIN_EXE_cancel-onboard")).env_clear().arg("sandbox").stdout(full).output();
    let output = output.expect("the binary runs");
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output can't be written"), "{output:?}");
}
