// Numbers, money and dates in the reader's format.
import { config } from "../config";

const languages = config.locale ? [config.locale] : [...navigator.languages];
// English without a region says nothing about digits; the business is Indian.
export const locale = languages.map((l) => (l === "en" ? "en-IN" : l))[0] ?? "en-IN";

// Browsers keep the name that the city had.
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
export const zone = ownZone === "Asia/Calcutta" ? "Asia/Kolkata" : ownZone;

const number = new Intl.NumberFormat(locale);
const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 2 });
const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

export const formatNumber = (n: number): string => number.format(n);
export const formatCompact = (n: number): string => compact.format(n);
/** A share between 0 and 1. */
export const formatPercent = (share: number): string => percentage.format(share);
export const formatBasisPoints = (bp: number): string => percentage.format(bp / 10_000);
export const formatDateTime = (at: string | number | Date): string => dateTime.format(new Date(at));
export const formatDate = (at: string | number | Date): string => date.format(new Date(at));

/** "2.1 MiB". Limits are set in these units, so they come out round; sizes are rounded up, so what is above a limit looks so. */
export function formatBytes(bytes: number): string {
  const [size, unit] = bytes < 1 << 20 ? [1 << 10, "KiB"] : bytes < 1 << 30 ? [1 << 20, "MiB"] : [1 << 30, "GiB"];
  return `${number.format(Math.ceil((10 * bytes) / size) / 10)} ${unit}`;
}

/** The same in another time zone; without one, the reader's. */
export function zonedFormats(timeZone?: string) {
  const of = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, { ...options, timeZone });
    return (ms: number): string => format.format(ms);
  };
  return {
    date: of({ dateStyle: "medium" }), dateTime: of({ dateStyle: "medium", timeStyle: "short" }),
    hour: of({ hour: "numeric", minute: "2-digit" }), day: of({ day: "numeric", month: "short" }), month: of({ month: "short", year: "numeric" }),
  };
}

/** Amounts are integers of minor units; how many make one unit is the currency's business (ISO 4217). */
export interface Amount {
  minor: number;
  currency: string;
}

// ISO 4217 has other decimals than CLDR for some currencies; these are the ones without two.
const decimals: Record<string, number> = {
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4,
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
};

export const minorDigits = (currency: string): number => decimals[currency] ?? 2;

const money = new Map<string, Intl.NumberFormat>();

/** Exact: the integer is put into the text as digits, so that no amount passes through a fraction. */
export function formatMoney({ minor, currency }: Amount): string {
  const digits = minorDigits(currency);
  let format = money.get(currency);
  if (!format) {
    format = new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
    money.set(currency, format);
  }
  return format.format(decimalText(minor, digits) as unknown as number);
}

/** "₹1.2L": for axes, where nobody counts. */
export function formatMoneyCompact({ minor, currency }: Amount): string {
  return new Intl.NumberFormat(locale, { style: "currency", currency, notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 }).format(minor / 10 ** minorDigits(currency));
}

/** 149900 with 2 digits is "1499.00". */
export function decimalText(minor: number, digits: number): string {
  const sign = minor < 0 ? "-" : "";
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** Reads "1,499.5" of a form as minor units; undefined if it is not an amount of the currency. */
export function parseMoney(input: string, currency: string): number | undefined {
  const digits = minorDigits(currency);
  const match = /^(\d{1,13})(?:\.(\d*))?$/.exec(input.replace(/[,\s]/g, ""));
  if (!match || (match[2] ?? "").length > digits) {
    return undefined;
  }
  const minor = Number(match[1] + (match[2] ?? "").padEnd(digits, "0"));
  return Number.isSafeInteger(minor) ? minor : undefined;
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** "3 minutes ago". */
export function formatAgo(at: string | number | Date, now = Date.now()): string {
  const ms = new Date(at).getTime() - now;
  for (const [unit, length] of steps) {
    if (Math.abs(ms) >= length) {
      return relative.format(Math.round(ms / length), unit);
    }
  }
  return relative.format(Math.round(ms / 1000), "second");
}
