//! `tacit passport`: a credit history that only the wallet has.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_credit::passport::counter::COUNTERS;
use tacit_credit::passport::proof::{HISTORY, values};
use tacit_credit::passport::standing::Standing;
use tacit_credit::scorecard::signed::SignedCard;
use tacit_credit::scorecard::{BASE, CAP};
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::passport::{Affairs, Done, Wish};
use tacit_wallet::passport::kept::Kept;
use tacit_wallet::transport::Bearer;

use super::{bills, certificate};
use crate::score::explain;
use crate::wallet::error::WalletError;
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Cells of the gauge.
const GAUGE: u16 = 40;
/// Whole months with a payment that a score takes: what [`HISTORY`] stands for.
const MONTHS_LEAST: u16 = 3;

#[derive(Subcommand)]
pub(crate) enum Command {
    Enrol(Enrol),
    Show(Show),
    Update(Update),
    Recover(Recover),
    Bills(bills::Bills),
    Certify(certificate::Certify),
    Present(certificate::Present),
    Consents(certificate::Consents),
}

/// Get the passport of an account
///
/// The link is made in the operator's portal, under "Passport". It counts for an hour and for one wallet. Asked again after an
/// interruption, the same passport comes.
#[derive(Args)]
pub(crate) struct Enrol {
    /// The link of the portal, between quotes; - is stdin
    link: String,
}

/// Show what the passport says, and the score it makes
///
/// The operator is not asked, unless its scorecard is: for that it need not know who asks.
#[derive(Args)]
pub(crate) struct Show {
    /// Whose passport, if there are several: the operator's desk
    #[arg(long, value_name = "URL")]
    desk: Option<MintUrl>,
    /// Ask nobody: without the scorecard there is no score
    #[arg(long)]
    offline: bool,
}

/// Close the months that are over, and count last month's income
///
/// Once a month is enough. Who was away for long closes each month in turn.
#[derive(Args)]
pub(crate) struct Update {
    /// Whose passport, if there are several: the operator's desk
    #[arg(long, value_name = "URL")]
    desk: Option<MintUrl>,
    /// Close months and leave the income alone: the operator then learns nothing at all, not even that the wallet is in use
    #[arg(long)]
    without_income: bool,
}

/// Find the passport again, from the wallet's words or after an old copy was put back
#[derive(Args)]
pub(crate) struct Recover {
    /// The operator's desk
    #[arg(value_name = "URL")]
    desk: Option<MintUrl>,
}

pub(crate) fn run(command: &Command, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    match command {
        Command::Enrol(arguments) => enrol(&mut session, arguments),
        Command::Show(arguments) => show(&mut session, arguments),
        Command::Update(arguments) => update(&mut session, arguments),
        Command::Recover(arguments) => recover(&mut session, arguments),
        Command::Bills(arguments) => bills::run(&mut session, arguments),
        Command::Certify(arguments) => certificate::certify(&mut session, arguments),
        Command::Present(arguments) => certificate::present(&mut session, arguments),
        Command::Consents(arguments) => certificate::consents(&mut session, arguments),
    }
}

/// Desk and code of a link.
fn read_link(text: &str) -> Result<(MintUrl, Bearer), WalletError> {
    let (page, code) = text.trim().split_once('#').ok_or(WalletError::PassportLink)?;
    let desk = page.strip_suffix("/portal/passport").ok_or(WalletError::PassportLink)?;
    let code = Bearer::new(code).filter(|code| code.expose().len() == 32);
    Ok((desk.parse()?, code.ok_or(WalletError::PassportLink)?))
}

/// Does what is wished for.
pub(super) fn affair(
    session: &mut Session,
    desk: &MintUrl,
    wish: Wish,
    what: &str,
) -> Result<Done, WalletError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let mut affairs = Affairs::new(desk.clone(), wish, Secret::new(random));
    session.run(what, |wallet, answer| affairs.step(wallet, answer))
}

