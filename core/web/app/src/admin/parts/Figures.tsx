import { Box, Card, Group, Select, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMemo, useState } from "react";

import { fill, text } from "../../text";
import { formatMoney, formatMoneyCompact, formatNumber, formatPercent } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { periodBefore, type Period } from "../../ui/period";
import { Stat, StatGrid, StatGridLoading } from "../../ui/Stat";
import { ErrorState, LoadingState } from "../../ui/states";
import { TimeChart, type Series } from "../../ui/TimeChart";
import { bucketOf, moneyOf, series, useReport, type Figures as ReportFigures, type Report } from "./report";

interface Props {
  period: Period;
  /** Of one affiliate, or of what a filter keeps; absent: of the whole business. */
  affiliate?: string;
  filter?: string[];
}

/** What happened in a period, beside the period before, and over time. */
export function Figures({ period, affiliate, filter }: Props) {
  const asked = useMemo(() => ({ ...(affiliate && { affiliate_id: affiliate }), ...(filter && { filter }) }), [affiliate, filter]);
  const bucket = bucketOf(period);
  const before = useReport(periodBefore(period), asked);
  const now = useReport(period, { ...asked, bucket, limit: 1000 });
  if (now.error && !now.data) {
    return <ErrorState error={now.error} retry={() => void now.refetch()} />;
  }
  return (
    <Stack gap="sm">
      {now.data ? <Counts now={now.data.total} before={before.data?.total} /> : <StatGridLoading count={5} />}
      {now.data && <Currencies now={now.data.total} before={before.data?.total} />}
      <Card>
        {now.data ? <Chart report={now.data} period={period} bucket={bucket} /> : <LoadingState lines={8} />}
      </Card>
    </Stack>
  );
}

function count(now: number, before: number | undefined) {
  return before === undefined ? undefined : { value: before, shown: formatNumber(before), now };
}

function Counts({ now, before }: { now: ReportFigures; before?: ReportFigures }) {
  const t = text.business;
  return (
    <StatGrid>
      <Stat label={t.clicks} value={formatNumber(now.clicks)} before={count(now.clicks, before?.clicks)} hint={fill(t.bots, { n: formatNumber(now.bots) })} />
      <Stat label={t.uniques} value={formatNumber(now.uniques)} before={count(now.uniques, before?.uniques)} />
      <Stat label={t.orders} value={formatNumber(now.sales)} before={count(now.sales, before?.sales)} hint={fill(t.leads, { n: formatNumber(now.leads) })} />
      <Stat label={t.refunds} value={formatNumber(now.refunds)} before={count(now.refunds, before?.refunds)} inverse />
      <Stat
        label={t.rate}
        value={formatPercent(now.conversion_rate)}
        before={before && { value: before.conversion_rate, shown: formatPercent(before.conversion_rate), now: now.conversion_rate }}
        hint={t.rateHint}
      />
    </StatGrid>
  );
}

/** Each currency for itself: they are never added up. */
function Currencies({ now, before }: { now: ReportFigures; before?: ReportFigures }) {
  const t = text.business;
  const currencies = [...new Set([...now.money, ...(before?.money ?? [])].map((m) => m.currency))].sort();
  return currencies.map((currency) => {
    const [a, b] = [moneyOf(now, currency), before && moneyOf(before, currency)];
    const compared = (pick: (m: typeof a) => number) => b && { value: pick(b), shown: formatMoney({ minor: pick(b), currency }), now: pick(a) };
    const net = (m: typeof a) => m.revenue - m.commission;
    return (
      <Box key={currency} component="section" aria-label={currency}>
        {currencies.length > 1 && (
          <Text size="sm" fw={600} mb={4}>
            {currency}
          </Text>
        )}
        <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
          <Stat label={t.revenue} value={<Money amount={{ minor: a.revenue, currency }} />} before={compared((m) => m.revenue)} hint={t.revenueHint} />
          <Stat label={t.commission} value={<Money amount={{ minor: a.commission, currency }} />} before={compared((m) => m.commission)} hint={t.commissionHint} />
          <Stat label={t.net} value={<Money amount={{ minor: net(a), currency }} />} before={compared(net)} hint={t.netHint} />
        </SimpleGrid>
      </Box>
    );
  });
}

const counts = ["clicks", "uniques", "leads", "sales", "refunds"] as const;

function Chart({ report, period, bucket }: { report: Report; period: Period; bucket: "hour" | "day" }) {
  const t = text.business;
  const currencies = useMemo(() => [...new Set(report.rows.flatMap((row) => row.money.map((m) => m.currency)))].sort(), [report]);
  const [chosen, setChosen] = useState<string>();
  const choices = [
    ...counts.map((value) => ({ value, label: t.series[value] })),
    ...currencies.flatMap((c) => [
      { value: `revenue ${c}`, label: `${t.revenue}, ${c}` },
      { value: `commission ${c}`, label: `${t.commission}, ${c}` },
    ]),
  ];
  const second = chosen && choices.some((c) => c.value === chosen) ? chosen : currencies[0] ? `revenue ${currencies[0]}` : "sales";
  const { times, drawn } = useMemo(() => {
    const { times, at } = series(report, period, bucket);
    const [kind, currency] = second.split(" ");
    const label = choices.find((c) => c.value === second)?.label ?? second;
    const right: Series = currency
      ? {
          label,
          values: at((f) => moneyOf(f, currency)[kind === "revenue" ? "revenue" : "commission"]),
          format: (n) => formatMoney({ minor: Math.round(n), currency }),
          short: (n) => formatMoneyCompact({ minor: n, currency }),
          right: true,
        }
      : { label, values: at((f) => f[kind as (typeof counts)[number]]), format: formatNumber, right: true };
    return { times, drawn: [{ label: t.series.clicks, values: at((f) => f.clicks), format: formatNumber }, right] satisfies Series[] };
    // Choices follow from the report.
  }, [report, period.from.getTime(), period.to.getTime(), bucket, second]);
  return (
    <>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{t.overTime}</Title>
        <Select aria-label={t.beside} size="xs" data={choices.filter((c) => c.value !== "clicks")} value={second} onChange={(v) => setChosen(v ?? undefined)} allowDeselect={false} w={190} />
      </Group>
      <TimeChart label={fill(t.chart, { of: drawn[1]?.label ?? "" })} times={times} series={drawn} hourly={bucket === "hour"} />
      {report.total.clicks === 0 && report.total.sales === 0 && (
        <Text size="sm" c="dimmed" ta="center">
          {t.nothing}
        </Text>
      )}
    </>
  );
}
