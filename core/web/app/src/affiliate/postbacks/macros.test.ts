import { describe, expect, it, vi } from "vitest";

vi.mock("../../config", () => ({ config: { locale: "en-IN" } }));

const { complaint, expand, requestOf, sample, valuesOf } = await import("./macros");

describe("addresses of postbacks", () => {
  it.each([
    ["https://t.example/pb?tx={txn_id}", true],
    ["https://t.example/{click_id}?tx={txn_id}", true],
    ["https://t.example/{txn_id}", false],
    ["https://{event}.example/", false],
    ["https://t.example{event}/", false],
    ["https://t.example/?a={nope}", false],
    ["https://t.example/?a={event", false],
    ["https://t.example/?a=event}", false],
    ["t.example/pb", false],
  ])("%s is good: %s", (url, good) => expect(complaint(url) === undefined).toBe(good));

  it("escapes values for where they stand", () => {
    const values = { ...sample, txn_id: "a b&c/d", click_id: "x/y" };
    expect(expand("https://t.example/{click_id}?tx={txn_id}&n={none}", values)).toBe("https://t.example/x%2Fy?tx=a+b%26c%2Fd&n={none}");
  });

  it("sends what is behind the ? as a form", () => {
    expect(requestOf("POST", "https://t.example/pb?a=1&b=2")).toEqual({ line: "POST https://t.example/pb", form: "a=1&b=2" });
    expect(requestOf("GET", "https://t.example/pb?a=1").form).toBeUndefined();
  });

  it("takes values from an event", () => {
    const values = valuesOf({ id: "evt_1", type: "commission.created", data: { conversion: { id: "cnv_1", amount: { minor: 149900, currency: "INR" } }, commission: { id: "com_1", amount: { minor: 5, currency: "JPY" } } } });
    expect(values).toMatchObject({ event_id: "evt_1", amount: "1499.00", commission: "5", commission_currency: "JPY", txn_id: "" });
    expect(valuesOf(null).amount).toBe("");
  });
});
