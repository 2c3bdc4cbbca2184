//! `tacitd` as a service: what it tells whoever started it, and what it is asked.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::tempdir;

use crate::support::process::{Tacitd, free_address, run, serve, tacitd};

fn pid(child: &std::process::Child) -> Pid {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap()
}

#[test]
fn systemd_is_told_when_the_mint_is_ready_and_when_it_stops_and_a_hangup_stops_nothing() {
    let data = tempdir().unwrap();
    let socket = data.path().join("notify");
    let told = UnixDatagram::bind(&socket).unwrap();
    told.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let next = || {
        let mut said = [0; 256];
        let length = told.recv(&mut said).unwrap();
        String::from_utf8(said[..length].to_vec()).unwrap()
    };
    let listen = free_address().to_string();
    let mut child = serve(&data.path().join("data"), &["--demo", "--listen", &listen])
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(next().trim_end(), "READY=1");
    let healthy = || run(tacitd().args(["health", &listen]));
    assert_eq!((healthy().code, healthy().stdout.as_str()), (Some(0), "ready\n"));
    kill_process(pid(&child), Signal::HUP).unwrap();
    assert_eq!(healthy().code, Some(0));
    kill_process(pid(&child), Signal::TERM).unwrap();
    assert_eq!(next().trim_end(), "STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let gone = healthy();
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains("does not answer"), "{gone:?}");
}

#[test]
fn a_mint_without_tls_speaks_to_its_own_machine_unless_that_is_said() {
    let data = tempdir().unwrap();
    let file = data.path().join("tacit.toml");
    std::fs::write(&file, "[[unit]]\nunit = 'usd'\n").unwrap();
    let check = |more: &[&str]| {
        let mut command = tacitd();
        command.args(["config", "check", "--listen", "0.0.0.0:3338", "--config"]).arg(&file);
        run(command.args(more))
    };
    let refused = check(&[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("--insecure-http"), "{refused:?}");
    assert_eq!(check(&["--insecure-http"]).code, Some(0));
    assert_eq!(check(&["--demo"]).code, Some(0));
    let mint = Tacitd::start(&data.path().join("data"));
    let there = run(tacitd().args(["health", &mint.address.to_string()]));
    assert_eq!(there.code, Some(0));
}
