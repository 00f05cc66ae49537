import { Button, Group, Select, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { decimalText, minorDigits } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";

type Order = Schemas["Order"];
const t = text.orders;

const states = ["pending", "paid", "partly_refunded", "refunded", "disputed", "charged_back", "failed", "expired", "created"] as const;

const columns: Column<Named<Order>>[] = [
  { key: "number", title: t.number, value: ({ row: o }) => o.number, render: ({ row: o }) => <span style={{ whiteSpace: "nowrap" }}>{o.number}</span> },
  { key: "created_at", title: t.placed, value: ({ row: o }) => o.created_at, render: ({ row: o }) => <When at={o.created_at} /> },
  { key: "buyer", title: t.buyer, value: ({ row: o }) => `${o.customer.name} <${o.customer.email}>`, render: ({ row: o }) => o.customer.name || o.customer.email },
  { key: "state", title: t.state, value: ({ row: o }) => text.states[o.state] ?? o.state, render: ({ row: o }) => <StateBadge state={o.state} /> },
  {
    key: "affiliate", title: t.affiliate, wide: true,
    value: ({ row: o, name }) => (o.affiliate_id ? name(o.affiliate_id) : t.nobody),
    render: ({ row: o, name }) => (o.affiliate_id ? <Ref id={o.affiliate_id} name={name(o.affiliate_id)} /> : <Text span inherit c="dimmed">{t.nobody}</Text>),
  },
  { key: "gateway", title: t.gateway, value: ({ row: o }) => o.gateway, wide: true },
  { key: "refunded", title: t.refunded, value: ({ row: o }) => o.refunded.minor, render: ({ row: o }) => (o.refunded.minor ? <Money amount={o.refunded} /> : "–"), align: "right", wide: true },
  { key: "total", title: t.total, value: ({ row: o }) => decimalText(o.total.minor, minorDigits(o.total.currency)) + " " + o.total.currency, render: ({ row: o }) => <Money amount={o.total} />, align: "right" },
];

// What somebody types is an address, an order's number, or what a gateway calls the payment.
function lookup(words: string): { email?: string; number?: string; transaction?: string } {
  if (words.includes("@")) {
    return { email: words };
  }
  return /^\d{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/i.test(words) ? { number: words.toUpperCase() } : { transaction: words };
}

export function Orders() {
  const [state, setState] = useQueryState("state");
  const [words, setWords] = useQueryState("q");
  const sees = may(useMe(), "catalog:read");
  const query = { ...(state && { state: state as (typeof states)[number] }), ...(words && lookup(words)) };
  return (
    <Page title={text.nav.orders} about={t.about}>
      <DataTable
        key={JSON.stringify(query)}
        name={text.nav.orders}
        columns={columns}
        source={withNames(
          source<Order>(["orders", query], (page, signal) => client.GET("/api/v1/orders", { params: { query: { ...query, ...page } }, signal })),
          (o) => (sees ? [o.affiliate_id] : []),
        )}
        rowKey={({ row }) => row.id}
        to={({ row }) => `/admin/orders/${row.id}`}
        filters={
          <Group gap="xs" align="flex-end">
            <Find words={words} onFind={setWords} />
            <Select
              aria-label={t.state}
              data={[{ value: "", label: t.anyState }, ...states.map((value) => ({ value, label: text.states[value] ?? value }))]}
              value={state}
              onChange={setState}
              allowDeselect={false}
              w={170}
            />
          </Group>
        }
        empty={state || words ? <EmptyState title={t.none} /> : <EmptyState title={t.empty}>{t.emptyText}</EmptyState>}
      />
    </Page>
  );
}

function Find({ words, onFind }: { words: string; onFind: (words: string) => void }) {
  const [typed, setTyped] = useState(words);
  const find = (event: FormEvent) => {
    event.preventDefault();
    onFind(typed.trim());
  };
  return (
    <form onSubmit={find} role="search">
      <Group gap={4} wrap="nowrap">
        <TextInput aria-label={t.searchHint} placeholder={t.searchHint} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} w={270} />
        <Button type="submit" variant="default" px="xs" aria-label={text.common.search}>
          <IconSearch size={16} aria-hidden />
        </Button>
      </Group>
    </form>
  );
}
