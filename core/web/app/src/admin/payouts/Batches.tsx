import { Button, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Link } from "react-router";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { decimalText, minorDigits } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { RequestsNotice } from "./RequestsNotice";

type Batch = Schemas["PayoutBatch"];
const t = text.payouts;
const states = ["created", "approved", "executing", "completed", "cancelled"] as const;

export const amountText = (a: Schemas["Amount"]) => `${decimalText(a.minor, minorDigits(a.currency))} ${a.currency}`;

const columns: Column<Batch>[] = [
  { key: "id", title: t.batch, value: (b) => b.id },
  { key: "created_at", title: t.made, value: (b) => b.created_at, render: (b) => <When at={b.created_at} /> },
  { key: "state", title: t.state, value: (b) => batchState(b), render: (b) => <StateBadge state={b.state === "created" ? "waiting" : b.state} label={batchState(b)} /> },
  { key: "executor", title: t.how, value: (b) => t.executors[b.executor] ?? b.executor, wide: true },
  { key: "payouts", title: t.payouts, value: (b) => b.payouts, align: "right" },
  { key: "tax", title: t.tax, value: (b) => amountText(b.tax), render: (b) => <Money amount={b.tax} />, align: "right", wide: true },
  { key: "net", title: t.net, value: (b) => amountText(b.net), render: (b) => <Money amount={b.net} />, align: "right" },
];

export function batchState(b: Batch): string {
  return b.state === "created" ? fill(t.waiting, { have: b.approvals.length, need: b.approvals_needed }) : (text.states[b.state] ?? b.state);
}

export function Batches() {
  const me = useMe();
  const [state, setState] = useQueryState("state");
  const query = state ? { state: state as (typeof states)[number] } : {};
  const make = may(me, "payouts:write") && (
    <Button component={Link} to="/admin/payouts/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t.new}
    </Button>
  );
  return (
    <Page title={text.nav.batches} about={t.about} actions={make}>
      <RequestsNotice />
      <DataTable
        key={state}
        name={text.nav.batches}
        columns={columns}
        source={source(["payout-batches", query], (page, signal) => client.GET("/api/v1/payout-batches", { params: { query: { ...query, ...page } }, signal }))}
        rowKey={(b) => b.id}
        to={(b) => `/admin/payouts/${b.id}`}
        filters={
          <Select
            aria-label={t.state}
            data={[{ value: "", label: text.orders.anyState }, ...states.map((value) => ({ value, label: text.states[value] ?? value }))]}
            value={state}
            onChange={setState}
            allowDeselect={false}
            w={170}
          />
        }
        empty={
          <EmptyState title={t.empty} action={make}>
            {t.emptyText}
          </EmptyState>
        }
      />
    </Page>
  );
}
