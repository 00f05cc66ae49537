import { Anchor, Button, Card, Group, SimpleGrid, Stack, Tabs, Text } from "@mantine/core";
import { IconEdit } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";

import { ok } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Page } from "../../ui/Page";
import { usePeriod } from "../../ui/period";
import { PeriodPicker } from "../../ui/PeriodPicker";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { useStaffArea } from "../parts/area";
import { Fact } from "../parts/Fact";
import { Figures } from "../parts/Figures";
import { History } from "../parts/History";
import { useNames } from "../parts/names";
import { Ref } from "../parts/Ref";
import { LinkTable } from "../links/LinkTable";
import { AffiliateForm } from "./AffiliateForm";
import { AffiliateCodes } from "./Codes";
import { DeedDialog } from "./DeedDialog";
import { deedsFor, type Deed } from "./deeds";
import { AffiliateDocuments } from "./Documents";
import { AffiliateDownline } from "./Downline";
import { AffiliateMoney } from "./Money";
import { ViewAs } from "./ViewAs";

const t = text.partners;

export function Affiliate() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/affiliates/{id}", { params: { path: { id } } });
  const trail = useStaffArea().trail(text.nav.affiliates, "affiliates");
  if (!query.data) {
    return (
      <Page title={text.nav.affiliates} trail={trail}>
        <Loaded query={query} lines={8}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <One affiliate={query.data} trail={trail} />;
}

function One({ affiliate, trail }: { affiliate: Schemas["Affiliate"]; trail: { label: string; to: string }[] }) {
  const me = useMe();
  const [tab, setTab] = useQueryState("tab", "figures");
  const [deed, setDeed] = useState<Deed>();
  const [editing, setEditing] = useState(false);
  const [period, setPeriod] = usePeriod();
  const people = useQuery({
    queryKey: ["people", "of", affiliate.id],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/people", { params: { query: { affiliate_id: affiliate.id, limit: 1 } }, signal }))).items,
    enabled: may(me, "people:read"),
  });
  const person = people.data?.[0];
  const name = useNames([affiliate.sponsor_id, affiliate.group_id]);
  const writes = may(me, "catalog:write");
  const tabs: [string, string, boolean][] = [
    ["figures", t.tabs.figures, may(me, "reports:read")],
    ["links", t.tabs.links, true],
    ["money", t.tabs.money, may(me, "ledger:read")],
    ["documents", t.tabs.documents, may(me, "kyc:read")],
    ["downline", t.tabs.downline, true],
    ["codes", t.tabs.codes, true],
    ["history", t.tabs.history, may(me, "audit:read")],
  ];
  return (
    <Page
      title={affiliate.name}
      trail={trail}
      about={
        <Group gap="xs">
          <StateBadge state={affiliate.status} label={affiliate.status === "pending" ? t.applied : undefined} />
          <CopyText value={affiliate.email} mono={false} />
        </Group>
      }
      actions={
        <>
          {may(me, "people:write") && people.isSuccess && <ViewAs person={person} name={affiliate.name} />}
          {writes && (
            <>
              <Button variant="default" leftSection={<IconEdit size={16} aria-hidden />} onClick={() => setEditing(true)}>
                {text.common.edit}
              </Button>
              {deedsFor(affiliate.status).map((kind) => (
                <Button key={kind} color={kind === "suspend" || kind === "refuse" ? "red" : undefined} variant={kind === "suspend" || kind === "refuse" ? "light" : "filled"} onClick={() => setDeed(kind)}>
                  {t.deeds[kind].action}
                </Button>
              ))}
            </>
          )}
        </>
      }
    >
      <Card padding="md">
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="md">
          <Fact label={t.sponsor}>
            <Ref id={affiliate.sponsor_id} name={name(affiliate.sponsor_id)} />
          </Fact>
          <Fact label={t.group}>{affiliate.group_id ? name(affiliate.group_id) : text.common.none}</Fact>
          <Fact label={t.joined}>
            <When at={affiliate.created_at} as="date" />
          </Fact>
          <Fact label={t.updated}>
            <When at={affiliate.updated_at} as="ago" />
          </Fact>
          <Fact label={t.account}>{person ? <Ref id={person.id} name={person.email} /> : <Text inherit c="dimmed">{people.isSuccess ? t.noAccount : "–"}</Text>}</Fact>
          <Fact label={text.common.id}>
            <CopyText value={affiliate.id} />
          </Fact>
        </SimpleGrid>
      </Card>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          {tabs
            .filter(([, , seen]) => seen)
            .map(([value, label]) => (
              <Tabs.Tab key={value} value={value}>
                {label}
              </Tabs.Tab>
            ))}
        </Tabs.List>
        <Tabs.Panel value="figures">
          <Stack>
            <PeriodPicker period={period} onChange={setPeriod} />
            <Figures period={period} affiliate={affiliate.id} />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="links">
          <LinkTable affiliate={affiliate.id} />
        </Tabs.Panel>
        <Tabs.Panel value="money">
          <AffiliateMoney id={affiliate.id} />
        </Tabs.Panel>
        <Tabs.Panel value="documents">
          <AffiliateDocuments id={affiliate.id} />
        </Tabs.Panel>
        <Tabs.Panel value="downline">
          <AffiliateDownline id={affiliate.id} />
        </Tabs.Panel>
        <Tabs.Panel value="codes">
          <AffiliateCodes id={affiliate.id} />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <Stack gap="xs">
            <History object={affiliate.id} />
            <Anchor component={Link} to={`/admin/audit?object=${affiliate.id}`} size="sm">
              {t.moreHistory}
            </Anchor>
          </Stack>
        </Tabs.Panel>
      </Tabs>
      {deed && <DeedDialog affiliate={affiliate} deed={deed} onClose={() => setDeed(undefined)} />}
      {editing && <AffiliateForm opened affiliate={affiliate} onClose={() => setEditing(false)} />}
    </Page>
  );
}
