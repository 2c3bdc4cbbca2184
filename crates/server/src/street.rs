//! The street of a demonstration: a shop, a biller and a lender whom anybody may try, and an account for whoever has none.
//!
//! They come when they are first asked for, and are like all others: their shop sells, their biller bills by a licence, their lender is
//! registered and asks by name. Nobody can log in as them. What is asked of them here, their programs would ask at the desk.

use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_credit::certificate::query::Question;
use tacit_credit::passport::epoch::Epoch;
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::biller::{LicenceProposal, LicenceTerms};
use tacit_service::desk::enrolment::{CODE_LIFE, EnrolmentCode, Offer};
use tacit_service::desk::identification::{CaseId, Document, Sighting};
use tacit_service::desk::judgement::{DecisionId, Judgement};
use tacit_service::desk::merchant::{Merchant, NamingSecret};
use tacit_service::desk::paper::{Line, OrderPaper};
use tacit_service::desk::person::{KycLevel, Name, Person, PersonId};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::desk::verifier::{Verifier, VerifierId, VerifierPurpose, VerifierState};
use tacit_service::desk::webhook::full_minute;

use crate::certificate::ask::{Ask, AskId};
use crate::desk::refusal::Refusal;
use crate::desk::{Desk, account, judgement};
use crate::random;
use crate::shop::bill::{self, NewBill, NewContract};
use crate::shop::merchant;
use crate::shop::order::{self, NewOrder};
use crate::shop::refusal::ShopRefusal;

/// What the lender asks for at least: months of history.
const TENURE: u16 = 3;
/// Bills that the biller writes for a new customer, one a month from the next on: the last is due within a year.
const BILLS: usize = 10;
/// What each is about, and the least that this biller may bill: whole units of its currency.
const BILL: u64 = 42;
const FLOOR: u64 = 5;

/// What the shop is called.
pub(crate) const SHOP: &str = Neighbour::Shop.name();

/// Who is on the street.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Neighbour {
    Shop,
    Biller,
    Lender,
}

impl Neighbour {
    /// As people read it.
    const fn name(self) -> &'static str {
        match self {
            Self::Shop => "Corner Shop",
            Self::Biller => "Mill Lane Water and Power",
            Self::Lender => "Harbour Savings and Loans",
        }
    }

    /// Bytes that are the same in each start of each demonstration.
    fn bytes<const N: usize>(self, what: &str) -> [u8; N] {
        let hash: [u8; 32] = Sha256::new_with_prefix("tacit/street/")
            .chain_update(self.name())
            .chain_update([0])
            .chain_update(what)
            .finalize()
            .into();
        std::array::from_fn(|at| hash[at])
    }

    fn id(self) -> PersonId {
        PersonId::from_bytes(self.bytes("person"))
    }
}

/// Something on the shop's shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ware {
    Tea,
    Book,
    Lamp,
}

impl Ware {
    pub(crate) const ALL: [Self; 3] = [Self::Tea, Self::Book, Self::Lamp];

    /// In forms.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Tea => "tea",
            Self::Book => "book",
            Self::Lamp => "lamp",
        }
    }

    /// As people read it, also on the receipt.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tea => "A pot of tea",
            Self::Book => "A second-hand book",
            Self::Lamp => "A bicycle lamp",
        }
    }

    /// Minor units.
    pub(crate) fn price(self, unit: Unit) -> u64 {
        let whole = match self {
            Self::Tea => 3,
            Self::Book => 8,
            Self::Lamp => 14,
        };
        whole_units(whole, unit)
    }
}

fn whole_units(whole: u64, unit: Unit) -> u64 {
    whole * 10_u64.pow(unit.exponent().into())
}

/// The currency of the street: the first of the server's.
pub(crate) fn unit(desk: &Desk) -> Result<Unit, Refusal> {
    desk.shared.config.units.first().map(|terms| terms.unit).ok_or(Refusal::NotFound)
}

