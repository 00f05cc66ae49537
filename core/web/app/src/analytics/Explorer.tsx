import { Alert, Card, Stack } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";

import { text } from "../text";
import { EmptyState, ErrorState, LoadingState } from "../ui/states";
import { Controls } from "./Controls";
import { currenciesOf, type Figures } from "./figures";
import { FilterBar } from "./FilterBar";
import { GroupTable } from "./GroupTable";
import { inSpan, useReport, type Query, type Whose } from "./report";
import { SeriesChart } from "./SeriesChart";
import { formatFilter, spanOf, type View } from "./state";
import { TimeTable } from "./TimeTable";
import { useView } from "./useView";

/** Any figure by anything that is known of a click: what is looked at stands in the page's address. */
export function Explorer({ whose, by }: { whose: Whose; by: View["by"] }) {
  const control = useView(by);
  const { view } = control;
  const span = spanOf(view);
  const asked: Query = { ...inSpan(span), ...(view.filters.length > 0 && { filter: view.filters.map(formatFilter) }) };
  const series = useReport(whose, { ...asked, bucket: view.step === "hour" ? "hour" : "day" });
  const grouped: Query = {
    ...asked, ...(view.by !== "time" && { group_by: view.by }), order_by: view.order, limit: view.limit, ...(view.currency && { currency: view.currency }),
  };
  const groups = useReport(whose, grouped, { enabled: view.by !== "time" });
  const total: Figures | undefined = series.data?.total;
  const currencies = total ? currenciesOf(total) : [];
  const currency = view.currency || (currencies[0] ?? "");
  const names = { ...groups.data?.names, ...series.data?.names };

  return (
    <Stack gap="md">
      <Controls control={control} whose={whose} />
      <FilterBar control={control} whose={whose} names={names} />
      {series.error && !series.data ? (
        <ErrorState error={series.error} retry={() => void series.refetch()} />
      ) : total && isEmpty(total) ? (
        <Card>
          <EmptyState title={text.analytics.empty}>{text.analytics.emptyText}</EmptyState>
        </Card>
      ) : (
        <>
          <Card component="section" aria-label={text.analytics.metrics[view.metric]} style={{ opacity: series.isPlaceholderData ? 0.6 : 1 }}>
            {series.data ? <SeriesChart control={control} whose={whose} query={asked} span={span} report={series.data} currencies={currencies} currency={currency} /> : <LoadingState lines={8} />}
          </Card>
          {view.step === "week" && (
            <Alert variant="light" color="gray" icon={<IconInfoCircle size={18} />} py="xs">
              {text.analytics.weekHint}
            </Alert>
          )}
          {view.by === "time" && series.data && <TimeTable control={control} whose={whose} span={span} query={asked} report={series.data} currency={currency} />}
          {view.by !== "time" &&
            (groups.error && !groups.data ? (
              <ErrorState error={groups.error} retry={() => void groups.refetch()} />
            ) : groups.data ? (
              <GroupTable control={control} whose={whose} query={grouped} report={groups.data} currency={currency} names={names} stale={groups.isPlaceholderData} />
            ) : (
              <Card>
                <LoadingState lines={8} />
              </Card>
            ))}
        </>
      )}
    </Stack>
  );
}

const isEmpty = (f: Figures): boolean => f.clicks === 0 && f.leads === 0 && f.sales === 0 && f.refunds === 0 && f.money.length === 0;
