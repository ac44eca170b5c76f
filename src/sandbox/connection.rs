//! Connections that can be made to end without a proper answer.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection, and the means to cut it.
pub(super) struct Connection {
    stream: TcpStream,
    cut: Cut,
}

/// What cuts a connection: the next answer written to it is not sent.
#[derive(Clone, Default)]
pub(super) struct Cut(Arc<Mutex<Option<LastWords>>>);

struct LastWords {
    bytes: Bytes,
    reset: bool,
}

impl Cut {
    /// Ends the connection in place of the next answer, by a reset.
    pub fn reset(&self) {
        self.end(LastWords { bytes: Bytes::new(), reset: true });
    }

    /// Sends these bytes in place of the next answer, then ends the connection in order.
    pub fn end_with(&self, bytes: Bytes) {
        self.end(LastWords { bytes, reset: false });
    }

    fn end(&self, words: LastWords) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }
}

impl Connection {
    /// A connection that is whole, with what cuts it.
    pub fn new(stream: TcpStream) -> (Self, Cut) {
        let cut = Cut::default();
        // Answers are small: without this, the second one on a connection waits for the acknowledgement of the first.
        let _ = stream.set_nodelay(true);
        (Self { stream, cut: cut.clone() }, cut)
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, cut } = &mut *self;
        let mut cut = cut.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(words) = &mut *cut else {
            return Pin::new(stream).poll_write(context, bytes);
        };
        while !words.bytes.is_empty() {
            let sent = ready!(Pin::new(&mut *stream).poll_write(context, &words.bytes))?;
            words.bytes.advance(sent);
        }
        if words.reset {
            stream.set_zero_linger()?;
        }
        // The server drops a connection that fails, which closes the socket.
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
