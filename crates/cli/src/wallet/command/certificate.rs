//! `tacit passport certify`, `present` and `consents`: what the passport proves, shown to whoever asks, once its owner agrees.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_credit::certificate::request::{Asker, Invitation, REQUEST_BYTES_MAX, Request};
use tacit_credit::certificate::statement::{Claim, LIFETIME_DAYS};
use tacit_credit::passport::proof::Bins;
use tacit_wallet::certificate::{Consent, Outgoing};
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::passport::{Certifying, Wish};

use super::bills;
use super::passport::{affair, card_of, desk_of, kept};
use crate::wallet::clock;
use crate::wallet::error::WalletError;
use crate::wallet::session::Session;
use crate::wallet::terminal::read_argument;

/// Get four certificates of what the passport proves
///
/// The operator learns that somebody's score reaches a threshold, and not whose. Each certificate is shown once; they count for up to
/// three days. Get them some time before you need them: who shows one a minute later can be guessed by the time.
#[derive(Args)]
pub(crate) struct Certify {
    /// Whose passport, if there are several: the operator's desk
    #[arg(long, value_name = "URL")]
    desk: Option<MintUrl>,
    /// The score to prove, of those the operator offers; without it the highest that is reached
    #[arg(long, value_name = "SCORE")]
    threshold: Option<u16>,
    /// The age in months to prove, of those the operator offers; without it the lowest
    #[arg(long, value_name = "MONTHS")]
    tenure: Option<u16>,
    /// Prove that no bill is open, either; that no instalment is overdue always is
    #[arg(long)]
    nothing_overdue: bool,
}

/// Show a certificate to whoever asks, once you agree
///
/// You read who asks, what for, what exactly they would be shown, and until when it counts. The request is fetched from the host that the link
/// names, which learns that somebody looks; the operator is not asked.
#[derive(Args)]
pub(crate) struct Present {
    /// The link or the text of the QR code, beginning with openid4vp:, between quotes; - is stdin
    link: String,
    /// Whose passport, if there are several: the operator's desk
    #[arg(long, value_name = "URL")]
    desk: Option<MintUrl>,
}

/// List what you agreed to show, and to whom
#[derive(Args)]
pub(crate) struct Consents {
    /// Whose passport, if there are several: the operator's desk
    #[arg(long, value_name = "URL")]
    desk: Option<MintUrl>,
}

pub(super) fn certify(session: &mut Session, arguments: &Certify) -> Result<(), WalletError> {
    let desk = desk_of(session, arguments.desk.as_ref())?;
    bills::deliver(session, &desk)?;
    // First what the month asks for: the score is that of the passport as it then stands.
    affair(session, &desk, Wish::Present, "bringing the passport up to date")?;
    let (mint, standing) = {
        let (kept, standing) = kept(session, &desk)?;
        (kept.mint().clone(), standing.clone())
    };
    let card = card_of(session, &mint)?.ok_or(WalletError::NoCertificates)?;
    let bins = Bins::of_card(card.card()).map_err(|_| WalletError::Scorecard)?;
    let info = session.get(&mint, "/v1/passport")?;
    let offered = |name: &str| -> Vec<u16> {
        serde_json::from_value(info["scorecard"][name].clone()).unwrap_or_default()
    };
    let score = bins.score(&standing);
    let reached = offered("thresholds").into_iter().filter(|offered| *offered <= score).max();
    let lowest = offered("tenures").into_iter().min();
    let threshold = arguments.threshold.or(reached).ok_or(WalletError::NoCertificates)?;
    let tenure = arguments.tenure.or(lowest).ok_or(WalletError::NoCertificates)?;
    let nothing_overdue = arguments.nothing_overdue;
    let wish = Certifying { card: card.id(), bins, threshold, tenure, nothing_overdue };
    let done = affair(session, &desk, Wish::Certify(Box::new(wish)), "proving")?;
    session.terminal.say(&format!(
        "{} certificates came: a score of at least {threshold}, a history of at least {tenure} months{}. Each is shown once, within {LIFETIME_DAYS} days.",
        done.certificates,
        if nothing_overdue { ", nothing overdue" } else { "" },
    ));
    let json = json!({
        "desk": desk, "certificates": done.certificates, "threshold": threshold, "tenure_months": tenure,
        "nothing_overdue": nothing_overdue,
    });
    session.terminal.result("", &json)
}

