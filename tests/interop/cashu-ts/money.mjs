// Money for the acts of a wallet, at a mint that pays its quotes itself.

/** Proofs worth `amount`, newly minted by the method that most wallets know. */
export async function minted(wallet, amount) {
  const quote = await wallet.createMintQuote('bolt11', { amount });
  for (let tries = 0; tries < 50; tries++) {
    const answer = await wallet.checkMintQuote('bolt11', quote.quote);
    if (answer.state === 'PAID') {
      return wallet.mintProofs('bolt11', amount, answer);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the quote was not paid within ten seconds');
}
