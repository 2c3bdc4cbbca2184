// IndexedDB: a lock, a head with a version, and sealed rows. One commit is one transaction, durable when its promise settles.

const NAME = 'tacit-wallet';
const STORES = ['lock', 'head', 'row', 'plain'];

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => {
      // Another tab wants to delete it, or brings a later form: let go.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('blocked'));
  });
  return opened;
}

// Runs `work` in one transaction; gives what it returned, once all is durable.
async function transact(stores, mode, work) {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(stores, mode, { durability: 'strict' });
    let result;
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
    Promise.resolve(work(transaction)).then((value) => { result = value; }, (error) => { try { transaction.abort(); } catch { /* It has ended. */ } reject(error); });
  });
}

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export async function lock() {
  return transact(['lock'], 'readonly', async (t) => (await asked(t.objectStore('lock').get(0))) ?? null);
}

export async function load() {
  return transact(['head', 'row'], 'readonly', async (t) => {
    const head = await asked(t.objectStore('head').get(0));
    if (!head) return null;
    const [names, rows] = await Promise.all([asked(t.objectStore('row').getAllKeys()), asked(t.objectStore('row').getAll())]);
    return [head.version, head.sealed, names.map((name) => new Uint8Array(name)), rows];
  });
}

// Makes a wallet where there is none; false if there is one.
export async function begin(lock, head, names, rows) {
  return transact(['lock', 'head', 'row'], 'readwrite', async (t) => {
    if (await asked(t.objectStore('head').get(0))) return false;
    t.objectStore('row').clear();
    t.objectStore('lock').put(lock, 0);
    t.objectStore('head').put({ version: 0, sealed: head }, 0);
    names.forEach((name, at) => t.objectStore('row').put(rows[at], name));
    return true;
  });
}

// Writes a commit; false, and nothing is written, if another came first.
export async function commit(before, head, names, rows, gone) {
  return transact(['head', 'row'], 'readwrite', async (t) => {
    const now = await asked(t.objectStore('head').get(0));
    if (!now || now.version !== before) return false;
    t.objectStore('head').put({ version: before + 1, sealed: head }, 0);
    gone.forEach((name) => t.objectStore('row').delete(name));
    names.forEach((name, at) => t.objectStore('row').put(rows[at], name));
    return true;
  });
}

export async function relock(lock) {
  return transact(['lock'], 'readwrite', (t) => { t.objectStore('lock').put(lock, 0); });
}

// What is no secret: the language, the operator.
export async function note(name, text) {
  return transact(['plain'], 'readwrite', (t) => { t.objectStore('plain').put(text, name); });
}

export async function noted(name) {
  return transact(['plain'], 'readonly', async (t) => (await asked(t.objectStore('plain').get(name))) ?? null);
}

export async function erase() {
  const db = await database();
  db.close();
  opened = undefined;
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('blocked'));
  });
}
