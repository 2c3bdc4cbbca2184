// Passkeys: asks the device, and carries JSON between it and the desk. The only script of these pages.
//
// A form with data-passkey ("create" or "get") names where a ceremony begins and ends (data-begin, data-finish); its fields
// go along with the beginning. What is said meanwhile stands in the form's data attributes, in the page's language.
"use strict";

const fromText = (text) => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const toText = (buffer) => {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
  return btoa(letters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};

const named = (list) => (list || []).map((entry) => ({ ...entry, id: fromText(entry.id) }));

const create = async (options) => {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: fromText(options.challenge),
      user: { ...options.user, id: fromText(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  const { response } = made;
  return {
    id: made.id,
    rawId: toText(made.rawId),
    type: made.type,
    extensions: made.getClientExtensionResults(),
    response: {
      attestationObject: toText(response.attestationObject),
      clientDataJSON: toText(response.clientDataJSON),
      transports: response.getTransports ? response.getTransports() : undefined,
    },
  };
};

const get = async (options) => {
  const used = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: fromText(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
  const { response } = used;
  return {
    id: used.id,
    rawId: toText(used.rawId),
    type: used.type,
    extensions: used.getClientExtensionResults(),
    response: {
      authenticatorData: toText(response.authenticatorData),
      clientDataJSON: toText(response.clientDataJSON),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
};

/** Sends JSON to the desk; fails with what the desk says of a refusal. */
const send = async (form, path, body) => {
  const headers = { "content-type": "application/json" };
  if (form.dataset.token) headers["x-form-token"] = form.dataset.token;
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Error(form.dataset.unreached);
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.detail || form.dataset.unreached);
  return said;
};

const explain = (form, error) => {
  if (!(error instanceof DOMException)) return error.message;
  return error.name === "InvalidStateError" ? form.dataset.known : form.dataset.givenUp;
};

const run = async (form) => {
  const { begin, finish, passkey } = form.dataset;
  const fields = Object.fromEntries(new FormData(form));
  const { ceremony, options } = await send(form, begin, fields);
  const credential = await (passkey === "create" ? create(options) : get(options));
  const { next } = await send(form, finish, { ceremony, credential });
  const to = new URL(next, location.href);
  const isHere = to.pathname + to.search === location.pathname + location.search;
  location.assign(to);
  if (isHere) location.reload(); // Otherwise nothing but the part behind the # would change.
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const said = form.querySelector(".said");
  const wrong = form.querySelector(".wrong");
  const button = form.querySelector("button");
  if (!window.PublicKeyCredential) {
    wrong.textContent = form.dataset.unsupported;
    button.disabled = true;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    said.textContent = form.dataset.waiting;
    button.disabled = true;
    try {
      await run(form);
    } catch (error) {
      wrong.textContent = explain(form, error);
    }
    said.textContent = "";
    button.disabled = false;
  });
  // The code of an invitation stands behind the #, which no server is told of and no log holds.
  const code = form.querySelector("input[name=code]");
  const takeCode = () => {
    if (location.hash.length < 2) return;
    code.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  };
  if (code) {
    takeCode();
    addEventListener("hashchange", takeCode); // Another link, in the same tab.
  }
}
