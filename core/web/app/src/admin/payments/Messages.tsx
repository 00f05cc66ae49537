import { Button, Code, Drawer, Group, ScrollArea, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatNumber } from "../../ui/locale";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { OrderLink } from "./Attempts";

type Message = Schemas["PaymentEvent"];
const t = text.payments;
const states = ["pending", "done", "ignored", "review", "dead"] as const;

const columns: Column<Message>[] = [
  { key: "type", title: t.type, value: (e) => e.type },
  { key: "received_at", title: t.at, value: (e) => e.received_at, render: (e) => <When at={e.received_at} /> },
  { key: "gateway", title: t.gateway, value: (e) => e.gateway },
  { key: "order", title: t.order, value: (e) => e.order_id, render: (e) => <OrderLink id={e.order_id} /> },
  { key: "state", title: t.state, value: (e) => text.states[e.state] ?? e.state, render: (e) => <StateBadge state={e.state} /> },
  { key: "attempts", title: t.tries, value: (e) => e.attempts, align: "right", wide: true },
  { key: "reason", title: t.reason, value: (e) => e.reason || "–", wide: true },
];

/** What gateways told us: verified, kept as it was, and worked on until it is booked. */
export function Messages() {
  const me = useMe();
  const cache = useQueryClient();
  const [state, setState] = useQueryState("state");
  const [opened, setOpened] = useState<Message>();
  const query = state ? { state: state as (typeof states)[number] } : {};
  const replayDead = async () => {
    try {
      const { replayed } = await ok(client.POST("/api/v1/payment-events/replay-dead", {}));
      notifications.show({ message: fill(t.replayed, { n: formatNumber(replayed) }) });
      await cache.invalidateQueries();
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    }
  };
  return (
    <>
      <DataTable
        key={state}
        name={t.events}
        columns={columns}
        source={source(["payment-events", query], (page, signal) => client.GET("/api/v1/payment-events", { params: { query: { ...query, ...page } }, signal }))}
        rowKey={(e) => e.id}
        onRow={setOpened}
        filters={<StateFilter states={states} value={state} onChange={setState} />}
        actions={
          may(me, "orders:write") && (
            <Button variant="default" onClick={() => void replayDead()}>
              {t.replayDead}
            </Button>
          )
        }
      />
      <Drawer opened={opened !== undefined} onClose={() => setOpened(undefined)} title={opened?.type} position="right" size="lg">
        {opened && <MessageDetail id={opened.id} onDone={() => setOpened(undefined)} />}
      </Drawer>
    </>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body; // not JSON: as it is
  }
}

function MessageDetail({ id, onDone }: { id: string; onDone: () => void }) {
  const me = useMe();
  const cache = useQueryClient();
  const query = api.useQuery("get", "/api/v1/payment-events/{id}", { params: { path: { id } } });
  const [asking, setAsking] = useState<"replay" | "dismiss">();
  const [reason, setReason] = useState("");
  const finish = async (deed: Promise<unknown>) => {
    await deed;
    await cache.invalidateQueries();
    onDone();
  };
  return (
    <Loaded query={query}>
      {(e) => (
        <Stack>
          <Group gap="xs">
            <StateBadge state={e.state} />
            <OrderLink id={e.order_id} />
            <When at={e.received_at} />
          </Group>
          {e.reason && <Text>{e.reason}</Text>}
          {may(me, "orders:write") && (e.state === "dead" || e.state === "review") && (
            <Group>
              <Button variant="light" onClick={() => setAsking("replay")}>
                {t.replay}
              </Button>
              <Button variant="light" color="red" onClick={() => setAsking("dismiss")}>
                {t.dismiss}
              </Button>
            </Group>
          )}
          <Text fw={600}>{t.body}</Text>
          <ScrollArea tabIndex={0}>
            <Code block>{pretty(e.body)}</Code>
          </ScrollArea>
          <ConfirmDialog
            opened={asking === "replay"}
            onClose={() => setAsking(undefined)}
            title={t.replay}
            action={t.replay}
            onConfirm={() => finish(ok(client.POST("/api/v1/payment-events/{id}/replay", { params: { path: { id } } })))}
          >
            <Text size="sm">{t.replayAbout}</Text>
          </ConfirmDialog>
          <ConfirmDialog
            opened={asking === "dismiss"}
            onClose={() => setAsking(undefined)}
            title={t.dismiss}
            action={t.dismiss}
            danger
            disabled={!reason.trim()}
            onConfirm={() => finish(ok(client.POST("/api/v1/payment-events/{id}/dismiss", { params: { path: { id } }, body: { reason: reason.trim() } })))}
          >
            <Text size="sm">{t.dismissAbout}</Text>
            <TextInput label={t.reason} value={reason} onChange={(e) => setReason(e.currentTarget.value)} required maxLength={255} />
          </ConfirmDialog>
        </Stack>
      )}
    </Loaded>
  );
}
