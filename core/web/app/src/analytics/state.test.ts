import { describe, expect, it } from "vitest";

import { addFilter, change, formatFilter, parseFilter, readView, removeFilter, spanOf, withFilters, type Filter } from "./state";
import { dayIn, isZone, monday, startOfDay } from "./zone";

const now = Date.parse("2026-05-20T20:00:00Z"); // already the 21st in Kolkata
const initial = { by: "link" as const, zone: "Asia/Kolkata" };
const view = (query: string) => readView(new URLSearchParams(query), initial, now);

describe("filters in the address", () => {
  it.each(["country:IN", "country:!IN", "sub1:", "sub1:!", "referrer_host:a:b", "sub2:x,y z&=%"])("%s comes back as it was", (text) => {
    const query = withFilters(new URLSearchParams("by=link&f=os:Windows"), [parseFilter(text)!]);
    const back = readView(new URLSearchParams(query.toString()), initial, now);
    expect(back.filters.map(formatFilter)).toEqual([text]);
    expect(back.by).toBe("link");
  });
  it("leaves out what it does not know", () => {
    expect(view("f=colour:red&f=country&f=:x&f=country:DE").filters.map(formatFilter)).toEqual(["country:DE"]);
  });
  it("adds in place of the contrary, and stops before the server does", () => {
    const only: Filter = { dimension: "country", value: "IN", not: false };
    expect(addFilter([only], { ...only, not: true })).toEqual([{ ...only, not: true }]);
    expect(removeFilter([only], only)).toEqual([]);
    const many = Array.from({ length: 100 }, (_, i): Filter => ({ dimension: "sub1", value: String(i), not: false }));
    expect(addFilter(many, { dimension: "sub1", value: "x", not: false })).toBeUndefined();
  });
});

describe("view", () => {
  it("has defaults for an empty address", () => {
    expect(view("")).toMatchObject({ by: "link", step: "day", metric: "clicks", order: "clicks", limit: 25, first: "2026-04-22", last: "2026-05-21" });
  });
  it("takes hours only where the server has them", () => {
    expect([view("period=90d&step=hour").step, view("period=today").step, view("period=7d&step=hour").step]).toEqual(["day", "hour", "hour"]);
  });
  it("orders by the metric where that is possible", () => {
    expect([view("metric=sales").order, view("metric=epc").order, view("metric=epc&order=revenue").order]).toEqual(["sales", "clicks", "revenue"]);
  });
  it.each(["period=custom", "period=custom&from=2026-02-30&to=2026-03-01", "period=custom&from=2026-05-02&to=2026-05-01", "period=year", "tz=Mars/Olympus", "n=7"])(
    "does not trip over %s",
    (query) => expect(view(query)).toMatchObject({ period: "30d", zone: "Asia/Kolkata", limit: 25 }),
  );
  it("bounds the days", () => {
    expect(view("period=custom&from=1999-01-01&to=2026-05-01").first).toBe("2024-04-30");
  });
  it("changes without losing the rest", () => {
    expect(change(new URLSearchParams("a=1&f=x:1&f=x:2"), { a: undefined, b: "2" }).toString()).toBe("f=x%3A1&f=x%3A2&b=2");
  });
});

describe("zones", () => {
  it.each([
    ["2026-05-01", "Asia/Kolkata", "2026-04-30T18:30:00.000Z"],
    ["2026-05-01", "UTC", "2026-05-01T00:00:00.000Z"],
    ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z"],
    ["2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00.000Z"],
    ["2026-11-01", "America/New_York", "2026-11-01T04:00:00.000Z"],
    ["2026-05-01", "Pacific/Kiritimati", "2026-04-30T10:00:00.000Z"],
    ["2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00.000Z"], // clocks go from 00:00 to 01:00
  ])("%s begins in %s at %s", (day, zone, at) => {
    const start = startOfDay(day, zone);
    expect(new Date(start).toISOString()).toBe(at);
    expect(dayIn(start, zone)).toBe(day);
    expect(dayIn(start - 1, zone) < day).toBe(true);
  });
  it("knows weeks and zones", () => {
    expect([monday("2026-05-04"), monday("2026-05-10"), monday("2026-03-01")]).toEqual(["2026-05-04", "2026-05-04", "2026-02-23"]);
    expect([isZone("Asia/Kolkata"), isZone("Local"), isZone("+05:30"), isZone("Mars/Olympus")]).toEqual([true, false, false, false]);
  });
  it("spans whole days", () => {
    const { from, to } = spanOf({ first: "2026-05-01", last: "2026-05-01", zone: "Asia/Kolkata" });
    expect(to - from).toBe(86_400_000);
  });
});
