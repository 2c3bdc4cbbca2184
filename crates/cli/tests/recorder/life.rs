//! Wallets, and the lives that they live: income, bills, months, certificates, and a lost file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tacit_core::amount::Amount;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::{Contract, Standing};
use tacit_credit::scorecard::signed::SignedCard;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::bills::{Agreed, PayBill, TakeOn};
use tacit_wallet::operation::keysets::Keysets;
use tacit_wallet::operation::mint::{Mint, Quote};
use tacit_wallet::operation::passport::{Affairs, Certifying, Done, Wish};
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::passport::bills::Link;
use tacit_wallet::seed::{Seed, Words};
use tacit_wallet::state::State;
use tacit_wallet::transport::{Answer, Bearer};

use crate::demo::Demo;
use crate::net::{Net, Settings};
use crate::tape::Tape;
use crate::town::{self, Agreement};

/// Months that are lived through.
pub(crate) const MONTHS: u16 = 24;
/// The age in months that certificates are asked for, and how often: every so many months.
const TENURE: u16 = 3;
/// What each wallet has minted at a time, in cents.
pub(crate) const PURSE: u64 = 1_000_000;

/// What the bills are for, of Ada's contracts and of Ben's, in cents.
pub(crate) const AMOUNTS: [[u64; 2]; 2] = [[71_000, 97_000], [43_000, 58_000]];

/// A person's wallet, and what only it knows.
pub(crate) struct Person {
    seed: Seed,
    state: State,
    net: Net,
    desk: MintUrl,
    number: u8,
    contracts: Vec<Contract>,
    bins: Bins,
    card: SignedCard,
    /// Its standing and score after each month.
    pub(crate) past: Vec<(Standing, u16)>,
    pub(crate) certificates: u16,
}

fn random() -> Secret<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    Secret::new(bytes)
}

impl Person {
    pub(crate) fn new(demo: &Demo, tape: &Tape, number: u8) -> Self {
        let proxy = tape.listen(usize::from(number), demo.address());
        let timeout = Duration::from_secs(60);
        let settings = Settings { proxy: Some(proxy), timeout, is_insecure: false };
        let mut entropy = [0; 16];
        getrandom::fill(&mut entropy).unwrap();
        let url = format!("http://{}/v1/passport/scorecard", demo.address());
        let card = ureq::get(&url).call().unwrap().body_mut().read_to_vec().unwrap();
        let card = SignedCard::read(&card).unwrap();
        Self {
            seed: Words::from_entropy(&entropy).seed(),
            state: State::default(),
            net: Net::new(settings).unwrap(),
            desk: demo.desk().parse().unwrap(),
            number,
            contracts: Vec::new(),
            bins: Bins::of_card(card.card()).unwrap(),
            card,
            past: Vec::new(),
            certificates: 0,
        }
    }

    /// Drives an operation to its end.
    fn drive<T>(&mut self, mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<T>) -> T {
        let mut answer = None;
        loop {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let now = Timestamp::from_seconds(since.as_secs());
            let wallet = Wallet { seed: &self.seed, state: &self.state, now };
            match step(wallet, answer.take()) {
                Yield::Persist(batch) => self.state.apply(&batch).unwrap(),
                Yield::Send(request) => answer = Some(self.net.send(&request).unwrap()),
                Yield::Done(result) => return result,
            }
        }
    }

    fn wish(&mut self, wish: Wish) -> Done {
        let mut affairs = Affairs::new(self.desk.clone(), wish, random());
        self.drive(|wallet, answer| affairs.step(wallet, answer)).unwrap()
    }

    pub(crate) fn standing(&self) -> &Standing {
        self.state.passports()[&self.desk].held().unwrap().standing()
    }

    pub(crate) fn score(&self) -> u16 {
        self.bins.score(self.standing())
    }

    pub(crate) fn enrol(&mut self) {
        let code = Bearer::new(&town::code_of(self.number)).unwrap();
        self.wish(Wish::Enrol { code });
    }

    /// Takes a contract on, and has money where its bills are paid.
    pub(crate) fn take_on(&mut self, agreement: &Agreement) {
        let link: Link = agreement.code.parse().unwrap();
        let mut take = TakeOn::new(self.desk.clone(), link);
        let contract = self.drive(|wallet, answer| take.step(wallet, answer)).unwrap();
        self.contracts.push(contract);
    }

