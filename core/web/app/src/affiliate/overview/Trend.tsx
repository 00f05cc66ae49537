import { Anchor, Card, Group, SegmentedControl, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "react-router";

import { buckets, currenciesOf, valueOf, type Span } from "../../analytics/figures";
import type { Report } from "../../analytics/report";
import { formatMetric, formatMetricShort } from "../../analytics/words";
import { text } from "../../text";
import { LoadingState } from "../../ui/states";
import { TimeChart, type Series } from "../../ui/TimeChart";

interface Props {
  now: Report | undefined;
  before: Report | undefined;
  span: Span;
  spanBefore: Span;
  hourly: boolean;
  /** The page of the explorer that shows the same. */
  explore: string;
}

/** Clicks and commission over the period; the period before lies faintly below, moment by moment. */
export function Trend({ now, before, span: { from, to, zone }, spanBefore, hourly, explore }: Props) {
  const currencies = now ? currenciesOf(now.total) : [];
  const [chosen, setChosen] = useState("");
  const currency = currencies.includes(chosen) ? chosen : (currencies[0] ?? "");
  const { from: fromBefore, to: toBefore } = spanBefore;
  const drawn = useMemo(() => {
    const step = hourly ? "hour" : "day";
    const points = buckets(now?.rows ?? [], { from, to, zone }, step);
    const past = before ? buckets(before.rows, { from: fromBefore, to: toBefore, zone }, step) : [];
    const passed = (start: number) => start <= Date.now(); // what is still to come is not zero
    const clicks = { format: (n: number) => formatMetric("clicks", n, ""), color: 0 };
    const earned = { format: (n: number) => formatMetric("commission", n, currency), short: (n: number) => formatMetricShort("commission", n, currency), right: true, color: 1 };
    const line = (metric: "clicks" | "commission") => points.map((b) => (passed(b.start) ? valueOf(b.figures, metric, currency) : null));
    const pastLine = (metric: "clicks" | "commission") => points.map((_, i) => { const b = past[i]; return b ? valueOf(b.figures, metric, currency) : null; });
    const series: Series[] = [{ label: text.myOverview.clicks, values: line("clicks"), ...clicks }];
    if (currency) {
      series.push({ label: text.myOverview.commission, values: line("commission"), ...earned });
    }
    if (before) {
      series.push({ label: text.myOverview.clicksBefore, values: pastLine("clicks"), faint: true, ...clicks });
      if (currency) {
        series.push({ label: text.myOverview.commissionBefore, values: pastLine("commission"), faint: true, ...earned });
      }
    }
    return { times: points.map((b) => b.start / 1000), series };
  }, [now, before, from, to, zone, fromBefore, toBefore, hourly, currency]);

  return (
    <Card component="section" aria-labelledby="trend">
      <Group justify="space-between" gap="xs">
        <Title order={2} id="trend">
          {text.myOverview.chart}
        </Title>
        <Group gap="sm">
          {currencies.length > 1 && <SegmentedControl size="xs" aria-label={text.analytics.currency} value={currency} onChange={setChosen} data={currencies} />}
          <Anchor component={Link} to={explore} size="sm">
            {text.myOverview.explore}
          </Anchor>
        </Group>
      </Group>
      {now ? <TimeChart label={text.myOverview.chart} times={drawn.times} series={drawn.series} hourly={hourly} zone={zone} /> : <LoadingState lines={10} />}
    </Card>
  );
}
