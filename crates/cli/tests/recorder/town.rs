//! A demo server with a shop that bills, and people with accounts: one of them is paid wages every month.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_ecash::point::PointBytes;
use tacit_server::server::Parts;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::desk::Owner;
use tacit_service::desk::biller::{Granted, LicenceProposal, LicenceTerms};
use tacit_service::desk::enrolment::{EnrolmentCode, Offer};
use tacit_service::desk::login::{CredentialId, Label, Passkey, Session, SessionKey};
use tacit_service::desk::merchant::{ApiKey, ApiKeyText, Merchant, NamingSecret, Scope, Scopes};
use tacit_service::desk::person::{
    KycLevel, Name, Person, PersonId, PersonState, SignUp, SignedUp,
};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::posting::{Assignee, EntryId, Posting, Source};
use tacit_service::vault::{Change, Outcome, StoreError, VaultStore};

use crate::demo::Demo;

/// Who has a wallet, by number.
pub(crate) const NAMES: [&str; 3] = ["Ada", "Ben", "Cy"];
/// Whoever is paid wages.
const EARNER: u8 = 0;
/// Wages in the first month, in cents.
const WAGES: u64 = 211_000;
/// What each month brings more.
const RISE: u64 = 9_000;

/// A shop that may bill, the people, and their wages as the months go by.
pub(crate) fn found(parts: &mut Parts) {
    shop(parts);
    for number in 0..3 {
        settle(parts, number);
    }
    let store = std::mem::replace(&mut parts.store, Box::new(Payroll::default()));
    parts.store = Box::new(Payroll { store: Some(store), paid: None, months: 0 });
}

/// Units of income that the months bring, from the first on.
pub(crate) fn wages(month: u64) -> u64 {
    (WAGES + month * RISE) / 1_000
}

