import { Card, Group, Select, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useState, type ReactNode } from "react";

import { api, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import type { Period } from "../../ui/period";
import { Loaded } from "../../ui/states";
import { SmallTable, type SmallColumn } from "../../ui/table/SmallTable";
import { useNames } from "../parts/names";
import { Ref } from "../parts/Ref";
import { useReport, type Report } from "../parts/report";

const t = text.business;

type Order = "clicks" | "sales";
type Row = Report["rows"][number];

/** Who and what brought the most; beside stands in the last place. */
export function Top({ period, beside }: { period: Period; beside: ReactNode }) {
  const me = useMe();
  const [order, setOrder] = useState<string>("sales");
  const [kind, currency] = order.split(" ");
  const asked = currency ? { order_by: "revenue" as const, currency } : { order_by: kind as Order };
  const affiliates = useReport(period, { group_by: "affiliate", limit: 5, ...asked });
  const currencies = affiliates.data?.total.money.map((m) => m.currency) ?? [];
  const links = useReport(period, { group_by: "link", limit: 5, ...asked });
  const span = { from: period.from.toISOString(), to: period.to.toISOString() };
  const products = api.useQuery("get", "/api/v1/orders/bestsellers", { params: { query: span } }, { enabled: may(me, "orders:read") });
  return (
    <Stack gap="sm" component="section" aria-label={t.top}>
      <Group justify="space-between">
        <Title order={2}>{t.top}</Title>
        <Select
          aria-label={t.topBy}
          size="xs"
          w={160}
          allowDeselect={false}
          value={order}
          onChange={(v) => setOrder(v ?? "sales")}
          data={[{ value: "sales", label: t.bySales }, { value: "clicks", label: t.byClicks }, ...currencies.map((c) => ({ value: `revenue ${c}`, label: `${t.byRevenue}, ${c}` }))]}
        />
      </Group>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Ranked title={t.topAffiliates}>
          <Loaded query={affiliates}>{(report) => <Rows report={report} what={t.affiliate} none={t.nobody} slash={false} />}</Loaded>
        </Ranked>
        <Ranked title={t.topLinks}>
          <Loaded query={links}>{(report) => <Rows report={report} what={t.link} none={t.noLink} slash />}</Loaded>
        </Ranked>
        {may(me, "orders:read") && (
          <Ranked title={t.topProducts}>
            <Loaded query={products}>{({ items }) => <Products items={items} />}</Loaded>
          </Ranked>
        )}
        {beside}
      </SimpleGrid>
    </Stack>
  );
}

const productColumns: SmallColumn<Schemas["Bestseller"]>[] = [
  { key: "product", title: t.product, value: (b) => b.name, render: (b) => <Ref id={b.product_id} name={b.name} /> },
  { key: "sold", title: t.sold, align: "right", value: (b) => b.sold, render: (b) => formatNumber(b.sold) },
  { key: "net", title: t.netSold, align: "right", value: (b) => b.net.minor, render: (b) => <Money amount={b.net} /> },
];

/** Of the shop; other merchants' sales name no products. Each currency for itself. */
function Products({ items }: { items: Schemas["Bestseller"][] }) {
  if (items.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t.noSales}
      </Text>
    );
  }
  return <SmallTable name={t.topProducts} rows={items} rowKey={(b) => b.product_id + b.net.currency} columns={productColumns} />;
}

function Ranked({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card padding="sm" component="section" aria-label={title}>
      <Title order={3} fz="md" mb="xs">
        {title}
      </Title>
      {children}
    </Card>
  );
}

function Rows({ report, what, none, slash }: { report: Report; what: string; none: string; slash: boolean }) {
  const rows = report.rows.filter((row) => row.clicks > 0 || row.sales > 0);
  const name = useNames(rows.map((row) => row.key));
  if (rows.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t.nothing}
      </Text>
    );
  }
  const of = (row: Row) => (row.key ? (slash ? "/" : "") + name(row.key) : none);
  const columns: SmallColumn<Row>[] = [
    { key: "what", title: what, value: of, render: (row) => (row.key ? <Ref id={row.key} name={of(row)} /> : none) },
    { key: "clicks", title: t.clicks, align: "right", wide: true, value: (row) => row.clicks, render: (row) => formatNumber(row.clicks) },
    { key: "orders", title: t.orders, align: "right", value: (row) => row.sales, render: (row) => formatNumber(row.sales) },
    {
      key: "revenue", title: t.revenue, align: "right", value: (row) => row.money[0]?.revenue_minor ?? 0,
      render: (row) =>
        row.money.map((m) => (
          <div key={m.currency}>
            <Money amount={{ minor: m.revenue_minor, currency: m.currency }} />
          </div>
        )),
    },
  ];
  return <SmallTable name={what} rows={rows} rowKey={(row) => row.key} columns={columns} />;
}
