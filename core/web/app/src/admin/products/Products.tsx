import { Avatar, Button, Group, Stack } from "@mantine/core";
import { IconPackage, IconPlus } from "@tabler/icons-react";
import { Link } from "react-router";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { amountText } from "../payouts/Batches";

type Product = Schemas["Product"];
const t = text.products;
const states = ["active", "draft", "archived"] as const;

const columns: Column<Product>[] = [
  {
    key: "name", title: t.name, value: (p) => p.name,
    render: (p) => (
      <Group gap="sm" wrap="nowrap" component="span" align="center">
        <Avatar src={p.image_path || null} alt="" radius="md" size={36} style={{ flex: "none" }}>
          <IconPackage size={18} aria-hidden />
        </Avatar>
        {p.name}
      </Group>
    ),
  },
  { key: "kind", title: t.kind, value: (p) => t.kinds[p.kind] ?? p.kind, wide: true },
  { key: "sku", title: t.sku, value: (p) => p.sku || "–", wide: true },
  { key: "status", title: t.status, value: (p) => text.states[p.status] ?? p.status, render: (p) => <StateBadge state={p.status} /> },
  { key: "tax", title: t.tax, value: (p) => p.tax_bp, render: (p) => fill(t.perCent, { n: p.tax_bp / 100 }), align: "right", wide: true },
  {
    key: "price", title: t.price, value: (p) => p.prices.map(amountText).join(" "), align: "right",
    render: (p) => (
      <Stack gap={0} component="span">
        {p.prices.map((a) => (
          <Money key={a.currency} amount={a} />
        ))}
      </Stack>
    ),
  },
];

/** What is sold. */
export function Products() {
  const me = useMe();
  const [status, setStatus] = useQueryState("status");
  const query = status ? { status: status as (typeof states)[number] } : {};
  const make = may(me, "shop:write") && (
    <Button component={Link} to="/admin/products/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t.new}
    </Button>
  );
  return (
    <Page title={text.nav.products} about={t.about} actions={make}>
      <DataTable
        key={status}
        name={text.nav.products}
        columns={columns}
        source={source(["products", query], (page, signal) => client.GET("/api/v1/products", { params: { query: { ...query, ...page } }, signal }))}
        rowKey={(p) => p.id}
        to={(p) => `/admin/products/${p.id}`}
        filters={<StateFilter states={states} value={status} onChange={setStatus} label={t.status} />}
        empty={
          <EmptyState title={t.empty} action={make}>
            {t.emptyText}
          </EmptyState>
        }
      />
    </Page>
  );
}
