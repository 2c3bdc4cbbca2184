// One act of a cashu-ts wallet, for suites of other wallets: cross.mjs URL UNIT ACT, with tokens on stdin and stdout.
//
//   send AMOUNT   mints some money and prints a token of AMOUNT, its receiver's fee included
//   pass          receives the token on stdin and prints a token of all that is left, less the next receiver's fee
//   receive       receives the token on stdin and prints how much that was
//   insist        the same, and wants the mint's proof of each signature in it (NUT-12)
import { text } from 'node:stream/consumers';
import { Wallet, getEncodedToken, sumProofs } from '@cashu/cashu-ts';

import { minted } from './money.mjs';

const [url, unit, act, amount] = process.argv.slice(2);
// It insists on DLEQ proofs (NUT-12) of the mint, and of those who send where the act says so.
const wallet = new Wallet(url, { unit, requireSigDleq: true });
await wallet.loadMint();

async function received() {
  return wallet.receive((await text(process.stdin)).trim(), { requireDleq: act === 'pass' || act === 'insist' });
}

function print(proofs) {
  console.log(getEncodedToken({ mint: url, unit, proofs, memo: 'from cashu-ts' }));
}

if (act === 'send') {
  const { send } = await wallet.send(Number(amount), await minted(wallet, 4 * Number(amount)), { includeFees: true });
  print(send);
} else if (act === 'pass') {
  print(await received());
} else if (act === 'receive' || act === 'insist') {
  console.log(Number(sumProofs(await received())));
} else {
  throw new Error(`no such act: ${act}`);
}
