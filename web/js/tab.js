// One active tab: whoever holds the lock has the wallet. Another tab may ask for it.

const NAME = 'tacit-wallet';
const channel = new BroadcastChannel(NAME);
let release;

// Takes the wallet; false if another tab has it.
export function take(lost) {
  return new Promise((resolve) => {
    navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
      if (!lock) { resolve(false); return undefined; }
      channel.onmessage = (event) => { if (event.data === 'give') { lost(); release(); } };
      resolve(true);
      return new Promise((given) => { release = given; });
    });
  });
}

// Asks the tab that has it to give it up, and waits until it is free; false if it is not given.
export async function ask(milliseconds) {
  channel.postMessage('give');
  const stop = AbortSignal.timeout(milliseconds);
  try {
    await navigator.locks.request(NAME, { signal: stop }, () => undefined);
    return true;
  } catch {
    return false;
  }
}
