import { describe, expect, it } from "vitest";

import { add, buckets, currenciesOf, valueOf, zero, type Figures, type Row } from "./figures";
import { startOfDay } from "./zone";

const money = (currency: string, revenue: number, commission: number) => ({ currency, revenue_minor: revenue, commission_minor: commission, epc_minor: 0 });
const row = (start: string, f: Partial<Figures>): Row => ({ ...zero(), key: "", start, ...f });

describe("add", () => {
  it("adds counts, keeps currencies apart, and computes rates from the sums", () => {
    const sum = add({ ...zero(), clicks: 10, bots: 2, sales: 1, uniques: 5, money: [money("INR", 100, 80)] }, { ...zero(), clicks: 4, sales: 2, uniques: 3, money: [money("USD", 7, 5), money("INR", 20, 16)] });
    expect(sum).toMatchObject({ clicks: 14, bots: 2, sales: 3, uniques: 8, conversion_rate: 0.25 });
    expect(sum.money).toEqual([
      { currency: "INR", revenue_minor: 120, commission_minor: 96, epc_minor: 8 },
      { currency: "USD", revenue_minor: 7, commission_minor: 5, epc_minor: 5 / 12 },
    ]);
  });
  it("has no rates without people", () => {
    const bots = { ...zero(), clicks: 2, bots: 2, money: [money("INR", 1, 1)] };
    expect(add(bots, zero())).toMatchObject({ conversion_rate: 0, money: [{ epc_minor: 0 }] });
  });
});

describe("buckets", () => {
  const zone = "Asia/Kolkata";
  const span = (first: string, end: string, z = zone) => ({ from: startOfDay(first, z), to: startOfDay(end, z), zone: z });
  it("fills days that the server leaves out", () => {
    const got = buckets([row("2026-05-02T00:00:00+05:30", { clicks: 7 })], span("2026-05-01", "2026-05-04"), "day");
    expect(got.map((b) => b.figures.clicks)).toEqual([0, 7, 0]);
  });
  it("sums days to weeks that begin on Monday, the first one cut", () => {
    const days = ["01", "03", "04", "10", "11"].map((d) => row(`2026-05-${d}T00:00:00+05:30`, { clicks: 1, uniques: 2 }));
    const got = buckets(days, span("2026-05-01", "2026-05-13"), "week"); // a Friday to a Tuesday
    expect(got.map((b) => [new Date(b.start).toISOString(), b.figures.clicks, b.figures.uniques])).toEqual([
      ["2026-04-30T18:30:00.000Z", 2, 4], ["2026-05-03T18:30:00.000Z", 2, 4], ["2026-05-10T18:30:00.000Z", 1, 2],
    ]);
  });
  it("has 23 hours in a day whose clocks go forward", () => {
    expect(buckets([], span("2026-03-29", "2026-03-30", "Europe/Berlin"), "hour")).toHaveLength(23);
  });
  it("loses no row that falls between", () => {
    const got = buckets([row("2026-05-01T10:30:00+05:30", { clicks: 1 })], span("2026-05-01", "2026-05-02"), "hour");
    expect(got.reduce((n, b) => n + b.figures.clicks, 0)).toBe(1);
  });
});

it("reads values by currency", () => {
  const f = { ...zero(), clicks: 3, money: [money("USD", 7, 5), money("INR", 100, 80)] };
  expect([valueOf(f, "clicks", "INR"), valueOf(f, "revenue", "INR"), valueOf(f, "commission", "EUR")]).toEqual([3, 100, 0]);
  expect(currenciesOf(f, zero())).toEqual(["INR", "USD"]);
});
