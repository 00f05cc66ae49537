import { Box, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";

import type { Schemas } from "../../api/client";
import { currenciesOf, valueOf, type Figures, type Metric } from "../../analytics/figures";
import type { Report } from "../../analytics/report";
import { formatMetric } from "../../analytics/words";
import { fill, text } from "../../text";
import { formatMoney, formatNumber } from "../../ui/locale";
import { Stat, StatGrid, StatGridLoading } from "../../ui/Stat";
import { ErrorState } from "../../ui/states";

const { myOverview: words, analytics } = text;

type Balance = Schemas["Balance"];

interface Props {
  report: Pick<UseQueryResult<Report>, "data" | "error" | "refetch" | "isPlaceholderData">;
  before: Figures | undefined;
  balances: Pick<UseQueryResult<{ items: Balance[] }>, "data" | "error" | "refetch">;
}

/** The figures of the period, each with its change; then what is owed and was paid, which is of now. */
export function Totals({ report, before, balances }: Props) {
  if (!report.data && !report.error) {
    return <StatGridLoading count={10} />;
  }
  return (
    <Box component="section" aria-label={words.figures} style={{ opacity: report.isPlaceholderData ? 0.6 : 1 }}>
      {!report.data && <ErrorState error={report.error} retry={() => void report.refetch()} />}
      {!balances.data && balances.error !== null && <ErrorState error={balances.error} retry={() => void balances.refetch()} />}
      <StatGrid>
        {report.data && <OfPeriod now={report.data.total} before={before} />}
        {balances.data && <OfNow balances={balances.data.items} />}
      </StatGrid>
      {before && (
        <Text size="xs" c="dimmed" mt={6}>
          {words.upToNow}
        </Text>
      )}
    </Box>
  );
}

/** What a report counts, each with its change. Goes into a StatGrid. */
export function OfPeriod({ now, before }: { now: Figures; before: Figures | undefined }) {
  const currencies = currenciesOf(now);
  const counted = (metric: Metric, value = valueOf(now, metric, ""), past = before && valueOf(before, metric, "")) => ({
    value: formatMetric(metric, value, ""),
    before: past === undefined ? undefined : { value: past, now: value, shown: formatMetric(metric, past, "") },
  });
  // With one currency the change can be told; several stand below each other and are never added up.
  const earned = (metric: Metric) => {
    const only = currencies.length === 1 ? currencies[0] : undefined;
    const past = before && only ? valueOf(before, metric, only) : undefined;
    return {
      value: <Lines lines={currencies.map((c) => formatMetric(metric, valueOf(now, metric, c), c))} />,
      before: only && past !== undefined ? { value: past, now: valueOf(now, metric, only), shown: formatMetric(metric, past, only) } : undefined,
    };
  };
  const conversions = now.sales + now.leads;
  return (
    <>
      <Stat label={analytics.metrics.clicks} {...counted("clicks")} hint={fill(words.botsHint, { n: formatNumber(now.bots) })} />
      <Stat label={analytics.metrics.uniques} {...counted("uniques")} />
      <Stat label={words.conversions} {...counted("sales", conversions, before && before.sales + before.leads)} hint={fill(words.conversionsHint, { sales: formatNumber(now.sales), leads: formatNumber(now.leads) })} />
      <Stat label={analytics.metrics.conversion_rate} {...counted("conversion_rate")} hint={words.rateHint} />
      <Stat label={analytics.metrics.epc} {...earned("epc")} />
      <Stat label={analytics.metrics.revenue} {...earned("revenue")} hint={words.revenueHint} />
      <Stat label={analytics.metrics.commission} {...earned("commission")} hint={words.commissionHint} />
    </>
  );
}

function OfNow({ balances }: { balances: readonly Balance[] }) {
  const of = (kind: string) => balances.filter((b) => b.kind === kind && b.amount.minor !== 0).map((b) => formatMoney(b.amount));
  const flying = of("in_flight").map((amount) => fill(words.inFlight, { amount }));
  return (
    <>
      <Stat label={words.pending} value={<Lines lines={of("pending")} />} hint={words.pendingHint} />
      <Stat label={words.payable} value={<Lines lines={of("payable")} />} hint={flying.length > 0 ? flying.join(", ") : words.payableHint} />
      <Stat label={words.paid} value={<Lines lines={of("paid")} />} />
    </>
  );
}

/** An amount in each currency, in a size that fits half a phone. */
function Lines({ lines }: { lines: string[] }) {
  const size = lines.length > 1 ? { base: 16, sm: 18 } : { base: 18, sm: 22 };
  return lines.length === 0 ? "–" : lines.map((line) => <Box key={line} fz={size} style={{ whiteSpace: "nowrap" }}>{line}</Box>);
}
