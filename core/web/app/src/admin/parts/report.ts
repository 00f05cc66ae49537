// Reports as the pages of the back office ask for them.
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { zone } from "../../ui/locale";
import type { Period } from "../../ui/period";

export type Report = Schemas["Report"];
export type Figures = Schemas["ReportFigures"];

interface Asked {
  affiliate_id?: string;
  filter?: string[];
  bucket?: "hour" | "day";
  group_by?: string;
  order_by?: "clicks" | "sales" | "revenue" | "commission";
  currency?: string;
  limit?: number;
}

export function useReport({ from, to }: Pick<Period, "from" | "to">, asked: Asked = {}, enabled = true) {
  const query = { from: from.toISOString(), to: to.toISOString(), zone, ...asked };
  return useQuery({
    queryKey: ["report", query],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/reports", { params: { query }, signal }))) as Report,
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** Hours for a day or two, days beyond. */
export function bucketOf({ from, to }: Pick<Period, "from" | "to">): "hour" | "day" {
  return to.getTime() - from.getTime() <= 2 * 86_400_000 ? "hour" : "day";
}

/** All times of the span, so that a bucket without anything is a zero and not a gap. Seconds since the epoch. */
export function series(report: Report, { from, to }: Pick<Period, "from" | "to">, bucket: "hour" | "day"): { times: number[]; at: (pick: (f: Figures) => number) => number[] } {
  const rows = new Map(report.rows.map((row) => [Math.round(new Date(row.start ?? 0).getTime() / 1000), row]));
  const times: number[] = [];
  const at = new Date(from);
  const end = Math.min(to.getTime(), Date.now());
  while (at.getTime() < end) {
    times.push(Math.round(at.getTime() / 1000));
    if (bucket === "hour") {
      at.setTime(at.getTime() + 3_600_000);
    } else {
      at.setDate(at.getDate() + 1); // days of the reader's zone, also where the clock is changed
    }
  }
  return {
    times,
    at: (pick) =>
      times.map((time) => {
        const row = rows.get(time);
        return row ? pick(row) : 0;
      }),
  };
}

export function moneyOf(figures: Figures, currency: string): { revenue: number; commission: number } {
  const found = figures.money.find((m) => m.currency === currency);
  return { revenue: found?.revenue_minor ?? 0, commission: found?.commission_minor ?? 0 };
}