fn now() -> Timestamp {
    Timestamp::from_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

fn unit() -> Unit {
    Unit::new("usd").unwrap()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

fn account(number: u8) -> AccountId {
    AccountId::from_random([0xa0 + number; 8])
}

fn code(number: u8) -> EnrolmentCode {
    EnrolmentCode::from_random([0xc0 + number; 16])
}

/// The code of a person's passport, as the portal shows it.
pub(crate) fn code_of(number: u8) -> String {
    code(number).reveal()
}

/// A person with an account and a code.
fn settle(parts: &mut Parts, number: u8) {
    let id = PersonId::from_bytes(random());
    let owner = Owner::Person(id);
    let name = Name::new(NAMES[usize::from(number)]).unwrap();
    let person = Person {
        kyc: KycLevel::Unknown,
        state: PersonState::Open,
        is_in_vault: true,
        ..Person::newcomer(id, account(number), name, now().day())
    };
    let passkey = Passkey {
        credential: CredentialId::new(random::<32>().to_vec()).unwrap(),
        owner,
        record: "{}".to_owned(),
        label: Label::new("phone").unwrap(),
        added: now().day(),
        last_used: None,
    };
    let session = Session::begin(&SessionKey::from_random(random()), owner, now());
    let desk = parts.desk[0].as_mut();
    assert_eq!(desk.sign_up(&SignUp { person, passkey, session }).unwrap(), SignedUp::Done);
    let expires = now().after(Duration::from_secs(3600));
    let offered = desk.offer_enrolment(id, Offer::Same, code(number).hash(), expires).unwrap();
    assert!(offered.is_some());
    let level = Level::new(Level::MAX).unwrap();
    let (kind, state) = (HolderKind::Customer, HolderState::Open);
    let holder = Holder { id: account(number), kind, level, state, key: None };
    parts.store.commit(&[Change::OpenHolder(holder)], now()).unwrap();
}

/// A shop with a licence to bill, and its key.
fn shop(parts: &mut Parts) {
    let secret = secp256k1::SecretKey::from_byte_array([7; 32]).unwrap();
    let account = AccountId::from_random([9; 8]);
    let merchant = Merchant {
        account,
        name: Name::new("Municipal Water").unwrap(),
        owner: PersonId::from_bytes(random()),
        unit: unit(),
        key: PointBytes::from(secret.public_key(secp256k1::SECP256K1)),
        naming: NamingSecret::new([3; 32]),
        webhook: None,
        webhook_secret: Secret::new([4; 32]),
        opened: now().day(),
        is_in_vault: false,
    };
    let store = parts.desk[0].as_mut();
    assert!(store.register(&merchant).unwrap());
    let key = ApiKey {
        hash: ApiKeyText::from_random([1; 32]).hash(),
        merchant: account,
        label: Label::new("till").unwrap(),
        scopes: Scopes::new(&Scope::ALL).unwrap(),
        added: now().day(),
        expires: Day::from_number(now().day().number() + 3_650),
        is_revoked: false,
    };
    assert!(store.add_api_key(&key).unwrap());
    let terms = LicenceTerms { floor: 500, contracts_max: 9 };
    let (one, other) = (StaffId::from_bytes([71; 16]), StaffId::from_bytes([72; 16]));
    let deed = |action, staff| Deed {
        moment: now(),
        staff: Some(staff),
        action,
        subject: "shop".to_owned(),
        detail: String::new(),
    };
    let proposal = LicenceProposal { merchant: account, terms, by: one, day: now().day() };
    assert!(store.propose_licence(&proposal, &deed(Action::LicenceProposed, one)).unwrap());
    let granted = deed(Action::LicenceGranted, other);
    assert_eq!(store.grant_licence(account, terms, other, &granted).unwrap(), Granted::Done);
}

/// The vault, and somebody who pays wages into it: with the first commit of each month.
#[derive(Default)]
struct Payroll {
    store: Option<Box<dyn VaultStore>>,
    /// The month that was paid last.
    paid: Option<Epoch>,
    /// How many were paid.
    months: u64,
}

impl VaultStore for Payroll {
    fn commit(&mut self, batch: &[Change], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        let store = self.store.as_mut().expect("the vault");
        let month = Epoch::of(now);
        if self.paid != Some(month) {
            let (entry, unit) = (EntryId::from_bytes(random()), unit());
            let (holder, source) = (account(EARNER), Source::Others);
            let to = Assignee::Holder { holder, limits: None, source };
            let amount = WAGES + self.months * RISE;
            let paid = [
                Change::Post(Posting::Arrived { entry, unit, amount }),
                Change::Post(Posting::Assign { entry, unit, to }),
            ];
            store.commit(&paid, now)?;
            (self.paid, self.months) = (Some(month), self.months + 1);
        }
        store.commit(batch, now)
    }
}

/// Asks the desk with the shop's key.
fn ask(demo: &Demo, path: &str, body: &Value) -> Value {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let address = demo.address();
    let port = address.rsplit(':').next().unwrap();
    let sent = ureq::post(format!("http://{address}{path}"))
        .header("host", format!("desk.localhost:{port}"))
        .header("authorization", format!("Bearer {}", ApiKeyText::from_random([1; 32]).reveal()))
        .header("idempotency-key", ASKED.fetch_add(1, Ordering::Relaxed).to_string())
        .header("content-type", "application/json")
        .send(body.to_string());
    let text = sent.unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A contract of the shop's: its number and its code.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) id: String,
    pub(crate) code: String,
}

pub(crate) fn contract(demo: &Demo, what: &str) -> Agreement {
    let told = ask(demo, "/api/v1/contracts", &json!({"description": what}));
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    Agreement { id: text("id"), code: text("code") }
}

/// A bill that is due on the 20th of a month.
pub(crate) fn bill(demo: &Demo, of: &Agreement, month: Epoch, amount: u64) {
    let bill = json!({"contract": of.id, "amount": amount, "due": format!("{month}-20")});
    ask(demo, "/api/v1/bills", &json!({"bills": [bill]}));
}

/// The demo clock: what the passport desk says of it, to the hour.
fn clock(demo: &Demo) -> Timestamp {
    let url = format!("http://{}/v1/passport", demo.address());
    let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    let info: Value = serde_json::from_str(&text).unwrap();
    Timestamp::from_seconds(info["now"].as_u64().unwrap())
}

pub(crate) fn month(demo: &Demo) -> Epoch {
    Epoch::of(clock(demo))
}

/// Lets days pass until this day of a month: of the present one if it is still to come, else of the next.
pub(crate) fn until(demo: &Demo, day: u64) {
    let now = clock(demo).day();
    let of_month = |days: u64| {
        let at = Day::from_number(now.number() + days).to_string();
        at.rsplit('-').next().unwrap().parse::<u64>().unwrap()
    };
    let days = (1..=31).find(|days| of_month(*days) == day).unwrap();
    demo.advance(days);
}
