// Names in the place of identifiers: one request for all that a page of a list refers to.
import { useQuery } from "@tanstack/react-query";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import type { Source } from "../../ui/table/source";

export type Name = Schemas["Name"];

/** A row, and the names of what it refers to. An identifier whose name is not known is its own name. */
export interface Named<T> {
  row: T;
  name: (id: string) => string;
}

const most = 100; // of one request, so that its address stays short

// Kinds whose names one request gives.
const named = new Set(["aff", "grp", "lnk", "prg"]);

// People are asked for one by one, so only the first few: what names them names few of them.
const mostPeople = 20;

async function lookPeople(ids: string[], signal?: AbortSignal): Promise<Name[]> {
  const found = await Promise.all(
    ids.slice(0, mostPeople).map(async (id) => {
      const { data } = await client.GET("/api/v1/people/{id}", { params: { path: { id } }, signal });
      return data && { id, name: data.name || data.email, status: data.status };
    }),
  );
  return found.filter((n) => n !== undefined);
}

async function look(ids: string[], signal?: AbortSignal): Promise<Map<string, Name>> {
  const all = [...new Set(ids)];
  const wanted = all.filter((id) => named.has(id.split("_")[0] ?? ""));
  const people = lookPeople(all.filter((id) => id.startsWith("per_")), signal);
  const parts: string[][] = [];
  for (let i = 0; i < wanted.length; i += most) {
    parts.push(wanted.slice(i, i + most));
  }
  const answers = await Promise.all(parts.map((id) => ok(client.GET("/api/v1/names", { params: { query: { id } }, signal }))));
  return new Map([...answers.flatMap(({ items }) => items), ...(await people)].map((n) => [n.id, n]));
}

/** The same list with the names of what its rows refer to, so that they can be sorted, filtered and exported. */
export function withNames<T>(source: Source<T>, refers: (row: T) => string[]): Source<Named<T>> {
  return {
    ...source,
    page: async (cursor, limit, signal) => {
      const { items, next_cursor } = await source.page(cursor, limit, signal);
      const names = await look(items.flatMap(refers), signal);
      const name = (id: string) => names.get(id)?.name ?? id;
      return { items: items.map((row) => ({ row, name })), next_cursor };
    },
  };
}

/** Names of a few things that are known already. */
export function useNames(ids: string[]): (id: string) => string {
  const wanted = [...new Set(ids.filter(Boolean))].sort();
  const { data } = useQuery({ queryKey: ["names", wanted], queryFn: ({ signal }) => look(wanted, signal), enabled: wanted.length > 0, staleTime: 60_000 });
  return (id) => data?.get(id)?.name ?? id;
}
