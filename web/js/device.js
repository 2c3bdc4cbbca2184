// What a page may ask of its device.

export async function persist() {
  return (await navigator.storage?.persist?.()) ?? false;
}

export async function isPersisted() {
  return (await navigator.storage?.persisted?.()) ?? false;
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function canShare() {
  return typeof navigator.share === 'function';
}

export async function share(text) {
  try {
    await navigator.share({ text });
    return true;
  } catch {
    return false;
  }
}

export function save(name, type, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function speak(language, direction) {
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
}

// The service worker's word on releases: its hash now, or what it fetched.
async function ask(message) {
  const registration = await navigator.serviceWorker?.ready;
  if (!registration?.active) return null;
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = (event) => resolve(event.data);
    setTimeout(() => resolve(null), 60000);
    registration.active.postMessage(message, [port2]);
  });
}

export async function install() {
  try {
    await navigator.serviceWorker?.register('./worker.js', { updateViaCache: 'none' });
  } catch { /* Without it the wallet works as long as its server does. */ }
}

export async function release() {
  return (await ask('release')) ?? null;
}

// Fetches a new release whole, if there is one: its hash, none if there is no later one, or null if that cannot be said.
export async function look() {
  return (await ask('look')) ?? null;
}

export async function change(hash) {
  if (await ask({ change: hash })) location.reload();
}

export function focus(id) {
  requestAnimationFrame(() => document.getElementById(id)?.focus({ preventScroll: false }));
}

export function number(value, decimals, language) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

export function moment(seconds, language, style) {
  const options = style === 'month' ? { month: 'long', year: 'numeric', timeZone: 'UTC' }
    : style === 'day' ? { day: 'numeric', month: 'short', year: 'numeric' }
      : { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' };
  return new Intl.DateTimeFormat(language, options).format(new Date(seconds * 1000));
}

// The program has stopped: said above whatever is on the page.
export function fell(text) {
  const note = document.createElement('p');
  note.className = 'note bad';
  note.setAttribute('role', 'alert');
  note.textContent = text;
  document.body.prepend(note);
}
