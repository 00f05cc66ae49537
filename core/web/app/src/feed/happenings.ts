// Clicks, conversions and commissions in one row, as they happened.
import type { Schemas } from "../api/client";

type Click = Schemas["Click"];
type Conversion = Schemas["Conversion"];
type Commission = Schemas["Commission"];

export interface News {
  clicks: readonly Click[];
  conversions: readonly Conversion[];
  commissions: readonly Commission[];
}

export const nothing: News = { clicks: [], conversions: [], commissions: [] };

export interface Happening {
  key: string;
  at: string;
  click?: Click;
  conversion?: Conversion;
  /** What the conversion earned; or, without one, what was earned by somebody else's. */
  commissions?: Commission[];
}

/** The newest of all, the newest first. What a conversion in it earned stands with it. */
export function happenings({ clicks, conversions, commissions }: News, since: number, limit: number): Happening[] {
  const earned = new Map<string, Commission[]>();
  for (const c of commissions) {
    earned.set(c.conversion_id, [...(earned.get(c.conversion_id) ?? []), c]);
  }
  const here = new Set(conversions.map(({ id }) => id));
  const all: Happening[] = [
    ...clicks.map((click) => ({ key: click.id, at: click.time, click })),
    ...conversions.map((conversion) => ({ key: conversion.id, at: conversion.booked_at, conversion, commissions: earned.get(conversion.id) })),
    ...commissions.filter((c) => !here.has(c.conversion_id)).map((c) => ({ key: c.id, at: c.created_at, commissions: [c] })),
  ];
  return all
    .filter(({ at }) => Date.parse(at) >= since)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, limit);
}

/** Two lists as one, the newest of the first before the second; what is in both is as the first has it. */
export function merged(newer: News, older: News): News {
  return { clicks: join(newer.clicks, older.clicks), conversions: join(newer.conversions, older.conversions), commissions: join(newer.commissions, older.commissions) };
}

function join<T extends { id: string }>(newer: readonly T[], older: readonly T[]): T[] {
  const known = new Set(newer.map(({ id }) => id));
  return [...newer, ...older.filter(({ id }) => !known.has(id))];
}

/** What a stream said is put before what it said before; at most so many of each are kept. */
export function told(news: News, events: readonly { kind: string; data: string }[], keep: number): News {
  const { clicks, conversions, commissions } = { clicks: [...news.clicks], conversions: [...news.conversions], commissions: [...news.commissions] };
  for (const { kind, data } of events) {
    if (kind === "click") {
      clicks.unshift(JSON.parse(data) as Click);
    } else if (kind === "conversion") {
      conversions.unshift(JSON.parse(data) as Conversion);
    } else if (kind === "commission") {
      commissions.unshift(JSON.parse(data) as Commission);
    }
  }
  return { clicks: clicks.slice(0, keep), conversions: conversions.slice(0, keep), commissions: commissions.slice(0, keep) };
}

/** Sums by currency, of what is not taken back. */
export function sums(commissions: readonly Commission[]): Schemas["Amount"][] {
  const by = new Map<string, number>();
  for (const { amount, reversed } of commissions) {
    by.set(amount.currency, (by.get(amount.currency) ?? 0) + amount.minor - reversed.minor);
  }
  return [...by].map(([currency, minor]) => ({ currency, minor }));
}
