import { describe, expect, test } from "vitest";

import { divide } from "./parts";

const header = "program_id,type,txn_id\n";

describe("divide", () => {
  test("keeps the header in each part and knows where its lines stand", () => {
    const parts = divide(header + "p,sale,1\np,sale,2\np,sale,3\n", 2);
    expect(parts.map((p) => p.text)).toEqual([header + "p,sale,1\np,sale,2\n", header + "p,sale,3\n"]);
    expect(parts.map((p) => p.lines)).toEqual([2, 1]);
    expect(parts[0]?.lineOf(2)).toBe(2);
    expect(parts[1]?.lineOf(2)).toBe(4);
  });

  test("takes a line break inside of quotes for no end", () => {
    const parts = divide(header + 'p,sale,"a\nb ""c"""\np,sale,2\np,sale,3', 1);
    expect(parts.map((p) => p.text)).toEqual([header + 'p,sale,"a\nb ""c"""\n', header + "p,sale,2\n", header + "p,sale,3"]);
    expect(parts[1]?.lineOf(2)).toBe(4);
    expect(parts[2]?.lineOf(2)).toBe(5);
  });

  test("counts a header of two lines", () => {
    const parts = divide('program_id,type,"txn\nid"\np,sale,1\np,sale,2\n', 1);
    expect(parts[1]?.lineOf(3)).toBe(4);
  });

  test.each(["", header, "program_id"])("has no part without records: %j", (text) => {
    expect(divide(text, 10)).toEqual([]);
  });

  test("loses and doubles nothing", () => {
    const lines = Array.from({ length: 1234 }, (_, i) => `p,sale,${i}\r\n`);
    const parts = divide(header + lines.join(""), 500);
    expect(parts.map((p) => p.lines)).toEqual([500, 500, 234]);
    expect(parts.map((p) => p.text.slice(header.length)).join("")).toBe(lines.join(""));
  });
});
