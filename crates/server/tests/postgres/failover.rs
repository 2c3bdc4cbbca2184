//! A group of three under Patroni loses its leader under load, twice; the lost node comes back in between.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::time::{sleep, timeout};

use crate::group::Group;
use crate::support::client::Client;
use crate::support::process::{Tacitd, free_address, run, tacitd};
use crate::worker::{Crew, WORKERS, outstanding};
use crate::{reader, share};

const LOSSES: usize = 2;
/// Patroni misses a leader after 20 seconds; the rest is for a machine that does much besides.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long until a mint opens a quote, which is a commit.
async fn until_served(address: SocketAddr) -> Duration {
    let begun = Instant::now();
    let mut client = Client::new(address);
    while begun.elapsed() < PATIENCE {
        let body = Bytes::from(r#"{"amount": 8, "unit": "usd"}"#);
        let asked = client.try_post_bytes("/usd/v1/mint/quote/bank", body);
        if let Ok(Ok(answer)) = timeout(PATIENCE, asked).await
            && answer.status == StatusCode::OK
        {
            return begun.elapsed();
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the mint at {address} does not come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only patroni"]
async fn nothing_is_lost_when_the_leader_is_killed_under_patroni() {
    let mut group = Group::start();
    let url = group.url();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start =
        |at: usize| Tacitd::start_with(folders[at].path(), free_address(), &["--vault-url", &url]);
    let first = start(0);
    share(&folders);
    let mints = [first, start(1)];
    let addresses = mints.each_ref().map(|mint| mint.address);
    let crew = Crew::at(&addresses).await;
    for loss in 1..=LOSSES {
        sleep(Duration::from_secs(3)).await;
        let lost = group.leader().expect("one leads");
        group.kill(lost);
        let served = tokio::join!(until_served(addresses[0]), until_served(addresses[1]));
        let next = group.leader().expect("one leads");
        assert_ne!(lost, next, "another took over");
        println!("loss {loss}: node {lost} led, node {next} leads; without service: {served:.1?}");
        sleep(Duration::from_secs(3)).await;
        group.run(lost);
        group.await_whole();
    }
    sleep(Duration::from_secs(1)).await;
    let (tally, left) = crew.finish().await;
    println!("{tally:?}");
    assert!(tally.swaps > 10 * WORKERS && tally.melts > 0, "there was load: {tally:?}");
    let books = run(tacitd().arg("verify").arg(folders[0].path()).args(["--vault-url", &url]));
    assert_eq!(books.code, Some(0), "{books:?}");
    assert_eq!(outstanding(reader(&url)), left, "what is outstanding is what the wallets have");
    for mint in mints {
        let done = mint.terminate();
        assert_eq!(done.code, Some(0), "{done:?}");
    }
}
