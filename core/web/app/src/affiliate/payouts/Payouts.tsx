import { Card, SimpleGrid, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { Facts } from "../../ui/Facts";
import { formatDate, type Amount } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, ErrorState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { Methods } from "./Methods";
import { Outlook } from "./Outlook";
import { RequestList, useOwnRequests } from "./Requests";
import { TaxProfile } from "./TaxProfile";
import { YearStatement } from "./YearStatement";

type Payout = Schemas["Payout"];
const t = text.ownPayouts;

const columns: Column<Payout>[] = [
  { key: "created_at", title: t.made, value: (p) => p.created_at, render: (p) => <When at={p.created_at} as="date" /> },
  { key: "net", title: t.net, align: "right", value: (p) => p.net.minor, render: (p) => <Money amount={p.net} fw={600} /> },
  { key: "tax", title: t.tax, align: "right", wide: true, value: (p) => p.tax.minor, render: (p) => <Money amount={p.tax} /> },
  { key: "account", title: t.account, value: (p) => p.account },
  { key: "reference", title: t.reference, wide: true, value: (p) => p.reference },
  { key: "state", title: t.state, value: (p) => p.state, render: (p) => <StateBadge state={p.state} /> },
];

export function useOutlooks() {
  return useQuery({ queryKey: ["own-outlook"], queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/payout-outlook", { signal }))).items });
}

/** The money of an affiliate: what there is, when it comes, to where, and what came. */
export function Payouts() {
  const balances = useQuery({ queryKey: ["my-balances"], queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/balances", { signal }))).items });
  const outlooks = useOutlooks();
  const requests = useOwnRequests();
  return (
    <Page title={text.nav.payouts} about={t.about}>
      <Loaded query={outlooks} lines={6}>
        {(list) => (list.length === 0 ? <EmptyState title={t.noBalance}>{t.noBalanceText}</EmptyState> : list.map((o) => <Outlook key={o.currency} outlook={o} requests={requests.data} />))}
      </Loaded>
      <Loaded query={balances}>
        {(list) => (
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            {[...new Set(list.map((b) => b.amount.currency))].map((currency) => (
              <Balances key={currency} currency={currency} balances={list} outlook={outlooks.data?.find((o) => o.currency === currency)} />
            ))}
          </SimpleGrid>
        )}
      </Loaded>
      <Title order={2}>{t.history}</Title>
      <DataTable
        name={t.history}
        columns={columns}
        source={source<Payout>(["own-payouts"], (query, signal) => client.GET("/api/v1/me/affiliate/payouts", { params: { query }, signal }))}
        rowKey={(p) => p.id}
        to={(p) => `/affiliate/payouts/${p.id}`}
        empty={<EmptyState title={t.historyEmpty}>{t.historyEmptyText}</EmptyState>}
      />
      {requests.error && !requests.data ? <ErrorState error={requests.error} retry={() => void requests.refetch()} /> : <RequestList requests={requests.data ?? []} />}
      <Methods />
      <TaxProfile />
      <YearStatement currencies={[...new Set(outlooks.data?.map((o) => o.currency) ?? [])]} yearFrom={outlooks.data?.find((o) => o.tax_year_from)?.tax_year_from} />
    </Page>
  );
}

function Balances({ currency, balances, outlook }: { currency: string; balances: Schemas["Balance"][]; outlook?: Schemas["PayoutOutlook"] }) {
  const of = (kind: string): Amount => balances.find((b) => b.kind === kind && b.amount.currency === currency)?.amount ?? { minor: 0, currency };
  const payable = of("payable");
  const next = outlook?.next_release_at;
  return (
    <Card component="section" aria-label={fill(t.balances, { currency })}>
      <Title order={2} size="h4" mb="sm">
        {fill(t.balances, { currency })}
      </Title>
      <Facts
        facts={[
          [t.pending, <Row amount={of("pending")} hint={next ? fill(t.nextRelease, { at: formatDate(next) }) : t.pendingHint} />],
          [t.payable, <Row amount={payable} hint={payable.minor < 0 ? t.payableNegative : t.payableHint} />],
          [t.inFlight, <Row amount={of("in_flight")} hint={t.inFlightHint} />],
          [t.paid, <Row amount={of("paid")} hint={t.paidHint} />],
          [t.withheld, <Row amount={of("withheld")} hint={t.withheldHint} />],
        ]}
      />
    </Card>
  );
}

function Row({ amount, hint }: { amount: Amount; hint: string }) {
  return (
    <>
      <Money amount={amount} fw={650} />
      <Text size="xs" c="dimmed">
        {hint}
      </Text>
    </>
  );
}
