import { Card, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { formatDate } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { Why } from "../../ui/Why";
import { Named } from "../../ui/why/Named";
import { paths } from "./paths";

const t = text.earnings;

/** One conversion, and why it belongs to the affiliate. */
export function ConversionPage() {
  const { id = "" } = useParams();
  const why = useQuery({
    queryKey: ["my-conversion-why", id],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/conversions/{id}/why", { params: { path: { id } }, signal })),
  });
  const c = why.data?.conversion;
  const title = c ? fill(t.conversion, { type: text.conversionTypes[c.type] ?? c.type, at: formatDate(c.received_at) }) : text.nav.conversions;
  return (
    <Page title={title} trail={[{ label: text.nav.conversions, to: "/affiliate/conversions" }]}>
      <Loaded query={why} lines={10}>
        {(data) => (
          <Stack>
            <Card>
              <ConversionFacts conversion={data.conversion} />
            </Card>
            {data.related.length > 0 && <Related list={data.related} />}
            <Why why={data} paths={paths} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function ConversionFacts({ conversion: c }: { conversion: Schemas["Conversion"] }) {
  const closed = c.closed === "refunded" ? t.closedRefunded : c.closed === "rejected" ? t.closedRejected : c.closed;
  return (
    <Facts
      facts={[
        [t.amount, c.amount && <Money amount={c.amount} fw={600} />],
        [t.state, <StateBadge state={c.closed || c.state} />],
        [t.closed, closed],
        [t.refunded, c.refunded && c.refunded.minor !== 0 && <Money amount={c.refunded} />],
        [t.received, <When at={c.received_at} />],
        [t.txn, <CopyText value={c.txn_id} />],
        [t.name, c.name],
      ]}
    />
  );
}

function Related({ list }: { list: Schemas["Conversion"][] }) {
  return (
    <Card component="section">
      <Title order={2} size="h4" mb="sm">
        {t.related}
      </Title>
      <Facts
        facts={list.map((c) => [
          `${text.conversionTypes[c.type] ?? c.type}, ${formatDate(c.received_at)}`,
          <Named id={c.id} path={paths.conversion}>
            {c.amount ? <Money amount={c.amount} /> : c.txn_id}
          </Named>,
        ])}
      />
    </Card>
  );
}
