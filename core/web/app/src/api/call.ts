// Calls outside of hooks: lists read page by page, and changes.
import type { QueryKey } from "@tanstack/react-query";

import type { Page, Source } from "../ui/table/source";

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's data; a problem is thrown. For changes: await ok(client.POST(...)). */
export async function ok<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (error !== undefined || !response.ok) {
    throw error ?? { status: response.status, code: "", title: response.statusText, detail: "" };
  }
  return data as T;
}

/** A list of the API for a DataTable. */
export function source<T>(key: QueryKey, page: (query: { cursor?: string; limit: number }, signal: AbortSignal) => Promise<Answer<Page<T>>>): Source<T> {
  return { key, page: (cursor, limit, signal) => ok(page({ limit, ...(cursor && { cursor }) }, signal)) };
}
