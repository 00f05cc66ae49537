import { expect, it } from "vitest";

import { ordered, pressed, type Order } from "./order";

const columns = [
  { key: "n", value: (row: [number, string]) => row[0] },
  { key: "s", value: (row: [number, string]) => row[1] },
];
const rows: [number, string][] = [
  [10, "row 2"],
  [-3, "Row 10"],
  [10, "apple"],
];

it("orders numbers as numbers and texts as people read them, and leaves the rows alone", () => {
  const by = (order?: Order) => ordered(rows, columns, order).map(([n, s]) => `${n} ${s}`);
  expect(by({ key: "n", down: false })).toEqual(["-3 Row 10", "10 row 2", "10 apple"]);
  expect(by({ key: "n", down: true })).toEqual(["10 row 2", "10 apple", "-3 Row 10"]);
  expect(by({ key: "s", down: false })).toEqual(["10 apple", "10 row 2", "-3 Row 10"]);
  expect(by({ key: "unknown", down: false })).toEqual(by());
  expect(rows.map(([n]) => n)).toEqual([10, -3, 10]);
});

it("turns round with each press, and comes back", () => {
  const one = pressed(undefined, "n");
  const two = pressed(one, "n");
  expect([one, two, pressed(two, "n"), pressed(two, "s")]).toEqual([{ key: "n", down: false }, { key: "n", down: true }, undefined, { key: "s", down: false }]);
});
