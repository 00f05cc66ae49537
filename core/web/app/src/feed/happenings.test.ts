import { expect, it } from "vitest";

import type { Schemas } from "../api/client";
import { happenings, merged, nothing, sums, told } from "./happenings";

const click = (id: string, time: string) => ({ id, time }) as Schemas["Click"];
const conversion = (id: string, booked_at: string) => ({ id, booked_at }) as Schemas["Conversion"];
const commission = (id: string, conversion_id: string, created_at: string, minor = 0, currency = "INR", back = 0) =>
  ({ id, conversion_id, created_at, amount: { minor, currency }, reversed: { minor: back, currency } }) as Schemas["Commission"];

it("puts the newest first, leaves out what is old, and stops at the limit", () => {
  const got = happenings(
    {
      ...nothing,
      clicks: [click("c2", "2026-05-02T10:00:00.500Z"), click("c1", "2026-05-02T09:00:00Z")],
      conversions: [conversion("s3", "2026-05-02T10:00:00Z"), conversion("old", "2026-05-01T00:00:00Z")],
    },
    Date.parse("2026-05-01T12:00:00Z"),
    2,
  );
  expect(got.map((h) => h.key)).toEqual(["c2", "s3"]);
});

it("puts a commission with its conversion, and one of somebody else's sale by itself", () => {
  const at = "2026-05-02T10:00:00Z";
  const got = happenings(
    { ...nothing, conversions: [conversion("s1", at)], commissions: [commission("m1", "s1", at), commission("m2", "s1", at), commission("m3", "another", "2026-05-02T11:00:00Z")] },
    0,
    10,
  );
  expect(got.map((h) => [h.key, h.commissions?.map(({ id }) => id)])).toEqual([
    ["m3", ["m3"]],
    ["s1", ["m1", "m2"]],
  ]);
});

it("takes what a stream says once, the newest first, and forgets what is more than it keeps", () => {
  const events = ["a", "b", "c"].map((id) => ({ kind: "click", data: JSON.stringify(click(id, "")) }));
  const news = told(nothing, [...events, { kind: "missed", data: "7" }, { kind: "commission", data: JSON.stringify(commission("m", "s", "")) }], 2);
  expect(news.clicks.map(({ id }) => id)).toEqual(["c", "b"]);
  expect(news.commissions.map(({ id }) => id)).toEqual(["m"]);
  const all = merged(news, { ...nothing, clicks: [click("b", "again"), click("a", "")] });
  expect(all.clicks.map(({ id, time }) => id + time)).toEqual(["c", "b", "a"]);
});

it("sums what is left, each currency for itself", () => {
  expect(sums([commission("1", "s", "", 1_000), commission("2", "s", "", 500, "INR", 200), commission("3", "s", "", 7, "USD")])).toEqual([
    { currency: "INR", minor: 1_300 },
    { currency: "USD", minor: 7 },
  ]);
});
