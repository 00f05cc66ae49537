import { expect, test, vi } from "vitest";

vi.mock("../../config", () => ({ config: { locale: "en-IN", origin: "" } }));
vi.mock("../../api/client", () => ({ client: {} }));

const { bucketOf, moneyOf, series } = await import("./report");
type Report = Parameters<typeof series>[0];

const figures = (clicks: number) => ({ clicks, bots: 0, uniques: 0, leads: 0, sales: 0, refunds: 0, conversion_rate: 0, money: [] });

test("a day without anything is a zero, not a gap", () => {
  const from = new Date(2026, 0, 1);
  const to = new Date(2026, 0, 4);
  const report: Report = { names: {}, rows: [{ start: new Date(2026, 0, 2).toISOString(), key: "", ...figures(7) }], total: figures(7) };
  const { times, at } = series(report, { from, to }, "day");
  expect(times.map((t) => new Date(t * 1000).getDate())).toEqual([1, 2, 3]);
  expect(at((f) => f.clicks)).toEqual([0, 7, 0]);
});

test("nothing is drawn for what is to come", () => {
  const from = new Date(Date.now() - 86_400_000);
  const { times } = series({ names: {}, rows: [], total: figures(0) }, { from, to: new Date(Date.now() + 10 * 86_400_000) }, "hour");
  expect(times).toHaveLength(24);
});

test("two days are seen by the hour", () => {
  expect(bucketOf({ from: new Date(2026, 0, 1), to: new Date(2026, 0, 3) })).toBe("hour");
  expect(bucketOf({ from: new Date(2026, 0, 1), to: new Date(2026, 0, 4) })).toBe("day");
});

test("a currency that is not there is nothing", () => {
  expect(moneyOf({ ...figures(0), money: [{ currency: "INR", revenue_minor: 5, commission_minor: 3, epc_minor: 0 }] }, "USD")).toEqual({ revenue: 0, commission: 0 });
});
