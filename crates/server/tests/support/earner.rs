//! People with accounts who were paid last month, made in the desk and the vault of a server before it starts.

use tacit_core::hex;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_server::random::bytes;
use tacit_server::server::Parts;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::desk::enrolment::{AccessKey, CODE_LIFE, EnrolmentCode, HolderPoint, Offer};
use tacit_service::desk::login::{CredentialId, Label, Passkey, Session, SessionKey};
use tacit_service::desk::person::{Name, Person, PersonId, SignUp, SignedUp};
use tacit_service::desk::{DeskStore, Owner};
use tacit_service::posting::{Assignee, EntryId, Posting, Source};
use tacit_service::vault::Change;

/// What each was paid.
const PAID: u64 = 100_000;
/// The same in a passport's units.
pub const UNITS: u16 = 100;
/// Accounts opened in one commit.
const TOGETHER: usize = 200;

/// Somebody who was paid.
pub struct Earner {
    id: PersonId,
    /// What opens an account's income to the wallet that has its passport; it counts after [`Earner::enrol`].
    pub access: String,
    code: EnrolmentCode,
}

fn random<const N: usize>() -> [u8; N] {
    bytes().expect("the machine has random numbers")
}

/// So many people, each paid in the month before `now`.
pub fn settle(parts: &mut Parts, count: usize, now: Timestamp) -> Vec<Earner> {
    let mut paid = now.day();
    while Epoch::of(paid.start()) == Epoch::of(now) {
        paid = Day::from_number(paid.number() - 1);
    }
    let mut earners = Vec::new();
    let accounts: Vec<AccountId> = (0..count).map(|_| AccountId::from_random(random())).collect();
    for some in accounts.chunks(TOGETHER) {
        let changes: Vec<Change> = some.iter().flat_map(|account| wages(*account)).collect();
        parts.store.commit(&changes, paid.start()).unwrap();
        let desk = parts.desk[0].as_mut();
        earners.extend(some.iter().map(|account| sign_up(desk, *account, now)));
    }
    earners
}

fn wages(account: AccountId) -> [Change; 3] {
    let (entry, unit) = (EntryId::from_bytes(random()), Unit::new("usd").unwrap());
    let to = Assignee::Holder { holder: account, limits: None, source: Source::Others };
    let (kind, state) = (HolderKind::Customer, HolderState::Open);
    let level = Level::new(Level::MAX).unwrap();
    [
        Change::OpenHolder(Holder { id: account, kind, level, state, key: None }),
        Change::Post(Posting::Arrived { entry, unit, amount: PAID }),
        Change::Post(Posting::Assign { entry, unit, to }),
    ]
}

fn sign_up(desk: &mut dyn DeskStore, account: AccountId, now: Timestamp) -> Earner {
    let id = PersonId::from_bytes(random());
    let owner = Owner::Person(id);
    let newcomer = Person::newcomer(id, account, Name::new("Somebody").unwrap(), now.day());
    let passkey = Passkey {
        credential: CredentialId::new(random::<16>().to_vec()).unwrap(),
        owner,
        record: "{}".to_owned(),
        label: Label::new("phone").unwrap(),
        added: now.day(),
        last_used: None,
    };
    let session = Session::begin(&SessionKey::from_random(random()), owner, now);
    let person = Person { is_in_vault: true, ..newcomer };
    let done = desk.sign_up(&SignUp { person, passkey, session }).unwrap();
    assert_eq!(done, SignedUp::Done);
    Earner { id, access: hex::encode(&random::<32>()), code: EnrolmentCode::from_random(random()) }
}

impl Earner {
    /// Takes a code for a wallet, and says which.
    pub fn take_code(&self, desk: &mut dyn DeskStore, now: Timestamp) -> String {
        let expires = now.after(CODE_LIFE);
        let offered = desk.offer_enrolment(self.id, Offer::Same, self.code.hash(), expires);
        offered.unwrap().expect("the account is open");
        self.code.reveal()
    }

    /// Lets some wallet have asked for the passport: its access key counts from now on.
    pub fn enrol(&self, desk: &mut dyn DeskStore, now: Timestamp) {
        self.take_code(desk, now);
        let access = self.access.parse::<AccessKey>().unwrap().hash();
        let holder = HolderPoint::from_bytes(random());
        desk.begin_enrolment(self.code.hash(), holder, access, now).unwrap().unwrap();
    }
}
