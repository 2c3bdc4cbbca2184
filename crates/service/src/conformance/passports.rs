//! Checks of what the passport desk must not forget.

use tacit_credit::passport::epoch::Epoch;

use crate::conformance::rig::Rig;
use crate::passport::{
    AnswerError, Bucket, FOR_GOOD, Name, PreparedAnswer, RequestDigest, key_epoch,
};
use crate::vault::{Change, Outcome};

fn names(things: &[u8]) -> Vec<Name> {
    things.iter().map(|thing| Name::of("serial", &[*thing; 32])).collect()
}

/// An answer to a request that shows some things.
fn answer(request: u8, things: &[u8], reply: &[u8]) -> PreparedAnswer {
    PreparedAnswer {
        names: names(things),
        bucket: Bucket::new(things[0].into()),
        digest: RequestDigest::of(&[request]),
        reply: reply.to_vec(),
        sealed: vec![request; 5],
        keys: 0,
    }
}

fn answered(reply: &[u8]) -> Outcome {
    Outcome::Answered(Ok(reply.to_vec()))
}

fn shown(index: usize) -> Outcome {
    Outcome::Answered(Err(AnswerError::Shown { index }))
}

/// The same bytes get the reply that was given first, whatever was made for them since; in one batch, and after a restart.
pub fn a_request_is_answered_once_and_again(rig: &mut Rig) {
    let change = |reply: &[u8]| Change::Answer(answer(1, &[1, 2, 3], reply));
    assert_eq!(rig.commit(&[change(b"one"), change(b"two")]), [answered(b"one"), answered(b"one")]);
    assert_eq!(rig.commit_one(change(b"three")), answered(b"one"));
    rig.restart();
    assert_eq!(rig.commit_one(change(b"four")), answered(b"one"));
}

/// A serial under other bytes is a second use, wherever it stands in the request, and nothing of that request counts.
pub fn what_was_shown_is_answered_to_nothing_else(rig: &mut Rig) {
    assert_eq!(rig.commit_one(Change::Answer(answer(1, &[1, 2], b"one"))), answered(b"one"));
    assert_eq!(rig.commit_one(Change::Answer(answer(2, &[1, 3], b"two"))), shown(0));
    assert_eq!(rig.commit_one(Change::Answer(answer(3, &[4, 2], b"three"))), shown(1));
    assert_eq!(
        rig.commit_one(Change::Answer(answer(4, &[5, 5], b"four"))),
        shown(1),
        "one thing twice"
    );
    rig.restart();
    assert_eq!(rig.commit_one(Change::Answer(answer(2, &[1, 3], b"two"))), shown(0));
    // What a refused request showed beside it is as good as before.
    assert_eq!(rig.commit_one(Change::Answer(answer(5, &[3, 4, 5], b"five"))), answered(b"five"));
}

/// Bytes that were answered for one thing are no request for another, as when two accounts send the same to be enrolled; in one
/// batch, and after a restart.
pub fn one_request_is_answered_for_one_thing(rig: &mut Rig) {
    let (one, other) = (answer(1, &[1], b"one"), answer(1, &[2], b"other"));
    let batch = [Change::Answer(one), Change::Answer(other.clone())];
    assert_eq!(rig.commit(&batch), [answered(b"one"), shown(0)]);
    rig.restart();
    assert_eq!(rig.commit_one(Change::Answer(other)), shown(0));
    assert_eq!(rig.commit_one(Change::Answer(answer(2, &[2], b"two"))), answered(b"two"));
}

/// What shows nothing and uses nothing up leaves nothing behind.
pub fn an_answer_without_names_is_not_kept(rig: &mut Rig) {
    let blank = PreparedAnswer { bucket: Bucket::new(7), ..answer(1, &[1], b"blank") };
    let blank =
        |reply: &[u8]| PreparedAnswer { names: vec![], reply: reply.to_vec(), ..blank.clone() };
    let batch = [Change::Answer(blank(b"one")), Change::Answer(blank(b"two"))];
    assert_eq!(rig.commit(&batch), [answered(b"one"), answered(b"two")]);
    assert!(rig.bed().reader().answers(Bucket::new(7), None, 10).expect("readable").is_empty());
}

