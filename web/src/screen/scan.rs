//! Reads a code: with the camera, from a picture, or pasted.

use leptos::html::{Input, Video};
use leptos::prelude::*;
use leptos::task::spawn_local;
use rqrr::PreparedImage;
use wasm_bindgen::{JsCast as _, JsValue};

use super::{View, Work};
use crate::app::{app, take_incoming};
use crate::glue;
use crate::target::Target;
use crate::text::text;
use crate::trouble::Trouble;

/// Milliseconds between two looks.
const PAUSE: u32 = 120;

/// What a picture's code says; none if there is no code in it that this wallet knows.
fn decode(frame: &JsValue) -> Option<String> {
    let parts: &js_sys::Array = frame.dyn_ref()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides of a picture"
    )]
    let side = |at: u32| parts.get(at).as_f64().map(|side| side as usize);
    let (width, height, pixels) = (side(0)?, side(1)?, glue::vec(&parts.get(2))?);
    let mut image =
        PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    image.detect_grids().iter().find_map(|grid| grid.decode().ok().map(|(_, text)| text))
}

/// Hands a text to the screen it is for.
pub(crate) fn take(text: &str) -> Result<(), Trouble> {
    Target::read(text).ok_or(Trouble::Unreadable)?;
    app().incoming.set(Some(text.to_owned()));
    take_incoming();
    Ok(())
}

pub(crate) fn scan() -> View {
    let (t, work) = (text(), Work::new());
    let (video, file) = (NodeRef::<Video>::new(), NodeRef::<Input>::new());
    let (is_seeing, no_camera) = (RwSignal::new(true), RwSignal::new(false));
    on_cleanup(move || _ = is_seeing.try_set(false));
    Effect::new(move |_| {
        let Some(video) = video.get() else { return };
        spawn_local(async move {
            if glue::camera_start(&video).await.is_err() {
                _ = no_camera.try_set(true);
                return;
            }
            while is_seeing.try_get_untracked() == Some(true) {
                if decode(&glue::camera_frame(&video)).is_some_and(|text| take(&text).is_ok()) {
                    break;
                }
                glue::pause(PAUSE).await;
            }
            glue::camera_stop(&video);
        });
    });
    let pick = move |_| {
        let picked = file.get().and_then(|file| file.files()).and_then(|files| files.get(0));
        let Some(picked) = picked else { return };
        work.run(
            async move {
                let frames =
                    glue::camera_picture(&picked).await.map_err(|_| Trouble::Unreadable)?;
                let text = js_sys::Array::from(&frames).iter().find_map(|frame| decode(&frame));
                take(&text.ok_or(Trouble::Unreadable)?)
            },
            |()| {},
        );
    };
    view! {
        {move || match no_camera.get() {
            false => view! { <video class="seen" node_ref=video muted playsinline aria-label=text().camera></video><p class="soft">{text().scan_how}</p> }.into_any(),
            true => view! { <p class="note warn" role="alert">{text().no_camera}</p> }.into_any(),
        }}
        <label>{t.scan_picture}<input type="file" accept="image/*" node_ref=file on:change=pick /></label>
        {work.view(t.loading)}
        {paste()}
    }
    .into_any()
}

/// A field for a text that came some other way.
pub(crate) fn paste() -> View {
    let (t, work, typed) = (text(), Work::new(), RwSignal::new(String::new()));
    let read = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let typed = typed.get_untracked();
        work.run(async move { take(&typed) }, |()| {});
    };
    view! {
        <form class="card" on:submit=read>
            <label>{t.paste}<textarea dir="ltr" rows="3" autocomplete="off" spellcheck="false" on:input=move |event| typed.set(event_target_value(&event))></textarea></label>
            <button class="wide plain" type="submit">{t.paste_read}</button>{work.view(t.loading)}
        </form>
    }
    .into_any()
}
