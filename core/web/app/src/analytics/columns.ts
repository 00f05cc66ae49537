import type { Figures, Metric } from "./figures";

/** A figure as a column; money is of one currency. */
export interface MetricColumn {
  metric: Metric;
  currency: string;
}

const counted: Metric[] = ["clicks", "uniques", "bots", "leads", "sales", "refunds", "conversion_rate"];

/** Columns of a table of figures: nothing stands there that is nowhere. The chosen one always does. */
export function columnsFor(total: Figures, currency: string, chosen: Metric): MetricColumn[] {
  const worth = (metric: Metric) => metric === chosen || !(metric === "leads" || metric === "refunds" || metric === "bots") || total[metric] !== 0;
  const money = currency ? (["revenue", "commission", "epc"] as const).map((metric) => ({ metric, currency })) : [];
  return [...counted.filter(worth).map((metric) => ({ metric, currency: "" })), ...money];
}
