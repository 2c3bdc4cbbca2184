//! A wire between a client and a server that can be cut, at any moment or at a chosen one.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// When the wire is cut next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// Not at all.
    Never = 0,
    /// When a commit is asked for, before the server hears of it.
    BeforeCommit = 1,
    /// When a commit was asked for, before its answer is heard.
    AfterCommit = 2,
}

/// The wire. Connections through it end with it.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    cut: AtomicU8,
    /// How often it was cut.
    cuts: AtomicUsize,
    is_dead: AtomicBool,
    wires: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A wire to a server on this machine.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            server,
            cut: AtomicU8::new(0),
            cuts: AtomicUsize::new(0),
            is_dead: AtomicBool::new(false),
            wires: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.is_dead.load(Ordering::SeqCst) {
                    return;
                }
                accepting.carry(client);
            }
        });
        Self { port, shared }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the wire once, at the next such moment.
    pub fn cut_at(&self, cut: Cut) {
        self.shared.cut.store(cut as u8, Ordering::SeqCst);
    }

    /// Cuts every connection there is, wherever it is.
    pub fn cut_all(&self) {
        let wires = std::mem::take(&mut *self.shared.wires.lock().expect("no panic"));
        for wire in &wires {
            _ = wire.shutdown(Shutdown::Both);
        }
        self.shared.cuts.fetch_add(usize::from(!wires.is_empty()), Ordering::SeqCst);
    }

    /// How often it was cut.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_dead.store(true, Ordering::SeqCst);
        self.cut_all();
        _ = TcpStream::connect(("127.0.0.1", self.port)); // Wakes the thread that accepts.
    }
}

impl Shared {
    fn carry(self: &Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else { return };
        for wire in [&client, &server] {
            _ = wire.set_nodelay(true);
        }
        let copies =
            [client.try_clone(), server.try_clone(), client.try_clone(), server.try_clone()];
        let [Ok(listed), Ok(listed_too), Ok(back), Ok(from)] = copies else { return };
        self.wires.lock().expect("no panic").extend([listed, listed_too]);
        let shared = Arc::clone(self);
        std::thread::spawn(move || shared.forth(client, server));
        std::thread::spawn(move || pass(from, back, |_| true));
    }

    /// From the client to the server, with an eye on commits.
    fn forth(&self, client: TcpStream, server: TcpStream) {
        let (near, far) = (client.try_clone(), server.try_clone());
        let (Ok(near), Ok(far)) = (near, far) else { return };
        let sever = || {
            self.cuts.fetch_add(1, Ordering::SeqCst);
            _ = near.shutdown(Shutdown::Both);
        };
        pass(client, server, |sent| {
            // A commit is a message of its own: `Q`, its length, the word.
            let is_commit = sent.windows(7).any(|part| part == b"COMMIT\0");
            let cut = self.cut.load(Ordering::SeqCst);
            if !is_commit || cut == Cut::Never as u8 {
                return true;
            }
            self.cut.store(Cut::Never as u8, Ordering::SeqCst);
            sever();
            if cut == Cut::AfterCommit as u8 {
                // The server hears of it, and answers to nobody.
                _ = (&far).write_all(sent);
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            false
        });
    }
}

/// Passes on what comes, until an end hangs up or `may_pass` says no.
fn pass(mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || !may_pass(&buffer[..length]) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    _ = from.shutdown(Shutdown::Both);
    _ = to.shutdown(Shutdown::Both);
}
