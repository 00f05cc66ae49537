import { Alert, Button, Card, Group, Select, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconDownload, IconShare } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { config } from "../../config";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { qrPNG, qrSVG, QRCode } from "../../ui/QRCode";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { save } from "../../ui/table/csv";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { levelName } from "../earnings/Commissions";

type Member = Schemas["DownlineMember"];
type Earnings = Schemas["LevelEarnings"];
const t = text.earnings;
const depths = ["1", "2", "3", "5", "10"];

const earningColumns: Column<Earnings>[] = [
  { key: "level", title: t.level, value: (e) => e.level, render: (e) => levelName(e.level) },
  { key: "commissions", title: t.commissions, align: "right", value: (e) => e.commissions, render: (e) => formatNumber(e.commissions) },
  { key: "earned", title: t.earned, align: "right", value: (e) => e.earned.minor, render: (e) => <Money amount={e.earned} fw={600} /> },
  { key: "reversed", title: t.reversed, align: "right", value: (e) => e.reversed.minor, render: (e) => <Money amount={e.reversed} /> },
  { key: "pending", title: t.pendingPart, align: "right", value: (e) => e.pending.minor, render: (e) => <Money amount={e.pending} /> },
];

/** Whom the affiliate brought, what that earns, and the link that brings more. */
export function Downline() {
  const [depth, setDepth] = useQueryState("depth", "3");
  const downline = useQuery({
    queryKey: ["my-downline", depth],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/downline", { params: { query: { depth: Number(depth) || 3 } }, signal })),
  });
  const earnings = useQuery({ queryKey: ["level-earnings"], queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/level-earnings", { signal }))).items });
  return (
    <Page title={text.nav.downline} about={t.downlineAbout}>
      <SponsorLink />
      <Title order={2}>{t.byLevel}</Title>
      <Loaded query={earnings}>
        {(rows) => <DataTable name={t.byLevel} columns={earningColumns} source={rows} rowKey={(e) => e.level + e.earned.currency} empty={<EmptyState title={t.levelsEmpty} />} />}
      </Loaded>
      <Title order={2}>{t.people}</Title>
      <Loaded query={downline}>
        {(data) => (
          <Stack>
            {data.more && <Alert color="yellow">{fill(t.more, { n: formatNumber(data.members.length) })}</Alert>}
            <DataTable
              name={t.people}
              columns={people(data.members)}
              source={data.members}
              rowKey={(m) => m.id}
              filters={<Select aria-label={t.levels} allowDeselect={false} value={depth} onChange={setDepth} data={depths.map((value) => ({ value, label: `${t.levels}: ${value}` }))} w={190} />}
              empty={<EmptyState title={t.peopleEmpty}>{t.peopleEmptyText}</EmptyState>}
            />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function people(members: Member[]): Column<Member>[] {
  const names = new Map(members.map((m) => [m.id, m.name]));
  const sponsor = (m: Member) => (m.depth === 1 ? t.broughtByYou : (names.get(m.sponsor_id) ?? m.sponsor_id));
  return [
    { key: "name", title: t.person, value: (m) => m.name },
    { key: "depth", title: t.depth, align: "right", value: (m) => m.depth },
    { key: "sponsor", title: t.broughtBy, value: sponsor },
    { key: "joined", title: t.joined, value: (m) => m.joined_at, render: (m) => <When at={m.joined_at} as="date" /> },
    { key: "status", title: t.state, value: (m) => m.status, render: (m) => <StateBadge state={m.status} /> },
  ];
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
