// Has @sd-jwt/sd-jwt-vc, or with `--core` @sd-jwt/core alone, judge presentations: reads `{issuer, cases}` from stdin, writes one verdict a case.
import { text } from "node:stream/consumers";
import { SDJwtInstance } from "@sd-jwt/core";
import { digest, ES256 } from "@sd-jwt/crypto-nodejs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

const { issuer, cases } = JSON.parse(await text(process.stdin));
const Instance = process.argv.includes("--core") ? SDJwtInstance : SDJwtVcInstance;
const verdicts = [];
for (const { presentation, audience, nonce } of cases) {
  const instance = new Instance({
    hasher: digest,
    hashAlg: "sha-256",
    verifier: await ES256.getVerifier(issuer.jwks.keys[0]),
    // The library leaves it to its caller which key the holder must have signed with: the one of the certificate.
    kbVerifier: async (data, signature, payload) => (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
  });
  try {
    const { payload, kb } = await instance.verify(presentation, { keyBindingNonce: nonce });
    // It leaves the audience to its caller, too.
    if (kb.payload.aud !== audience) throw new Error("made for somebody else");
    verdicts.push({ accepted: true, claims: payload });
  } catch (error) {
    verdicts.push({ accepted: false, why: String(error) });
  }
}
console.log(JSON.stringify(verdicts));
