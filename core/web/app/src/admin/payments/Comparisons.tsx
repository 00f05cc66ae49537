import { Drawer } from "@mantine/core";
import { useState } from "react";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { formatDate } from "../../ui/locale";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { OrderLink } from "./Attempts";

type Comparison = Schemas["PaymentComparison"];
const t = text.payments;

const columns: Column<Comparison>[] = [
  { key: "created_at", title: t.at, value: (c) => c.created_at, render: (c) => <When at={c.created_at} /> },
  { key: "gateway", title: t.gateway, value: (c) => c.gateway },
  { key: "period", title: t.period, value: (c) => `${c.from} ${c.to}`, render: (c) => `${formatDate(c.from)} – ${formatDate(c.to)}` },
  { key: "payments", title: t.attempts, value: (c) => c.payments, align: "right" },
  { key: "refunds", title: t.refunds, value: (c) => c.refunds, align: "right" },
  { key: "differences", title: t.differences, value: (c) => c.difference_count, align: "right" },
];

const differences: Column<Schemas["PaymentDifference"]>[] = [
  { key: "kind", title: t.differences, value: (d) => t.kinds[d.kind] ?? d.kind },
  { key: "object", title: t.type, value: (d) => d.object },
  { key: "order", title: t.order, value: (d) => d.order_id, render: (d) => <OrderLink id={d.order_id} /> },
  { key: "gateway", title: t.name, value: (d) => d.gateway_id },
  { key: "detail", title: t.reason, value: (d) => d.detail },
];

/** Our payments beside what a gateway lists. */
export function Comparisons() {
  const [opened, setOpened] = useState<Comparison>();
  return (
    <>
      <DataTable
        name={t.comparisons}
        columns={columns}
        source={source(["payment-reconciliations"], (page, signal) => client.GET("/api/v1/payment-reconciliations", { params: { query: page }, signal }))}
        rowKey={(c) => c.id}
        onRow={setOpened}
        empty={<EmptyState title={t.noComparison}>{t.noComparisonText}</EmptyState>}
      />
      <Drawer opened={opened !== undefined} onClose={() => setOpened(undefined)} title={t.differences} position="right" size="xl">
        {opened && <DataTable name={t.differences} columns={differences} source={opened.differences} rowKey={(d) => d.object + d.id + d.gateway_id} empty={<EmptyState title={t.agree} />} />}
      </Drawer>
    </>
  );
}
