// One act of a cashu-ts wallet with payment requests: request.mjs URL UNIT ACT ..., what it needs on stdin.
//
//   ask A|B AMOUNT [POST-URL [KEY]]  prints a request, locked to the public key if there is one
//   pay                              mints some money, pays the request on stdin, prints the payload
//   pay-token                        the same, and prints a token, to be handed over
//   pay-from                         receives the token on the first line of stdin, pays the request on the second with it
//   receive REQUEST                  takes the payload on stdin, checks that it pays the request, prints how much that was
//   receive REQUEST KEY              the same, opened with a private key
import { text } from 'node:stream/consumers';
import { PaymentRequest, Wallet, getEncodedToken, sumProofs } from '@cashu/cashu-ts';

import { minted } from './money.mjs';

const [url, unit, act, ...rest] = process.argv.slice(2);
const wallet = new Wallet(url, { unit, requireSigDleq: true });
await wallet.loadMint();

if (act === 'ask') {
  const [version, amount, target, key] = rest;
  const transports = target ? [{ type: 'post', target }] : [];
  const lock = key && { kind: 'P2PK', data: key, tags: [['sigflag', 'SIG_INPUTS']] };
  const request = new PaymentRequest(transports, 'from-ts', Number(amount), unit, [url], 'a coat', true, lock);
  console.log(version === 'A' ? request.toEncodedCreqA() : request.toEncodedCreqB());
} else if (['pay', 'pay-token', 'pay-from'].includes(act)) {
  const lines = (await text(process.stdin)).trim().split('\n');
  const request = PaymentRequest.fromEncodedRequest(lines.pop());
  const amount = Number(request.amount);
  const money = act === 'pay-from' ? await wallet.receive(lines[0]) : await minted(wallet, 4 * amount);
  const sending = wallet.ops.send(amount, money).includeFees(true);
  const lock = request.toP2PKOptions();
  const { send } = await (lock ? sending.asP2PK(lock) : sending).run();
  if (act === 'pay-token') {
    console.log(getEncodedToken({ mint: url, unit, proofs: send }));
  } else {
    // Amounts are JSON numbers.
    const proofs = send.map((proof) => ({ ...proof, amount: Number(proof.amount) }));
    console.log(JSON.stringify({ id: request.id, mint: url, unit: request.unit, proofs }));
  }
} else if (act === 'receive') {
  const [encoded, privkey] = rest;
  const request = PaymentRequest.fromEncodedRequest(encoded);
  const payload = JSON.parse(await text(process.stdin));
  if (payload.id !== request.id || payload.unit !== unit || payload.mint !== url) {
    throw new Error('this does not pay the request');
  }
  const token = { mint: url, unit, proofs: payload.proofs };
  const received = await wallet.receive(token, privkey ? { privkey } : {});
  console.log(Number(sumProofs(received)));
} else {
  throw new Error(`no such act: ${act}`);
}
