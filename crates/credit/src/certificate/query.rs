//! What is asked for: DCQL (OpenID4VP 1.0, section 6), as far as one kind of certificate can answer it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::statement::{Claim, Shown, Statement, TYPE};
use crate::scorecard::signed::CardId;

/// The format of certificates.
pub const FORMAT: &str = "dc+sd-jwt";
/// How [`Query::new`] calls the one credential it asks for.
const ID: &str = "certificate";
/// Credentials, claims, values and sets of them that are read of a query.
const ENTRIES_MAX: usize = 32;

/// A query: which credentials, and which claims of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    credentials: Vec<Credential>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential_sets: Option<Vec<CredentialSet>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Credential {
    id: String,
    format: String,
    #[serde(default)]
    meta: Meta,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claims: Option<Vec<ClaimQuery>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim_sets: Option<Vec<Vec<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trusted_authorities: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Meta {
    #[serde(default)]
    vct_values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ClaimQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    path: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Value>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct CredentialSet {
    options: Vec<Vec<String>>,
    #[serde(default = "yes")]
    required: bool,
}

fn yes() -> bool {
    true
}

impl Question {
    /// Whether what was shown is what was asked for.
    pub fn is_met_by(&self, shown: &Shown) -> bool {
        let has = |asked: &[u16], shown: Option<u16>| {
            asked.is_empty() || shown.is_some_and(|shown| asked.contains(&shown))
        };
        let is_by_card =
            shown.card.is_some_and(|card| self.cards.is_empty() || self.cards.contains(&card));
        let is_clear = shown.nothing_overdue || !self.nothing_overdue;
        is_by_card
            && is_clear
            && has(&self.thresholds, shown.threshold)
            && has(&self.tenures, shown.tenure)
    }
}

/// Why a query is not answered. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No credential, or more than anybody needs.
    #[error("the query asks for nothing, or for too much")]
    Size,
    /// Something beside a certificate is wanted, or no certificate.
    #[error("the query wants something else than one certificate")]
    OtherCredential,
    /// Only of authorities that are told in ways that are not read here.
    #[error("the query trusts only authorities that cannot be told here")]
    Authorities,
    /// A claim that certificates have not.
    #[error("the query asks for a claim that certificates do not have")]
    UnknownClaim,
}

/// A claim that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedClaim {
    /// Which.
    pub claim: Claim,
    /// One of these must be its value; any, if none are named.
    pub values: Option<Vec<Value>>,
}

/// One certificate that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    id: String,
    /// Sets of claims, the one that is liked best first; one of them is to be shown whole.
    options: Vec<Vec<WantedClaim>>,
}

/// What a verifier of ours asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// By one of these scorecards; empty: by any, which is shown.
    pub cards: Vec<CardId>,
    /// One of these thresholds: the lowest that is good enough, and all above it.
    pub thresholds: Vec<u16>,
    /// One of these ages in months; empty: it is not asked.
    pub tenures: Vec<u16>,
    /// That nothing is overdue.
    pub nothing_overdue: bool,
}

impl Query {
    /// The query of a question.
    pub fn new(question: &Question) -> Self {
        let values = |claim: Claim, values: Vec<Value>| {
            let path = vec![Value::from(claim.name())];
            (!values.is_empty()).then_some(ClaimQuery { id: None, path, values: Some(values) })
        };
        let any_card =
            ClaimQuery { id: None, path: vec![Claim::Scorecard.name().into()], values: None };
        let Question { cards, thresholds, tenures, nothing_overdue } = question;
        let numbers = |all: &[u16]| all.iter().map(|number| json!(number)).collect();
        let cards = cards.iter().map(|card| json!(card.to_string())).collect();
        let claims = [
            Some(values(Claim::Scorecard, cards).unwrap_or(any_card)),
            values(Claim::Threshold, numbers(thresholds)),
            values(Claim::TenureMonths, numbers(tenures)),
            values(
                Claim::NothingOverdue,
                nothing_overdue.then(|| json!(true)).into_iter().collect(),
            ),
        ];
        let credential = Credential {
            id: ID.to_owned(),
            format: FORMAT.to_owned(),
            meta: Meta { vct_values: vec![TYPE.to_owned()] },
            claims: Some(claims.into_iter().flatten().collect()),
            claim_sets: None,
            trusted_authorities: None,
        };
        Self { credentials: vec![credential], credential_sets: None }
    }