pub(super) fn present(session: &mut Session, arguments: &Present) -> Result<(), WalletError> {
    let link = read_argument(&arguments.link, REQUEST_BYTES_MAX)?;
    let desk = desk_of(session, arguments.desk.as_ref())?;
    let invitation = Invitation::read(link.expose())?;
    let operator = {
        let (kept, _) = kept(session, &desk)?;
        kept.issuer().ok_or(WalletError::NoCertificate)?.attestations()
    };
    let request = match invitation {
        Invitation::Fetch { client, from } => {
            session.terminal.say(&format!("asking {} what it wants", from.host()));
            let text = session.reach(&from, None)?;
            Request::read(&text, &client, &operator, clock::now())?
        }
        Invitation::Whole(claims) => Request::of_link(*claims, clock::now())?,
    };
    let now = clock::now();
    let offer = {
        let (kept, _) = kept(session, &desk)?;
        kept.certificates().offer(request, now).ok_or(WalletError::NoCertificate)?
    };
    let consent = offer.consent(now);
    session.terminal.say(&question(&consent, offer.asker()));
    session.terminal.confirm("Show it?")?;
    let to = offer.to().clone();
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy)?;
    let mut outgoing: Option<Outgoing> = None;
    session.persist(|state| {
        let kept = state.passports().get(&desk).ok_or(WalletError::NoPassport)?;
        let agreed = kept.agree(&desk, offer, now, &Secret::new(entropy));
        let (batch, sent) = agreed.ok_or(WalletError::NoCertificate)?;
        outgoing = Some(sent);
        Ok::<_, WalletError>(batch)
    })?;
    let outgoing = outgoing.ok_or(WalletError::NoCertificate)?;
    session.reach(&to, Some(&outgoing.body))?;
    session.terminal.say("Shown. What you agreed to is kept: tacit passport consents");
    session.terminal.result("", &json!({"desk": desk, "consent": consent}))
}

pub(super) fn consents(session: &mut Session, arguments: &Consents) -> Result<(), WalletError> {
    let desk = desk_of(session, arguments.desk.as_ref())?;
    let (kept, _) = kept(session, &desk)?;
    let mut text = String::new();
    for consent in kept.consents() {
        let whom = consent.name.as_deref().unwrap_or("unknown");
        let shown: Vec<String> =
            consent.shown.iter().map(|(claim, value)| line(*claim, value)).collect();
        writeln!(text, "{}  {whom} ({})  {}", consent.moment, consent.host, shown.join("; "))
            .expect("a String");
    }
    if text.is_empty() {
        session.terminal.say("Nothing was shown to anybody yet.");
    }
    session.terminal.result(text.trim_end(), &json!({"desk": desk, "consents": kept.consents()}))
}

/// What the person reads before they agree.
fn question(consent: &Consent, asker: &Asker) -> String {
    let mut text = String::from("\n");
    let (who, purpose) = match asker {
        Asker::Registered { name, purpose } => {
            (format!("{name}, registered with the operator"), purpose.clone())
        }
        Asker::Unknown { purpose: Some(purpose) } => {
            ("unknown: nobody vouches for them".to_owned(), format!("{purpose} (their words)"))
        }
        Asker::Unknown { purpose: None } => {
            ("unknown: nobody vouches for them".to_owned(), "they do not say".to_owned())
        }
    };
    let mut say = |name: &str, value: &str| {
        writeln!(text, "{name:<12}{value}").expect("a String");
    };
    say("who asks", &who);
    say("goes to", &consent.host);
    say("for", &purpose);
    for (at, (claim, value)) in consent.shown.iter().enumerate() {
        say(if at == 0 { "they read" } else { "" }, &line(*claim, value));
    }
    say("", "the day it was made, and that this operator signed it");
    say("until", &consent.until.to_string());
    text
}

fn line(claim: Claim, value: &Value) -> String {
    match claim {
        Claim::Scorecard => format!("by scorecard {}", value.as_str().unwrap_or_default()),
        Claim::Threshold => format!("a score of at least {value}"),
        Claim::TenureMonths => format!("a history of at least {value} months"),
        Claim::NothingOverdue => "nothing is overdue".to_owned(),
    }
}
