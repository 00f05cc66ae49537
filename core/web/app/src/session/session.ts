// The access token of this tab. It lives in memory only; the refresh token is in a cookie that no script can read.
import { config } from "../config";
import { redirectURI } from "./pkce";

interface Answer {
  access_token: string;
  expires_in: number; // seconds
}

interface Token {
  value: string;
  renewAt: number; // ms since the epoch; before it ends, so that no request is sent with one that just ended
}

const renewBefore = 30_000; // ms

// Whether this browser has signed in. The cookie cannot be seen, and asking without one would be an error for nothing.
const signedInKey = "edgeref.signed-in";

/** The refresh token is gone or ended: only signing in again helps. */
export class SignedOut extends Error {}

/** The core could not be asked; trying again may help. */
export class Unreachable extends Error {}

let token: Token | undefined;
let renewal: Promise<Token> | undefined;
// Somebody of the staff looks at another person's pages with a token that can change nothing.
let viewing: { value: string; endsAt: number } | undefined;

async function post(path: string, body: Record<string, string>): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "X-Edgeref-Session": "1", "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(body),
      credentials: "same-origin",
    });
  } catch (error) {
    throw new Unreachable("the core cannot be reached", { cause: error });
  }
  if (response.status >= 500 || response.status === 429) {
    await leave(response);
    throw new Unreachable(`the core answered ${response.status}`);
  }
  return response;
}

/** Gives up an answer that nobody will read: it would keep its connection. */
export async function leave(response: Response): Promise<void> {
  await response.body?.cancel();
}

async function take(response: Response): Promise<Token> {
  if (!response.ok) {
    await leave(response);
    localStorage.removeItem(signedInKey);
    throw new SignedOut();
  }
  localStorage.setItem(signedInKey, "1");
  const answer = (await response.json()) as Answer;
  token = { value: answer.access_token, renewAt: Date.now() + answer.expires_in * 1000 - renewBefore };
  return token;
}

/** Exchanges the code of a sign-in. */
export async function exchange(code: string, verifier: string): Promise<void> {
  await take(await post("/oauth/session/token", { code, redirect_uri: redirectURI, code_verifier: verifier }));
}

// Tabs share the refresh cookie, so they renew one after the other: the token in it is good for one use.
function renew(): Promise<Token> {
  if (!localStorage.getItem(signedInKey)) {
    return Promise.reject(new SignedOut());
  }
  renewal ??= navigator.locks
    .request("edgeref.session", async () => take(await post("/oauth/session/refresh", {})))
    .finally(() => {
      renewal = undefined;
    });
  return renewal;
}

/** An access token that is good now. Throws SignedOut or Unreachable. */
export async function accessToken(): Promise<string> {
  if (viewing) {
    if (Date.now() >= viewing.endsAt) {
      viewing = undefined;
      throw new SignedOut();
    }
    return viewing.value;
  }
  return token && Date.now() < token.renewAt ? token.value : (await renew()).value;
}

/** Forgets a token that the core refused, so that the next request gets another. */
export function forget(refused: string): void {
  if (token?.value === refused) {
    token = undefined;
  }
}

export function startViewing(value: string, expiresIn: number): void {
  viewing = { value, endsAt: Date.now() + expiresIn * 1000 };
}

export function stopViewing(): void {
  viewing = undefined;
}

export function isViewing(): boolean {
  return viewing !== undefined;
}

/** Ends the session of this browser, here and in the core. */
export async function signOut(): Promise<void> {
  token = viewing = undefined;
  localStorage.removeItem(signedInKey);
  await post("/oauth/session/end", {});
  location.assign(config.origin + "/account/signed-out");
}
