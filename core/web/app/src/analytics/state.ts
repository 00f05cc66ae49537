// What the explorer shows, as it stands in the page's address: a view can be kept and shared.
import { isZone, isDay, addDays, dayIn, startOfDay } from "./zone";
import { metricNames, orders, type Metric, type Order, type Span, type Step } from "./figures";

export const dimensions = [
  "affiliate", "program", "link", "country", "referrer_host", "referrer_path", "device", "os", "browser", "language",
  "sub1", "sub2", "sub3", "sub4", "sub5", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
  "gclid", "fbclid", "ttclid", "msclkid", "network", "bot", "node",
] as const;
export type Dimension = (typeof dimensions)[number];

/** What affiliates may not see of visitors, or what says nothing to them. */
export const staffDimensions: readonly Dimension[] = ["affiliate", "network", "node"];

export interface Filter {
  dimension: Dimension;
  /** Empty: where it is absent. */
  value: string;
  not: boolean;
}

export interface View {
  /** time: by the steps of the chart. */
  by: Dimension | "time";
  filters: Filter[];
  zone: string;
  step: Step;
  metric: Metric;
  order: Order;
  /** Empty: the first that there is. */
  currency: string;
  limit: number;
  /** The chart has a line for each of the largest groups. */
  split: boolean;
  period: string;
  /** Days in the zone, both included. */
  first: string;
  last: string;
}

export const limits = [10, 25, 100, 1000];
const lengths: Record<string, number> = { today: 1, "7d": 7, "30d": 30, "90d": 90 };

// As analytics limits them.
const maxHourDays = 62;
export const maxDays = 366 * 2;
const maxFilters = 8;
const maxValues = 100;

const oneOf = <T extends string>(all: readonly T[], text: string | null): T | undefined => all.find((x) => x === text);

/** country:IN or country:!IN, as the API takes it. A value that begins with ! has no form of its own. */
export function parseFilter(text: string): Filter | undefined {
  const colon = text.indexOf(":");
  const dimension = oneOf(dimensions, text.slice(0, Math.max(colon, 0)));
  if (!dimension) {
    return undefined;
  }
  const value = text.slice(colon + 1);
  return value.startsWith("!") ? { dimension, value: value.slice(1), not: true } : { dimension, value, not: false };
}

export const formatFilter = ({ dimension, value, not }: Filter): string => `${dimension}:${not ? "!" : ""}${value}`;

/** Reads the address; what is not understood is left at its default. */
export function readView(query: URLSearchParams, initial: { by: View["by"]; zone: string }, now: number): View {
  const asked = query.get("tz");
  const zone = asked && isZone(asked) ? asked : initial.zone;
  const span = readSpan(query, zone, now);
  const days = Math.round((Date.parse(span.last) - Date.parse(span.first)) / 86_400_000) + 1;
  const step = oneOf(["hour", "day", "week"] as const, query.get("step"));
  const metric = oneOf(metricNames, query.get("metric")) ?? "clicks";
  const limit = Number(query.get("n"));
  return {
    ...span, zone, metric,
    by: query.get("by") === "time" ? "time" : (oneOf(dimensions, query.get("by")) ?? initial.by),
    filters: query.getAll("f").map(parseFilter).filter((f) => f !== undefined),
    step: step && !(step === "hour" && days > maxHourDays) ? step : days <= 2 ? "hour" : days <= 120 ? "day" : "week",
    order: oneOf(orders, query.get("order")) ?? oneOf(orders, metric) ?? "clicks",
    currency: /^[A-Z]{3}$/.test(query.get("cur") ?? "") ? query.get("cur")! : "",
    limit: limits.includes(limit) ? limit : 25,
    split: query.get("split") === "1",
  };
}

function readSpan(query: URLSearchParams, zone: string, now: number): Pick<View, "period" | "first" | "last"> {
  const today = dayIn(now, zone);
  const [period, first, last] = [query.get("period") ?? "30d", query.get("from") ?? "", query.get("to") ?? ""];
  if (period === "custom" && isDay(first) && isDay(last) && first <= last) {
    const earliest = addDays(last, 1 - maxDays);
    return { period, first: first < earliest ? earliest : first, last };
  }
  const name = period in lengths ? period : "30d";
  return { period: name, first: addDays(today, 1 - (lengths[name] ?? 30)), last: today };
}

export function spanOf({ first, last, zone }: Pick<View, "first" | "last" | "zone">): Span {
  return { from: startOfDay(first, zone), to: startOfDay(addDays(last, 1), zone), zone };
}

/** Puts changes into the address; undefined takes one out. */
export function change(query: URLSearchParams, changes: Record<string, string | undefined>): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) {
      next.delete(key);
    } else {
      next.set(key, value);
    }
  }
  return next;
}

export function withFilters(query: URLSearchParams, filters: readonly Filter[]): URLSearchParams {
  const next = new URLSearchParams(query);
  next.delete("f");
  for (const f of filters) {
    next.append("f", formatFilter(f));
  }
  return next;
}

const same = (a: Filter, b: Filter): boolean => a.dimension === b.dimension && a.value === b.value;

/** Adds a filter in place of its contrary; undefined if the server would refuse so many. */
export function addFilter(filters: readonly Filter[], filter: Filter): Filter[] | undefined {
  const next = [...filters.filter((f) => !same(f, filter)), filter];
  const groups = new Map<string, number>();
  for (const { dimension, not } of next) {
    const key = dimension + String(not);
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  return groups.size > maxFilters || Math.max(...groups.values()) > maxValues ? undefined : next;
}

export const removeFilter = (filters: readonly Filter[], filter: Filter): Filter[] => filters.filter((f) => !same(f, filter));
