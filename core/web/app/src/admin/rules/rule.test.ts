import { describe, expect, test, vi } from "vitest";

vi.mock("../../config", () => ({ config: { locale: "en-IN" } }));

const { draftOf, rank, scopeOf, termsInWords, termsOf, valuesOf } = await import("./rule");
type Rule = Parameters<typeof draftOf>[0];

const rule: Rule = {
  id: "rul_1", program_id: "prg_1", affiliate_id: "", group_id: "grp_1", product_id: "", on: "sale", percent_bp: 6025, version: 3,
  valid_from: "2026-01-01T00:00:00Z", created_at: "2026-01-01T00:00:00Z", ended_at: null, months: 12,
  tiers: { by: "amount", currency: "INR", steps: [{ from: 10_000_050, percent_bp: 6500 }] },
  levels: [{ percent_bp: 500, of: "net" }, { percent_bp: 1000, of: "commission" }],
  cap_order: { minor: 600_000, currency: "INR" },
};

describe("a rule in its form", () => {
  test("comes back as it was", () => {
    const { percent_bp, months, tiers, levels, cap_order } = rule;
    expect(termsOf(valuesOf(rule))).toEqual({ percent_bp, months, tiers, levels, cap_order });
    expect(scopeOf(valuesOf(rule))).toEqual({ on: "sale", group_id: "grp_1" });
  });

  test("of a fixed amount comes back as it was", () => {
    const flat: Rule = { ...rule, percent_bp: null, flat: { minor: 150, currency: "USD" }, tiers: undefined, levels: undefined, cap_order: undefined, months: 0, on: "lead" };
    expect(termsOf(valuesOf(flat))).toEqual({ flat: { minor: 150, currency: "USD" } });
  });

  test("takes percents without a fraction's error", () => {
    expect(termsOf({ ...valuesOf(), percent: 57.29 }).percent_bp).toBe(5729);
    expect(termsOf({ ...valuesOf(), percent: 1.15 }).percent_bp).toBe(115);
  });

  test("forgets a product where it is for leads", () => {
    expect(scopeOf({ ...valuesOf(), on: "lead", product_id: "prd_1" })).toEqual({ on: "lead" });
  });
});

test("the order of rules is the core's", () => {
  const scopes = [
    { affiliate_id: "a", product_id: "p" }, { affiliate_id: "a" }, { group_id: "g", product_id: "p" }, { group_id: "g" }, { product_id: "p" }, {},
  ];
  const ranks = scopes.map(rank);
  expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
  expect(new Set(ranks).size).toBe(scopes.length);
});

test("a rule in words", () => {
  expect(termsInWords(rule)).toBe("60.25% of the net price, up to 65% by tiers, 2 levels, for 12 months, at most ₹6,000.00 an order");
});

test("a rule of a draft has nothing that only a live one has", () => {
  expect(draftOf(rule)).toEqual({ on: "sale", group_id: "grp_1", percent_bp: 6025, months: 12, tiers: rule.tiers, levels: rule.levels, cap_order: rule.cap_order });
});
