import { Group, Select, Switch, Text } from "@mantine/core";
import { useMemo } from "react";

import { fill, text } from "../text";
import { ErrorState } from "../ui/states";
import { TimeChart, type Series } from "../ui/TimeChart";
import { buckets, metricNames, valueOf, type Row, type Span } from "./figures";
import { inSpan, useReport, type Query, type Report, type Whose } from "./report";
import type { ViewControl } from "./useView";
import { formatMetric, formatMetricShort, valueLabel } from "./words";

// As many lines as there are colours.
const lines = 4;

interface Props {
  control: ViewControl;
  whose: Whose;
  query: Query;
  span: Span;
  report: Report;
  currencies: string[];
  currency: string;
}

/** The chosen figure over time: all together, or a line for each of the largest groups. */
export function SeriesChart({ control: { view, set }, whose, query, span, report, currencies, currency }: Props) {
  const { metric, step, by } = view;
  const splits = view.split && by !== "time";
  const order = { order_by: view.order, limit: lines, ...(currency && { currency }) };
  const parts = useReport(whose, { ...query, ...inSpan(span), bucket: step === "hour" ? "hour" : "day", ...(splits && { group_by: by }), ...order }, { enabled: splits });
  const { from, to, zone } = span;
  const rows = splits ? parts.data : report;
  const drawn = useMemo(() => {
    const format = { format: (n: number) => formatMetric(metric, n, currency), short: (n: number) => formatMetricShort(metric, n, currency) };
    const line = (label: string, of: readonly Row[]): { times: number[]; series: Series } => {
      const points = buckets(of, { from, to, zone }, step);
      return { times: points.map((b) => b.start / 1000), series: { label, values: points.map((b) => valueOf(b.figures, metric, currency)), ...format } };
    };
    if (!splits || !rows) {
      return [line(text.analytics.metrics[metric], rows?.rows ?? [])];
    }
    const keys = [...new Set(rows.rows.map((r) => r.key))].slice(0, lines);
    return keys.map((key) => line(valueLabel(by, key, rows.names), rows.rows.filter((r) => r.key === key)));
  }, [rows, splits, by, metric, currency, step, from, to, zone]);
  const times = useMemo(() => drawn[0]?.times ?? [], [drawn]);
  const series = useMemo(() => drawn.map((d) => d.series), [drawn]);

  return (
    <>
      <Group align="flex-end" gap="md" mb="xs">
        <Select
          label={text.analytics.show} value={metric} onChange={(m) => m && set({ metric: m, order: undefined })} allowDeselect={false} w={200}
          data={metricNames.map((value) => ({ value, label: text.analytics.metrics[value] }))}
        />
        <Text fz={26} fw={650} lh={1.35} style={{ fontVariantNumeric: "tabular-nums" }}>
          {formatMetric(metric, valueOf(report.total, metric, currency), currency)}
        </Text>
        {currencies.length > 1 && <Select label={text.analytics.currency} value={currency} onChange={(cur) => cur && set({ cur })} data={currencies} allowDeselect={false} w={90} />}
        {by !== "time" && <Switch ml={{ sm: "auto" }} mb={8} label={text.analytics.split} checked={view.split} onChange={(e) => set({ split: e.currentTarget.checked ? "1" : undefined })} />}
      </Group>
      <Text size="xs" c="dimmed">
        {text.analytics.hints[metric]}
      </Text>
      {splits && parts.error && !parts.data ? (
        <ErrorState error={parts.error} retry={() => void parts.refetch()} />
      ) : (
        <TimeChart label={fill(text.analytics.chart, { metric: text.analytics.metrics[metric] })} times={times} series={series} hourly={step === "hour"} zone={zone} />
      )}
    </>
  );
}

