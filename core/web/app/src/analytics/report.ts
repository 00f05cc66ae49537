// Asks for reports: an affiliate's own, or the business's.
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { ok } from "../api/call";
import { client, type Schemas } from "../api/client";
import type { Span } from "./figures";

export type Report = Schemas["Report"];

/** Whose figures: of the affiliate who asks, or of all. */
export type Whose = "mine" | "all";

export interface Query {
  from: string;
  to: string;
  zone: string;
  filter?: string[];
  bucket?: "hour" | "day";
  group_by?: string;
  order_by?: "clicks" | "uniques" | "bots" | "leads" | "sales" | "revenue" | "commission";
  currency?: string;
  limit?: number;
}

export function inSpan({ from, to, zone }: Span): Pick<Query, "from" | "to" | "zone"> {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), zone };
}

async function answer(whose: Whose, query: Query, signal: AbortSignal): Promise<Report> {
  const params = { query };
  const body = whose === "mine" ? client.GET("/api/v1/me/affiliate/reports", { params, signal }) : client.GET("/api/v1/reports", { params, signal });
  return (await ok<Report | string>(body)) as Report;
}

export function reportQuery(whose: Whose, query: Query) {
  return { queryKey: ["report", whose, query], queryFn: ({ signal }: { signal: AbortSignal }) => answer(whose, query, signal) };
}

interface Options {
  enabled?: boolean;
  /** ms */
  refresh?: number;
}

/** The figures before stay while others are asked for. */
export function useReport(whose: Whose, query: Query, { enabled, refresh }: Options = {}) {
  return useQuery({ ...reportQuery(whose, query), placeholderData: keepPreviousData, enabled, refetchInterval: refresh });
}

/** The same as a table, made by the server. */
export async function reportCSV(whose: Whose, query: Query): Promise<string> {
  const params = { query: { ...query, format: "csv" as const } };
  const body =
    whose === "mine" ? client.GET("/api/v1/me/affiliate/reports", { params, parseAs: "text" }) : client.GET("/api/v1/reports", { params, parseAs: "text" });
  return (await ok<unknown>(body)) as string;
}
