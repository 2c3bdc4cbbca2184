//! Passport, score, bills, certificates.

use tacit_core::secret::Secret;
use tacit_credit::certificate::request::{Invitation, Request};
use tacit_credit::certificate::statement::LIFETIME_DAYS;
use tacit_credit::passport::counter::COUNTERS;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::proof::{Bins, HISTORY, values};
use tacit_credit::passport::standing::{Contract, Standing};
use tacit_credit::passport::wire::bill;
use tacit_credit::scorecard::explain::Explanation;
use tacit_credit::scorecard::signed::SignedCard;
use tacit_ecash::message::KeysetsResponse;
use tacit_wallet::certificate::{Consent, Offer, Outgoing};
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::bills::{Agreed, PayBill, TakeOn, give_up};
use tacit_wallet::operation::passport::{Affairs, Certifying, Done, Wish};
use tacit_wallet::passport::bills::{Link, Stream};
use tacit_wallet::passport::foresee::{Owed, foresee};
use tacit_wallet::passport::kept::Kept;
use tacit_wallet::transport::{Answer, Bearer};

use crate::clock;
use crate::keep::random;
use crate::net;
use crate::session::Session;
use crate::trouble::Trouble;

/// The desk whose passport this wallet has, or would have.
pub(crate) fn desk(session: &Session) -> Result<MintUrl, Trouble> {
    session.peek(|_, book| book.operator.desk.clone()).ok_or(Trouble::NoPassport)
}

/// Looks at the passport; none if there is none.
pub(crate) fn passport<T>(
    session: &Session,
    look: impl FnOnce(&Kept, &Standing) -> T,
) -> Result<T, Trouble> {
    let desk = desk(session)?;
    session.with(|state, _| {
        let kept = state.passports().get(&desk).ok_or(Trouble::NoPassport)?;
        let held = kept.held().ok_or(Trouble::NoPassport)?;
        Ok(look(kept, held.standing()))
    })
}

async fn affair(session: &Session, wish: Wish) -> Result<Done, Trouble> {
    let mut affairs = Affairs::new(desk(session)?, wish, Secret::new(random()?));
    session.run(|wallet, answer| affairs.step(wallet, answer)).await
}

/// Gets the first passport, with a code of the portal.
pub(crate) async fn enrol(session: &Session, from: &MintUrl, code: Bearer) -> Result<(), Trouble> {
    if desk(session)? != *from {
        return Err(Trouble::OtherOperator);
    }
    affair(session, Wish::Enrol { code }).await.map(drop)
}

/// Closes months that are over; with the income of the last one, if the account is to be asked.
pub(crate) async fn update(session: &Session, with_income: bool) -> Result<Done, Trouble> {
    super::settle(session).await; // Receipts of bills count in their month.
    affair(session, if with_income { Wish::Income } else { Wish::Present }).await
}

/// Finds the passport again, from the words.
pub(crate) async fn find(session: &Session) -> Result<Done, Trouble> {
    affair(session, Wish::Find).await
}

/// What the passport says, read with the operator's card. Numbers without history are no score.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) card: SignedCard,
    pub(crate) standing: Standing,
}

