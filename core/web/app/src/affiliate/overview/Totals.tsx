import { Box, Text, VisuallyHidden } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";

import type { Schemas } from "../../api/client";
import { currenciesOf, valueOf, type Figures, type Metric } from "../../analytics/figures";
import { formatMetric } from "../../analytics/words";
import { fill, text } from "../../text";
import { formatMoney, formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Stat, StatGrid, StatGridLoading } from "../../ui/Stat";
import { ErrorState } from "../../ui/states";

const { myOverview: words, analytics } = text;

/** The figures of the period, each with its change. */
export function Totals({ now, before, stale }: { now: Figures | undefined; before: Figures | undefined; stale: boolean }) {
  if (!now) {
    return <StatGridLoading count={7} />;
  }
  const currencies = currenciesOf(now);
  const counted = (metric: Metric, value = valueOf(now, metric, ""), past = before && valueOf(before, metric, "")) => ({
    value: formatMetric(metric, value, ""),
    before: past === undefined ? undefined : { value: past, now: value, shown: formatMetric(metric, past, "") },
  });
  // With one currency the change can be told; several stand below each other and are never added up.
  const paid = (metric: Metric) => {
    const only = currencies.length === 1 ? currencies[0] : undefined;
    const past = before && only ? valueOf(before, metric, only) : undefined;
    return {
      value: currencies.length === 0 ? "–" : currencies.map((c) => <Box key={c} fz={currencies.length > 1 ? 18 : undefined}>{formatMetric(metric, valueOf(now, metric, c), c)}</Box>),
      before: only && past !== undefined ? { value: past, now: valueOf(now, metric, only), shown: formatMetric(metric, past, only) } : undefined,
    };
  };
  const conversions = now.sales + now.leads;
  return (
    <Box component="section" aria-label={words.figures} style={{ opacity: stale ? 0.6 : 1 }}>
      <StatGrid>
        <Stat label={analytics.metrics.clicks} {...counted("clicks")} hint={fill(words.botsHint, { n: formatNumber(now.bots) })} />
        <Stat label={analytics.metrics.uniques} {...counted("uniques")} />
        <Stat label={words.conversions} {...counted("sales", conversions, before && before.sales + before.leads)} hint={fill(words.conversionsHint, { sales: formatNumber(now.sales), leads: formatNumber(now.leads) })} />
        <Stat label={analytics.metrics.conversion_rate} {...counted("conversion_rate")} />
        <Stat label={analytics.metrics.revenue} {...paid("revenue")} />
        <Stat label={analytics.metrics.commission} {...paid("commission")} />
        <Stat label={analytics.metrics.epc} {...paid("epc")} />
      </StatGrid>
      {before && (
        <Text size="xs" c="dimmed" mt={6}>
          {words.upToNow}
        </Text>
      )}
    </Box>
  );
}

type Balance = Schemas["Balance"];

/** What is earned and not paid, and what was paid. It is of now, whatever the period. */
export function Balances({ query }: { query: Pick<UseQueryResult<{ items: Balance[] }>, "data" | "error" | "refetch"> }) {
  if (!query.data) {
    return query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <StatGridLoading count={3} />;
  }
  const { items } = query.data;
  const of = (kind: string) => items.filter((b) => b.kind === kind && b.amount.minor !== 0).map((b) => b.amount);
  const lines = (kind: string) => {
    const amounts = of(kind);
    return amounts.length === 0 ? "–" : amounts.map((a) => <Box key={a.currency} fz={amounts.length > 1 ? 18 : undefined}><Money amount={a} /></Box>);
  };
  const flying = of("in_flight").map((a) => fill(words.inFlight, { amount: formatMoney(a) }));
  return (
    <Box component="section" aria-labelledby="balances">
      <VisuallyHidden component="h2" id="balances">
        {words.balances}
      </VisuallyHidden>
      <StatGrid>
        <Stat label={words.pending} value={lines("pending")} hint={words.pendingHint} />
        <Stat label={words.payable} value={lines("payable")} hint={flying.length > 0 ? flying.join(", ") : words.payableHint} />
        <Stat label={words.paid} value={lines("paid")} />
      </StatGrid>
    </Box>
  );
}