/// An order of the shop's for one of its wares. `request_key`: the same makes the same order.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn sell(
    desk: &Desk,
    ware: Ware,
    request_key: &str,
) -> Result<OrderPaper, Refusal> {
    let shop = shop_of(desk, Neighbour::Shop).await?;
    let asked = NewOrder {
        amount: ware.price(shop.unit),
        description: line(ware.name())?,
        reference: None,
        seconds: order::SECONDS,
    };
    order::open(desk, &shop, request_key, asked).await
}

/// The shop, if it has come and an order is its own.
///
/// # Errors
/// Those of the desk.
pub(crate) async fn seller(desk: &Desk, paper: &OrderPaper) -> Result<Option<Merchant>, Refusal> {
    let (owner, account) = (Neighbour::Shop.id(), paper.merchant);
    let shop = desk.run(move |store| Ok(store.merchant_of(owner)?)).await?;
    Ok(shop.filter(|shop| shop.account == account))
}

/// A contract with the biller, with its bills: what a wallet takes it on with.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn contract(desk: &Desk) -> Result<String, Refusal> {
    let biller = shop_of(desk, Neighbour::Biller).await?;
    license(desk, &biller).await?;
    let asked = NewContract { description: line("Water and power, Mill Lane 4")?, reference: None };
    let key = hex::encode(&bytes::<16>()?);
    let paper = bill::open(desk, &biller, &key, asked).await?;
    let months = std::iter::successors(Epoch::of(desk.now()).next(), |month| month.next());
    let bill = |month: Epoch| {
        let due: Option<Day> = format!("{month}-20").parse().ok();
        let amount = whole_units(BILL, biller.unit);
        Some(NewBill { contract: paper.id, amount, due: due?, is_last: false })
    };
    let bills: Vec<NewBill> = months.take(BILLS).filter_map(bill).collect();
    match bill::bill(desk, &biller, &bills).await? {
        Ok(()) => bill::code(desk, biller.unit, paper.id),
        Err(_) => Err(Refusal::Internal),
    }
}

/// An account for a visitor who has none, and the code that gives its wallet a passport.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn visitor(desk: &Desk) -> Result<EnrolmentCode, Refusal> {
    let id = PersonId::from_bytes(bytes()?);
    take_in(desk, id, "A visitor").await?;
    let code = EnrolmentCode::from_random(bytes()?);
    let (hash, expires) = (code.hash(), full_minute(desk.now().after(CODE_LIFE)));
    let made = desk.run(move |store| Ok(store.offer_enrolment(id, Offer::Same, hash, expires)?));
    made.await?.ok_or(Refusal::Internal)?;
    Ok(code)
}

/// A question of the lender's: a history of some months, and the least score that it lends for.
///
/// # Errors
/// [`Refusal::NotFound`] without a scorecard, and those of both databases.
pub(crate) async fn question(desk: &Desk) -> Result<(AskId, Ask), Refusal> {
    let lender = lender(desk).await?;
    let offers = desk.shared.passports.offers();
    let (card, thresholds, tenures) = offers.ok_or(Refusal::NotFound)?;
    let question = Question {
        cards: vec![card],
        thresholds: thresholds.to_vec(),
        tenures: tenures.iter().copied().filter(|months| TENURE <= *months).collect(),
        nothing_overdue: false,
    };
    Ok((bytes()?, Ask::new(lender.id, question, &bytes()?, desk.now())))
}

fn bytes<const N: usize>() -> Result<[u8; N], Refusal> {
    random::bytes().map_err(|error| Refusal::internal(&error))
}

fn line(text: &str) -> Result<Line, Refusal> {
    Line::new(text).map_err(|error| Refusal::internal(&error))
}

fn name(text: &str) -> Result<Name, Refusal> {
    Name::new(text).map_err(|error| Refusal::internal(&error))
}

/// What the trail says of it: the machine did it.
fn deed(desk: &Desk, action: Action, id: PersonId) -> Deed {
    let deed = Deed::about(desk.now(), None, action, Owner::Person(id));
    Deed { detail: "the street of the demonstration".to_owned(), ..deed }
}

