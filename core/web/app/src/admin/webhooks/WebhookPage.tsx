import { Alert, Button, Card, Group, Menu, Modal, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconChevronDown } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useNavigate, useParams } from "react-router";

import { ok } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { formatDateTime, formatNumber } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { SecretOnce } from "../../ui/SecretOnce";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { Fact } from "../parts/Fact";
import { useNames } from "../parts/names";
import { Ref } from "../parts/Ref";
import { Deliveries, DeliveryDetail } from "./Deliveries";
import { WebhookForm } from "./WebhookForm";

type Webhook = Schemas["Webhook"];
type Deed = "rotate" | "replay" | "disable" | "enable" | "remove";
const t = text.webhooks;
/** What the core gives as the reason where somebody disabled it. */
const byHand = "disabled by hand";

/** One webhook: what it hears, whether it listens, and what it was told. */
export function WebhookPage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/webhooks/{id}", { params: { path: { id } } });
  const webhook = query.data;
  return (
    <Page
      title={webhook ? webhook.description || new URL(webhook.url).host : text.nav.webhooks}
      trail={[{ label: text.nav.webhooks, to: "/admin/webhooks" }]}
      about={
        webhook && (
          <Group gap="xs">
            <StateBadge state={webhook.state} />
            {t.kinds[webhook.kind] ?? webhook.kind}
          </Group>
        )
      }
      actions={webhook && <Deeds webhook={webhook} />}
    >
      <Loaded query={query}>{(w) => <One webhook={w} />}</Loaded>
    </Page>
  );
}

function One({ webhook: w }: { webhook: Webhook }) {
  const name = useNames([w.affiliate_id, w.program_id]);
  return (
    <>
      {w.state === "disabled" && <Alert color="orange">{w.disabled_reason && w.disabled_reason !== byHand ? fill(t.disabledWhy, { reason: w.disabled_reason }) : t.disabledBy}</Alert>}
      {w.state === "active" && w.failing_since && <Alert color="red">{fill(t.failingText, { at: formatDateTime(w.failing_since) })}</Alert>}
      <Card padding="md">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
          <Fact label={t.method}>{w.method}</Fact>
          <Fact label={t.of}>{w.affiliate_id ? <Ref id={w.affiliate_id} name={name(w.affiliate_id)} /> : t.business}</Fact>
          <Fact label={t.program}>{w.program_id ? <Ref id={w.program_id} name={name(w.program_id)} /> : t.allPrograms}</Fact>
          <Fact label={t.changed}>
            <When at={w.updated_at} />
          </Fact>
        </SimpleGrid>
        <Text size="xs" c="dimmed" mt="sm">
          {t.url}
        </Text>
        <CopyText value={w.url} />
        <Text size="xs" c="dimmed" mt="sm">
          {t.events}
        </Text>
        <Text size="sm">{w.events.map((e) => t.eventWords[e] ?? e).join(" · ")}</Text>
        <Text size="xs" c="dimmed" mt="sm">
          {t.secret}
        </Text>
        <Text size="sm">{t.secretText}</Text>
      </Card>
      <section>
        <Title order={2} mb="xs">
          {t.deliveries}
        </Title>
        <Deliveries webhook={w.id} />
      </section>
    </>
  );
}

function Deeds({ webhook: w }: { webhook: Webhook }) {
  const me = useMe();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [deed, setDeed] = useState<Deed>();
  const [editing, setEditing] = useState(false);
  const [testing, setTesting] = useState(false);
  const [tested, setTested] = useState<Schemas["WebhookDeliveryDetail"]>();
  const [secret, setSecret] = useState("");
  const params = { path: { id: w.id } };
  if (!may(me, "webhooks:write")) {
    return null;
  }
  const test = async () => {
    setTesting(true);
    try {
      setTested(await ok(client.POST("/api/v1/webhooks/{id}/test", { params })));
      await cache.invalidateQueries();
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    } finally {
      setTesting(false);
    }
  };
  const run: Record<Deed, () => Promise<unknown>> = {
    rotate: async () => setSecret((await ok(client.POST("/api/v1/webhooks/{id}/secret", { params }))).secret),
    replay: async () => {
      const { replayed, more } = await ok(client.POST("/api/v1/webhooks/{id}/replay", { params }));
      notifications.show({ message: fill(more ? t.replayedMore : t.replayed, { n: formatNumber(replayed) }), color: "teal" });
    },
    disable: () => ok(client.PATCH("/api/v1/webhooks/{id}", { params, body: { state: "disabled" } })),
    enable: () => ok(client.PATCH("/api/v1/webhooks/{id}", { params, body: { state: "active" } })),
    remove: async () => {
      await ok(client.DELETE("/api/v1/webhooks/{id}", { params }));
      await navigate("/admin/webhooks");
    },
  };
  const words: Record<Deed, [title: string, about: ReactNode]> = {
    rotate: [t.rotate, t.rotateText],
    replay: [t.replayAll, t.replayAllText],
    disable: [t.disable, t.disableText],
    enable: [t.enable, t.enableText],
    remove: [t.remove, t.removeText],
  };
  return (
    <>
      <Button variant="default" loading={testing} onClick={() => void test()}>
        {t.test}
      </Button>
      <Button variant="default" onClick={() => setEditing(true)}>
        {text.common.edit}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
            {text.common.more}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setDeed("replay")}>{t.replayAll}</Menu.Item>
          <Menu.Item onClick={() => setDeed("rotate")}>{t.rotate}</Menu.Item>
          <Menu.Item onClick={() => setDeed(w.state === "active" ? "disable" : "enable")}>{w.state === "active" ? t.disable : t.enable}</Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => setDeed("remove")}>
            {t.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {deed && (
        <ConfirmDialog
          opened
          onClose={() => setDeed(undefined)}
          title={words[deed][0]}
          action={words[deed][0]}
          danger={deed === "remove" || deed === "disable"}
          onConfirm={async () => {
            await run[deed]();
            await cache.invalidateQueries({ predicate: ({ queryKey }) => deed !== "remove" || !JSON.stringify(queryKey).includes(w.id) });
          }}
        >
          <Text size="sm">{words[deed][1]}</Text>
        </ConfirmDialog>
      )}
      <Modal opened={editing} onClose={() => setEditing(false)} title={t.edit} size="lg">
        <WebhookForm webhook={w} onDone={() => setEditing(false)} />
      </Modal>
      <Modal opened={tested !== undefined} onClose={() => setTested(undefined)} title={t.testTitle} size="lg">
        <Stack>
          <Text size="sm">{t.testText}</Text>
          {tested && <DeliveryDetail delivery={tested} />}
        </Stack>
      </Modal>
      {secret && <SecretOnce title={t.secretTitle} about={t.secretOnce} secret={secret} onClose={() => setSecret("")} />}
    </>
  );
}
