// Sends requests of the API as the person who is signed in: token, idempotency key, one renewal, second factor.
import { accessToken, forget, leave } from "../session/session";

type Prove = () => Promise<boolean>;

let prove: Prove | undefined;

/** The shell gives the dialog that asks for a code and proves it. It answers false if the person gave up. */
export function onSecondFactor(ask: Prove | undefined): void {
  prove = ask;
}

/** Asks for the second factor, if there is somebody to ask. */
export async function askProof(): Promise<boolean> {
  return prove ? prove() : false;
}

async function code(response: Response): Promise<string> {
  if (!response.headers.get("Content-Type")?.startsWith("application/problem+json")) {
    return "";
  }
  return ((await response.clone().json()) as { code?: string }).code ?? "";
}

async function send(request: Request): Promise<Response> {
  const token = await accessToken();
  const attempt = request.clone();
  attempt.headers.set("Authorization", `Bearer ${token}`);
  const response = await fetch(attempt);
  if (response.status === 401) {
    forget(token);
  }
  return response;
}

/** fetch with what every request of ours needs. A request that is repeated carries the same idempotency key. */
export async function authorizedFetch(request: Request): Promise<Response> {
  if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", crypto.randomUUID());
  }
  let response = await send(request);
  if (response.status === 401) {
    await leave(response);
    response = await send(request);
  }
  if (response.status === 403 && prove && (await code(response)) === "second_factor_required" && (await prove())) {
    await leave(response);
    response = await send(request);
  }
  return response;
}
