// The checkout page's own script: copies, counts down, and turns the page when the order's state changes.
//
// Without it the page works by its links. It asks its own origin for the state and for nothing else.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
  });
}

for (const left of document.querySelectorAll("[data-left]")) {
  const end = Date.now() + 1000 * Number(left.dataset.left);
  const show = () => {
    const seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const shown = parts[0] ? parts : parts.slice(1);
    const text = shown.map((part, at) => (at ? String(part).padStart(2, "0") : String(part))).join(":");
    left.textContent = left.dataset.text + " " + text + ".";
    if (seconds === 0) clearInterval(timer);
  };
  const timer = setInterval(show, 1000);
  show();
}

for (const place of document.querySelectorAll("[data-live]")) {
  const look = async () => {
    let wait = 2000;
    try {
      const answer = await fetch(place.dataset.live, { cache: "no-store", credentials: "omit" });
      if (answer.ok && (await answer.json()).state !== place.dataset.state) {
        location.reload();
        return;
      }
    } catch {
      wait = 5000;
    }
    setTimeout(look, wait);
  };
  setTimeout(look, 1500);
}

// The counter: keys beside the field, for fingers.
for (const pad of document.querySelectorAll("[data-pad]")) {
  const field = document.getElementById(pad.dataset.pad);
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const key = event.target.dataset.key;
    if (key === undefined) return;
    if (key === "clear") field.value = "";
    else if (key === "back") field.value = field.value.slice(0, -1);
    else if (key !== "." || !field.value.includes(".")) field.value += key;
  });
}
