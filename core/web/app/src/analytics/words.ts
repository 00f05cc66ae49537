// How figures and the values of dimensions are shown.
import { fill, text } from "../text";
import { formatCompact, formatMoney, formatMoneyCompact, formatNumber, formatPercent, locale } from "../ui/locale";
import { isMoney, type Metric } from "./figures";
import type { Dimension, Filter } from "./state";

/** Earnings per click may be fractions of a minor unit: they are rounded for reading. */
export function formatMetric(metric: Metric, value: number, currency: string): string {
  if (metric === "conversion_rate") {
    return formatPercent(value);
  }
  return isMoney(metric) ? (currency ? formatMoney({ minor: Math.round(value), currency }) : "–") : formatNumber(value);
}

export function formatMetricShort(metric: Metric, value: number, currency: string): string {
  if (metric === "conversion_rate") {
    return formatPercent(value);
  }
  return isMoney(metric) && currency ? formatMoneyCompact({ minor: value, currency }) : formatCompact(value);
}

const regions = new Intl.DisplayNames(locale, { type: "region", fallback: "code" });
const tongues = new Intl.DisplayNames(locale, { type: "language", fallback: "code" });

function displayed(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code; // what a visitor's browser says need not be a code
  }
}

const capital = (words: string) => words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);

/** A value in words. names: what the report calls its identifiers. */
export function valueLabel(dimension: Dimension | "time", value: string, names: Record<string, string>): string {
  const { analytics } = text;
  switch (dimension) {
    case "country":
      return value ? displayed(regions, value) : text.common.unknown;
    case "language":
      return value ? displayed(tongues, value) : text.common.unknown;
    case "device":
      return value ? (analytics.device[value.toLowerCase()] ?? value) : text.common.unknown;
    case "referrer_host":
      return value || analytics.noReferrer;
    case "bot":
      return value ? capital(value.replaceAll("_", " ")) : analytics.notBot;
    case "node":
      return value ? fill(analytics.node, { n: value }) : analytics.noValue;
    case "affiliate":
    case "program":
    case "link":
      return value ? (names[value] ?? value) : analytics.noValue;
    default:
      return value || analytics.noValue;
  }
}

export function filterLabel({ dimension, value, not }: Filter, names: Record<string, string>): string {
  return fill(not ? text.analytics.isNot : text.analytics.is, { dimension: text.analytics.dimensions[dimension], value: valueLabel(dimension, value, names) });
}
