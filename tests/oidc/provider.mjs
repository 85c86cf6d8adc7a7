// A real OpenID provider, for tests: node provider.mjs PORT REDIRECT. Any name signs in, with any password.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const kid = `key-${Date.now()}`;

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: "fieldstone", client_secret: "a secret that / both know", redirect_uris: [redirect],
    response_types: ["code"], grant_types: ["authorization_code"],
  }],
  jwks: { keys: [{ ...key, kid, use: "sig", alg: "RS256" }] },
  cookies: { keys: ["only for tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  async findAccount(ctx, id) {
    const [name, mark] = id.split("!");
    return {
      accountId: id,
      claims: async () => ({
        sub: id, name: `${name} of the provider`, email: `${name}@example.com`, email_verified: mark !== "unverified",
      }),
    };
  },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