impl Reading {
    /// Calls with the explanation of the score.
    pub(crate) fn explain<T>(&self, look: impl FnOnce(&Explanation<'_>) -> T) -> Option<T> {
        explain(&self.card, &self.standing, look)
    }

    /// The score; none without history.
    pub(crate) fn score(&self) -> Option<u16> {
        self.score_of(&self.standing)
    }

    /// The score that another standing would have.
    fn score_of(&self, standing: &Standing) -> Option<u16> {
        explain(&self.card, standing, |explanation| explanation.score).flatten()
    }
}

fn explain<T>(
    card: &SignedCard,
    standing: &Standing,
    look: impl FnOnce(&Explanation<'_>) -> T,
) -> Option<T> {
    if u16::from(standing.paid_months) < HISTORY {
        return None;
    }
    let numbers = values(standing);
    let pairs = COUNTERS.iter().map(|it| it.name).zip(numbers.map(u32::from));
    Some(look(&card.card().read(pairs).ok()?.explain()))
}

/// Reads the passport. The operator's scorecard is asked for, for which it need not know who asks.
pub(crate) async fn read(session: &Session) -> Result<Option<Reading>, Trouble> {
    let (mint, standing) =
        passport(session, |kept, standing| (kept.mint().clone(), standing.clone()))?;
    Ok(card(session, &mint).await?.map(|card| Reading { card, standing }))
}

async fn card(session: &Session, mint: &MintUrl) -> Result<Option<SignedCard>, Trouble> {
    let info = session.get(mint, "/v1/passport").await?;
    let Some(id) = info["scorecard"]["id"].as_str() else { return Ok(None) };
    let bytes = session.get(mint, "/v1/passport/scorecard").await?.to_string();
    let card = SignedCard::read(bytes.as_bytes()).map_err(|error| Trouble::other(&error))?;
    if card.id().to_string() == id {
        Ok(Some(card))
    } else {
        Err(Trouble::ChangedKeys { detail: "scorecard".to_owned() })
    }
}

/// Keeps the score of this month, so that the next can tell what changed.
pub(crate) async fn remember(session: &Session, reading: &Reading) -> Result<(), Trouble> {
    let Some(score) = reading.score() else { return Ok(()) };
    let month = reading.standing.epoch.to_string();
    let is_known = session.peek(|_, book| book.scores.get(&month) == Some(&score));
    match is_known {
        true => Ok(()),
        false => session.note(|book| _ = book.scores.insert(month, score)).await,
    }
}

/// A contract with its bills.
#[derive(Clone, Debug)]
pub(crate) struct Billed {
    pub(crate) stream: Stream,
    pub(crate) told: bill::Contract,
    /// Whether the passport counts it already.
    pub(crate) is_counted: bool,
    /// What becomes of the score by the first bill that is to be paid, and whose month that is.
    pub(crate) outlook: Option<(Epoch, Outlook)>,
}

/// The score once a bill's month is closed, all else paid in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook {
    /// Now; none without history.
    pub(crate) now: Option<u16>,
    pub(crate) paid: u16,
    pub(crate) unpaid: Option<u16>,
}

/// Contracts that the passport counts and this wallet has no more, as after it was restored: taken on again where the operator has them.
async fn find_contracts(session: &Session) -> Result<(), Trouble> {
    let missing: Vec<Contract> = passport(session, |kept, standing| {
        let is_missing = |contract: &Contract| {
            !kept.streams().iter().any(|stream| stream.contract() == *contract)
        };
        standing.contracts.into_iter().flatten().filter(is_missing).collect()
    })?;
    for contract in missing {
        for mint in session.peek(|_, book| book.operator.mint.clone()) {
            let link = format!("{mint}/v1/contracts/{}", String::from(contract));
            let Ok(link) = link.parse::<Link>() else { continue };
            match take_on(session, link).await {
                Ok(()) => break,
                Err(Trouble::NoAnswer) => return Err(Trouble::NoAnswer),
                Err(_) => {} // Of another unit.
            }
        }
    }
    Ok(())
}

/// The contracts taken on, with their bills.
pub(crate) async fn bills(session: &Session) -> Result<Vec<Billed>, Trouble> {
    find_contracts(session).await?;
    let look = |kept: &Kept, standing: &Standing| {
        (kept.mint().clone(), standing.contracts, kept.streams().to_vec())
    };
    let (mint, counted, streams) = passport(session, look)?;
    let mut all = Vec::new();
    for stream in streams {
        let told = session.get(&mint, &stream.place()).await?;
        let told = serde_json::from_value(told).map_err(|_| Trouble::NoAnswer)?;
        let is_counted = counted.contains(&Some(stream.contract()));
        all.push(Billed { stream, told, is_counted, outlook: None });
    }
    if let Ok(Some(reading)) = read(session).await {
        let outlooks: Vec<_> = all.iter().map(|billed| outlook(&reading, &all, billed)).collect();
        for (billed, found) in all.iter_mut().zip(outlooks) {
            billed.outlook = found;
        }
    }
    Ok(all)
}

/// What becomes of the score by the first open bill of a contract.
fn outlook(reading: &Reading, all: &[Billed], of: &Billed) -> Option<(Epoch, Outlook)> {
    let is_open = |month: &&bill::Month| month.bill.as_ref().is_some_and(|it| it.state == "open");
    let month = of.told.months.iter().find(is_open)?.month;
    let owed: Vec<Owed<'_>> =
        all.iter().map(|it| Owed { stream: &it.stream, told: &it.told }).collect();
    let score = |unpaid| {
        let then = foresee(&reading.standing, &owed, month, clock::now().day(), unpaid)?;
        reading.score_of(&then)
    };
    let unpaid = score(Some(of.stream.contract()));
    Some((month, Outlook { now: reading.score(), paid: score(None)?, unpaid }))
}

/// Takes a contract on.
pub(crate) async fn take_on(session: &Session, link: Link) -> Result<(), Trouble> {
    let mut take = TakeOn::new(desk(session)?, link);
    session.run(|wallet, answer| take.step(wallet, answer)).await.map(drop)
}

/// Forgets a contract that does not count.
pub(crate) async fn drop_contract(session: &Session, contract: Contract) -> Result<(), Trouble> {
    let desk = desk(session)?;
    session.persist(|state| give_up(state, &desk, contract)).await
}

/// Pays a bill, with a receipt for the passport. Whether it was in time, if it counts.
pub(crate) async fn pay_bill(
    session: &Session,
    stream: &Stream,
    month: Epoch,
    amount: u64,
) -> Result<Option<bool>, Trouble> {
    let (desk, contract, unit) = (desk(session)?, stream.contract(), stream.unit());
    super::learn(session).await?;
    let mint = payer(session, stream).await?;
    let agreed = Agreed { desk, contract, month, amount, mint };
    let mut paying = PayBill::new(agreed, Secret::new(random()?));
    let paid = session.run(|wallet, answer| paying.step(wallet, answer)).await;
    paid.map_err(|error| error.in_unit(unit))?;
    passport(session, |kept, _| {
        let stream = kept.streams().iter().find(|stream| stream.contract() == contract)?;
        Some(stream.receipts().get(&month)?.facts().met)
    })
}

/// The mint of a contract, by the address under which this wallet deals with it: known by its keysets.
async fn payer(session: &Session, stream: &Stream) -> Result<MintUrl, Trouble> {
    let mint = passport(session, |kept, _| kept.mint().clone())?;
    let told = session.get(&mint, &stream.keysets()).await?;
    let listed: KeysetsResponse = serde_json::from_value(told).map_err(|_| Trouble::NoAnswer)?;
    Ok(session.peek(|state, _| {
        let found = listed.keysets.into_iter().find_map(|it| state.keysets().get(&it.id.id()?));
        found.map_or_else(|| stream.mint().clone(), |keyset| keyset.pinned.mint.clone())
    }))
}

/// What certificates could say: thresholds that are reached and ages that the operator offers.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) reading: Reading,
    pub(crate) thresholds: Vec<u16>,
    pub(crate) tenures: Vec<u16>,
}

