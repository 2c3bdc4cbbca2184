// A passkey that opens the wallet: its PRF makes the same 32 bytes each time (W3C Web Authentication Level 3, section 10.1.4).

const SALT = new TextEncoder().encode('tacit wallet passkey 1');

export function known() {
  return typeof PublicKeyCredential === 'function' && typeof navigator.credentials?.create === 'function';
}

// Gives [id, secret]; null if this device's passkeys make no secrets. Throws if the person does not want to.
export async function create(name, user) {
  const credential = await navigator.credentials.create({
    publicKey: {
      rp: { name },
      user: { id: crypto.getRandomValues(new Uint8Array(16)), name: user, displayName: user },
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }],
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      attestation: 'none',
      extensions: { prf: { eval: { first: SALT } } },
    },
  });
  const prf = credential.getClientExtensionResults().prf;
  const id = new Uint8Array(credential.rawId);
  if (prf?.results?.first) return [id, new Uint8Array(prf.results.first)];
  if (!prf?.enabled) return null;
  return [id, await open(id)];
}

// The secret of a passkey.
export async function open(id) {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      allowCredentials: [{ type: 'public-key', id }],
      userVerification: 'required',
      extensions: { prf: { eval: { first: SALT } } },
    },
  });
  const secret = credential.getClientExtensionResults().prf?.results?.first;
  if (!secret) throw new Error('the passkey made no secret');
  return new Uint8Array(secret);
}
