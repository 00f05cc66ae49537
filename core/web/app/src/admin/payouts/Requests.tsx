import { Anchor, Button, Drawer, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Facts } from "../../ui/Facts";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { useNames, withNames, type Named } from "../parts/names";
import { amountText } from "./Batches";
import { reason, Reasons } from "./Reasons";
import { useWaitingRequests } from "./RequestsNotice";

type Request = Schemas["PayoutRequest"];
const t = text.payoutRequests;
const states = ["waiting", "taken", "declined", "withdrawn"] as const;

const columns: Column<Named<Request>>[] = [
  { key: "affiliate", title: t.affiliate, value: ({ row, name }) => name(row.affiliate_id) },
  { key: "asked", title: t.asked, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} /> },
  { key: "whenAsked", title: t.whenAsked, align: "right", wide: true, value: ({ row }) => amountText(row.net), render: ({ row }) => <Money amount={row.net} /> },
  {
    key: "now", title: t.now, align: "right", value: ({ row }) => (row.prospect?.ready ? amountText(row.prospect.net) : ""),
    render: ({ row }) => (row.prospect?.ready ? <Money amount={row.prospect.net} fw={600} /> : "–"),
  },
  {
    key: "state", title: t.state, value: ({ row }) => (row.prospect && !row.prospect.ready ? row.prospect.reasons.map(reason).join("; ") : (t.states[row.state] ?? row.state)),
    render: ({ row }) => (row.prospect ? <Reasons of={row.prospect} ready={t.can} /> : <State request={row} />),
  },
  { key: "reason", title: t.reason, wide: true, value: ({ row }) => row.reason || "–" },
];

function State({ request }: { request: Request }) {
  return <StateBadge state={request.state} label={t.states[request.state]} />;
}

/** Who asks to be paid, and what a batch made now would pay to them. */
export function PayoutRequests() {
  const me = useMe();
  const [state, setState] = useQueryState("state", "waiting");
  const [opened, setOpened] = useState<Named<Request>>();
  const waiting = useWaitingRequests();
  const query = state === "all" ? {} : { state: state as (typeof states)[number] };
  const currencies = [...new Set(waiting.data?.map((r) => r.currency) ?? [])].sort();
  return (
    <Page
      title={text.nav.payoutRequests}
      about={t.about}
      actions={
        may(me, "payouts:write") &&
        currencies.map((currency) => (
          <Button key={currency} component={Link} to={batchOf(currency)}>
            {fill(t.makeBatch, { currency })}
          </Button>
        ))
      }
    >
      <DataTable
        key={state}
        name={text.nav.payoutRequests}
        columns={columns}
        source={withNames(
          source(["payout-requests", query], (page, signal) => client.GET("/api/v1/payout-requests", { params: { query: { ...query, ...page, prospects: true } }, signal })),
          (r: Request) => [r.affiliate_id],
        )}
        rowKey={({ row }) => row.id}
        onRow={setOpened}
        filters={
          <Select
            aria-label={t.state}
            data={[{ value: "all", label: text.orders.anyState }, ...states.map((value) => ({ value, label: t.states[value] ?? value }))]}
            value={state}
            onChange={setState}
            allowDeselect={false}
            w={170}
          />
        }
        empty={state === "waiting" ? <EmptyState title={t.empty}>{t.emptyText}</EmptyState> : <EmptyState title={t.none} />}
      />
      <Drawer opened={opened !== undefined} onClose={() => setOpened(undefined)} position="right" title={opened && fill(t.title, { name: opened.name(opened.row.affiliate_id) })}>
        {opened && <Details request={opened.row} name={opened.name(opened.row.affiliate_id)} onDone={() => setOpened(undefined)} />}
      </Drawer>
    </Page>
  );
}

const batchOf = (currency: string) => `/admin/payouts/new?currency=${currency}&requested=1`;

function Details({ request: r, name, onDone }: { request: Request; name: string; onDone: () => void }) {
  const me = useMe();
  const [declining, setDeclining] = useState(false);
  const nameOf = useNames(r.state !== "waiting" && may(me, "people:read") ? [r.changed_by] : []);
  return (
    <Stack>
      <Facts
        facts={[
          [t.state, <State request={r} />],
          [t.asked, <When at={r.created_at} />],
          [t.whenAsked, <Money amount={r.net} />],
          [t.balance, r.prospect && <Money amount={r.prospect.payable} />],
          [t.now, r.prospect?.ready && <Money amount={r.prospect.net} fw={600} />],
          [t.standing, r.prospect && <Reasons of={r.prospect} ready={t.can} />],
          [t.reason, r.reason],
          [t.payout, r.payout_id && <Anchor component={Link} to={`/admin/payouts/${r.batch_id}/${r.payout_id}`} size="sm">{r.payout_id}</Anchor>],
          [t.changedBy, r.changed_by && r.state !== "waiting" && nameOf(r.changed_by)],
        ]}
      />
      <Group grow>
        <Button component={Link} to={`/admin/affiliates/${r.affiliate_id}`} variant="default">
          {t.person}
        </Button>
        {r.state === "waiting" && may(me, "payouts:write") && (
          <Button variant="light" color="red" onClick={() => setDeclining(true)}>
            {t.decline}
          </Button>
        )}
      </Group>
      <DeclineDialog request={r} name={name} opened={declining} onClose={() => setDeclining(false)} onDone={onDone} />
    </Stack>
  );
}

interface DeclineProps {
  request: Request;
  name: string;
  opened: boolean;
  onClose: () => void;
  onDone: () => void;
}

function DeclineDialog({ request, name, opened, onClose, onDone }: DeclineProps) {
  const cache = useQueryClient();
  const [why, setWhy] = useState("");
  const decline = async () => {
    await ok(client.POST("/api/v1/payout-requests/{id}/decline", { params: { path: { id: request.id } }, body: { reason: why.trim() } }));
    notifications.show({ message: t.declined });
    await cache.invalidateQueries();
    onDone();
  };
  return (
    <ConfirmDialog opened={opened} onClose={onClose} title={fill(t.declineTitle, { name })} action={t.decline} danger disabled={!why.trim()} onConfirm={decline}>
      <Text size="sm">{t.declineText}</Text>
      <TextInput label={t.declineReason} value={why} onChange={(e) => setWhy(e.currentTarget.value)} required maxLength={128} data-autofocus />
    </ConfirmDialog>
  );
}
