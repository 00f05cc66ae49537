import { Alert, Anchor, Button, Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconEdit, IconExternalLink } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useParams } from "react-router";

import { ok, source } from "../../api/call";
import { valueLabel } from "../../analytics/words";
import { api, client, type Schemas } from "../../api/client";
import { config } from "../../config";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { Page } from "../../ui/Page";
import { usePeriod, type Period } from "../../ui/period";
import { PeriodPicker } from "../../ui/PeriodPicker";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";
import { useStaffArea } from "../parts/area";
import { Fact } from "../parts/Fact";
import { Figures } from "../parts/Figures";
import { History } from "../parts/History";
import { useNames } from "../parts/names";
import { Ref } from "../parts/Ref";
import { LinkForm } from "./LinkForm";
import { linkState } from "./state";

const t = text.partners;

export function LinkPage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/links/{id}", { params: { path: { id } } });
  const trail = useStaffArea().trail(text.nav.links, "links");
  if (!query.data) {
    return (
      <Page title={text.nav.links} trail={trail}>
        <Loaded query={query} lines={8}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <One link={query.data} trail={trail} />;
}

function One({ link, trail }: { link: Schemas["Link"]; trail: { label: string; to: string }[] }) {
  const me = useMe();
  const cache = useQueryClient();
  const [period, setPeriod] = usePeriod();
  const [editing, setEditing] = useState(false);
  const [asking, setAsking] = useState(false);
  const name = useNames([link.affiliate_id, link.program_id]);
  const affiliate = api.useQuery("get", "/api/v1/affiliates/{id}", { params: { path: { id: link.affiliate_id } } });
  const filter = useMemo(() => [`link:${link.id}`], [link.id]);
  const address = `${config.tracker}/${link.slug}`;
  const to = link.status === "active" ? "disabled" : "active";
  return (
    <Page
      title={`/${link.slug}`}
      trail={trail}
      about={
        <Group gap="xs">
          <StateBadge state={linkState(link)} />
          <CopyText value={address} />
          <Anchor href={address} target="_blank" rel="noopener noreferrer" size="sm">
            {t.open} <IconExternalLink size={14} aria-hidden />
          </Anchor>
        </Group>
      }
      actions={
        may(me, "catalog:write") && (
          <>
            <Button variant="default" leftSection={<IconEdit size={16} aria-hidden />} onClick={() => setEditing(true)}>
              {text.common.edit}
            </Button>
            <Button variant="light" color={to === "disabled" ? "red" : undefined} onClick={() => setAsking(true)}>
              {to === "disabled" ? t.disable : t.enable}
            </Button>
          </>
        )
      }
    >
      {link.status === "active" && affiliate.data && affiliate.data.status !== "active" && <Alert color="yellow">{t.ofSuspended}</Alert>}
      <Card padding="md">
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
          <Fact label={t.affiliate}>
            <Ref id={link.affiliate_id} name={name(link.affiliate_id)} />
          </Fact>
          <Fact label={t.program}>
            <Ref id={link.program_id} name={name(link.program_id)} />
          </Fact>
          <Fact label={t.created}>
            <When at={link.created_at} />
          </Fact>
          <Fact label={t.expires}>{link.expires_at ? <When at={link.expires_at} /> : t.never}</Fact>
        </SimpleGrid>
        <Text size="xs" c="dimmed" mt="sm">
          {t.destination}
        </Text>
        <CopyText value={link.destination} />
      </Card>
      {may(me, "reports:read") && (
        <Stack>
          <PeriodPicker period={period} onChange={setPeriod} />
          <Figures period={period} filter={filter} />
          <Clicks link={link.id} period={period} />
        </Stack>
      )}
      {may(me, "audit:read") && (
        <section>
          <Title order={2} mb="xs">
            {t.history}
          </Title>
          <History object={link.id} />
        </section>
      )}
      {editing && <LinkForm link={link} onClose={() => setEditing(false)} />}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={to === "disabled" ? t.disableTitle : t.enableTitle}
        action={to === "disabled" ? t.disable : t.enable}
        danger={to === "disabled"}
        onConfirm={async () => {
          await ok(client.PATCH("/api/v1/links/{id}", { params: { path: { id: link.id } }, body: { status: to } }));
          await cache.invalidateQueries();
        }}
      >
        <Text size="sm">{to === "disabled" ? t.disableText : t.enableText}</Text>
      </ConfirmDialog>
    </Page>
  );
}

type Click = Schemas["Click"];

const clicks: Column<Click>[] = [
  { key: "at", title: t.at, value: (c) => c.time, render: (c) => <When at={c.time} /> },
  { key: "country", title: t.country, value: (c) => valueLabel("country", c.country, {}) },
  { key: "device", title: t.device, value: (c) => valueLabel("device", c.device, {}) },
  { key: "from", title: t.from, value: (c) => valueLabel("referrer_host", c.referrer_host, {}) },
  { key: "sub1", title: text.analytics.dimensions.sub1, value: (c) => c.sub1 || "–", wide: true },
  { key: "bot", title: t.bot, value: (c) => (c.bot ? valueLabel("bot", c.bot, {}) : "–") },
];

function Clicks({ link, period }: { link: string; period: Period }) {
  const query = { from: period.from.toISOString(), to: period.to.toISOString(), filter: [`link:${link}`] };
  return (
    <section>
      <Title order={2} mb="xs">
        {t.recentClicks}
      </Title>
      <DataTable
        name={t.recentClicks}
        source={source<Click>(["clicks", query], (page, signal) => client.GET("/api/v1/reports/clicks", { params: { query: { ...page, ...query } }, signal }))}
        rowKey={(c) => c.id}
        columns={clicks}
        empty={<EmptyState title={t.noClicks} />}
      />
    </section>
  );
}
