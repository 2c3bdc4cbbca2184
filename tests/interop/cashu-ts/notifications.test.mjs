// NUT-17: what the mint says by itself over a WebSocket.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { minted, payable, units, walletOf, worth } from './support.mjs';

const timeoutMs = 10_000;

/** Resolves with the first update of `subscribe` for which `wanted` holds. */
async function firstUpdate(subscribe, wanted) {
  const stop = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    stop.addEventListener('abort', () => reject(new Error('no update came within ten seconds')));
    subscribe((update) => wanted(update) && resolve(update), reject, { signal: stop }).catch(reject);
  });
}

for (const { unit, method } of units) {
  describe(`notifications in ${unit}`, () => {
    const wallets = [];

    async function open() {
      const wallet = await walletOf(unit);
      wallets.push(wallet);
      return wallet;
    }

    // An open socket would keep the process waiting.
    after(() => wallets.forEach((wallet) => wallet.mint.disconnectWebSocket()));

    // The library subscribes to quotes of bolt11 and of no other method.
    const skip = method !== 'bolt11' && 'cashu-ts follows no quotes of this method';

    test('a mint quote is announced when it is paid', { skip }, async () => {
      const wallet = await open();
      const quote = await wallet.createMintQuoteBolt11(21);
      const answer = await wallet.on.onceMintPaid(quote.quote, { timeoutMs });
      assert.equal(answer.state, 'PAID');
      assert.equal(worth(await wallet.mintProofsBolt11(21, answer)), 21);
    });

    test('one subscription follows several quotes', { skip }, async () => {
      const wallet = await open();
      const quotes = [await wallet.createMintQuoteBolt11(21), await wallet.createMintQuoteBolt11(22)];
      const ids = quotes.map(({ quote }) => quote);
      const seen = new Set();
      await firstUpdate(
        (update, error, options) => wallet.on.mintQuoteUpdates(ids, update, error, options),
        ({ quote, state }) => state === 'PAID' && seen.add(quote).size === ids.length,
      );
      assert.deepEqual([...seen].sort(), ids.sort());
    });

    test('a proof is announced when it is spent', async () => {
      const wallet = await open();
      const proofs = await minted(wallet, method, 64);
      const spent = firstUpdate(
        (update, error, options) => wallet.on.proofStateUpdates(proofs, update, error, options),
        ({ state }) => state === 'SPENT',
      );
      await wallet.receive(proofs);
      assert.equal((await spent).state, 'SPENT');
    });

    test('a melt quote is announced when it is paid', { skip }, async () => {
      const wallet = await open();
      const proofs = await minted(wallet, method, 500);
      const quote = await wallet.createMeltQuoteBolt11(await payable(unit, method, 250));
      const announced = wallet.on.onceMeltPaid(quote.quote, { timeoutMs });
      const { send } = await wallet.send(quote.amount.add(quote.fee_reserve), proofs, { includeFees: true });
      await wallet.meltProofsBolt11(quote, send);
      assert.equal((await announced).state, 'PAID');
    });
  });
}
