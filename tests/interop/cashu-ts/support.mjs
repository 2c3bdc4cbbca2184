// What the tests share: a wallet a unit, money that mints itself, and the fee of NUT-02.
import assert from 'node:assert/strict';
import { CheckStateEnum, MintOperationError, Wallet, sumProofs } from '@cashu/cashu-ts';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export const base = process.env.TACIT_MINT?.replace(/\/$/, '');
assert.ok(base, 'set TACIT_MINT to the address of a server in demo mode, such as http://127.0.0.1:3338');

// Which method each unit is tried with: `bolt11` is what most wallets know, `bank` is native.
export const units = [
  { unit: 'usd', method: 'bolt11' },
  { unit: 'sat', method: 'bolt11' },
  { unit: 'kes', method: 'bank' },
].filter(({ unit }) => !process.env.TACIT_UNITS || process.env.TACIT_UNITS.split(',').includes(unit));

/** A wallet that has loaded the mint of `unit`. It insists on DLEQ proofs (NUT-12). */
export async function walletOf(unit, options = {}) {
  const wallet = new Wallet(`${base}/${unit}`, { unit, requireSigDleq: true, ...options });
  await wallet.loadMint();
  return wallet;
}

/** Asks for a quote over `amount` minor units. */
export async function mintQuote(wallet, method, amount) {
  const quote = await wallet.createMintQuote(method, { amount });
  assert.equal(quote.unit, wallet.unit);
  assert.equal(Number(quote.amount), amount);
  return quote;
}

/** Asks until the quote is paid, which the demo rail sees to after about a second. */
export async function paid(wallet, method, quote) {
  for (let tries = 0; tries < 50; tries++) {
    const answer = await wallet.checkMintQuote(method, quote.quote);
    if (answer.state === 'PAID') {
      return answer;
    }
    assert.equal(answer.state, 'UNPAID');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.fail('the quote was not paid within ten seconds');
}

/** Proofs worth `amount`, newly minted. */
export async function minted(wallet, method, amount, outputs = undefined) {
  const quote = await paid(wallet, method, await mintQuote(wallet, method, amount));
  const proofs = await wallet.mintProofs(method, amount, quote, {}, outputs);
  assert.equal(worth(proofs), amount);
  return proofs;
}

/** A request that the demo rail pays: a bolt11 invoice, or a payto address (RFC 8905) that names the amount. */
export async function payable(unit, method, amount) {
  if (method === 'bank') {
    return `payto://demo/someone?amount=${unit}:${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`;
  }
  const response = await fetch(`${base}/demo/invoice`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ unit, amount }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).request;
}

/** Value in minor units. */
export function worth(proofs) {
  return sumProofs(proofs).toNumber();
}

/** NUT-02: the fees of the inputs in thousandths, summed, rounded up. Reckoned here, not asked of the library. */
export function inputFee(wallet, proofs) {
  const ppk = proofs.reduce((sum, proof) => sum + wallet.getKeyset(proof.id).fee, 0);
  return Math.ceil(ppk / 1000);
}

/** Asserts NUT-07's state of each proof. */
export async function assertStates(wallet, proofs, expected) {
  const states = await wallet.checkProofsStates(proofs);
  assert.deepEqual(states.map(({ state }) => state), proofs.map(() => CheckStateEnum[expected]));
}

/** Asserts that the mint itself refuses, with this code of the NUT error table. */
export async function refusedWith(code, promise) {
  const error = await promise.then(
    () => assert.fail('the mint did not refuse'),
    (error) => error,
  );
  if (!(error instanceof MintOperationError)) {
    throw error;
  }
  assert.equal(error.code, code, `code ${error.code} (${error.message}), not ${code}`);
}

/** A pair of keys in hexadecimal; the public one compressed. */
export function keyPair() {
  const secret = secp256k1.utils.randomSecretKey();
  return { secret: bytesToHex(secret), pubkey: bytesToHex(secp256k1.getPublicKey(secret)) };
}

/** The request of NUT-03 for a prepared swap, as it goes over the wire. */
export function swapRequest(preview) {
  const outputs = [...(preview.keepOutputs ?? []), ...(preview.sendOutputs ?? [])].map((output) => output.blindedMessage);
  return JSON.stringify({
    inputs: preview.inputs.map(({ id, amount, secret, C, witness }) => ({ id, amount: Number(amount), secret, C, witness })),
    outputs: outputs.map(({ id, amount, B_ }) => ({ id, amount: Number(amount), B_ })),
  });
}

/** Posts a body as it is; returns status and parsed answer. */
export async function post(path, body) {
  const response = await fetch(base + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return { status: response.status, answer: await response.json() };
}
