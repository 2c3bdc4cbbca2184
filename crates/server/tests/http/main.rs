//! The mint over HTTP, on a listening server with a vault on disk.

#[path = "../support/mod.rs"]
mod support;

mod flow;
