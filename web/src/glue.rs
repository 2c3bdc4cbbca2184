//! What is written in JavaScript: storage, requests, the lock between tabs, passkeys, the camera, the device. See the files named here.

#![allow(unsafe_code, reason = "what wasm-bindgen generates")]
#![allow(missing_docs, reason = "described where they are written")]

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/keep.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = lock)]
    pub(crate) async fn keep_lock() -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = load)]
    pub(crate) async fn keep_load() -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = begin)]
    pub(crate) async fn keep_begin(
        lock: &str,
        head: &Uint8Array,
        names: &Array,
        rows: &Array,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = commit)]
    pub(crate) async fn keep_commit(
        before: f64,
        head: &Uint8Array,
        names: &Array,
        rows: &Array,
        gone: &Array,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = relock)]
    pub(crate) async fn keep_relock(lock: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = note)]
    pub(crate) async fn keep_note(name: &str, text: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = noted)]
    pub(crate) async fn keep_noted(name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = erase)]
    pub(crate) async fn keep_erase() -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/js/net.js")]
extern "C" {
    #[wasm_bindgen(js_name = send)]
    pub(crate) async fn net_send(
        url: &str,
        method: &str,
        body: Option<&str>,
        kind: Option<&str>,
        bearer: Option<&str>,
        milliseconds: u32,
    ) -> JsValue;
    pub(crate) async fn pause(milliseconds: u32);
}

#[wasm_bindgen(module = "/js/tab.js")]
extern "C" {
    #[wasm_bindgen(js_name = take)]
    pub(crate) async fn tab_take(lost: &Closure<dyn FnMut()>) -> JsValue;
    #[wasm_bindgen(js_name = ask)]
    pub(crate) async fn tab_ask(milliseconds: u32) -> JsValue;
}

#[wasm_bindgen(module = "/js/passkey.js")]
extern "C" {
    #[wasm_bindgen(js_name = known)]
    pub(crate) fn passkey_known() -> bool;
    #[wasm_bindgen(catch, js_name = create)]
    pub(crate) async fn passkey_create(name: &str, user: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = open)]
    pub(crate) async fn passkey_open(id: &Uint8Array) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/js/camera.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = start)]
    pub(crate) async fn camera_start(video: &web_sys::HtmlVideoElement)
    -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = stop)]
    pub(crate) fn camera_stop(video: &web_sys::HtmlVideoElement);
    #[wasm_bindgen(js_name = frame)]
    pub(crate) fn camera_frame(video: &web_sys::HtmlVideoElement) -> JsValue;
    #[wasm_bindgen(catch, js_name = picture)]
    pub(crate) async fn camera_picture(file: &web_sys::File) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/js/device.js")]
extern "C" {
    pub(crate) async fn persist() -> JsValue;
    #[wasm_bindgen(js_name = isPersisted)]
    pub(crate) async fn is_persisted() -> JsValue;
    pub(crate) async fn copy(text: &str) -> JsValue;
    #[wasm_bindgen(js_name = canShare)]
    pub(crate) fn can_share() -> bool;
    pub(crate) async fn share(text: &str) -> JsValue;
    pub(crate) fn save(name: &str, kind: &str, text: &str);
    pub(crate) fn speak(language: &str, direction: &str);
    pub(crate) async fn install();
    pub(crate) async fn release() -> JsValue;
    pub(crate) async fn look() -> JsValue;
    pub(crate) async fn change(hash: &str);
    pub(crate) fn focus(id: &str);
    pub(crate) fn fell(text: &str);
    pub(crate) fn number(value: f64, decimals: u8, language: &str) -> String;
    pub(crate) fn moment(seconds: f64, language: &str, style: &str) -> String;
}

/// Bytes for JavaScript.
pub(crate) fn bytes(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}

/// Bytes from JavaScript; none if it is something else.
pub(crate) fn vec(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}
