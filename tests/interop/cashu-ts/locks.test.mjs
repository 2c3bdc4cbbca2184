// Spending conditions: P2PK (NUT-11) and HTLC (NUT-14), and mint quotes locked to a key (NUT-20).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { P2PKBuilder, createHTLCHash } from '@cashu/cashu-ts';
import { assertStates, inputFee, keyPair, minted, paid, post, refusedWith, units, walletOf, worth } from './support.mjs';

const [past, future] = [-3600, 3600].map((seconds) => Math.floor(Date.now() / 1000) + seconds);

/** Proofs worth 64 that were swapped into outputs with this condition. */
async function locked(wallet, method, condition) {
  const proofs = await minted(wallet, method, 128);
  const { send } = await wallet.ops.send(64, proofs).asP2PK(condition.toOptions()).run();
  assert.equal(worth(send), 64);
  return send;
}

/** Receives with these keys; the library signs what it can, and the mint decides. */
async function receive(wallet, proofs, privkey = undefined) {
  const preview = await wallet.prepareSwapToReceive(proofs);
  return (await wallet.completeSwap(preview, privkey)).keep;
}

function withPreimage(proofs, preimage) {
  return proofs.map((proof) => ({ ...proof, witness: { preimage } }));
}

for (const { unit, method } of units) {
  describe(`conditions in ${unit}`, () => {
    const [bob, carol] = [keyPair(), keyPair()];

    async function assertOpens(wallet, proofs, privkey = undefined) {
      assert.equal(worth(await receive(wallet, proofs, privkey)), 64 - inputFee(wallet, proofs));
      await assertStates(wallet, proofs, 'SPENT');
    }

    async function assertStaysShut(wallet, proofs, privkey = undefined) {
      await refusedWith(10001, receive(wallet, proofs, privkey));
      await assertStates(wallet, proofs, 'UNSPENT');
    }

    test('P2PK opens for its key, and for no other or none', async () => {
      const wallet = await walletOf(unit);
      const proofs = await locked(wallet, method, new P2PKBuilder().addLockPubkey(bob.pubkey));
      await assertStaysShut(wallet, proofs);
      await assertStaysShut(wallet, proofs, carol.secret);
      await assertOpens(wallet, proofs, bob.secret);
    });

    test('P2PK with SIG_ALL signs for the outputs too', async () => {
      const wallet = await walletOf(unit);
      const proofs = await locked(wallet, method, new P2PKBuilder().addLockPubkey(bob.pubkey).sigAll());
      await assertStaysShut(wallet, proofs, carol.secret);
      await assertOpens(wallet, proofs, bob.secret);
    });

    test('P2PK of two keys needs both where two signatures are asked', async () => {
      const wallet = await walletOf(unit);
      const condition = new P2PKBuilder().addLockPubkey([bob.pubkey, carol.pubkey]).requireLockSignatures(2);
      const proofs = await locked(wallet, method, condition);
      await assertStaysShut(wallet, proofs, bob.secret);
      await assertOpens(wallet, proofs, [bob.secret, carol.secret]);
    });

    test('P2PK opens for the refund key after the locktime', async () => {
      const wallet = await walletOf(unit);
      const condition = new P2PKBuilder().addLockPubkey(bob.pubkey).addRefundPubkey(carol.pubkey);
      const waiting = await locked(wallet, method, condition.lockUntil(future));
      await assertStaysShut(wallet, waiting, carol.secret);
      await assertOpens(wallet, waiting, bob.secret);
      await assertOpens(wallet, await locked(wallet, method, condition.lockUntil(past)), carol.secret);
    });

    test('P2PK without refund key opens for anybody after the locktime', async () => {
      const wallet = await walletOf(unit);
      await assertOpens(wallet, await locked(wallet, method, new P2PKBuilder().addLockPubkey(bob.pubkey).lockUntil(past)));
    });

    test('HTLC opens for the preimage and the key together', async () => {
      const wallet = await walletOf(unit);
      const { hash, preimage } = createHTLCHash();
      const proofs = await locked(wallet, method, new P2PKBuilder().addHashlock(hash).addLockPubkey(bob.pubkey));
      await assertStaysShut(wallet, proofs, bob.secret);
      await assertStaysShut(wallet, withPreimage(proofs, createHTLCHash().preimage), bob.secret);
      await assertStaysShut(wallet, withPreimage(proofs, preimage), carol.secret);
      await assertOpens(wallet, withPreimage(proofs, preimage), bob.secret);
      // NUT-07 shows the preimage to who asks for the state, as NUT-14 wants for atomic swaps.
      const [state] = await wallet.checkProofsStates(proofs.slice(0, 1));
      assert.equal(JSON.parse(state.witness).preimage, preimage);
    });

    test('HTLC opens for the refund key after the locktime, without preimage', async () => {
      const wallet = await walletOf(unit);
      const condition = new P2PKBuilder().addHashlock(createHTLCHash().hash).addLockPubkey(bob.pubkey);
      condition.addRefundPubkey(carol.pubkey);
      await assertStaysShut(wallet, await locked(wallet, method, condition.lockUntil(future)), carol.secret);
      await assertOpens(wallet, await locked(wallet, method, condition.lockUntil(past)), carol.secret);
    });

    test('a mint quote locked to a key is minted by that key alone', async () => {
      const wallet = await walletOf(unit);
      const quote = await wallet.createMintQuote(method, { amount: 64, pubkey: bob.pubkey });
      assert.equal(quote.pubkey, bob.pubkey);
      const answer = await paid(wallet, method, quote);
      // The library would not even ask with another key, so this is sent by hand.
      const { payload } = await wallet.prepareMint(method, 64, answer, { privkey: bob.secret });
      const outputs = payload.outputs.map(({ id, amount, B_ }) => ({ id, amount: Number(amount), B_ }));
      for (const signature of [undefined, '11'.repeat(64)]) {
        const body = JSON.stringify({ quote: quote.quote, outputs, signature });
        const { status, answer } = await post(`/${unit}/v1/mint/${method}`, body);
        assert.deepEqual([status, answer.code], [400, 20008]);
      }
      assert.equal(worth(await wallet.mintProofs(method, 64, answer, { privkey: bob.secret })), 64);
    });
  });
}
