import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { Money } from "../../ui/Money";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { amountText } from "../payouts/Batches";
import { OrderLink } from "./Attempts";

type Refund = Schemas["PaymentRefund"];
const t = text.payments;
const states = ["created", "unknown", "pending", "succeeded", "failed"] as const;

const columns: Column<Refund>[] = [
  { key: "created_at", title: t.at, value: (r) => r.created_at, render: (r) => <When at={r.created_at} /> },
  { key: "order", title: t.order, value: (r) => r.order_id, render: (r) => <OrderLink id={r.order_id} /> },
  { key: "gateway", title: t.gateway, value: (r) => r.gateway },
  { key: "name", title: t.name, value: (r) => r.gateway_refund_id || "–", wide: true },
  { key: "ours", title: t.ours, value: (r) => (r.ours ? t.us : t.them), wide: true },
  { key: "state", title: t.state, value: (r) => text.states[r.state] ?? r.state, render: (r) => <StateBadge state={r.state} /> },
  { key: "reason", title: t.reason, value: (r) => r.last_error || r.reason || "–", wide: true },
  { key: "amount", title: t.amount, value: (r) => amountText(r.amount), render: (r) => <Money amount={r.amount} />, align: "right" },
];

export function GatewayRefunds() {
  const [state, setState] = useQueryState("state");
  const query = state ? { state: state as (typeof states)[number] } : {};
  return (
    <DataTable
      key={state}
      name={t.refunds}
      columns={columns}
      source={source(["payment-refunds", query], (page, signal) => client.GET("/api/v1/payment-refunds", { params: { query: { ...query, ...page } }, signal }))}
      rowKey={(r) => r.id}
      filters={<StateFilter states={states} value={state} onChange={setState} />}
    />
  );
}
