//! Codes that lead people back to their accounts: when they open, who stops them, what they take the place of.

use std::time::Duration;

use tacit_core::time::Timestamp;

use super::super::identification::{CaseId, Document, Seen, Sighting, TRIES_MAX, TRIES_SPAN};
use super::super::login::{Accepted, INVITATION_LIFE, Invitation, InvitationHash};
use super::super::person::{PersonId, SignedUp};
use super::super::recovery::{DELAY, LoginConfirmed, LoginRequest, LoginRequested};
use super::super::staff::StaffId;
use super::super::trail::Action;
use super::super::{DeskStore, Owner};
use super::{NOW, deed, passkey, person, session, shop, sign_up};

const TESS: StaffId = StaffId::from_bytes([101; 16]);
const TIM: StaffId = StaffId::from_bytes([102; 16]);

fn id(owner: Owner) -> PersonId {
    PersonId::from_bytes(owner.id())
}

fn hash(number: u8) -> InvitationHash {
    InvitationHash::from_bytes([number; 32])
}

/// A code of this number for somebody, made by Tess.
fn request(
    desk: &mut dyn DeskStore,
    of: Owner,
    number: u8,
    shown: Option<u8>,
    now: Timestamp,
) -> LoginRequested {
    let number_shown = shown.map(|shown| [shown; 32]);
    let request =
        LoginRequest { hash: hash(number), person: id(of), number: number_shown, by: TESS, now };
    desk.request_login(&request).expect("it answers")
}

fn made(requested: LoginRequested) -> Invitation {
    let LoginRequested::Made(invitation) = requested else { panic!("{requested:?}") };
    invitation
}

fn see(
    desk: &mut dyn DeskStore,
    of: Owner,
    number: u8,
    by: Option<StaffId>,
    now: Timestamp,
) -> Seen {
    let sighting = Sighting {
        person: id(of),
        case: CaseId::from_bytes([number; 16]),
        number: [number; 32],
        document: Document::Passport,
        by,
        now,
    };
    desk.see_document(&sighting).expect("it answers")
}

/// Comes in with the code of this number, and a passkey of the same.
fn accept(desk: &mut dyn DeskStore, of: Owner, number: u8, now: Timestamp) -> Accepted {
    let accepted = deed(Action::InvitationAccepted, of);
    let (passkey, session) = (passkey(number, of), session(number, of));
    desk.accept(hash(number), &passkey, &session, now, &accepted).expect("it answers")
}

fn confirm(desk: &mut dyn DeskStore, number: u8, by: StaffId, now: Timestamp) -> LoginConfirmed {
    desk.confirm_login(hash(number), by, now).expect("it answers")
}

fn waiting(desk: &mut dyn DeskStore, now: Timestamp) -> Vec<InvitationHash> {
    let found = desk.unconfirmed_logins(now, 9).expect("it answers");
    found.into_iter().map(|(invitation, _)| invitation.hash).collect()
}

/// What the trail says of somebody, the latest first.
fn deeds(desk: &mut dyn DeskStore, of: Owner) -> Vec<String> {
    let entries = desk.trail_about(&of.to_string(), None, 20).expect("it answers");
    entries.into_iter().map(|entry| format!("{} {}", entry.action, entry.detail)).collect()
}

pub(super) fn logins(desk: &mut dyn DeskStore) {
    let (ada, alan) = (sign_up(desk, 1, "Ada"), sign_up(desk, 2, "Alan"));
    let nobody = Owner::Person(PersonId::from_bytes([9; 16]));
    assert_eq!(request(desk, nobody, 11, None, NOW), LoginRequested::Unknown);
    // Of level 0: a day later, while the holder can stop it.
    let first = made(request(desk, ada, 11, None, NOW));
    assert_eq!((first.opens, first.by), (Some(NOW.after(DELAY)), Some(TESS)));
    assert_eq!(desk.requested_login(id(ada), NOW).expect("it answers"), Some(first));
    assert_eq!(accept(desk, ada, 11, NOW), Accepted::Unknown, "it is not good yet");
    assert!(desk.session(session(1, ada).hash, NOW).expect("it answers").is_some());
    assert!(desk.stop_login(id(ada), NOW).expect("it answers"));
    assert!(!desk.stop_login(id(ada), NOW).expect("it answers"), "once");
    assert_eq!(accept(desk, ada, 11, NOW.after(DELAY)), Accepted::Unknown, "it was stopped");
    assert_eq!(desk.requested_login(id(ada), NOW).expect("it answers"), None);
    assert_eq!(
        deeds(desk, ada),
        ["invitation-stopped by the account's holder", "invited in-a-day"]
    );
    made(request(desk, ada, 12, None, NOW));
    assert_eq!(accept(desk, ada, 12, NOW.after(DELAY)), Accepted::Done, "nobody stopped it");
    // Identified: never by itself, and never by whoever made it.
    assert_eq!(see(desk, alan, 7, Some(TIM), NOW), Seen::Done);
    let second = made(request(desk, alan, 13, Some(7), NOW));
    assert_eq!(second.opens, None);
    assert_eq!(waiting(desk, NOW), [hash(13)]);
    let late = NOW.after(INVITATION_LIFE - Duration::from_secs(1));
    assert_eq!(accept(desk, alan, 13, late), Accepted::Unknown);
    assert_eq!(confirm(desk, 13, TESS, late), LoginConfirmed::Own);
    assert_eq!(confirm(desk, 14, TIM, late), LoginConfirmed::Unknown, "another");
    assert_eq!(confirm(desk, 13, TIM, late), LoginConfirmed::Done);
    assert_eq!(confirm(desk, 13, TIM, late), LoginConfirmed::Unknown, "once");
    assert_eq!(waiting(desk, late), []);
    let good = desk.invitation(hash(13), late).expect("it answers").expect("there");
    assert_eq!(good.expires, late.after(INVITATION_LIFE), "there is time to use it");
    assert_eq!(accept(desk, alan, 13, late), Accepted::Done);
    assert_eq!(
        deeds(desk, alan),
        [
            "invitation-accepted ",
            "invitation-confirmed ",
            "invited once-confirmed",
            "document-seen passport"
        ]
    );
    // Replaced, stopped or too late, it is not confirmed.
    made(request(desk, alan, 15, Some(7), NOW));
    made(request(desk, alan, 16, Some(7), NOW));
    assert_eq!(confirm(desk, 15, TIM, NOW), LoginConfirmed::Unknown, "another took its place");
    assert_eq!(confirm(desk, 16, TIM, NOW.after(INVITATION_LIFE)), LoginConfirmed::Unknown);
    assert!(desk.stop_login(id(alan), NOW).expect("it answers"));
    assert_eq!(confirm(desk, 16, TIM, NOW), LoginConfirmed::Unknown);
    // Whoever was taken in today has nothing to take, and gets a login at once; nobody sees it later.
    let taken_in = person(3, "Emil");
    let emil = Owner::Person(taken_in.id);
    let in_today = desk.take_in(&taken_in, &deed(Action::PersonTakenIn, emil));
    assert_eq!(in_today.expect("it answers"), SignedUp::Done);
    let tomorrow = NOW.after(Duration::from_secs(24 * 3600));
    assert_eq!(made(request(desk, emil, 17, None, tomorrow)).opens, None);
    assert!(made(request(desk, emil, 18, None, NOW)).is_open(NOW));
    assert_eq!(waiting(desk, NOW), [], "nobody need confirm it");
    assert_eq!(accept(desk, emil, 18, NOW), Accepted::Done);
    with_a_card(desk);
}