    /// Has e-cash minted, unless there is enough.
    fn fund(&mut self, mint: &MintUrl) {
        let unit = Unit::new("usd").unwrap();
        if PURSE / 2 < self.state.balance(mint, unit) {
            return;
        }
        let mut keysets = Keysets::new(mint.clone());
        self.drive(|wallet, answer| keysets.step(wallet, answer)).unwrap();
        let amount = Amount::new(PURSE, unit).unwrap();
        let mut quote = Quote::new(mint.clone(), "bank".to_owned(), amount);
        let quoted = self.drive(|wallet, answer| quote.step(wallet, answer)).unwrap();
        // The demo pays it a moment later.
        loop {
            let mut issue = Mint::new(quoted.operation);
            if self.drive(|wallet, answer| issue.step(wallet, answer)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Pays the bill of a month.
    pub(crate) fn pay(&mut self, contract: usize, month: Epoch, amount: u64) {
        let contract = self.contracts[contract];
        let kept = &self.state.passports()[&self.desk];
        let stream = kept.streams().iter().find(|stream| stream.contract() == contract).unwrap();
        let mint = stream.mint().clone();
        self.fund(&mint);
        let agreed = Agreed { desk: self.desk.clone(), contract, month, amount, mint };
        let mut pay = PayBill::new(agreed, random());
        self.drive(|wallet, answer| pay.step(wallet, answer)).unwrap();
    }

    /// Closes the months that are over, with or without a question for income.
    pub(crate) fn update(&mut self, with_income: bool) -> Done {
        let done = self.wish(if with_income { Wish::Income } else { Wish::Present });
        self.past.push((self.standing().clone(), self.score()));
        done
    }

    /// Certificates for the highest threshold that is reached, if any is.
    pub(crate) fn certify(&mut self) {
        let bands = self.card.card().bands().iter().map(|band| band.from);
        let reached = bands.skip(1).filter(|from| *from <= self.score()).max();
        let Some(threshold) = reached else { return };
        let (card, bins) = (self.card.id(), self.bins.clone());
        let nothing_overdue = self.standing().arrears == 0;
        let certifying = Certifying { card, bins, threshold, tenure: TENURE, nothing_overdue };
        let done = self.wish(Wish::Certify(Box::new(certifying)));
        assert_eq!(done.certificates, 4);
        self.certificates += 1;
    }

    /// Looks whether the desk knows of a later passport.
    pub(crate) fn find(&mut self) {
        let held = self.standing().clone();
        self.wish(Wish::Find);
        assert_eq!(*self.standing(), held);
    }

    /// The file is lost, and the words bring the passport back.
    pub(crate) fn lose_and_find(&mut self) {
        let held = self.standing().clone();
        self.state = State::default();
        self.wish(Wish::Find);
        assert_eq!(*self.standing(), held);
    }
}

/// What a bill of a contract is for, in cents; none in some months.
fn amount(person: usize, contract: usize, month: u16) -> Option<u64> {
    let is_quiet = month % 7 == 5 && contract == 1;
    (!is_quiet).then(|| AMOUNTS[person][contract])
}

/// When a bill is paid, if ever: on the 10th it is in time, on the 25th late. Ada always pays in time, Ben for half a year.
fn pays_on(person: usize, contract: usize, month: u16) -> Option<u64> {
    match (person, contract, month) {
        (0, ..) | (1, _, 0..6) => Some(10),
        (1, 0, _) if month.is_multiple_of(3) => Some(25),
        (1, 1, _) if month.is_multiple_of(5) => None,
        (1, 0, 14..17) => None,
        _ => Some(10),
    }
}

/// Lets two years pass for all of them.
pub(crate) fn live(demo: &Demo, people: &mut [Person; 3]) {
    for person in people.iter_mut() {
        person.enrol();
    }
    let mut contracts = [Vec::new(), Vec::new()];
    for (person, contracts) in contracts.iter_mut().enumerate() {
        for _ in 0..2 {
            let agreement = town::contract(demo, "As agreed");
            people[person].take_on(&agreement);
            contracts.push(agreement);
        }
    }
    for month in 0..MONTHS {
        town::until(demo, 1);
        let epoch = town::month(demo);
        for (person, contracts) in contracts.iter().enumerate() {
            for (contract, agreement) in contracts.iter().enumerate() {
                if let Some(amount) = amount(person, contract, month) {
                    town::bill(demo, agreement, epoch, amount);
                }
            }
        }
        std::thread::scope(|scope| {
            for (number, person) in people.iter_mut().enumerate() {
                scope.spawn(move || begin_month(number, person, month));
            }
        });
        for day in [10, 25] {
            town::until(demo, day);
            for (person, contracts) in contracts.iter().enumerate() {
                for contract in 0..contracts.len() {
                    let due = amount(person, contract, month);
                    let due = due.filter(|_| pays_on(person, contract, month) == Some(day));
                    if let Some(amount) = due {
                        people[person].pay(contract, epoch, amount);
                    }
                }
            }
        }
    }
    town::until(demo, 1);
    for person in people {
        person.update(false);
    }
}

/// What a wallet does on the first of a month.
fn begin_month(number: usize, person: &mut Person, month: u16) {
    let is_away = number == 2 && (9..13).contains(&month);
    if is_away {
        return;
    }
    // Cy asks for an income that there is none of; Ben asks now and then.
    person.update(number != 1 || month.is_multiple_of(4));
    if number != 2 && 4 <= month && month.is_multiple_of(4) {
        person.certify();
    }
    match (number, month) {
        (0, 11) | (1, 12) => person.find(),
        (2, 7) => person.lose_and_find(),
        _ => {}
    }
}
