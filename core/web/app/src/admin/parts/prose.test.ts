import { expect, test, vi } from "vitest";

vi.mock("../../config", () => ({ config: { locale: "en-IN" } }));

import { mentions, reworded } from "./prose";

const names: Record<string, string> = { aff_06YYKWYJFRR01: "Meera Nair", lnk_06YYKXB5KRR00: "meera-sales" };
const name = (id: string) => names[id] ?? id;

test("names stand in the place of identifiers", () => {
  expect(reworded("through link lnk_06YYKXB5KRR00: it belongs to affiliate aff_06YYKWYJFRR01.", name)).toBe("through link meera-sales: it belongs to affiliate Meera Nair.");
  expect(reworded("by per_061P1HR81BW03", name)).toBe("by per_061P1HR81BW03");
  expect(reworded("by the program's rule rul_061P1HR81BW43, version 1.", name)).toBe("by the program's rule, version 1.");
  expect(reworded("spy_3b8606b968f0f212510c73cd8d374ab5", name)).toBe("spy_3b8606b968f0f212510c73cd8d374ab5");
});

test("amounts are grouped, whatever their currency's decimals", () => {
  expect(reworded("60.00 % of 127034.00 INR", name)).toMatch(/^60\.00 % of ₹1[,\d]*27,034\.00$/);
  expect(reworded("1.250 KWD and 1.25 KWD", name)).toMatch(/1\.250.* and 1\.25 KWD$/);
});

test("what is mentioned anywhere is found once", () => {
  expect(mentions({ a: "aff_06YYKWYJFRR01", b: [{ c: "of aff_06YYKWYJFRR01 and lnk_06YYKXB5KRR00" }], d: "ord_06YYKXB5KRR00" })).toEqual(["aff_06YYKWYJFRR01", "lnk_06YYKXB5KRR00"]);
  expect(mentions(undefined)).toEqual([]);
});
