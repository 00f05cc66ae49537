import { Card, Group, SimpleGrid, Title } from "@mantine/core";
import { useParams } from "react-router";

import { api, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { formatMoney } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { Why } from "../../ui/Why";
import { TransactionTable } from "../ledger/TransactionTable";
import { Fact } from "../parts/Fact";
import { useNames } from "../parts/names";
import { mentions } from "../parts/prose";
import { Ref } from "../parts/Ref";
import { useStaffArea } from "../parts/area";

const t = text.bookings;

export function Commission() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/commissions/{id}/why", { params: { path: { id } } });
  const trail = [{ label: text.nav.commissions, to: "/admin/commissions" }];
  const commission = query.data?.commissions.find((c) => c.id === id);
  if (!query.data || !commission) {
    return (
      <Page title={t.commission} trail={trail}>
        <Loaded query={query} lines={8}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return <One c={commission} why={query.data} trail={trail} />;
}

function One({ c, why, trail }: { c: Schemas["WhyCommission"]; why: Schemas["Why"]; trail: { label: string; to: string }[] }) {
  const { whyPaths } = useStaffArea();
  const name = useNames(mentions([c.affiliate_id, c.program_id, why.attribution]).filter((id) => !id.startsWith("per_")));
  return (
    <Page
      title={`${t.commission} ${formatMoney(c.amount)}`}
      trail={trail}
      about={
        <Group gap="xs">
          <StateBadge state={c.state} />
          {c.level === 0 ? t.own : fill(t.levelN, { n: c.level })}
        </Group>
      }
    >
      <Card padding="md">
        <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
          <Fact label={t.affiliate}>
            <Ref id={c.affiliate_id} name={name(c.affiliate_id)} />
          </Fact>
          <Fact label={t.program}>
            <Ref id={c.program_id} name={name(c.program_id)} />
          </Fact>
          <Fact label={t.conversion}>
            <Ref id={c.conversion_id} name={why.conversion.id === c.conversion_id ? why.conversion.txn_id : undefined} />
          </Fact>
          <Fact label={t.rule}>
            <Ref id={c.rule_id} name={fill(t.version, { n: c.rule_version })} />
          </Fact>
          <Fact label={t.left}>
            <Money amount={{ minor: c.amount.minor - c.reversed.minor, currency: c.amount.currency }} />
          </Fact>
          <Fact label={t.made}>
            <When at={c.created_at} />
          </Fact>
          <Fact label={c.released_at ? t.released : t.release}>
            <When at={c.released_at ?? c.release_at} />
          </Fact>
          {c.replaced_at && (
            <Fact label={t.replaced}>
              <When at={c.replaced_at} />
            </Fact>
          )}
          <Fact label={text.common.id}>
            <CopyText value={c.id} />
          </Fact>
        </SimpleGrid>
      </Card>
      <section>
        <Title order={2} mb="xs">
          {t.whyTitle}
        </Title>
        <Why why={why} paths={{ ...whyPaths, name }} />
      </section>
      <section>
        <Title order={2} mb="xs">
          {t.history}
        </Title>
        <TransactionTable filter={{ commission_id: c.id }} />
      </section>
    </Page>
  );
}
