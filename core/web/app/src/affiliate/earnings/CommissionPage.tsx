import { Card, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { Facts } from "../../ui/Facts";
import { formatDate } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { Why } from "../../ui/Why";
import { Named } from "../../ui/why/Named";
import { levelName } from "./Commissions";
import { paths } from "./paths";

const t = text.earnings;

/** One commission, and why it is what it is. */
export function CommissionPage() {
  const { id = "" } = useParams();
  const why = useQuery({
    queryKey: ["my-commission-why", id],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/commissions/{id}/why", { params: { path: { id } }, signal })),
  });
  const c = why.data?.commissions[0];
  return (
    <Page title={c ? fill(t.commission, { at: formatDate(c.created_at) }) : text.nav.commissions} trail={[{ label: text.nav.commissions, to: "/affiliate/commissions" }]}>
      <Loaded query={why} lines={10}>
        {(data) => (
          <Stack>
            <Card>{data.commissions[0] && <CommissionFacts commission={data.commissions[0]} why={data} />}</Card>
            <Why why={data} paths={paths} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function CommissionFacts({ commission: c, why }: { commission: Schemas["WhyCommission"]; why: Schemas["Why"] }) {
  const sale = why.conversion;
  return (
    <Facts
      facts={[
        [t.earned, <Money amount={c.amount} fw={600} />],
        [t.reversed, c.reversed.minor !== 0 && <Money amount={{ ...c.reversed, minor: -c.reversed.minor }} />],
        [t.left, c.reversed.minor !== 0 && <Money amount={{ ...c.amount, minor: c.amount.minor - c.reversed.minor }} fw={600} />],
        [t.state, <StateBadge state={c.state} />],
        [t.level, levelName(c.level)],
        [t.made, <When at={c.created_at} />],
        [t.release, <When at={c.release_at} as="date" />],
        [
          t.theConversion,
          <Named id={sale.id} path={why.view === "own" ? paths.conversion : undefined}>
            {fill(t.conversion, { type: text.conversionTypes[sale.type] ?? sale.type, at: formatDate(sale.received_at) })}
          </Named>,
        ],
      ]}
    />
  );
}
