import { Button, Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconDownload, IconShare } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { config } from "../../config";
import { useMe } from "../../session/Session";
import { text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { LevelFilter } from "../../ui/LevelFilter";
import { formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { qrPNG, qrSVG, QRCode } from "../../ui/QRCode";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { save } from "../../ui/table/csv";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { SmallTable, type SmallColumn } from "../../ui/table/SmallTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { levelName } from "../earnings/Commissions";

type Member = Schemas["OwnDownlineMember"];
type Earnings = Schemas["LevelEarnings"];
const t = text.earnings;

const earningColumns: SmallColumn<Earnings>[] = [
  { key: "level", title: t.level, value: (e) => e.level, render: (e) => levelName(e.level) },
  { key: "commissions", title: t.commissions, align: "right", wide: true, value: (e) => e.commissions, render: (e) => formatNumber(e.commissions) },
  { key: "earned", title: t.earned, align: "right", value: (e) => e.earned.minor, render: (e) => <Money amount={e.earned} fw={600} /> },
  { key: "reversed", title: t.reversed, align: "right", wide: true, value: (e) => e.reversed.minor, render: (e) => <Money amount={e.reversed} /> },
  { key: "pending", title: t.pendingPart, align: "right", value: (e) => e.pending.minor, render: (e) => <Money amount={e.pending} /> },
];

const people: Column<Member>[] = [
  { key: "name", title: t.person, value: (m) => m.name },
  { key: "depth", title: t.depth, align: "right", value: (m) => m.depth },
  { key: "sponsor", title: t.broughtBy, value: (m) => (m.depth === 1 ? t.broughtByYou : m.sponsor_name) },
  { key: "commissions", title: t.commissions, align: "right", wide: true, value: (m) => m.commissions, render: (m) => formatNumber(m.commissions) },
  // Of several currencies the first decides the order.
  { key: "earned", title: t.earnedByThem, align: "right", value: (m) => m.earned[0]?.minor ?? 0, render: (m) => (m.earned.length > 0 ? m.earned.map((amount) => (
    <div key={amount.currency}>
      <Money amount={amount} fw={600} />
    </div>
  )) : "–") },
  { key: "joined", title: t.joined, wide: true, value: (m) => m.joined_at, render: (m) => <When at={m.joined_at} as="date" /> },
  { key: "status", title: t.state, value: (m) => text.states[m.status] ?? m.status, render: (m) => <StateBadge state={m.status} /> },
];

/** Whom the affiliate brought, what that earns, and the link that brings more. */
export function Downline() {
  const [level, setLevel] = useQueryState("level");
  const query = level ? { level: Number(level) } : {};
  const earnings = useQuery({ queryKey: ["level-earnings"], queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/level-earnings", { signal }))).items });
  return (
    <Page title={text.nav.downline} about={t.downlineAbout}>
      <SponsorLink />
      <Title order={2}>{t.byLevel}</Title>
      <Loaded query={earnings}>
        {(rows) => (
          <Card padding="sm">{rows.length === 0 ? <EmptyState title={t.levelsEmpty} /> : <SmallTable name={t.byLevel} columns={earningColumns} rows={rows} rowKey={(e) => e.level + e.earned.currency} />}</Card>
        )}
      </Loaded>
      <Title order={2}>{t.people}</Title>
      <DataTable
        name={t.people}
        columns={people}
        source={source<Member>(["my-downline", level], (page, signal) => client.GET("/api/v1/me/affiliate/downline", { params: { query: { ...page, ...query } }, signal }))}
        rowKey={(m) => m.id}
        filters={<LevelFilter value={level} onChange={setLevel} />}
        empty={level ? <EmptyState title={text.table.noMatch} /> : <EmptyState title={t.peopleEmpty}>{t.peopleEmptyText}</EmptyState>}
      />
    </Page>
  );
}

function SponsorLink() {
  const me = useMe();
  const url = `${config.origin}/account/sign-up?as=affiliate&sponsor=${me.affiliate_id}`;
  return (
    <Card component="section" aria-label={t.sponsorLink}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} style={{ alignItems: "center" }}>
        <Stack gap="sm" style={{ minWidth: 0 }}>
          <Title order={2} size="h4">
            {t.sponsorLink}
          </Title>
          <Text size="sm" c="dimmed">
            {t.sponsorLinkText}
          </Text>
          <CopyText value={url} />
          <Group gap="xs">
            {"share" in navigator && (
              <Button size="xs" leftSection={<IconShare size={14} aria-hidden />} onClick={() => void navigator.share({ url, title: config.site }).catch(() => undefined)}>
                {t.share}
              </Button>
            )}
            <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => void qrPNG(url).then((picture) => save("sponsor-link.png", picture, "image/png"))}>
              {t.savePNG}
            </Button>
            <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => save("sponsor-link.svg", qrSVG(url), "image/svg+xml")}>
              {t.saveSVG}
            </Button>
          </Group>
        </Stack>
        <QRCode value={url} label={t.shareQR} size={180} />
      </SimpleGrid>
    </Card>
  );
}
