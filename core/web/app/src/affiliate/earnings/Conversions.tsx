import { Anchor, Select } from "@mantine/core";
import { Link } from "react-router";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";

type Conversion = Schemas["Conversion"];
const t = text.earnings;
const types = ["sale", "lead", "refund", "rejected"] as const;

const columns: Column<Conversion>[] = [
  { key: "received_at", title: t.received, value: (c) => c.received_at, render: (c) => <When at={c.received_at} /> },
  { key: "type", title: t.type, value: (c) => text.conversionTypes[c.type] ?? c.type },
  { key: "txn_id", title: t.txn, value: (c) => c.txn_id },
  { key: "amount", title: t.amount, align: "right", value: (c) => c.amount?.minor ?? 0, render: (c) => (c.amount ? <Money amount={c.amount} /> : "–") },
  { key: "refunded", title: t.refunded, align: "right", wide: true, value: (c) => c.refunded?.minor ?? 0, render: (c) => (c.refunded && c.refunded.minor !== 0 ? <Money amount={c.refunded} /> : "–") },
  { key: "name", title: t.name, wide: true, value: (c) => c.name },
  { key: "state", title: t.state, value: (c) => c.state, render: (c) => <StateBadge state={c.closed || c.state} /> },
];

/** Everything that was attributed to the affiliate. */
export function Conversions() {
  const [type, setType] = useQueryState("type");
  const chosen = types.find((known) => known === type);
  return (
    <Page title={text.nav.conversions} about={t.conversionsAbout}>
      <DataTable
        name={text.nav.conversions}
        columns={columns}
        source={source<Conversion>(["my-conversions", chosen], (query, signal) => client.GET("/api/v1/me/affiliate/conversions", { params: { query: { ...query, type: chosen } }, signal }))}
        rowKey={(c) => c.id}
        to={(c) => `/affiliate/conversions/${c.id}`}
        filters={
          <Select aria-label={t.type} placeholder={t.anyType} clearable value={chosen ?? null} onChange={setType} data={types.map((value) => ({ value, label: text.conversionTypes[value] ?? value }))} w={150} />
        }
        empty={
          <EmptyState title={t.conversionsEmpty} action={<Anchor component={Link} to="/affiliate/links">{t.seeLinks}</Anchor>}>
            {t.conversionsEmptyText}
          </EmptyState>
        }
      />
    </Page>
  );
}