/// Brings the passport up to date, and says what it could prove.
pub(crate) async fn choice(session: &Session) -> Result<Choice, Trouble> {
    update(session, false).await?;
    let reading = read(session).await?.ok_or(Trouble::NoCertificate)?;
    let mint = passport(session, |kept, _| kept.mint().clone())?;
    let info = session.get(&mint, "/v1/passport").await?;
    let offered = |name: &str| -> Vec<u16> {
        serde_json::from_value(info["scorecard"][name].clone()).unwrap_or_default()
    };
    let score = reading.score().unwrap_or(0);
    let thresholds =
        offered("thresholds").into_iter().filter(|threshold| *threshold <= score).collect();
    let age = reading.standing.epoch.since(reading.standing.since);
    let tenures = offered("tenures").into_iter().filter(|months| *months <= age).collect();
    Ok(Choice { reading, thresholds, tenures })
}

/// Gets certificates. Gives how many came and for how many days they count.
pub(crate) async fn certify(
    session: &Session,
    choice: &Choice,
    threshold: u16,
    tenure: u16,
    nothing_overdue: bool,
) -> Result<(u16, u64), Trouble> {
    let bins = Bins::of_card(choice.reading.card.card()).map_err(|error| Trouble::other(&error))?;
    let wish =
        Certifying { card: choice.reading.card.id(), bins, threshold, tenure, nothing_overdue };
    let done = affair(session, Wish::Certify(Box::new(wish))).await?;
    Ok((done.certificates, LIFETIME_DAYS))
}

/// Fetches what somebody asks for. The host named learns that somebody looks; the operator is not asked.
pub(crate) async fn question(session: &Session, text: &str) -> Result<Request, Trouble> {
    let operator = passport(session, |kept, _| kept.issuer().map(|issuer| issuer.attestations()))?;
    let now = clock::now();
    match Invitation::read(text)? {
        Invitation::Whole(claims) => Ok(Request::of_link(*claims, now)?),
        Invitation::Fetch { client, from } => {
            let operator = operator.ok_or(Trouble::NoCertificate)?;
            let text = match net::reach(&from, None).await {
                Answer::Received { status: 200, body } => {
                    String::from_utf8(body.expose().clone()).map_err(|_| Trouble::NoAnswer)?
                }
                Answer::Received { .. } | Answer::Lost => return Err(Trouble::NoAnswer),
            };
            Ok(Request::read(&text, &client, &operator, now)?)
        }
    }
}

/// A certificate that would do, if there is one.
pub(crate) fn offer(session: &Session, request: Request) -> Result<Option<Offer>, Trouble> {
    passport(session, |kept, _| kept.certificates().offer(request, clock::now()))
}

/// Shows it: the consent is durable before anything is sent.
pub(crate) async fn agree(session: &Session, offer: Offer) -> Result<(), Trouble> {
    let (desk, to, entropy) = (desk(session)?, offer.to().clone(), Secret::new(random()?));
    let mut outgoing: Option<Outgoing> = None;
    session
        .persist(|state| {
            let kept = state.passports().get(&desk).ok_or(Trouble::NoPassport)?;
            let (batch, sent) =
                kept.agree(&desk, offer, clock::now(), &entropy).ok_or(Trouble::NoCertificate)?;
            outgoing = Some(sent);
            Ok::<_, Trouble>(batch)
        })
        .await?;
    let outgoing = outgoing.ok_or(Trouble::NoCertificate)?;
    match net::reach(&to, Some(&outgoing.body)).await {
        Answer::Received { status: 200, .. } => Ok(()),
        Answer::Received { status, .. } => {
            Err(Trouble::Refused { detail: format!("{} ({status})", to.host()) })
        }
        Answer::Lost => Err(Trouble::NoAnswer),
    }
}

/// What was ever shown to anybody, the latest first.
pub(crate) fn consents(session: &Session) -> Vec<Consent> {
    let mut all = passport(session, |kept, _| kept.consents().to_vec()).unwrap_or_default();
    all.reverse();
    all
}
