// Lengths of time and places, in the reader's words.
import { locale } from "./locale";

const units: [unit: string, ms: number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/** "2 days 3 hours": the largest unit and the next. */
export function formatSpan(ms: number): string {
  const first = Math.max(0, units.findIndex(([, length]) => ms >= length));
  let rest = Math.max(0, ms);
  const words: string[] = [];
  for (const [unit, length] of ms < 1000 ? units.slice(-1) : units.slice(first, first + 2)) {
    const n = Math.floor(rest / length);
    rest -= n * length;
    if (n > 0 || words.length === 0) {
      words.push(new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(n));
    }
  }
  return words.join(" ");
}

const regions = new Intl.DisplayNames(locale, { type: "region" });

/** "India" for IN; a code that is none stays as it is. */
export function countryName(code: string): string {
  try {
    return regions.of(code) ?? code;
  } catch {
    return code;
  }
}

/** 202603 is "March 2026". */
export function formatMonth(month: number): string {
  return new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" }).format(Date.UTC(Math.floor(month / 100), (month % 100) - 1));
}
