// What reports count, and how it is added up.
import type { Schemas } from "../api/client";
import { addDays, dayIn, monday, startOfDay } from "./zone";

export type Figures = Schemas["ReportFigures"];
export type Row = Schemas["ReportRow"];
export type Step = "hour" | "day" | "week";

export const metricNames = ["clicks", "uniques", "bots", "leads", "sales", "refunds", "conversion_rate", "revenue", "commission", "epc"] as const;
export type Metric = (typeof metricNames)[number];

/** Those that the server orders groups by. */
export const orders = ["clicks", "uniques", "bots", "leads", "sales", "revenue", "commission"] as const;
export type Order = (typeof orders)[number];

export const isMoney = (metric: Metric): boolean => metric === "revenue" || metric === "commission" || metric === "epc";

/** Of numbers that may stand in a sum: shares of a total mean something. */
export const isAdditive = (metric: Metric): boolean => metric !== "conversion_rate" && metric !== "epc";

export function zero(): Figures {
  return { clicks: 0, bots: 0, uniques: 0, leads: 0, sales: 0, refunds: 0, conversion_rate: 0, money: [] };
}

/** Money: minor units of the currency; epc may be a fraction of one, for reading. */
export function valueOf(f: Figures, metric: Metric, currency: string): number {
  if (!isMoney(metric)) {
    return f[metric as Exclude<Metric, "revenue" | "commission" | "epc">];
  }
  const money = f.money.find((m) => m.currency === currency);
  return (metric === "revenue" ? money?.revenue_minor : metric === "commission" ? money?.commission_minor : money?.epc_minor) ?? 0;
}

/** Sums of what adds up; the rates follow from the sums. Currencies stay apart. */
export function add(a: Figures, b: Figures): Figures {
  const [clicks, bots, sales] = [a.clicks + b.clicks, a.bots + b.bots, a.sales + b.sales];
  const people = clicks - bots;
  const money = new Map(a.money.map((m) => [m.currency, { ...m }]));
  for (const m of b.money) {
    const sum = money.get(m.currency);
    money.set(m.currency, sum ? { ...sum, revenue_minor: sum.revenue_minor + m.revenue_minor, commission_minor: sum.commission_minor + m.commission_minor } : { ...m });
  }
  return {
    clicks, bots, sales, uniques: a.uniques + b.uniques, leads: a.leads + b.leads, refunds: a.refunds + b.refunds,
    conversion_rate: people > 0 ? sales / people : 0,
    money: [...money.values()]
      .map((m) => ({ ...m, epc_minor: people > 0 ? m.commission_minor / people : 0 }))
      .sort((x, y) => (x.currency < y.currency ? -1 : 1)),
  };
}

export interface Bucket {
  /** ms since the epoch. */
  start: number;
  figures: Figures;
}

export interface Span {
  from: number;
  /** Not included. */
  to: number;
  zone: string;
}

/** The rows of one series with the empty buckets that the server leaves out. Rows of one bucket are added. */
export function buckets(rows: readonly Row[], { from, to, zone }: Span, step: Step): Bucket[] {
  const sums = new Map<number, Figures>();
  for (const start of starts(from, to, zone, step)) {
    sums.set(start, zero());
  }
  for (const row of rows) {
    const at = Date.parse(row.start ?? "");
    const start = step === "week" ? Math.max(from, startOfDay(monday(dayIn(at, zone)), zone)) : at;
    sums.set(start, add(sums.get(start) ?? zero(), row));
  }
  return [...sums].map(([start, figures]) => ({ start, figures })).sort((a, b) => a.start - b.start);
}

function* starts(from: number, to: number, zone: string, step: Step): Generator<number> {
  if (step === "hour") {
    for (let at = from; at < to; at += 3_600_000) {
      yield at;
    }
    return;
  }
  // The first week may be cut: it begins with the span.
  for (let day = dayIn(from, zone); startOfDay(day, zone) < to; day = step === "day" ? addDays(day, 1) : addDays(monday(day), 7)) {
    yield startOfDay(day, zone);
  }
}

/** The currencies of figures, in the order of their codes. */
export function currenciesOf(...all: Figures[]): string[] {
  return [...new Set(all.flatMap((f) => f.money.map((m) => m.currency)))].sort();
}
