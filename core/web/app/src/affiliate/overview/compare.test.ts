import { expect, it } from "vitest";

import { startOfDay } from "../../analytics/zone";
import { comparable } from "./compare";

const zone = "Asia/Kolkata";
const span = (first: string, end: string, z = zone) => ({ from: startOfDay(first, z), to: startOfDay(end, z), zone: z });
const told = ({ from, to }: { from: number; to: number }) => [new Date(from).toISOString(), new Date(to).toISOString()];

it.each([
  ["a day that goes on, up to now", span("2026-05-02", "2026-05-03"), "2026-05-02T06:31:07Z", ["2026-04-30T18:30:00.000Z", "2026-05-01T06:35:00.000Z"]],
  ["a day that has just begun", span("2026-05-02", "2026-05-03"), "2026-05-01T18:30:00Z", ["2026-04-30T18:30:00.000Z", "2026-04-30T18:35:00.000Z"]],
  ["days that are over, whole", span("2026-05-08", "2026-05-15"), "2026-06-01T00:00:00Z", ["2026-04-30T18:30:00.000Z", "2026-05-07T18:30:00.000Z"]],
  ["days across a change of clocks", span("2026-03-29", "2026-03-30", "Europe/Berlin"), "2026-06-01T00:00:00Z", ["2026-03-27T23:00:00.000Z", "2026-03-28T22:00:00.000Z"]],
])("compares with %s", (_, now, at, want) => expect(told(comparable(now, Date.parse(at)))).toEqual(want));
