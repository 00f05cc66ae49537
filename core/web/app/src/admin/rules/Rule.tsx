import { Button, Card, List, SimpleGrid, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";

import { ok } from "../../api/call";
import { api, client } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { CopyText } from "../../ui/CopyText";
import { formatBasisPoints, formatMoney, formatNumber } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { SmallTable } from "../../ui/table/SmallTable";
import { When } from "../../ui/When";
import { Fact } from "../parts/Fact";
import { useNames } from "../parts/names";
import { useProducts } from "../parts/pickers";
import { Ref } from "../parts/Ref";
import { termsInWords, type Rule } from "./rule";

const t = text.partners;
const trail = [{ label: text.nav.rules, to: "/admin/rules" }];

export function RulePage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/commission-rules/{id}", { params: { path: { id } } });
  if (!query.data) {
    return (
      <Page title={t.rule} trail={trail}>
        <Loaded query={query} lines={8}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <One rule={query.data} />;
}

function One({ rule }: { rule: Rule }) {
  const me = useMe();
  const writes = may(me, "catalog:write") && !rule.ended_at;
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [ending, setEnding] = useState(false);
  const name = useNames([rule.program_id, rule.affiliate_id, rule.group_id]);
  const products = useProducts(rule.product_id !== "" && may(me, "shop:read"));
  const versions = api.useQuery("get", "/api/v1/commission-rules/{id}/versions", { params: { path: { id: rule.id } } });
  return (
    <Page
      title={termsInWords(rule)}
      trail={trail}
      about={<StateBadge state={rule.ended_at ? "ended" : "active"} label={rule.ended_at ? undefined : t.current} />}
      actions={
        writes && (
          <>
            <Button component={Link} to={`/admin/rules/${rule.id}/change`} variant="default">
              {t.newVersion}
            </Button>
            <Button variant="light" color="red" onClick={() => setEnding(true)}>
              {t.endRule}
            </Button>
          </>
        )
      }
    >
      <Card padding="md">
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
          <Fact label={t.program}>
            <Ref id={rule.program_id} name={name(rule.program_id)} />
          </Fact>
          <Fact label={t.who}>
            {rule.affiliate_id ? <Ref id={rule.affiliate_id} name={name(rule.affiliate_id)} /> : rule.group_id ? fill(t.groupNamed, { name: name(rule.group_id) }) : t.everybody}
          </Fact>
          <Fact label={t.what}>{rule.product_id ? (products.data?.find((p) => p.id === rule.product_id)?.name ?? rule.product_id) : t.everyProduct}</Fact>
          <Fact label={t.on}>{t.ons[rule.on]}</Fact>
          <Fact label={t.version}>{rule.version}</Fact>
          <Fact label={rule.ended_at ? text.states["ended"] ?? "" : t.since}>
            <When at={rule.ended_at ?? rule.valid_from} />
          </Fact>
          <Fact label={text.common.id}>
            <CopyText value={rule.id} />
          </Fact>
        </SimpleGrid>
      </Card>
      <MoreTerms rule={rule} />
      <section>
        <Title order={2} mb="xs">
          {t.versions}
        </Title>
        <Card padding={0}>
          <Loaded query={versions}>{({ items }) => <Versions items={items} />}</Loaded>
        </Card>
      </section>
      <ConfirmDialog
        opened={ending}
        onClose={() => setEnding(false)}
        title={t.endTitle}
        action={t.endRule}
        danger
        onConfirm={async () => {
          await ok(client.DELETE("/api/v1/commission-rules/{id}", { params: { path: { id: rule.id } } }));
          await cache.invalidateQueries();
          void navigate("/admin/rules");
        }}
      >
        <Text size="sm">{t.endText}</Text>
      </ConfirmDialog>
    </Page>
  );
}

/** Tiers and levels, which the title only mentions. */
function MoreTerms({ rule }: { rule: Rule }) {
  const { tiers, levels } = rule;
  if (!tiers && !levels?.length) {
    return null;
  }
  const from = (n: number) => (tiers?.by === "amount" ? formatMoney({ minor: n, currency: tiers.currency ?? "" }) : formatNumber(n));
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      {tiers && (
        <Card component="section" aria-label={t.tiers}>
          <Title order={2} mb={4}>
            {t.tiers}
          </Title>
          <Text size="sm" c="dimmed" mb="xs">
            {t.tiersHint}
          </Text>
          <List size="sm">
            {tiers.steps.map((s) => (
              <List.Item key={s.from}>
                {t.stepFrom} {from(s.from)} {tiers.by === "count" && t.tiersBys.count.toLowerCase()}: {s.flat ? formatMoney(s.flat) : formatBasisPoints(s.percent_bp ?? 0)}
              </List.Item>
            ))}
          </List>
        </Card>
      )}
      {levels && levels.length > 0 && (
        <Card component="section" aria-label={t.levels}>
          <Title order={2} mb={4}>
            {t.levels}
          </Title>
          <Text size="sm" c="dimmed" mb="xs">
            {t.levelsHint}
          </Text>
          <List size="sm">
            {levels.map((l, i) => (
              <List.Item key={i}>
                {fill(t.levelN, { n: i + 1 })}: {formatBasisPoints(l.percent_bp)} {t.of.toLowerCase()} {t.ofs[l.of]}
              </List.Item>
            ))}
          </List>
        </Card>
      )}
    </SimpleGrid>
  );
}

function Versions({ items }: { items: Rule[] }) {
  const newest = items[0];
  return (
    <SmallTable
      name={t.versions}
      minWidth={460}
      rows={items}
      rowKey={(r) => String(r.version)}
      columns={[
        {
          key: "version", title: t.version, head: true, value: (r) => r.version,
          render: (r) => (
            <>
              {r.version} {r === newest && !r.ended_at && <StateBadge state="active" label={t.current} />}
            </>
          ),
        },
        { key: "since", title: t.since, value: (r) => r.valid_from, render: (r) => <When at={r.valid_from} /> },
        { key: "pays", title: t.pays, value: termsInWords },
      ]}
    />
  );
}