/// The desk that is meant.
pub(super) fn desk_of(session: &Session, said: Option<&MintUrl>) -> Result<MintUrl, WalletError> {
    let held = session.state().passports().iter().filter(|(_, kept)| kept.held().is_some());
    let known: Vec<&MintUrl> = held.map(|(desk, _)| desk).collect();
    match (said, known.as_slice()) {
        (Some(desk), _) => Ok(desk.clone()),
        (None, [desk]) => Ok((*desk).clone()),
        (None, []) => Err(WalletError::NoPassport),
        (None, _) => Err(WalletError::SeveralPassports),
    }
}

pub(super) fn kept<'a>(
    session: &'a Session,
    desk: &MintUrl,
) -> Result<(&'a Kept, &'a Standing), WalletError> {
    let kept = session.state().passports().get(desk);
    let found = kept.and_then(|kept| Some((kept, kept.held()?.standing())));
    found.ok_or(WalletError::NoPassport)
}

fn enrol(session: &mut Session, arguments: &Enrol) -> Result<(), WalletError> {
    let link = crate::wallet::terminal::read_argument(&arguments.link, 4096)?;
    let (desk, code) = read_link(link.expose())?;
    affair(session, &desk, Wish::Enrol { code }, "getting the passport")?;
    let (_, standing) = kept(session, &desk)?;
    let (since, epoch) = (standing.since, standing.epoch);
    session.terminal.say("The passport is in this wallet. Once a month: tacit passport update");
    if epoch < since {
        session
            .terminal
            .say(&format!("Its age counts from {since}: until then it proves nothing."));
    }
    let json = json!({"desk": desk, "month": epoch.to_string(), "since": since.to_string()});
    session.terminal.result("", &json)
}

fn update(session: &mut Session, arguments: &Update) -> Result<(), WalletError> {
    let desk = desk_of(session, arguments.desk.as_ref())?;
    bills::deliver(session, &desk)?;
    let wish = if arguments.without_income { Wish::Present } else { Wish::Income };
    let done = affair(session, &desk, wish, "bringing the passport up to date")?;
    report(session, &desk, &done)
}

fn recover(session: &mut Session, arguments: &Recover) -> Result<(), WalletError> {
    let desk = desk_of(session, arguments.desk.as_ref())?;
    let done = affair(session, &desk, Wish::Find, "looking for the passport")?;
    report(session, &desk, &done)
}

/// What was done, and where the passport stands now.
fn report(session: &Session, desk: &MintUrl, done: &Done) -> Result<(), WalletError> {
    let (_, standing) = kept(session, desk)?;
    let mut told = Vec::new();
    let months = |count: u16| if count == 1 { "month" } else { "months" };
    if 0 < done.found {
        told.push("a later passport was found".to_owned());
    }
    if 0 < done.closed {
        told.push(format!("{} {} closed", done.closed, months(done.closed)));
    }
    if let Some(units) = done.income {
        told.push(format!("{units} units of income counted"));
    }
    if told.is_empty() {
        told.push("nothing to do".to_owned());
    }
    for (contract, month) in &done.missed {
        let named = bills::missed(session, desk, *contract);
        session.terminal.say(&format!("{month} counts as late: no payment to {named} was found."));
    }
    session.terminal.say(&format!(
        "The passport stands in {}: {}.",
        standing.epoch,
        told.join(", ")
    ));
    let json = json!({
        "desk": desk, "month": standing.epoch.to_string(), "closed": done.closed, "income": done.income, "found": done.found,
        "missed": done.missed.iter().map(|(_, month)| month.to_string()).collect::<Vec<_>>(),
    });
    session.terminal.result("", &json)
}

