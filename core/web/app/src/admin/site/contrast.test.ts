import { expect, test } from "vitest";

import { contrastWithWhite, ratioText } from "./contrast";

test.each([
  ["#000000", "21.00"],
  ["#ffffff", "1.00"],
  ["#767676", "4.54"],
  ["#777777", "4.47"],
  ["#1F4FD8", "6.62"],
])("contrast of %s with white", (colour, want) => expect(ratioText(contrastWithWhite(colour) ?? 0)).toBe(want));

test.each(["", "#fff", "1f4fd8", "#1f4fd8 ", "red"])("%j is no colour", (typed) => expect(contrastWithWhite(typed)).toBeUndefined());
