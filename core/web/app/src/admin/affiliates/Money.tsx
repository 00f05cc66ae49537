import { Badge, Group, Stack, Text, Title } from "@mantine/core";

import { source } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { formatDateTime } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { Stat, StatGrid } from "../../ui/Stat";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { CommissionTable } from "../commissions/CommissionTable";
import { Ref } from "../parts/Ref";

type Payout = Schemas["Payout"];
type Method = Schemas["PayoutMethod"];

const t = text.partners;

const payouts: Column<Payout>[] = [
  { key: "at", title: t.at, value: (p) => p.paid_at ?? p.created_at, render: (p) => <When at={p.paid_at ?? p.created_at} as="date" /> },
  { key: "net", title: text.bookings.net, value: (p) => p.net.minor, render: (p) => <Money amount={p.net} />, align: "right" },
  { key: "tax", title: text.bookings.tax, value: (p) => p.tax.minor, render: (p) => <Money amount={p.tax} />, align: "right", wide: true },
  { key: "state", title: t.status, value: (p) => text.states[p.state] ?? p.state, render: (p) => <StateBadge state={p.state} /> },
  { key: "account", title: t.methods, value: (p) => p.account },
  { key: "reference", title: text.bookings.reference, value: (p) => p.reference || p.reason },
  { key: "batch", title: text.bookings.batch, value: (p) => p.batch_id, render: (p) => <Ref id={p.batch_id} />, wide: true },
];

/** What an affiliate earned, has, and was paid. */
export function AffiliateMoney({ id }: { id: string }) {
  const me = useMe();
  const balances = api.useQuery("get", "/api/v1/ledger/balances", { params: { query: { affiliate_id: id } } });
  return (
    <Stack gap="xl">
      <section>
        <Title order={2} mb="xs">
          {t.balances}
        </Title>
        <Loaded query={balances} lines={2}>
          {({ items }) => (items.length === 0 ? <Text c="dimmed">{t.noBalances}</Text> : <Balances items={items} />)}
        </Loaded>
      </section>
      {may(me, "payouts:read") && (
        <>
          <section>
            <Title order={2} mb="xs">
              {t.payouts}
            </Title>
            <DataTable
              name={t.payouts}
              source={source<Payout>(["payouts", id], (page, signal) => client.GET("/api/v1/payouts", { params: { query: { ...page, affiliate_id: id } }, signal }))}
              rowKey={(p) => p.id}
              columns={payouts}
              empty={<EmptyState title={t.noPayouts} />}
            />
          </section>
          <Methods id={id} />
        </>
      )}
      <section>
        <Title order={2} mb="xs">
          {text.nav.commissions}
        </Title>
        <CommissionTable affiliate={id} />
      </section>
    </Stack>
  );
}

function Balances({ items }: { items: Schemas["Balance"][] }) {
  return (
    <StatGrid>
      {items.map((b) => (
        <Stat key={b.kind + b.amount.currency} label={t.balanceKinds[b.kind] ?? b.kind} value={<Money amount={b.amount} />} />
      ))}
    </StatGrid>
  );
}

const methods: Column<Method>[] = [
  { key: "account", title: t.methods, value: (m) => m.account },
  { key: "kind", title: t.kind, value: (m) => t.methodKinds[m.kind] ?? m.kind },
  { key: "currency", title: t.currency, value: (m) => m.currency },
  { key: "state", title: t.status, value: state, render: (m) => <MethodState method={m} /> },
  { key: "since", title: t.joined, value: (m) => m.created_at, render: (m) => <When at={m.created_at} as="date" /> },
];

function state(m: Method): string {
  return m.in_use ? t.inUse : m.ended_at ? fill(t.ended, { when: formatDateTime(m.ended_at) }) : "";
}

function MethodState({ method }: { method: Method }) {
  const frozen = method.in_use && new Date(method.frozen_until) > new Date();
  return (
    <Group gap={4} display="inline-flex">
      <StateBadge state={method.in_use ? "active" : "ended"} label={state(method)} />
      {frozen && (
        <Badge color="orange" variant="light" tt="none">
          {fill(t.frozen, { when: formatDateTime(method.frozen_until) })}
        </Badge>
      )}
      {method.shared && (
        <Badge color="red" variant="light" tt="none">
          {t.shared}
        </Badge>
      )}
    </Group>
  );
}

function Methods({ id }: { id: string }) {
  return (
    <section>
      <Title order={2} mb="xs">
        {t.methods}
      </Title>
      <DataTable
        name={t.methods}
        source={source<Method>(["payout-methods", id], (page, signal) => client.GET("/api/v1/payout-methods", { params: { query: { ...page, affiliate_id: id } }, signal }))}
        rowKey={(m) => m.id}
        columns={methods}
        empty={<EmptyState title={t.noMethods} />}
      />
    </section>
  );
}
