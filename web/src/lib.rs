//! The wallet people carry, in a browser: the operations of `tacit-wallet` over IndexedDB and `fetch`, and its screens.
//!
//! Reading order: [`target`] (what a code or a link is), [`text`] (all words, in each language), [`book`] (what a person decides), [`picture`] (figures
//! as shapes); then, in a browser alone, `glue` (what JavaScript is needed), `keep` (the storage), `net`, `session` (drives operations), `task` (what
//! a person does, from the first look to the last), `app` and `screen`.
//! Architecture invariant: what the person has leaves this device as protocol messages and backups alone; no request goes beyond the operator's three
//! origins, and none has a cookie.

pub mod book;
pub mod picture;
pub mod target;
pub mod text;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod clock;
#[cfg(target_arch = "wasm32")]
mod glue;
#[cfg(target_arch = "wasm32")]
mod keep;
#[cfg(target_arch = "wasm32")]
mod net;
#[cfg(target_arch = "wasm32")]
mod screen;
#[cfg(target_arch = "wasm32")]
mod session;
#[cfg(target_arch = "wasm32")]
mod task;
#[cfg(target_arch = "wasm32")]
mod trouble;

/// Begins.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    app::mount();
}
