// Keeps one release whole, offline too. A release is what release.json lists; its name is the SHA-256 of that list. Nothing is served of a
// release whose files do not all have the hashes listed, and no other release is served before the person says so.

const POINTER = 'tacit-pointer';
const MARK = '/current';
const cacheOf = (hash) => `tacit-release-${hash}`;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => event.waitUntil(answer(event)));
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  event.respondWith(serve(event.request, url));
});

async function install() {
  if (await current()) return;
  const hash = await fetchRelease();
  await point(hash);
}

async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function current() {
  const pointer = await (await caches.open(POINTER)).match(MARK);
  return pointer ? pointer.text() : null;
}

async function point(hash) {
  await (await caches.open(POINTER)).put(MARK, new Response(hash));
}

async function bytesOf(path, cache) {
  const response = await fetch(path, { cache, credentials: 'omit' });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return [response, await response.clone().arrayBuffer()];
}

// A file of a release: the one that is here if it is that one, else the server's, and past the browser's own cache if that has another.
async function fetchFile(path, sha256, known) {
  const kept = await known?.match(path);
  if (kept && (await digest(await kept.clone().arrayBuffer())) === sha256) return kept;
  for (const cache of ['no-cache', 'reload']) {
    const [file, bytes] = await bytesOf(path, cache);
    if ((await digest(bytes)) === sha256) return file;
  }
  throw new Error(`${path} is not what the release lists`);
}

// Fetches what the server has now; gives its hash, once all of it is there and is what it should be.
async function fetchRelease() {
  const [response, list] = await bytesOf('/release.json', 'no-cache');
  const hash = await digest(list);
  const name = cacheOf(hash);
  if (await caches.has(name) && (await (await caches.open(name)).match('/release.json'))) return hash;
  const before = await current();
  const known = before && await caches.open(cacheOf(before));
  await caches.delete(name);
  const cache = await caches.open(name);
  const { files } = JSON.parse(new TextDecoder().decode(list));
  try {
    for (const [path, { sha256 }] of Object.entries(files)) {
      await cache.put(`/${path}`, await fetchFile(`/${path}`, sha256, known));
    }
  } catch (error) {
    await caches.delete(name);
    throw error;
  }
  // Last: a release is whole once its list is there.
  await cache.put('/release.json', response);
  return hash;
}

async function serve(request, url) {
  const hash = await current();
  const cache = hash && await caches.open(cacheOf(hash));
  if (!cache) return fetch(request);
  const path = request.mode === 'navigate' ? '/index.html' : url.pathname;
  const kept = await cache.match(path);
  if (kept) return kept;
  const notes = await caches.open(POINTER);
  try {
    const response = await fetch(request);
    if (response.ok && path === '/operator.json') await notes.put(path, response.clone());
    return response;
  } catch (error) {
    const last = await notes.match(path);
    if (last) return last;
    throw error;
  }
}

async function answer(event) {
  const reply = (value) => event.ports[0]?.postMessage(value);
  try {
    if (event.data === 'release') return reply(await current());
    if (event.data === 'look') {
      const hash = await fetchRelease();
      return reply(hash === (await current()) ? '' : hash);
    }
    const hash = event.data?.change;
    if (typeof hash !== 'string' || !(await (await caches.open(cacheOf(hash))).match('/release.json'))) return reply(false);
    await point(hash);
    const old = (await caches.keys()).filter((name) => name.startsWith('tacit-release-') && name !== cacheOf(hash));
    await Promise.all(old.map((name) => caches.delete(name)));
    return reply(true);
  } catch {
    return reply(null);
  }
}