/// Opens an account without a login, unless it is open.
async fn take_in(desk: &Desk, id: PersonId, called: &str) -> Result<(), Refusal> {
    let account = AccountId::from_random(bytes()?);
    let person = Person::newcomer(id, account, name(called)?, desk.now().day());
    let deed = deed(desk, Action::PersonTakenIn, id);
    let found = desk.run(move |store| {
        store.take_in(&person, &deed)?;
        Ok(store.person(id)?)
    });
    let person = found.await?.ok_or(Refusal::Busy)?; // The account's number was drawn before.
    if person.is_in_vault {
        return Ok(());
    }
    account::open(&desk.shared, &desk.handle, &person).await
}

/// The shop of a neighbour, who comes if they are not there.
async fn shop_of(desk: &Desk, of: Neighbour) -> Result<Merchant, Refusal> {
    let owner = of.id();
    let find = || desk.run(move |store| Ok(store.merchant_of(owner)?));
    if let Some(shop) = find().await? {
        return Ok(shop);
    }
    take_in(desk, owner, of.name()).await?;
    // Only the mint takes what is locked to it: nobody needs the other half.
    let (key, _) = merchant::new_key()?;
    let shop = Merchant {
        account: AccountId::from_random(bytes()?),
        name: name(of.name())?,
        owner,
        unit: unit(desk)?,
        key,
        naming: NamingSecret::new(bytes()?),
        webhook: None,
        webhook_secret: Secret::new(bytes()?),
        opened: desk.now().day(),
        is_in_vault: false,
    };
    match merchant::register(desk, shop).await {
        // Two visitors came at once.
        Ok(()) | Err(Refusal::Shop(ShopRefusal::HasShop)) => {}
        Err(other) => return Err(other),
    }
    find().await?.ok_or(Refusal::Busy)
}

/// Gives the biller its licence, which two members of staff give elsewhere.
async fn license(desk: &Desk, biller: &Merchant) -> Result<(), Refusal> {
    let [proposer, granter] =
        ["proposer", "granter"].map(|what| StaffId::from_bytes(Neighbour::Biller.bytes(what)));
    let (merchant, owner) = (biller.account, biller.owner);
    let floor = whole_units(FLOOR, biller.unit);
    let terms = LicenceTerms { floor, contracts_max: LicenceTerms::CONTRACTS_MAX };
    let proposal = LicenceProposal { merchant, terms, by: proposer, day: desk.now().day() };
    let [proposed, granted] =
        [Action::LicenceProposed, Action::LicenceGranted].map(|action| deed(desk, action, owner));
    desk.run(move |store| {
        if store.licence(merchant)?.is_none() {
            store.propose_licence(&proposal, &proposed)?;
            store.grant_licence(merchant, terms, granter, &granted)?;
        }
        Ok(())
    })
    .await
}

/// The lender, who comes if they are not there: of somebody whose document was seen, and whom compliance knows.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn lender(desk: &Desk) -> Result<Verifier, Refusal> {
    let of = Neighbour::Lender;
    let owner = of.id();
    let find = || desk.run(move |store| Ok(store.verifier_of(owner)?));
    if let Some(lender) = find().await? {
        return Ok(lender);
    }
    take_in(desk, owner, of.name()).await?;
    let sighting = Sighting {
        person: owner,
        case: CaseId::from_bytes(of.bytes("case")),
        number: of.bytes("number"),
        document: Document::Passport,
        by: None,
        now: desk.now(),
    };
    let level = Judgement::Level(KycLevel::Identified);
    let decision = DecisionId::from_bytes(bytes()?);
    let set = deed(desk, Action::LevelSet, owner);
    desk.run(move |store| {
        store.see_document(&sighting)?;
        Ok(store.judge(owner, level, decision, &set)?)
    })
    .await?;
    judgement::carry_out(desk, owner).await?;
    let purpose = VerifierPurpose::new("To decide on a loan of up to 500");
    let lender = Verifier {
        id: VerifierId::from_bytes(of.bytes("verifier")),
        name: name(of.name())?,
        purpose: purpose.map_err(|error| Refusal::internal(&error))?,
        owner,
        opened: desk.now().day(),
        state: VerifierState::Working,
    };
    let registered = deed(desk, Action::VerifierRegistered, owner);
    desk.run(move |store| Ok(store.register_verifier(&lender, &registered)?)).await?;
    find().await?.ok_or(Refusal::Busy)
}