/// As parallel requests do.
pub fn of_two_requests_that_show_the_same_one_is_answered(rig: &mut Rig) {
    let batch = [
        Change::Answer(answer(1, &[1, 2], b"one")),
        Change::Answer(answer(2, &[3, 2], b"two")),
        Change::Answer(answer(3, &[3], b"three")),
    ];
    assert_eq!(rig.commit(&batch), [answered(b"one"), shown(1), answered(b"three")]);
}

/// What is known of a name is told before any proof is checked.
pub fn what_was_shown_is_found_with_its_reply(rig: &mut Rig) {
    let one = answer(1, &[1, 2], b"one");
    rig.commit_one(Change::Answer(one.clone()));
    let reader = rig.bed().reader();
    let found = reader.shown(&names(&[9, 2, 1])).expect("readable");
    assert_eq!(found, [None, Some(one.digest), Some(one.digest)]);
    assert_eq!(reader.shown(&[]).expect("readable"), []);
    assert_eq!(reader.reply(one.digest).expect("readable").as_deref(), Some(&b"one"[..]));
    assert_eq!(reader.reply(RequestDigest::of(b"other")).expect("readable"), None);
}

/// Nobody can show a passport of keys that were retired, so what was shown under them is dropped; that an account has had a
/// passport, never.
pub fn what_was_shown_under_retired_keys_is_dropped(rig: &mut Rig) {
    let now = key_epoch(Epoch::of(rig.now));
    for (request, keys) in [(1, now - 2), (2, now - 1), (3, now), (4, FOR_GOOD)] {
        rig.commit_one(Change::Answer(PreparedAnswer {
            keys,
            ..answer(request, &[request], b"kept")
        }));
    }
    rig.commit_one(Change::Tick);
    let reader = rig.bed().reader();
    let found = reader.shown(&names(&[1, 2, 3, 4])).expect("readable");
    let kept: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(kept, [false, true, true, true]);
    assert_eq!(reader.reply(RequestDigest::of(&[1])).expect("readable"), None);
    assert!(reader.answers(Bucket::new(1), None, 10).expect("readable").is_empty());
    assert_eq!(reader.answers(Bucket::new(2), None, 10).expect("readable").len(), 1);
}

/// A bucket is read a page at a time, each answer once.
pub fn a_bucket_is_read_page_by_page(rig: &mut Rig) {
    let bucket = Bucket::new(5);
    for request in 1..=5 {
        let kept = PreparedAnswer { bucket, ..answer(request, &[request], b"kept") };
        rig.commit_one(Change::Answer(kept));
    }
    let reader = rig.bed().reader();
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = reader.answers(bucket, after, 2).expect("readable");
        let Some(last) = page.last() else { break };
        after = Some(last.request);
        found.extend(page.iter().map(|kept| kept.sealed[0]));
    }
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4, 5]);
}

/// A wallet that lost a reply finds it in the bucket of the first name, with what it sealed for itself.
pub fn a_lost_reply_is_found_in_its_bucket(rig: &mut Rig) {
    let (one, other) = (answer(1, &[1, 2], b"one"), answer(2, &[3], b"two"));
    let bucket = one.bucket;
    rig.commit(&[Change::Answer(one.clone()), Change::Answer(other.clone())]);
    let found = rig.bed().reader().answers(bucket, None, 10).expect("readable");
    let kept: Vec<_> = found.iter().map(|kept| (kept.reply.clone(), kept.sealed.clone())).collect();
    assert_eq!(kept, [(one.reply, one.sealed)]);
    assert_eq!(rig.bed().reader().answers(bucket, None, 0).expect("readable").len(), 0);
    let empty = Bucket::new(u16::MAX);
    assert!(rig.bed().reader().answers(empty, None, 10).expect("readable").is_empty());
}
