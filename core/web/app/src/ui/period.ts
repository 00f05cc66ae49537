// The span of time that a page looks at, kept in its address so that it can be shared.
import dayjs from "dayjs";
import { useSearchParams } from "react-router";

export interface Period {
  /** today, 7d, 30d, 90d, or custom. */
  name: string;
  from: Date;
  /** Not included. */
  to: Date;
}

const lengths: Record<string, number> = { today: 1, "7d": 7, "30d": 30, "90d": 90 };

export const periodNames = [...Object.keys(lengths), "custom"];

/** Days begin at midnight of the reader's zone; the last one is today. */
export function namedPeriod(name: string, now = new Date()): Period {
  const end = dayjs(now).startOf("day").add(1, "day");
  return { name, from: end.subtract(lengths[name] ?? 30, "day").toDate(), to: end.toDate() };
}

/** The same length, just before. */
export function periodBefore({ from, to }: Period): { from: Date; to: Date } {
  const days = dayjs(to).diff(from, "day");
  return { from: dayjs(from).subtract(days, "day").toDate(), to: from };
}

export function usePeriod(initial = "30d"): [Period, (next: { name: string; from?: string; to?: string }) => void] {
  const [query, setQuery] = useSearchParams();
  const name = query.get("period") ?? initial;
  const [from, to] = [query.get("from"), query.get("to")];
  const custom = name === "custom" && from && to && dayjs(from).isValid() && !dayjs(to).isBefore(from);
  const period = custom ? { name, from: dayjs(from).startOf("day").toDate(), to: dayjs(to).add(1, "day").startOf("day").toDate() } : namedPeriod(name in lengths ? name : initial);
  const set = (next: { name: string; from?: string; to?: string }) =>
    setQuery((now) => {
      now.set("period", next.name);
      for (const key of ["from", "to"] as const) {
        if (next[key]) {
          now.set(key, next[key]);
        } else {
          now.delete(key);
        }
      }
      return now;
    });
  return [period, set];
}
