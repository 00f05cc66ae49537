import { Anchor } from "@mantine/core";

import { source } from "../api/call";
import { client, type Schemas } from "../api/client";
import { useMe } from "../session/Session";
import { fill, text } from "../text";
import { Money } from "../ui/Money";
import { Page } from "../ui/Page";
import { StateBadge } from "../ui/StateBadge";
import { EmptyState } from "../ui/states";
import { DataTable, type Column } from "../ui/table/DataTable";
import { When } from "../ui/When";

type Order = Schemas["CheckoutOrder"];
const t = text.account;

const columns: Column<Order>[] = [
  { key: "number", title: t.orderNumber, value: (o) => o.number },
  { key: "items", title: t.items, value: (o) => o.lines.map((l) => l.name).join(", ") },
  { key: "total", title: t.total, align: "right", value: (o) => o.totals.total.minor, render: (o) => <Money amount={o.totals.total} /> },
  { key: "created_at", title: t.bought, value: (o) => o.created_at, render: (o) => <When at={o.created_at} as="date" /> },
  { key: "state", title: t.state, value: (o) => o.state, render: (o) => <StateBadge state={o.state} /> },
];

/** What a learner bought. */
export function Orders() {
  const { email } = useMe();
  return (
    <Page title={text.nav.orders_mine} about={t.orders}>
      <DataTable
        name={text.nav.orders_mine}
        columns={columns}
        source={source<Order>(["my-orders"], (query, signal) => client.GET("/api/v1/me/orders", { params: { query }, signal }))}
        rowKey={(o) => o.id}
        to={(o) => `/account/orders/${o.id}`}
        empty={
          <EmptyState title={t.ordersEmpty} action={<Anchor href="/">{text.nav.products}</Anchor>}>
            {fill(t.ordersEmptyText, { email })}
          </EmptyState>
        }
      />
    </Page>
  );
}
