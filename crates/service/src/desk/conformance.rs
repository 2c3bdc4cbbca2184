//! What every desk must do, whatever it is kept in: run by the store's tests on each database.

mod biller;
mod cash;
mod complaint;
mod enrolment;
mod finance;
mod identification;
mod judgement;
mod reconcile;
mod recovery;
mod screening;
mod servers;
mod shop;
mod verifier;

use std::time::Duration;

use tacit_core::time::{Day, Timestamp};

use super::login::{
    ALREADY, Accepted, CredentialId, Invitation, InvitationHash, Label, LogIn, LoggedIn,
    PASSKEYS_MAX, Passkey, PasskeyAdded, PasskeyRemoved, Session, SessionHash, SessionKey,
};
use super::person::{
    Contact, FOUND_MAX, Iban, KycLevel, Name, Person, PersonId, PersonState, SignUp, SignedUp,
};
use super::staff::{Role, Staff, StaffChange, StaffChanged, StaffId};
use super::trail::{self, Action, Deed, Head};
use super::{DeskStore, Owner};
use crate::account::AccountId;

/// A check of a desk that nobody has used yet.
pub type Check = fn(&mut dyn DeskStore);

/// All checks, with what each says.
pub const CHECKS: &[(&str, Check)] = &[
    ("people sign up once, and are found by account and by the beginning of their name", people),
    ("whoever is closed has no way in, and is not opened again", judgement::closing),
    (
        "a judgement is on its way until the vault has it, and a later one takes its place",
        judgement::on_its_way,
    ),
    (
        "closing ends with the vault's word, and other decisions leave it alone or undo it",
        judgement::the_vaults_word,
    ),
    (
        "what a person waits for, and what staff did about them, is found by account and name",
        judgement::about,
    ),
    (
        "requests to be identified are made, seen and decided, and one account is one person's",
        identification::cases,
    ),
    ("a number stays with whose it is until compliance takes it off", identification::numbers_stay),
    (
        "a code for somebody's login opens by itself, by a second person, or not at all",
        recovery::logins,
    ),
    ("nobody tries more numbers than they may, and each is in the trail", recovery::tries),
    (
        "a new way in takes back what the lost one could do, and seen documents take it away",
        recovery::takes_the_place,
    ),
    ("a code lets one wallet ask for a passport, in its time", enrolment::codes),
    ("one account has one wallet's passport", enrolment::wallets),
    ("who begins again begins once, and the wallet before asks for no more", enrolment::again),
    ("complaints have numbers and deadlines, and are answered once", complaint::clocks),
    ("lists come whole or not at all, in the place of those before", screening::lists),
    (
        "everybody is screened once for each list, and what was cleared stays cleared",
        screening::hits,
    ),
    ("an account is in the vault once it is said to be", in_vault),
    ("sessions end by time, by hand and with their owner", sessions),
    ("passkeys are added, used and removed, and the last one stays", passkeys),
    ("an invitation works once, in its time, and takes the place of what was before", invitations),
    ("staff are told apart, change, go, and leave an admin behind", staff),
    ("each deed is in the trail with the commit that did it", deeds),
    ("what is refused leaves no trace", refusals),
    ("a shop is its owner's, once, and found by account and owner", shop::shops),
    (
        "a program's key counts until it is taken back or has ended, and there are so many",
        shop::keys,
    ),
    ("an order is begun once under its key, numbered, and never goes back", shop::orders),
    ("a refund counts once, when it is done; one that was refused is forgotten", shop::refunds),
    ("what was sold is summed by the day it was paid", shop::sales),
    ("what the vault tells is taken over once, and told to whoever wants to hear", shop::told),
    ("a delivery is tried at its time until it has arrived", shop::deliveries),
    ("what the bank booked is written down once", finance::bookings),
    ("bookings are listed by day", finance::lists),
    ("what a booking was for is said by one person at a time", finance::resolutions),
    ("what takes two waits for the second, and a mistake is taken back once", finance::two_people),
    ("an unclear booking is judged by a person, whose deed is kept", finance::unclear),
    ("payouts are approved by two and ordered once", finance::payouts),
    ("what goes back to its sender can be stopped until it may go", finance::send_back),
    ("files and the bank's balances are kept once, with the later word", reconcile::files),
    ("what the bank booked is summed by day, whatever became of it", reconcile::booked),
    ("what was owed on a day stays", reconcile::days),
    ("two servers that overtake each other leave the vault as the desk says", servers::payouts),
    ("what does not fit waits for a person, who is told once", servers::stuck),
    ("what goes back goes back once, however slow a server is", servers::send_back),
    ("what was said of a difference counts once somebody else approves", reconcile::explanations),
    ("whoever handed a file in does not judge its days", reconcile::handed_in),
    ("a licence takes two, is ended once, and other terms wait beside it", biller::licences),
    ("a licence has room for so many contracts, and ends them", biller::contracts),
    ("an agent is its owner's, is stopped and works again", cash::agents),
    ("a code for cash counts until it is called off, and a person has so many", cash::codes),
    ("one agent deals with a code, once, and the second click finds it done", cash::deals),
    ("a card opens an account, and is paid in with again and again", cash::cards),
    ("what has expired is ended, and what is done is forgotten in its time", cash::endings),
    ("a verifier is its owner's, is stopped and asks again", verifier::verifiers),
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn person(number: u8, called: &str) -> Person {
    Person {
        id: PersonId::from_bytes([number; 16]),
        account: AccountId::from_random([number; 8]),
        name: name(called),
        contact: None,
        iban: None,
        kyc: KycLevel::Unknown,
        state: PersonState::Open,
        national_number: None,
        opened: NOW.day(),
        is_in_vault: false,
    }
}

fn passkey(number: u8, owner: Owner) -> Passkey {
    Passkey {
        credential: CredentialId::new(vec![number; 20]).expect("20 bytes"),
        owner,
        record: "{}".to_owned(),
        label: Label::new("a device").expect("a label"),
        added: NOW.day(),
        last_used: None,
    }
}

fn session(number: u8, owner: Owner) -> Session {
    Session::begin(&SessionKey::from_random([number; 32]), owner, NOW)
}

/// A person with a passkey and a session, all of this number.
fn sign_up(desk: &mut dyn DeskStore, number: u8, called: &str) -> Owner {
    let person = person(number, called);
    let owner = Owner::Person(person.id);
    let sign_up =
        SignUp { person, passkey: passkey(number, owner), session: session(number, owner) };
    assert_eq!(desk.sign_up(&sign_up).expect("it answers"), SignedUp::Done, "{called}");
    owner
}

fn deed(action: Action, owner: Owner) -> Deed {
    Deed::about(NOW, None, action, owner)
}

fn invitation(number: u8, owner: Owner) -> Invitation {
    let expires = NOW.after(Duration::from_secs(3600));
    let hash = InvitationHash::from_bytes([number; 32]);
    Invitation { hash, owner, opens: Some(ALREADY), expires, by: None }
}

fn add_staff(desk: &mut dyn DeskStore, number: u8, called: &str, role: Role) -> Owner {
    let id = StaffId::from_bytes([number; 16]);
    let staff = Staff { id, name: name(called), role, is_active: true };
    let owner = Owner::Staff(id);
    let added =
        desk.add_staff(&staff, &invitation(number, owner), &deed(Action::StaffAdded, owner));
    assert!(added.expect("it answers"), "{called}");
    owner
}

fn people(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ångström");
    sign_up(desk, 2, "ada");
    sign_up(desk, 3, "Adam");
    let known = desk.person(PersonId::from_bytes([1; 16])).expect("it answers");
    assert_eq!(known, Some(person(1, "Ångström")));
    assert_eq!(desk.person_of_account(AccountId::from_random([1; 8])).expect("it answers"), known);
    assert_eq!(desk.person(PersonId::from_bytes([9; 16])).expect("it answers"), None);
    let found = |desk: &mut dyn DeskStore, text: &str| -> Vec<String> {
        let found = desk.find_people(text).expect("it answers");
        assert!(!found.is_cut);
        found.people.iter().map(|person| person.name.as_str().to_owned()).collect()
    };
    assert_eq!(found(desk, "AD"), ["ada", "Adam"]);
    assert_eq!(found(desk, "ADAM"), ["Adam"]);
    assert_eq!(found(desk, "ång"), ["Ångström"]);
    assert_eq!(found(desk, "d"), [""; 0]);
    assert_eq!(found(desk, "%"), [""; 0]);
    for number in 10..10 + u8::try_from(FOUND_MAX).expect("few") {
        sign_up(desk, number, "Zoe");
    }
    let all = desk.find_people("").expect("it answers");
    assert_eq!((all.people.len(), all.is_cut), (FOUND_MAX, true), "nobody lists them all");
    let Owner::Person(id) = owner else { panic!("a person") };
    let (contact, iban) = (Contact::new("a@b.example"), Iban::new("DE89370400440532013000"));
    let (contact, iban) = (contact.expect("a contact"), iban.expect("an IBAN"));
    assert!(desk.set_person_details(id, Some(&contact), Some(&iban)).expect("it answers"));
    let known = desk.person(id).expect("it answers").expect("there");
    assert_eq!((known.contact, known.iban), (Some(contact), Some(iban)));
    assert!(desk.set_person_details(id, None, None).expect("it answers"));
    assert_eq!(desk.person(id).expect("it answers"), Some(person(1, "Ångström")));
    let mut guest = person(40, "Guest");
    guest.national_number = Some([5; 32]);
    let taken_in = deed(Action::PersonTakenIn, Owner::Person(guest.id));
    assert_eq!(desk.take_in(&guest, &taken_in).expect("it answers"), SignedUp::Done);
    let again = Person { national_number: Some([5; 32]), ..person(41, "Guest again") };
    assert_eq!(desk.take_in(&again, &taken_in).expect("it answers"), SignedUp::Taken);
}

fn in_vault(desk: &mut dyn DeskStore) {
    sign_up(desk, 1, "Ada");
    sign_up(desk, 2, "Alan");
    let left = |desk: &mut dyn DeskStore| desk.not_in_vault(10).expect("it answers").len();
    assert_eq!(left(desk), 2);
    assert_eq!(desk.not_in_vault(1).expect("it answers").len(), 1);
    for _ in 0..2 {
        desk.set_in_vault(PersonId::from_bytes([1; 16])).expect("it answers");
        assert_eq!(left(desk), 1);
    }
}

fn sessions(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ada");
    let own = session(1, owner);
    let at = |desk: &mut dyn DeskStore, moment| desk.session(own.hash, moment).expect("it answers");
    assert_eq!(at(desk, NOW), Some(own));
    assert_eq!(at(desk, own.idle_until), None, "idle");
    let later = own.idle_until.after(Duration::from_secs(600));
    desk.keep_session(own.hash, later).expect("it answers");
    assert_eq!(at(desk, own.idle_until).map(|session| session.idle_until), Some(later));
    desk.keep_session(own.hash, own.idle_until).expect("it answers");
    assert_eq!(at(desk, NOW).map(|session| session.idle_until), Some(later), "never shorter");
    desk.keep_session(own.hash, own.ends.after(Duration::from_secs(9000))).expect("it answers");
    assert_eq!(at(desk, own.ends), None, "never beyond its end");
    let second = LogIn {
        credential: passkey(1, owner).credential,
        record: "{\"counter\":1}".to_owned(),
        day: Day::from_number(NOW.day().number() + 1),
        session: session(2, owner),
    };
    assert_eq!(desk.log_in(&second, None).expect("it answers"), LoggedIn::Done);
    let used = desk.passkey(&second.credential).expect("it answers").expect("there");
    assert_eq!((used.record.as_str(), used.last_used), ("{\"counter\":1}", Some(second.day)));
    desk.log_out(own.hash).expect("it answers");
    desk.log_out(own.hash).expect("twice is once");
    assert_eq!(at(desk, NOW), None);
    let third = LogIn { session: session(3, owner), ..second.clone() };
    assert_eq!(desk.log_in(&third, None).expect("it answers"), LoggedIn::Done);
    assert_eq!(desk.log_out_everywhere(owner).expect("it answers"), 2);
    assert_eq!(desk.session(second.session.hash, NOW).expect("it answers"), None);
    let fourth = LogIn { session: session(4, owner), ..second };
    assert_eq!(desk.log_in(&fourth, None).expect("it answers"), LoggedIn::Done);
    assert_eq!(desk.sweep(NOW).expect("it answers"), 0);
    assert_eq!(desk.sweep(own.ends).expect("it answers"), 1);
    assert_eq!(desk.session(SessionHash::from_bytes([9; 32]), NOW).expect("it answers"), None);
}

fn passkeys(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ada");
    let other = sign_up(desk, 2, "Alan");
    let own = session(1, owner).hash;
    let first = passkey(1, owner).credential;
    let remove = |desk: &mut dyn DeskStore, of, credential: &CredentialId| {
        desk.remove_passkey(of, credential, own, None).expect("it answers")
    };
    assert_eq!(remove(desk, owner, &first), PasskeyRemoved::Last);
    let add = |desk: &mut dyn DeskStore, passkey: &Passkey| {
        desk.add_passkey(passkey, None).expect("it answers")
    };
    assert_eq!(add(desk, &passkey(1, other)), PasskeyAdded::Taken, "whoever asks");
    for number in 3..u8::try_from(PASSKEYS_MAX).expect("few") + 2 {
        assert_eq!(add(desk, &passkey(number, owner)), PasskeyAdded::Done);
    }
    assert_eq!(add(desk, &passkey(99, owner)), PasskeyAdded::TooMany);
    assert_eq!(desk.passkeys(owner).expect("it answers").len(), PASSKEYS_MAX);
    assert_eq!(remove(desk, other, &first), PasskeyRemoved::Unknown, "not theirs");
    let elsewhere = LogIn {
        credential: first.clone(),
        record: "{}".to_owned(),
        day: NOW.day(),
        session: session(5, owner),
    };
    assert_eq!(desk.log_in(&elsewhere, None).expect("it answers"), LoggedIn::Done);
    assert_eq!(remove(desk, owner, &first), PasskeyRemoved::Done);
    assert!(desk.session(own, NOW).expect("it answers").is_some(), "the one that asked");
    assert!(desk.session(elsewhere.session.hash, NOW).expect("it answers").is_none());
    let too_late = LogIn { session: session(6, owner), ..elsewhere };
    assert_eq!(desk.log_in(&too_late, None).expect("it answers"), LoggedIn::Refused);
    let stranger =
        LogIn { session: session(7, other), credential: passkey(3, owner).credential, ..too_late };
    assert_eq!(desk.log_in(&stranger, None).expect("it answers"), LoggedIn::Refused, "not theirs");
}

fn invitations(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ada");
    let other = sign_up(desk, 2, "Alan");
    let invited = deed(Action::Invited, owner);
    let (first, second) = (invitation(1, owner), invitation(2, owner));
    for made in [first, second] {
        assert!(desk.invite(&made, &invited).expect("it answers"));
    }
    let known =
        |desk: &mut dyn DeskStore, hash, now| desk.invitation(hash, now).expect("it answers");
    assert_eq!(known(desk, first.hash, NOW), None, "a later one voids it");
    assert_eq!(known(desk, second.hash, NOW), Some(second));
    assert_eq!(known(desk, second.hash, second.expires), None, "a day is over");
    let accepted = deed(Action::InvitationAccepted, owner);
    let (new, opened) = (passkey(9, owner), session(9, owner));
    let accept = |desk: &mut dyn DeskStore, passkey: &Passkey, session: &Session, now| {
        desk.accept(second.hash, passkey, session, now, &accepted).expect("it answers")
    };
    assert_eq!(accept(desk, &new, &opened, second.expires), Accepted::Unknown);
    let of_other = (passkey(9, other), session(9, other));
    assert_eq!(accept(desk, &of_other.0, &of_other.1, NOW), Accepted::Unknown, "not theirs");
    assert_eq!(accept(desk, &passkey(2, owner), &opened, NOW), Accepted::Taken);
    assert_eq!(accept(desk, &new, &opened, NOW), Accepted::Done);
    assert_eq!(desk.passkeys(owner).expect("it answers"), [new], "the lost one is void");
    assert!(desk.session(session(1, owner).hash, NOW).expect("it answers").is_none());
    assert_eq!(desk.session(opened.hash, NOW).expect("it answers"), Some(opened));
    assert_eq!(accept(desk, &passkey(10, owner), &session(10, owner), NOW), Accepted::Unknown);
    let third = invitation(3, owner);
    assert!(desk.invite(&third, &invited).expect("it answers"));
    assert_eq!(desk.sweep(third.expires).expect("it answers"), 3, "it, and two sessions");
}

fn staff(desk: &mut dyn DeskStore) {
    let boss = add_staff(desk, 1, "Boss", Role::Admin);
    let teller = add_staff(desk, 2, "Tess", Role::Teller);
    let same = Staff {
        id: StaffId::from_bytes([3; 16]),
        name: name("Tess"),
        role: Role::Auditor,
        is_active: true,
    };
    let owner = Owner::Staff(same.id);
    let added = desk.add_staff(&same, &invitation(3, owner), &deed(Action::StaffAdded, owner));
    assert!(!added.expect("it answers"), "two of one name");
    assert_eq!(
        desk.staff_of_name(&name("Tess")).expect("it answers").map(|staff| staff.role),
        Some(Role::Teller)
    );
    assert_eq!(desk.staff_of_name(&name("tess")).expect("it answers"), None);
    let accepted = deed(Action::InvitationAccepted, teller);
    let (own, opened) = (passkey(2, teller), session(2, teller));
    let hash = invitation(2, teller).hash;
    let done = desk.accept(hash, &own, &opened, NOW, &accepted).expect("it answers");
    assert_eq!(done, Accepted::Done);
    let change = |desk: &mut dyn DeskStore, of: Owner, change| {
        let Owner::Staff(id) = of else { panic!("staff") };
        let deed = deed(Action::StaffRoleChanged, of);
        desk.change_staff(id, change, &deed).expect("it answers")
    };
    assert_eq!(change(desk, boss, StaffChange::Dismiss), StaffChanged::LastAdmin);
    assert_eq!(change(desk, boss, StaffChange::Role(Role::Teller)), StaffChanged::LastAdmin);
    assert_eq!(change(desk, teller, StaffChange::Role(Role::Teller)), StaffChanged::Nothing);
    assert_eq!(change(desk, teller, StaffChange::Role(Role::Admin)), StaffChanged::Done);
    assert!(desk.session(opened.hash, NOW).expect("it answers").is_none(), "logged out");
    assert_eq!(desk.passkeys(teller).expect("it answers").len(), 1, "and may come in again");
    assert_eq!(change(desk, boss, StaffChange::Dismiss), StaffChanged::Done);
    assert_eq!(change(desk, boss, StaffChange::Role(Role::Admin)), StaffChanged::Nothing);
    assert_eq!(change(desk, teller, StaffChange::Dismiss), StaffChanged::LastAdmin);
    let invited = desk.invite(&invitation(4, boss), &deed(Action::Invited, boss));
    assert!(!invited.expect("it answers"));
    let names: Vec<(String, bool)> = desk
        .all_staff()
        .expect("it answers")
        .into_iter()
        .map(|staff| (staff.name.as_str().to_owned(), staff.is_active))
        .collect();
    assert_eq!(names, [("Boss".to_owned(), false), ("Tess".to_owned(), true)]);
}

fn deeds(desk: &mut dyn DeskStore) {
    assert_eq!(desk.trail_head().expect("it answers"), Head::EMPTY);
    assert_eq!(desk.trail(1, 10).expect("it answers"), []);
    let boss = add_staff(desk, 1, "Boss", Role::Admin);
    let Owner::Staff(id) = boss else { panic!("staff") };
    let seen = Deed {
        moment: NOW,
        staff: Some(id),
        action: Action::PersonSeen,
        subject: "person 00".to_owned(),
        detail: "“why” – because\nof this".to_owned(),
    };
    for _ in 0..5 {
        desk.note(&seen).expect("it answers");
    }
    let head = desk.trail_head().expect("it answers");
    assert_eq!(trail::check(desk).expect("it answers"), Ok(head));
    assert_eq!(head.length, 6);
    let entries = desk.trail(2, 3).expect("it answers");
    assert_eq!(entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!((entries[0].staff, entries[0].detail.as_str()), (Some(id), seen.detail.as_str()));
}

/// Whatever is refused changes nothing: no person without a passkey, no passkey without its owner, no entry.
fn refusals(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ada");
    let newcomer = person(2, "Eve");
    let eve = Owner::Person(newcomer.id);
    let taken = SignUp { person: newcomer, passkey: passkey(1, eve), session: session(2, eve) };
    assert_eq!(desk.sign_up(&taken).expect("it answers"), SignedUp::Taken);
    assert_eq!(desk.person(PersonId::from_bytes([2; 16])).expect("it answers"), None);
    assert_eq!(desk.passkeys(owner).expect("it answers").len(), 1);
    let twin = Person { id: PersonId::from_bytes([3; 16]), ..person(1, "Twin") };
    let twin_owner = Owner::Person(twin.id);
    let taken =
        SignUp { person: twin, passkey: passkey(3, twin_owner), session: session(3, twin_owner) };
    assert_eq!(
        desk.sign_up(&taken).expect("it answers"),
        SignedUp::Taken,
        "one account, one person"
    );
    assert_eq!(desk.passkey(&passkey(3, twin_owner).credential).expect("it answers"), None);
    assert_eq!(desk.session(session(3, twin_owner).hash, NOW).expect("it answers"), None);
    let nobody = Owner::Staff(StaffId::from_bytes([8; 16]));
    let invited = desk.invite(&invitation(8, nobody), &deed(Action::Invited, nobody));
    assert!(!invited.expect("it answers"));
    assert_eq!(desk.trail_head().expect("it answers"), Head::EMPTY);
}
