// Calendar days in any time zone. A day is written 2026-05-01; a moment is ms since the epoch.

const formats = new Map<string, Intl.DateTimeFormat>();

function partsIn(ms: number, zone: string): Record<string, string> {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    formats.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
}

export function dayIn(ms: number, zone: string): string {
  const { year, month, day } = partsIn(ms, zone);
  return `${year}-${month}-${day}`;
}

// Of local time before UTC, in ms.
function offset(ms: number, zone: string): number {
  const p = partsIn(ms, zone);
  return Date.UTC(Number(p["year"]), Number(p["month"]) - 1, Number(p["day"]), Number(p["hour"]), Number(p["minute"]), Number(p["second"])) - Math.floor(ms / 1000) * 1000;
}

/** The first moment of a day. Where clocks skip midnight, it begins later. */
export function startOfDay(day: string, zone: string): number {
  const midnight = Date.parse(day + "T00:00:00Z");
  const guess = midnight - offset(midnight - offset(midnight, zone), zone);
  return dayIn(guess, zone) < day ? guess + 3_600_000 : guess;
}

export function addDays(day: string, n: number): string {
  return new Date(Date.parse(day + "T00:00:00Z") + n * 86_400_000).toISOString().slice(0, 10);
}

/** The Monday of a day's week. */
export function monday(day: string): string {
  return addDays(day, -((new Date(day + "T00:00:00Z").getUTCDay() + 6) % 7));
}

/** True for an existing day in this form. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text + "T00:00:00Z")) && addDays(text, 0) === text;
}

export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name.toLowerCase() !== "local" && !/^[+-]/.test(name);
  } catch {
    return false;
  }
}
