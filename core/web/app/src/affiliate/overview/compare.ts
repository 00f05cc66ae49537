import type { Span } from "../../analytics/figures";
import { addDays, dayIn, startOfDay } from "../../analytics/zone";

const step = 300_000; // ms; a question that changed with every second could not be kept

/** The period before, up to the time of day that it is now: a day that has just begun is not compared with a whole one. */
export function comparable({ from, to, zone }: Span, now: number): Span {
  const days = Math.round((to - from) / 86_400_000);
  const start = startOfDay(addDays(dayIn(from, zone), -days), zone);
  const elapsed = now < to ? Math.ceil((now - from) / step) * step : to - from;
  return { from: start, to: Math.min(from, start + Math.max(elapsed, step)), zone };
}
