import { expect, it } from "vitest";

import type { Schemas } from "../../api/client";
import { happenings } from "./feed";

const click = (id: string, time: string) => ({ id, time }) as Schemas["Click"];
const conversion = (id: string, booked_at: string) => ({ id, booked_at }) as Schemas["Conversion"];

it("puts the newest first, leaves out what is old, and stops at the limit", () => {
  const got = happenings(
    [click("c2", "2026-05-02T10:00:00.500Z"), click("c1", "2026-05-02T09:00:00Z")],
    [conversion("s3", "2026-05-02T10:00:00Z"), conversion("old", "2026-05-01T00:00:00Z")],
    Date.parse("2026-05-01T12:00:00Z"),
    2,
  );
  expect(got.map((h) => h.key)).toEqual(["c2", "s3"]);
});
