import { Button, Code, Drawer, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { ok, source } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { formatNumber } from "../../ui/locale";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { EmptyState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { SmallTable } from "../../ui/table/SmallTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";

type Delivery = Schemas["WebhookDelivery"];
type Detail = Schemas["WebhookDeliveryDetail"];
const t = text.webhooks;

const answer = (status: number) => (status === 0 ? t.noAnswer : String(status));

const columns: Column<Delivery>[] = [
  { key: "event", title: t.event, value: (d) => t.eventWords[d.event] ?? d.event },
  { key: "state", title: t.state, value: (d) => text.states[d.state] ?? d.state, render: (d) => <StateBadge state={d.state} /> },
  { key: "attempts", title: t.attempts, value: (d) => d.attempts, align: "right", wide: true },
  { key: "status", title: t.lastStatus, value: (d) => (d.attempts > 0 ? answer(d.last_status) : ""), align: "right" },
  { key: "error", title: t.lastError, value: (d) => d.last_error, wide: true },
  { key: "next", title: t.next, value: (d) => d.next_at ?? "", render: (d) => (d.next_at ? <When at={d.next_at} as="ago" /> : "–"), wide: true },
  { key: "at", title: t.happened, value: (d) => d.created_at, render: (d) => <When at={d.created_at} /> },
];

/** What was sent, of one webhook or of all. */
export function Deliveries({ webhook }: { webhook?: string }) {
  const [state, setState] = useQueryState("state");
  const [open, setOpen] = useQueryState("delivery");
  const query = { ...(webhook && { webhook_id: webhook }), ...(state && { state: state as Delivery["state"] }) };
  return (
    <>
      <DataTable
        key={state}
        name={t.deliveries}
        columns={columns}
        source={source<Delivery>(["webhook-deliveries", query], (page, signal) => client.GET("/api/v1/webhook-deliveries", { params: { query: { ...query, ...page } }, signal }))}
        rowKey={(d) => d.id}
        onRow={(d) => setOpen(d.id)}
        filters={<StateFilter states={["pending", "delivered", "dead"]} value={state} onChange={setState} label={t.state} />}
        empty={<EmptyState title={state ? t.noneDeliveries : t.noDeliveries} />}
      />
      <Drawer opened={open !== ""} onClose={() => setOpen(null)} title={t.delivery} position="right" size="xl">
        {open && <Opened id={open} />}
      </Drawer>
    </>
  );
}

function Opened({ id }: { id: string }) {
  const me = useMe();
  const cache = useQueryClient();
  const query = api.useQuery("get", "/api/v1/webhook-deliveries/{id}", { params: { path: { id } } });
  const [asking, setAsking] = useState(false);
  const replay = async () => {
    await ok(client.POST("/api/v1/webhook-deliveries/{id}/replay", { params: { path: { id } } }));
    notifications.show({ message: t.replayDone, color: "teal" });
    await cache.invalidateQueries();
  };
  return (
    <Loaded query={query}>
      {(d) => (
        <Stack>
          <DeliveryDetail
            delivery={d}
            deed={
              may(me, "webhooks:write") &&
              d.state !== "pending" && (
                <Button variant="light" onClick={() => setAsking(true)} style={{ alignSelf: "flex-start" }}>
                  {t.replay}
                </Button>
              )
            }
          />
          <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title={t.replay} action={t.replay} onConfirm={replay}>
            <Text size="sm">{t.replayText}</Text>
          </ConfirmDialog>
        </Stack>
      )}
    </Loaded>
  );
}

/** One event for one webhook: what is told, and each attempt to tell it. */
export function DeliveryDetail({ delivery: d, deed }: { delivery: Detail; deed?: ReactNode }) {
  return (
    <Stack>
      <Facts
        facts={[
          [t.state, <StateBadge state={d.state} />],
          [t.event, t.eventWords[d.event] ?? d.event],
          ["webhook-id", <CopyText value={d.event_id} />],
          [t.happened, <When at={d.created_at} />],
          [t.deliveredAt, d.delivered_at && <When at={d.delivered_at} />],
          [t.attempts, formatNumber(d.attempts)],
          [t.next, d.next_at && <When at={d.next_at} as="ago" />],
          [t.lastStatus, d.attempts > 0 && answer(d.last_status)],
          [t.lastError, d.last_error],
        ]}
      />
      {deed}
      <Title order={3}>{t.log}</Title>
      {d.log.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t.noLog}
        </Text>
      ) : (
        <SmallTable
          name={t.log}
          minWidth={300}
          rows={d.log}
          rowKey={(a) => `${a.attempt} ${a.at}`}
          columns={[
            {
              key: "at", title: t.attemptAt, value: (a) => a.at,
              render: (a) => (
                <>
                  <When at={a.at} />
                  <Text size="xs" c="dimmed">
                    {fill(t.took, { ms: formatNumber(a.duration_ms) })}
                  </Text>
                </>
              ),
            },
            { key: "status", title: t.attemptStatus, value: (a) => a.status, render: (a) => <StateBadge state={a.status >= 200 && a.status < 300 ? "delivered" : "failed"} label={answer(a.status)} /> },
            { key: "answer", title: t.attemptText, value: (a) => a.error || a.response, render: (a) => <span style={{ overflowWrap: "anywhere" }}>{a.error || a.response}</span> },
          ]}
        />
      )}
      <Title order={3}>{t.payload}</Title>
      <Code block tabIndex={0}>
        {JSON.stringify(d.payload, null, 2)}
      </Code>
    </Stack>
  );
}
