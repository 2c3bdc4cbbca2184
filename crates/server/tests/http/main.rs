//! The mint over HTTP, on a listening server with a vault on disk.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod abroad;
mod billers;
mod bills;
mod cash;
mod certify;
mod closing;
mod demo;
mod fees;
mod finance;
mod flow;
mod known;
mod limit;
mod melt;
mod operate;
mod origin;
mod passport;
mod people;
mod portal;
mod pressure;
mod race;
mod recovery;
mod refusal;
mod repeat;
mod rubbish;
mod shop;
mod shop_crash;
mod shop_guide;
mod shop_money;
mod socket;
mod statements;
mod street;
mod tls;
mod verifiers;
mod wallet;
