import { Button, Card, Code, Stack, Text, Timeline, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { formatNumber } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { expand, valuesOf } from "./macros";
import { Preview } from "./PostbackForm";

type Detail = Schemas["WebhookDeliveryDetail"];
const t = text.postbacks;

/** One event for one postback: the request, and every answer. */
export function DeliveryPage() {
  const { id = "", delivery = "" } = useParams();
  const webhook = useQuery({ queryKey: ["my-webhook", id], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/webhooks/{id}", { params: { path: { id } }, signal })) });
  const detail = useQuery({
    queryKey: ["my-delivery", delivery],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/webhook-deliveries/{id}", { params: { path: { id: delivery } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === "pending" ? 5_000 : false),
  });
  const d = detail.data;
  return (
    <Page
      title={d ? `${t.delivery}: ${t.eventNames[d.event] ?? d.event}` : t.delivery}
      trail={[
        { label: text.nav.postbacks, to: "/affiliate/postbacks" },
        { label: webhook.data?.description || t.deliveries, to: `/affiliate/postbacks/${id}` },
      ]}
      actions={d && <Replay delivery={d} />}
    >
      <Loaded query={detail} lines={8}>
        {(data) => (
          <Stack>
            <Card>
              <Facts
                facts={[
                  [t.state, <StateBadge state={data.state} />],
                  [t.when, <When at={data.created_at} />],
                  [t.attempts, formatNumber(data.attempts)],
                  [t.next, data.next_at && <When at={data.next_at} />],
                  [t.error, data.last_error],
                  ["webhook-id", <CopyText value={data.event_id} />],
                ]}
              />
            </Card>
            {webhook.data && <Preview method={webhook.data.method} url={expand(webhook.data.url, valuesOf(data.payload))} title={t.request} note={t.requestNow} />}
            <Log log={data.log} />
            <Card component="section">
              <Title order={2} size="h4" mb="sm">
                {t.payload}
              </Title>
              <Code block tabIndex={0}>
                {JSON.stringify(data.payload, null, 2)}
              </Code>
            </Card>
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Replay({ delivery: d }: { delivery: Detail }) {
  const me = useMe();
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  if (me.read_only || d.state === "pending" || d.event === "webhook.test") {
    return null;
  }
  const replay = async () => {
    setBusy(true);
    try {
      await ok(client.POST("/api/v1/me/affiliate/webhook-deliveries/{id}/replay", { params: { path: { id: d.id } } }));
      notifications.show({ message: t.replayed });
      await Promise.all([cache.invalidateQueries({ queryKey: ["my-delivery", d.id] }), cache.invalidateQueries({ queryKey: ["table", "my-deliveries"] })]);
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button onClick={() => void replay()} loading={busy}>
      {t.replay}
    </Button>
  );
}

function Log({ log }: { log: Detail["log"] }) {
  return (
    <Card component="section">
      <Title order={2} size="h4" mb="md">
        {t.log}
      </Title>
      {log.length === 0 ? (
        <Text c="dimmed">{t.logEmpty}</Text>
      ) : (
        <Timeline bulletSize={16} active={log.length}>
          {log.map((a) => (
            <Timeline.Item key={`${a.at}-${a.attempt}`} title={`${fill(t.attempt, { n: a.attempt })}: ${a.status || t.noAnswer}`} color={a.status >= 200 && a.status < 300 ? "teal" : "red"}>
              <Text size="sm" c="dimmed">
                <When at={a.at} />, {fill(t.duration, { ms: formatNumber(a.duration_ms) })}
              </Text>
              {a.error && <Text size="sm">{a.error}</Text>}
              <Text size="xs" c="dimmed" mt={4}>
                {a.response ? t.response : a.status ? t.nothingBack : ""}
              </Text>
              {a.response && (
                <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
                  {a.response}
                </Code>
              )}
            </Timeline.Item>
          ))}
        </Timeline>
      )}
    </Card>
  );
}
