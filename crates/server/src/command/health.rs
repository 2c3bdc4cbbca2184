//! `tacitd health`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

/// How long to wait for each part of an answer.
const WAIT: Duration = Duration::from_secs(3);

/// Ask a running mint whether it can work: for containers, which have no other client
///
/// Asks for `/ready` without TLS, on listener.operator or, where the mint speaks no TLS, wherever it listens. Exits 0
/// if changes can be committed, else 1.
#[derive(clap::Args)]
pub(crate) struct Health {
    /// Where the mint listens
    #[arg(value_name = "ADDR:PORT", default_value = "127.0.0.1:3338")]
    address: String,
}

pub(crate) fn run(args: &Health, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let answer = ask(&args.address).with_context(|| format!("{} does not answer", args.address))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("the mint is not ready: {status}");
    }
    writeln!(stdout, "ready")?;
    Ok(ExitCode::SUCCESS)
}

fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    stream.write_all(b"GET /ready HTTP/1.0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
