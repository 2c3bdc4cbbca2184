//! The mint over HTTP, on a listening server with a vault on disk.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod demo;
mod flow;
mod limit;
mod melt;
mod operate;
mod origin;
mod portal;
mod pressure;
mod race;
mod refusal;
mod repeat;
mod rubbish;
mod shop;
mod shop_guide;
mod shop_money;
mod socket;
mod tls;
