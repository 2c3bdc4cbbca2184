//! What the mint says of itself (NUT-06): true of this unit's URL, and of nothing else.

use axum::extract::State;
use axum::response::Response;
use tacit_ecash::message::info::{
    Cache, Endpoint, InfoResponse, MeltOptions, Method, MethodSettings, MintOptions, Nuts,
    SubscriptionMethod, Subscriptions, Supported,
};
use tacit_ecash::message::socket::Kind;
use tacit_ecash::point::PointBytes;
use tacit_service::quote;

use crate::answer;
use crate::config::Range;
use crate::state::UnitMint;

const YES: Option<Supported> = Some(Supported { supported: true });

/// Said to wallets, which show it beside the method.
const ALIAS_NAME: &str = "Bank transfer under the name bolt11 (not Lightning)";

/// Said to people.
const ALIAS_NOTE: &str = "Method bolt11 is an alias of method bank, for wallets that know no other name: \
    it is not Lightning, and its invoices cannot be paid over Lightning.";

/// `GET /v1/info` (NUT-06).
pub(super) async fn info(State(unit): State<UnitMint>) -> Response {
    let (shared, about) = (&unit.shared, &unit.shared.config.about);
    let notes = [
        about.description_long.as_deref(),
        unit.terms.bolt11.then_some(ALIAS_NOTE),
        shared.demo.is_some().then_some("This is a demonstration: its money is not real."),
        shared
            .rail
            .is_none()
            .then_some("No rail is attached: quotes can be opened, and nothing pays them."),
    ];
    let notes: Vec<&str> = notes.into_iter().flatten().collect();
    answer::json(&InfoResponse {
        name: about.name.clone().or_else(|| Some(format!("Tacit ({})", unit.terms.unit))),
        pubkey: Some(PointBytes::from(shared.identity.public())),
        version: Some(concat!("tacit/", env!("CARGO_PKG_VERSION")).to_owned()),
        description: about.description.clone(),
        description_long: (!notes.is_empty()).then(|| notes.join(" ")),
        contact: (!about.contact.is_empty()).then(|| about.contact.clone()),
        motd: about.motd.clone(),
        icon_url: about.icon_url.clone(),
        urls: shared.told_url().map(|url| vec![format!("{url}/{}", unit.terms.path)]),
        time: Some(shared.now()),
        tos_url: about.tos_url.clone(),
        nuts: nuts(&unit),
    })
}

fn nuts(unit: &UnitMint) -> Nuts {
    let terms = &unit.terms;
    Nuts {
        mint: Some(MethodSettings {
            methods: settings(unit, terms.mint, MintOptions { description: false }),
            disabled: false,
        }),
        melt: Some(MethodSettings {
            methods: settings(unit, terms.melt, MeltOptions { amountless: false }),
            disabled: unit.shared.rail.is_none(),
        }),
        check_state: YES,
        change: YES,
        restore: YES,
        conditions: YES,
        p2pk: YES,
        dleq: YES,
        htlc: YES,
        subscriptions: Some(subscriptions(unit)),
        cache: Some(cache(unit)),
        mint_signature: YES,
    }
}

fn methods(unit: &UnitMint) -> Vec<quote::Method> {
    let alias = unit.terms.bolt11.then_some(quote::Method::Bolt11);
    std::iter::once(quote::Method::Bank).chain(alias).collect()
}

fn settings<O: Copy>(unit: &UnitMint, range: Range, options: O) -> Vec<Method<O>> {
    let describe = |method: quote::Method| Method {
        method: method.name().to_owned(),
        unit: unit.terms.unit.to_string(),
        method_name: Some(match method {
            quote::Method::Bank => "Bank transfer".to_owned(),
            quote::Method::Bolt11 => ALIAS_NAME.to_owned(),
        }),
        min_amount: Some(range.min),
        max_amount: Some(range.max),
        options: Some(options),
    };
    methods(unit).into_iter().map(describe).collect()
}

fn subscriptions(unit: &UnitMint) -> Subscriptions {
    let describe = |method: quote::Method| {
        let name = method.name().to_owned();
        let kinds =
            [Kind::MintQuote(name.clone()), Kind::MeltQuote(name.clone()), Kind::ProofState];
        SubscriptionMethod {
            method: name,
            unit: unit.terms.unit.to_string(),
            commands: kinds.iter().map(Kind::to_string).collect(),
        }
    };
    Subscriptions { supported: methods(unit).into_iter().map(describe).collect() }
}

/// Repeated requests are recognised by what they did, so there is no time after which they are not.
fn cache(unit: &UnitMint) -> Cache {
    let post = |path: String| Endpoint { method: "POST".to_owned(), path };
    let of_method = |method: quote::Method| {
        let name = method.name();
        [post(format!("/v1/mint/{name}")), post(format!("/v1/melt/{name}"))]
    };
    let swap = std::iter::once(post("/v1/swap".to_owned()));
    let endpoints = swap.chain(methods(unit).into_iter().flat_map(of_method)).collect();
    Cache { ttl: None, cached_endpoints: endpoints }
}
