// Authorization code with PKCE (RFC 7636): what is kept between leaving for the sign-in pages and coming back.
import { config } from "../config";

const client = "web";
const pendingKey = "edgeref.sign-in";

interface Pending {
  state: string;
  verifier: string;
  returnTo: string;
}

export const redirectURI = config.origin + "/app/callback";

function random(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Leaves the page for the sign-in pages. returnTo is a path below /app. */
export async function signIn(returnTo: string): Promise<never> {
  const pending: Pending = { state: random(24), verifier: random(48), returnTo };
  sessionStorage.setItem(pendingKey, JSON.stringify(pending));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier));
  const query = new URLSearchParams({
    client_id: client,
    response_type: "code",
    redirect_uri: redirectURI,
    scope: ["openid", "offline_access", ...config.scopes].join(" "),
    state: pending.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  });
  location.assign("/oauth/authorize?" + query.toString());
  return new Promise<never>(() => {}); // the page is left
}

export class SignInError extends Error {}

/** Reads the answer of the sign-in pages. Throws SignInError if it does not belong to a sign-in that began here. */
export function takeAnswer(query: URLSearchParams): { code: string; verifier: string; returnTo: string } {
  const text = sessionStorage.getItem(pendingKey);
  sessionStorage.removeItem(pendingKey);
  const pending = text ? (JSON.parse(text) as Pending) : undefined;
  const refused = query.get("error");
  if (refused) {
    throw new SignInError(query.get("error_description") ?? refused);
  }
  const code = query.get("code");
  if (!pending || !code || query.get("state") !== pending.state) {
    throw new SignInError("");
  }
  return { code, verifier: pending.verifier, returnTo: pending.returnTo };
}
