//! The recorder: a proxy between each wallet and the server, which keeps every byte of both.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Whose wallet it was: what the test knows, and nobody who records.
    pub(crate) person: usize,
    pub(crate) asked: Message,
    pub(crate) told: Message,
}

/// One side's words.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// `POST /v1/passport/tick HTTP/1.1`, or `HTTP/1.1 200 OK`.
    pub(crate) line: String,
    /// Names in small letters, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    pub(crate) fn method(&self) -> &str {
        self.asked.line.split(' ').next().unwrap_or_default()
    }

    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        self.asked.line.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.told.line.contains(" 200 ")
    }
}

/// All that was said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Arc<Mutex<Vec<Exchange>>>);

impl Tape {
    /// A proxy for one person's wallet to the server at `HOST:PORT`; its address.
    pub(crate) fn listen(&self, person: usize, server: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tape = self.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tape, server) = (tape.clone(), server.clone());
                std::thread::spawn(move || _ = tape.serve(person, stream, &server));
            }
        });
        format!("http://{address}")
    }

    /// A tunnel (RFC 9110, section 9.3.6), listened to.
    fn serve(&self, person: usize, mut wallet: TcpStream, server: &str) -> std::io::Result<()> {
        wallet.set_nodelay(true)?;
        let Some((_, opened)) = read(&mut wallet)? else { return Ok(()) };
        assert!(opened.line.starts_with("CONNECT "), "{opened:?}");
        wallet.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let mut server = TcpStream::connect(server)?;
        server.set_nodelay(true)?;
        while let Some((bytes, asked)) = read(&mut wallet)? {
            server.write_all(&bytes)?;
            let Some((bytes, told)) = read(&mut server)? else { return Ok(()) };
            self.lock().push(Exchange { person, asked, told });
            wallet.write_all(&bytes)?;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.lock().clone()
    }
}

/// A message, as bytes and taken apart; `None` at the end of the connection.
fn read(stream: &mut TcpStream) -> std::io::Result<Option<(Vec<u8>, Message)>> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes.clone()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<(String, String)> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    assert!(headers.iter().all(|(name, _)| name != "transfer-encoding"), "{head}");
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    bytes.extend(&body);
    Ok(Some((bytes, Message { line, headers, body })))
}
