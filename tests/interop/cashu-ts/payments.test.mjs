// Mint, send, receive, melt, replay and restore, for each unit with its method.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getEncodedToken } from '@cashu/cashu-ts';
import { randomBytes } from '@noble/hashes/utils.js';
import {
  assertStates, base, inputFee, mintQuote, minted, paid, payable, post, refusedWith, swapRequest, units, walletOf, worth,
} from './support.mjs';

for (const { unit, method } of units) {
  describe(`${unit} by ${method}`, () => {
    test('info is of this unit and announces what the tests use', async () => {
      const wallet = await walletOf(unit);
      const info = wallet.getMintInfo();
      for (const nut of [4, 5]) {
        const offers = info.nuts[nut].methods.filter((offer) => offer.method === method);
        assert.deepEqual(offers.map((offer) => offer.unit), [unit]);
      }
      for (const nut of [7, 8, 9, 10, 11, 12, 14, 20]) {
        assert.equal(info.nuts[nut]?.supported, true, `NUT-${nut} is not announced`);
      }
      // In demo mode satoshi cost what peers' suites expect; a fee of nothing everywhere would leave fees untested.
      assert.ok(unit !== 'sat' || wallet.keyChain.getCheapestKeyset().fee === 100);
      assert.ok(wallet.keyChain.getKeysets().every((keyset) => keyset.id.startsWith('01') && keyset.unit === unit));
    });

    test('a paid quote is minted once', async () => {
      const wallet = await walletOf(unit);
      const quote = await mintQuote(wallet, method, 1050);
      const answer = await paid(wallet, method, quote);
      const proofs = await wallet.mintProofs(method, 1050, answer);
      assert.equal(worth(proofs), 1050);
      await assertStates(wallet, proofs, 'UNSPENT');
      await refusedWith(20002, wallet.mintProofs(method, 1050, answer));
    });

    test('an unpaid quote is not minted', async () => {
      const wallet = await walletOf(unit);
      const quote = await mintQuote(wallet, method, 5);
      await refusedWith(20001, wallet.mintProofs(method, 5, quote));
    });

    test('a token sent arrives less the input fee and is spent', async () => {
      const [alice, bob] = [await walletOf(unit), await walletOf(unit)];
      const proofs = await minted(alice, method, 1050);
      const { keep, send } = await alice.send(250, proofs, { includeFees: false });
      assert.equal(worth(send), 250);
      const swapped = proofs.filter((proof) => ![...keep, ...send].some((other) => other.secret === proof.secret));
      assert.ok(0 < swapped.length, 'nothing was swapped');
      assert.equal(worth(keep), 1050 - 250 - inputFee(alice, swapped));

      const received = await bob.receive(getEncodedToken({ mint: `${base}/${unit}`, proofs: send, unit }));
      assert.equal(worth(received), 250 - inputFee(alice, send));
      await assertStates(alice, send, 'SPENT');
      await assertStates(alice, keep, 'UNSPENT');
      await refusedWith(11001, bob.receive(send));
    });

    test('a token that includes its fees arrives whole', async () => {
      const [alice, bob] = [await walletOf(unit), await walletOf(unit)];
      const { send } = await alice.send(100, await minted(alice, method, 500), { includeFees: true });
      assert.equal(worth(await bob.receive(send)), 100);
    });

    test('a payment costs its amount and the fees, and the rest of the reserve comes back', async () => {
      const wallet = await walletOf(unit);
      const proofs = await minted(wallet, method, 1050);
      const quote = await wallet.createMeltQuote(method, { request: await payable(unit, method, 250) });
      assert.equal(Number(quote.amount), 250);
      assert.equal(quote.state, 'UNPAID');
      const reserve = Number(quote.fee_reserve);
      assert.ok(1 < reserve, `a reserve of ${reserve} leaves nothing to give back`);
      const { send } = await wallet.send(250 + reserve, proofs, { includeFees: true });

      const { quote: answer, change } = await wallet.meltProofs(method, quote, send);
      assert.equal(answer.state, 'PAID');
      const charged = Math.floor(reserve / 2); // By the demo rail: half, in the payer's favour.
      assert.equal(worth(change), worth(send) - 250 - inputFee(wallet, send) - charged);
      await assertStates(wallet, send, 'SPENT');
      await assertStates(wallet, change, 'UNSPENT');
      assert.equal((await wallet.checkMeltQuote(method, quote.quote)).state, 'PAID');
    });

    test('a payment that fails gives the proofs back', { skip: method !== 'bank' && 'no invoice fails' }, async () => {
      const wallet = await walletOf(unit);
      const proofs = await minted(wallet, method, 500);
      const request = (await payable(unit, method, 250)).replace('someone', 'fails');
      const quote = await wallet.createMeltQuote(method, { request });
      await refusedWith(20004, wallet.meltProofs(method, quote, proofs));
      await assertStates(wallet, proofs, 'UNSPENT');
      assert.equal((await wallet.checkMeltQuote(method, quote.quote)).state, 'UNPAID');
    });

    test('a payment beyond the proofs is refused and takes none of them', async () => {
      const wallet = await walletOf(unit);
      const proofs = await minted(wallet, method, 100);
      const quote = await wallet.createMeltQuote(method, { request: await payable(unit, method, 250) });
      const inputs = proofs.map(({ id, amount, secret, C }) => ({ id, amount: Number(amount), secret, C }));
      const { status, answer } = await post(
        `/${unit}/v1/melt/${method}`,
        JSON.stringify({ quote: quote.quote, inputs, outputs: [] }),
      );
      assert.equal(status, 400);
      assert.equal(answer.code, 11005);
      await assertStates(wallet, proofs, 'UNSPENT');
    });

    test('the same swap sent twice gives the same signatures', async () => {
      const wallet = await walletOf(unit);
      const proofs = await minted(wallet, method, 64);
      const request = swapRequest(await wallet.prepareSwapToReceive(proofs));
      const first = await post(`/${unit}/v1/swap`, request);
      assert.equal(first.status, 200);
      assert.deepEqual(await post(`/${unit}/v1/swap`, request), first);

      const other = swapRequest(await wallet.prepareSwapToReceive(proofs));
      const second = await post(`/${unit}/v1/swap`, other);
      assert.deepEqual([second.status, second.answer.code], [400, 11001], 'spent inputs with fresh outputs');
    });

    test('outputs signed before are not paid for twice', async () => {
      const wallet = await walletOf(unit);
      const outputs = JSON.parse(swapRequest(await wallet.prepareSwapToReceive(await minted(wallet, method, 64))));
      assert.equal((await post(`/${unit}/v1/swap`, JSON.stringify(outputs))).status, 200);

      const fresh = await minted(wallet, method, 64);
      const inputs = JSON.parse(swapRequest(await wallet.prepareSwapToReceive(fresh))).inputs;
      const stale = await post(`/${unit}/v1/swap`, JSON.stringify({ inputs, outputs: outputs.outputs }));
      assert.deepEqual([stale.status, stale.answer.code], [400, 11003]);
      await assertStates(wallet, fresh, 'UNSPENT');
    });

    test('the seed alone restores what is unspent', async () => {
      const bip39seed = randomBytes(64);
      const wallet = await walletOf(unit, { bip39seed });
      const proofs = await minted(wallet, method, 210, { type: 'deterministic', counter: 0 });
      const { keep, send } = await wallet.send(
        50, proofs, {}, { keep: { type: 'deterministic', counter: 0 }, send: { type: 'random' } },
      );
      await (await walletOf(unit)).receive(send);

      const again = await walletOf(unit, { bip39seed });
      const { proofs: found, lastCounterWithSignature } = await again.batchRestore();
      const { unspent } = await again.groupProofsByState(found);
      assert.equal(worth(unspent), worth(keep));
      // A wallet that forgets how far its counter was makes outputs that were signed before: it must lose nothing.
      await refusedWith(11003, again.receive(unspent));
      await assertStates(again, unspent, 'UNSPENT');
      await again.counters.advanceToAtLeast(again.keysetId, lastCounterWithSignature + 1);
      assert.equal(worth(await again.receive(unspent)), worth(keep) - inputFee(again, unspent));
    });
  });
}
