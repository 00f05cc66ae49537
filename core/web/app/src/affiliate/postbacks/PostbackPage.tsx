import { Alert, Button, Card, Group, Modal, Select, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Facts } from "../../ui/Facts";
import { formatDateTime } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { PostbackForm } from "./PostbackForm";
import { SecretDialog } from "./SecretDialog";

type Webhook = Schemas["Webhook"];
type Delivery = Schemas["WebhookDelivery"];
const t = text.postbacks;
const states = ["pending", "delivered", "dead"] as const;
const path = (id: string) => ({ params: { path: { id } } });

const columns: Column<Delivery>[] = [
  { key: "created_at", title: t.when, value: (d) => d.created_at, render: (d) => <When at={d.created_at} /> },
  { key: "event", title: t.event, value: (d) => t.eventNames[d.event] ?? d.event },
  { key: "attempts", title: t.attempts, align: "right", value: (d) => d.attempts },
  { key: "last_status", title: t.status, align: "right", value: (d) => d.last_status, render: (d) => d.last_status || (d.attempts ? t.noAnswer : "–") },
  { key: "next_at", title: t.next, wide: true, value: (d) => d.next_at ?? "", render: (d) => (d.next_at ? <When at={d.next_at} as="ago" /> : "–") },
  { key: "last_error", title: t.error, wide: true, value: (d) => d.last_error },
  { key: "state", title: t.state, value: (d) => d.state, render: (d) => <StateBadge state={d.state} /> },
];

