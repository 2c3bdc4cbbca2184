//! What may be asked of this server, as OpenAPI 3.1: `openapi.json` beside the routes, with what the configuration decides.
//!
//! Written by hand: the message types are shared with wallets, which want no attributes of a document in them. The tests hold
//! it against the routes and the types, and `./tacit test --only schemathesis` against what a server answers.

use std::future::{Ready, ready};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::config::Config;

const DOCUMENT: &str = include_str!("../openapi.json");

/// `GET /openapi.json`: written once, for it is long and does not change.
pub(super) fn document(config: &Config) -> impl Fn() -> Ready<Response> + Clone + use<> {
    let text = Bytes::from(of(config).to_string());
    move || {
        let mut response = Response::new(Body::from(text.clone()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        // It holds nothing that a page of another origin may not know.
        let any = HeaderValue::from_static("*");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
        ready(response)
    }
}

/// The document for this configuration.
fn of(config: &Config) -> Value {
    let paths: Vec<&str> = config.units.iter().map(|unit| unit.path.as_str()).collect();
    let mut document = parse();
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    let parameter = &mut document["components"]["parameters"]["unit"];
    parameter["schema"]["enum"] = json!(paths);
    parameter["example"] = json!(paths.first());
    document
}

fn parse() -> Value {
    serde_json::from_str(DOCUMENT).expect("a test reads it")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;
    use tacit_ecash::message;
    use tacit_ecash::message::info::InfoResponse;

    use super::*;

    /// Method and path of each `.route("…", get(…))` in a text.
    fn routes(text: &str, before: &str) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        for part in text.split(".route(\"").skip(1) {
            let (path, rest) = part.split_once('"').unwrap();
            let handler = rest.trim_start_matches(',').trim_start();
            let is_post = handler.starts_with("post(");
            assert!(
                is_post || ["get(", "sockets(", "root"].iter().any(|it| handler.starts_with(it))
            );
            let method = if is_post { "post" } else { "get" };
            found.insert((method.to_owned(), format!("{before}{path}")));
        }
        found
    }

    #[test]
    fn every_route_is_in_the_document_and_no_other() {
        let text = include_str!("../route.rs").replace(".route(\n            ", ".route(");
        let (common, of_unit) = text.split_once("fn mint<S>").unwrap();
        let mut known = routes(common, "");
        known.extend(routes(of_unit, "/{unit}"));
        let passport = routes(include_str!("passport.rs"), "/v1/passport").into_iter();
        known
            .extend(passport.map(|(method, path)| (method, path.trim_end_matches('/').to_owned())));
        // Pages are for people, and the levers of demo mode are no part of a mint.
        known.retain(|(_, path)| path != "/" && path != "/style.css" && !path.starts_with("/demo"));
        assert!(known.len() > 15, "{known:?}");
        let document = parse();
        let mut told = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let methods = operations.as_object().unwrap().keys();
            told.extend(methods.map(|method| (method.clone(), path.clone())));
        }
        assert_eq!(known, told);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = parse();
        let mut references = 0;
        for part in DOCUMENT.split("\"$ref\": \"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            references += 1;
        }
        assert!(references > 100, "{references}");
    }

    fn reads<T: DeserializeOwned>(schema: &str) {
        let document = parse();
        let examples = document["components"]["schemas"][schema]["examples"].as_array();
        let examples = examples.unwrap_or_else(|| panic!("{schema} has no example"));
        for example in examples {
            let read = serde_json::from_value::<T>(example.clone());
            assert!(read.is_ok(), "{schema}: {:?}", read.err());
        }
    }

    #[test]
    fn the_examples_are_read_by_the_types_they_are_of() {
        reads::<InfoResponse>("Info");
        reads::<message::ErrorResponse>("Error");
        reads::<message::Keyset>("Keyset");
        reads::<message::SwapRequest>("SwapRequest");
        reads::<message::SignaturesResponse>("SignaturesResponse");
        reads::<message::MintQuoteRequest>("MintQuoteRequest");
        reads::<message::MintQuoteResponse>("MintQuote");
        reads::<message::MintRequest>("MintRequest");
        reads::<message::MeltQuoteRequest>("MeltQuoteRequest");
        reads::<message::MeltQuoteResponse>("MeltQuote");
        reads::<message::MeltRequest>("MeltRequest");
        reads::<message::CheckStateRequest>("CheckStateRequest");
        reads::<message::CheckStateResponse>("CheckStateResponse");
        reads::<message::PayRequest>("PayRequest");
        reads::<message::RestoreRequest>("RestoreRequest");
        reads::<message::RestoreResponse>("RestoreResponse");
    }
}
