import { Anchor, Button, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Money } from "../../ui/Money";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { amountText } from "../payouts/Batches";

type Payment = Schemas["Payment"];
const t = text.payments;
const states = ["created", "unknown", "open", "succeeded", "failed", "stray"] as const;

export function OrderLink({ id }: { id: string }) {
  return id ? (
    <Anchor component={Link} to={`/admin/orders/${id}`} inherit underline="hover">
      {id}
    </Anchor>
  ) : (
    <>–</>
  );
}

export function Attempts() {
  const me = useMe();
  const [state, setState] = useQueryState("state");
  const [back, setBack] = useState<Payment>();
  const query = state ? { state: state as (typeof states)[number] } : {};
  const columns: Column<Payment>[] = [
    { key: "created_at", title: t.at, value: (p) => p.created_at, render: (p) => <When at={p.created_at} /> },
    { key: "order", title: t.order, value: (p) => p.order_id, render: (p) => <OrderLink id={p.order_id} /> },
    { key: "gateway", title: t.gateway, value: (p) => p.gateway },
    { key: "name", title: t.name, value: (p) => p.gateway_payment_id || p.gateway_ref || "–", wide: true },
    { key: "state", title: t.state, value: (p) => text.states[p.state] ?? p.state, render: (p) => <StateBadge state={p.state} /> },
    { key: "reason", title: t.reason, value: (p) => p.reason || "–", wide: true },
    { key: "amount", title: t.amount, value: (p) => amountText(p.paid ?? p.amount), render: (p) => <Money amount={p.paid ?? p.amount} />, align: "right" },
  ];
  if (may(me, "orders:write") && (state === "stray" || state === "")) {
    columns.push({
      key: "deed", title: text.common.more, value: () => "", deeds: true,
      render: (p) =>
        p.state === "stray" && (
          <Button size="compact-sm" variant="light" onClick={() => setBack(p)}>
            {t.giveBack}
          </Button>
        ),
    });
  }
  return (
    <>
      <DataTable
        key={state}
        name={t.attempts}
        columns={columns}
        source={source(["payments", query], (page, signal) => client.GET("/api/v1/payments", { params: { query: { ...query, ...page } }, signal }))}
        rowKey={(p) => p.id}
        filters={<StateFilter states={states} value={state} onChange={setState} />}
      />
      {back && <GiveBack payment={back} onClose={() => setBack(undefined)} />}
    </>
  );
}

function GiveBack({ payment, onClose }: { payment: Payment; onClose: () => void }) {
  const cache = useQueryClient();
  const [reason, setReason] = useState("");
  const give = async () => {
    await ok(client.POST("/api/v1/payments/{id}/give-back", { params: { path: { id: payment.id } }, body: { reason: reason.trim() } }));
    await cache.invalidateQueries();
  };
  return (
    <ConfirmDialog opened onClose={onClose} title={t.giveBack} action={t.giveBack} danger disabled={!reason.trim()} onConfirm={give}>
      <Text size="sm">{t.giveBackAbout}</Text>
      <TextInput label={t.reason} value={reason} onChange={(e) => setReason(e.currentTarget.value)} required maxLength={255} data-autofocus />
    </ConfirmDialog>
  );
}