/** One postback: test it, see what was sent, change it. */
export function PostbackPage() {
  const { id = "" } = useParams();
  const cache = useQueryClient();
  const [state, setState] = useQueryState("state");
  const chosen = states.find((known) => known === state);
  const webhook = useQuery({ queryKey: ["my-webhook", id], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/webhooks/{id}", { ...path(id), signal })) });
  const changed = () => Promise.all([["my-webhook", id], ["table", "my-webhooks"], ["table", "my-deliveries", id]].map((queryKey) => cache.invalidateQueries({ queryKey })));
  return (
    <Page title={webhook.data?.description || text.nav.postbacks} trail={[{ label: text.nav.postbacks, to: "/affiliate/postbacks" }]}>
      <Loaded query={webhook}>{(data) => <About webhook={data} changed={changed} />}</Loaded>
      <Title order={2}>{t.deliveries}</Title>
      <DataTable
        name={t.deliveries}
        columns={columns}
        source={{
          ...source<Delivery>(["my-deliveries", id, chosen], (query, signal) =>
            client.GET("/api/v1/me/affiliate/webhooks/{id}/deliveries", { params: { path: { id }, query: { ...query, state: chosen } }, signal }),
          ),
          refresh: 15_000,
        }}
        rowKey={(d) => d.id}
        to={(d) => `/affiliate/postbacks/${id}/deliveries/${d.id}`}
        filters={<Select aria-label={t.state} placeholder={t.anyState} clearable value={chosen ?? null} onChange={setState} data={states.map((value) => ({ value, label: text.states[value] ?? value }))} w={150} />}
        empty={<EmptyState title={t.deliveriesEmpty}>{t.deliveriesEmptyText}</EmptyState>}
      />
    </Page>
  );
}

function About({ webhook: w, changed }: { webhook: Webhook; changed: () => Promise<unknown> }) {
  const me = useMe();
  return (
    <Card>
      <Stack>
        {w.state === "disabled" && (
          <Alert color="red" title={fill(t.disabled, { reason: w.disabled_reason || "–" })}>
            {t.disabledText}
          </Alert>
        )}
        {w.state === "active" && w.failing_since && <Alert color="yellow">{fill(t.failingText, { at: formatDateTime(w.failing_since) })}</Alert>}
        <Facts
          facts={[
            [t.url, <Text span ff="monospace" inherit>{w.url}</Text>],
            [t.method, w.method],
            [t.events, w.events.map((e) => t.eventNames[e] ?? e).join("; ")],
            [t.state, <StateBadge state={w.state} />],
            [t.made, <When at={w.created_at} />],
          ]}
        />
        {!me.read_only && <Actions webhook={w} changed={changed} />}
      </Stack>
    </Card>
  );
}

function Actions({ webhook: w, changed }: { webhook: Webhook; changed: () => Promise<unknown> }) {
  const navigate = useNavigate();
  const [open, setOpen] = useState<"edit" | "rotate" | "remove">();
  const [secret, setSecret] = useState<string>();
  const [testing, setTesting] = useState(false);
  const [result, setResult] = useState<Schemas["WebhookDeliveryDetail"]>();
  const close = () => setOpen(undefined);
  const test = async () => {
    setTesting(true);
    setResult(undefined);
    try {
      setResult(await ok(client.POST("/api/v1/me/affiliate/webhooks/{id}/test", path(w.id))));
      await changed();
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    } finally {
      setTesting(false);
    }
  };
  const toggle = async () => {
    try {
      await ok(client.PATCH("/api/v1/me/affiliate/webhooks/{id}", { ...path(w.id), body: { state: w.state === "active" ? "disabled" : "active" } }));
      await changed();
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    }
  };
  return (
    <>
      <Group gap="xs">
        <Button size="xs" onClick={() => void test()} loading={testing}>
          {t.test}
        </Button>
        <Button size="xs" variant="default" onClick={() => setOpen("edit")}>
          {t.edit}
        </Button>
        <Button size="xs" variant="default" onClick={() => setOpen("rotate")}>
          {t.rotate}
        </Button>
        <Button size="xs" variant="default" onClick={() => void toggle()}>
          {w.state === "active" ? t.disable : t.enable}
        </Button>
        <Button size="xs" variant="subtle" color="red" onClick={() => setOpen("remove")}>
          {t.remove}
        </Button>
      </Group>
      {result && <TestResult result={result} />}
      <Modal opened={open === "edit"} onClose={close} title={t.edit} size="lg">
        <PostbackForm
          postback={w}
          action={text.common.save}
          onCancel={close}
          onSave={async ({ url, method, events, description }) => {
            await ok(client.PATCH("/api/v1/me/affiliate/webhooks/{id}", { ...path(w.id), body: { url, method, events, description } }));
            await changed();
            close();
          }}
        />
      </Modal>
      <ConfirmDialog opened={open === "rotate"} onClose={close} title={t.rotateTitle} action={t.rotate} onConfirm={async () => setSecret((await ok(client.POST("/api/v1/me/affiliate/webhooks/{id}/secret", path(w.id)))).secret)}>
        <Text>{t.rotateText}</Text>
      </ConfirmDialog>
      <ConfirmDialog
        opened={open === "remove"}
        danger
        onClose={close}
        title={t.removeTitle}
        action={t.remove}
        onConfirm={async () => {
          await ok(client.DELETE("/api/v1/me/affiliate/webhooks/{id}", path(w.id)));
          await navigate("/affiliate/postbacks");
          await changed();
        }}
      >
        <Text>{t.removeText}</Text>
      </ConfirmDialog>
      <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />
    </>
  );
}

function TestResult({ result }: { result: Schemas["WebhookDeliveryDetail"] }) {
  const attempt = result.log[0];
  const good = result.state === "delivered";
  return (
    <Alert color={good ? "teal" : "red"} title={t.testTitle} role="status">
      <Text size="sm">
        {good ? fill(t.testOK, { status: attempt?.status ?? result.last_status, ms: attempt?.duration_ms ?? 0 }) : fill(t.testFailed, { error: result.last_error || attempt?.error || String(result.last_status) })}
      </Text>
      {attempt?.response && (
        <Text size="sm" ff="monospace" mt="xs" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {attempt.response}
        </Text>
      )}
    </Alert>
  );
}
