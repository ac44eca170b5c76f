//! Proxies on raw sockets, which lead wherever the test says, whatever they are asked for.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What a proxy does with whoever asks it for a connection.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Connects them with this address.
    Lead(SocketAddr),
    /// Answers so: an HTTP status, or the code of a SOCKS reply.
    Refuse(u16),
    /// Ends the connection without an answer.
    Close,
}

/// A proxy; it ends when it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// One that speaks HTTP.
    pub async fn http(does: Does) -> Self {
        Self::start(move |stream, asked| http(stream, asked, does)).await
    }

    /// One that speaks SOCKS5 and wants no password.
    pub async fn socks5(does: Does) -> Self {
        Self::start(move |stream, asked| socks5(stream, asked, does)).await
    }

    async fn start<F>(serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&log)));
            }
        });
        Self { address, asked, task }
    }

    /// What it was asked for so far: the heads of requests, or the names of hosts.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics with it").clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn http(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, does: Does) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    asked.lock().expect("no test panics with it").push(String::from_utf8_lossy(&head).into_owned());
    match does {
        Does::Lead(to) => {
            let mut server = TcpStream::connect(to).await?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            copy_bidirectional(&mut stream, &mut server).await.map(drop)
        }
        Does::Refuse(status) => {
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 4\r\n\r\nno.\n");
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
        Does::Close => stream.shutdown().await,
    }
}

async fn socks5(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, does: Does) -> io::Result<()> {
    let (_version, methods) = (stream.read_u8().await?, stream.read_u8().await?);
    stream.read_exact(&mut vec![0; methods.into()]).await?;
    stream.write_all(&[5, 0]).await?;
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let name = match request[3] {
        3 => {
            let mut name = vec![0; stream.read_u8().await?.into()];
            stream.read_exact(&mut name).await?;
            String::from_utf8_lossy(&name).into_owned()
        }
        kind => {
            stream.read_exact(&mut vec![0; if kind == 1 { 4 } else { 16 }]).await?;
            "an address".to_owned()
        }
    };
    stream.read_u16().await?;
    asked.lock().expect("no test panics with it").push(name);
    let reply = |code: u8| [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
    match does {
        Does::Lead(to) => {
            let mut server = TcpStream::connect(to).await?;
            stream.write_all(&reply(0)).await?;
            copy_bidirectional(&mut stream, &mut server).await.map(drop)
        }
        Does::Refuse(code) => {
            stream.write_all(&reply(code.to_le_bytes()[0])).await?;
            stream.shutdown().await
        }
        Does::Close => stream.shutdown().await,
    }
}