/// Cash may have come in today, and there is a way in: the card's link.
fn with_a_card(desk: &mut dyn DeskStore) {
    let guest = person(4, "Guest");
    let link = super::invitation(19, Owner::Person(guest.id));
    let opened = desk.open_at_agent(&guest, &link, &super::cash::card(4));
    assert_eq!(opened.expect("it answers"), SignedUp::Done);
    let guest = Owner::Person(guest.id);
    for number in [20, 21] {
        assert_eq!(made(request(desk, guest, number, None, NOW)).opens, None, "{number}");
    }
}

pub(super) fn tries(desk: &mut dyn DeskStore) {
    let (ada, alan) = (sign_up(desk, 1, "Ada"), sign_up(desk, 2, "Alan"));
    assert_eq!(see(desk, ada, 5, Some(TESS), NOW), Seen::Done, "what fits is no try");
    let before = desk.trail_head().expect("it answers").length;
    assert_eq!(request(desk, ada, 11, None, NOW), LoginRequested::Differs, "none was shown");
    assert_eq!(request(desk, ada, 11, Some(6), NOW), LoginRequested::Differs);
    assert_eq!(see(desk, ada, 6, Some(TESS), NOW), Seen::Differs);
    assert_eq!(see(desk, alan, 5, Some(TESS), NOW), Seen::Taken);
    made(request(desk, ada, 12, Some(5), NOW));
    for number in 5..TRIES_MAX {
        assert_eq!(request(desk, ada, 13, Some(6), NOW), LoginRequested::Differs, "{number}");
    }
    assert_eq!(desk.trail_head().expect("it answers").length, before + TRIES_MAX);
    assert_eq!(request(desk, ada, 14, Some(5), NOW), LoginRequested::TooMany);
    assert_eq!(see(desk, alan, 7, Some(TESS), NOW), Seen::TooMany);
    assert_eq!(desk.trail_head().expect("it answers").length, before + TRIES_MAX);
    assert_eq!(see(desk, alan, 7, Some(TIM), NOW), Seen::Done, "each has their own");
    assert_eq!(see(desk, alan, 8, None, NOW), Seen::Differs, "nor is a provider a teller");
    let later = NOW.after(TRIES_SPAN + Duration::from_secs(1));
    made(request(desk, ada, 15, Some(5), later));
}

pub(super) fn takes_the_place(desk: &mut dyn DeskStore) {
    let ada = sign_up(desk, 1, "Ada");
    let (own, of_another) = (shop::register(desk, 1), shop::register(desk, 2));
    let keys = [shop::key(&own, 1), shop::key(&of_another, 2)];
    for key in &keys {
        assert!(desk.add_api_key(key).expect("it answers"));
    }
    made(request(desk, ada, 11, None, NOW));
    let later = NOW.after(DELAY);
    let are_good = |desk: &mut dyn DeskStore| {
        keys.each_ref().map(|key| desk.api_key(key.hash, NOW).expect("it answers").is_some())
    };
    assert_eq!(are_good(desk), [true, true], "a code alone ends nothing");
    assert_eq!(accept(desk, ada, 11, later), Accepted::Done);
    assert_eq!(are_good(desk), [false, true], "whoever has the lost device may have made hers");
    assert_eq!(desk.passkeys(ada).expect("it answers").len(), 1);
    // A code that was made while nobody was known does not lead to somebody who is.
    made(request(desk, ada, 12, None, later));
    assert_eq!(see(desk, ada, 5, Some(TIM), later), Seen::Done);
    assert_eq!(desk.requested_login(id(ada), later).expect("it answers"), None);
    assert_eq!(accept(desk, ada, 12, later.after(DELAY)), Accepted::Unknown);
}