    /// The certificate that is asked for.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn wanted(&self) -> Result<Wanted, QueryError> {
        let is_small = |length: usize| length <= ENTRIES_MAX;
        if self.credentials.is_empty() || !is_small(self.credentials.len()) {
            return Err(QueryError::Size);
        }
        let ours = |credential: &&Credential| {
            let types = &credential.meta.vct_values;
            credential.format == FORMAT && types.iter().any(|vct| vct == TYPE)
        };
        let credential = self.credentials.iter().find(ours).ok_or(QueryError::OtherCredential)?;
        let alone = [credential.id.clone()];
        let is_enough = match &self.credential_sets {
            None => self.credentials.len() == 1,
            Some(sets) => {
                is_small(sets.len())
                    && sets.iter().all(|set| {
                        !set.required || set.options.iter().any(|option| *option == alone)
                    })
                    && sets.iter().any(|set| set.options.iter().any(|option| *option == alone))
            }
        };
        if !is_enough {
            return Err(QueryError::OtherCredential);
        }
        if credential.trusted_authorities.is_some() {
            return Err(QueryError::Authorities);
        }
        let claims = credential.claims.as_deref().unwrap_or_default();
        if !is_small(claims.len()) {
            return Err(QueryError::Size);
        }
        let options = match &credential.claim_sets {
            None => vec![claims.iter().map(wanted_claim).collect::<Result<_, _>>()?],
            Some(sets) if is_small(sets.len()) => {
                sets.iter().filter_map(|set| option(set, claims)).collect()
            }
            Some(_) => return Err(QueryError::Size),
        };
        if options.is_empty() {
            return Err(QueryError::UnknownClaim);
        }
        Ok(Wanted { id: credential.id.clone(), options })
    }
}

/// A set of claims by their ids, if certificates have them all.
fn option(set: &[String], claims: &[ClaimQuery]) -> Option<Vec<WantedClaim>> {
    let of_id = |id: &String| {
        let claim = claims.iter().find(|claim| claim.id.as_ref() == Some(id))?;
        wanted_claim(claim).ok()
    };
    set.iter().map(of_id).collect()
}

fn wanted_claim(query: &ClaimQuery) -> Result<WantedClaim, QueryError> {
    let [Value::String(name)] = query.path.as_slice() else {
        return Err(QueryError::UnknownClaim);
    };
    let claim = Claim::of_name(name).ok_or(QueryError::UnknownClaim)?;
    if query.values.as_ref().is_some_and(|values| ENTRIES_MAX < values.len()) {
        return Err(QueryError::Size);
    }
    Ok(WantedClaim { claim, values: query.values.clone() })
}

impl Wanted {
    /// What the answer is called in the response.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The sets of claims, one of which is to be shown whole; the one that is liked best first.
    pub fn options(&self) -> &[Vec<WantedClaim>] {
        &self.options
    }

    /// The claims to show of a statement, and no others; nothing if it is not what is asked for.
    pub fn met_by(&self, statement: &Statement) -> Option<Vec<Claim>> {
        self.met_by_values(|claim| statement.value(claim))
    }

    /// The same, of claims that a certificate has.
    pub fn met_by_values(&self, value: impl Fn(Claim) -> Option<Value>) -> Option<Vec<Claim>> {
        let is_met = |wanted: &WantedClaim| {
            value(wanted.claim).is_some_and(|value| {
                wanted.values.as_ref().is_none_or(|values| values.contains(&value))
            })
        };
        let option = self.options.iter().find(|option| option.iter().all(is_met))?;
        Some(option.iter().map(|wanted| wanted.claim).collect())
    }
}