fn show(session: &mut Session, arguments: &Show) -> Result<(), WalletError> {
    let desk = desk_of(session, arguments.desk.as_ref())?;
    let (mint, standing) = {
        let (kept, standing) = kept(session, &desk)?;
        (kept.mint().clone(), standing.clone())
    };
    let card = if arguments.offline { None } else { card_of(session, &mint)? };
    let mut text = String::new();
    let months = standing.epoch.since(standing.since);
    let mut json = json!({
        "desk": desk,
        "month": standing.epoch.to_string(),
        "since": standing.since.to_string(),
        "months": months,
        "loan_due": standing.due.map(|due| due.to_string()),
        "counters": counters(&standing),
    });
    writeln!(text, "Passport with {desk}").expect("a String");
    writeln!(
        text,
        "It stands in {}, and counts from {} ({months} months).",
        standing.epoch, standing.since
    )
    .expect("a String");
    if let Some(due) = standing.due {
        writeln!(text, "An instalment is due in {due}.").expect("a String");
    }
    match card.as_ref() {
        Some(card) if HISTORY <= u16::from(standing.paid_months) => {
            let numbers = values(&standing);
            let pairs = COUNTERS.iter().map(|it| it.name).zip(numbers.map(u32::from));
            let explanation =
                card.card().read(pairs).map_err(|_| WalletError::Scorecard)?.explain();
            if let Some(score) = explanation.score {
                writeln!(text, "\n{}", gauge(score)).expect("a String");
            }
            explain::write_text(&explanation, &mut text).expect("a String");
            json["score"] = json!(explanation.score);
        }
        _ => {
            json["score"] = Value::Null;
            no_score(&mut text, &standing, card.is_some());
        }
    }
    session.terminal.result(text.trim_end(), &json)
}

/// What is missing for a score, without shame.
fn no_score(text: &mut String, standing: &Standing, has_card: bool) {
    if !has_card && HISTORY <= u16::from(standing.paid_months) {
        writeln!(text, "\nWithout the operator's scorecard there is no score to show.")
            .expect("a String");
        return;
    }
    writeln!(
        text,
        "\nNo score yet. That is not a low score: a score takes {MONTHS_LEAST} months with a bill or an instalment paid.\n\
         Take on the contract of a biller (tacit passport bills add), and pay its bills when they are due; income is counted by tacit passport update."
    )
    .expect("a String");
}

fn counters(standing: &Standing) -> Value {
    let pairs = COUNTERS.iter().zip(values(standing));
    Value::Object(pairs.map(|(counter, value)| (counter.name.to_owned(), json!(value))).collect())
}

/// Where a score lies between the least and the most, as a bar.
fn gauge(score: u16) -> String {
    let filled = (score.saturating_sub(BASE)) * GAUGE / (CAP - BASE);
    let bar: String = (0..GAUGE).map(|cell| if cell < filled { '█' } else { '░' }).collect();
    format!("{BASE} {bar} {CAP}   {score}")
}

/// The operator's signed card; none if it makes no certificates.
pub(super) fn card_of(
    session: &mut Session,
    mint: &MintUrl,
) -> Result<Option<SignedCard>, WalletError> {
    let info = session.get(mint, "/v1/passport")?;
    let Some(id) = info["scorecard"]["id"].as_str() else { return Ok(None) };
    let bytes = session.get(mint, "/v1/passport/scorecard")?.to_string();
    let card = SignedCard::read(bytes.as_bytes()).map_err(|_| WalletError::Scorecard)?;
    if card.id().to_string() != id {
        return Err(WalletError::Scorecard);
    }
    Ok(Some(card))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_a_desk_and_a_code() {
        let code = "0123456789abcdef0123456789abcdef";
        let (desk, read) =
            read_link(&format!(" http://desk.localhost:3338/portal/passport#{code}\n")).unwrap();
        assert_eq!((desk.as_str(), read.expose()), ("http://desk.localhost:3338", code));
        for wrong in [
            "",
            code,
            "http://desk.localhost/portal/passport",
            "http://desk.localhost/portal/passport#12",
            "http://desk.localhost/portal#0123456789abcdef0123456789abcdef",
            "desk.localhost/portal/passport#0123456789abcdef0123456789abcdef",
        ] {
            assert!(read_link(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_gauge_is_full_at_the_most_and_empty_at_the_least() {
        assert!(gauge(BASE).contains('░') && !gauge(BASE).contains('█'));
        assert!(gauge(CAP).contains('█') && !gauge(CAP).contains('░'));
    }
}
