// What went wrong, as people are told.
import { SignedOut, Unreachable } from "../session/session";
import { text } from "../text";

/** The body of every error of the API (RFC 9457). */
export interface Problem {
  status: number;
  code: string;
  title: string;
  detail: string;
  request_id?: string;
  errors?: { location: string; message: string }[];
}

export function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "code" in error && "status" in error;
}

/** True if the network or the core did not answer, so that the same may work later. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof Unreachable || error instanceof TypeError || (isProblem(error) && error.status === 503);
}

/** One sentence for a person. */
export function sentence(error: unknown): string {
  if (error instanceof SignedOut) {
    return text.error.signedOut;
  }
  if (isUnreachable(error) && !isProblem(error)) {
    return navigator.onLine ? text.error.unreachable : text.error.offline;
  }
  if (!isProblem(error)) {
    return text.error.unexpected;
  }
  const known = text.problem[error.code];
  if (known) {
    return known;
  }
  const fields = error.errors?.map((e) => `${fieldName(e.location)} ${e.message}`) ?? [];
  const words = fields.length > 0 ? fields.join("; ") : error.detail || error.title;
  return words.charAt(0).toUpperCase() + words.slice(1) + ".";
}

/** Messages by field of a form: body.amount.minor becomes amount.minor. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!isProblem(error)) {
    return {};
  }
  return Object.fromEntries((error.errors ?? []).filter((e) => e.location.startsWith("body.")).map((e) => [e.location.slice("body.".length), e.message]));
}

function fieldName(location: string): string {
  return (location.split(".").pop() ?? location).replaceAll("_", " ");
}
