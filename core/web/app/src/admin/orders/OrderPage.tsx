import { Alert, Anchor, Badge, Button, Card, Grid, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Link, useParams } from "react-router";

import { api, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { formatDate, formatDateTime } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { countryName } from "../../ui/span";
import { StateBadge } from "../../ui/StateBadge";
import { Loaded } from "../../ui/states";
import { SmallTable, type SmallColumn } from "../../ui/table/SmallTable";
import { When } from "../../ui/When";
import { useStaffArea } from "../parts/area";
import { useNames } from "../parts/names";
import { mentions, reworded } from "../parts/prose";
import { Ref } from "../parts/Ref";
import { Documents } from "./Documents";
import { RefundDialog } from "./RefundDialog";
import { Story } from "./Story";

type Order = Schemas["OrderDetail"];
const t = text.orders;

/** One order with all that ever happened to it. */
export function OrderPage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/orders/{id}", { params: { path: { id } } });
  return (
    <Page
      title={query.data ? `${t.number} ${query.data.number}` : t.number}
      trail={useStaffArea().trail(text.nav.orders, "orders")}
      about={query.data && <About order={query.data} />}
      actions={query.data && <Actions order={query.data} />}
    >
      <Loaded query={query} lines={12}>
        {(order) => (
          <>
            <Reviews order={order} />
            <Grid gap="lg">
              <Grid.Col span={{ base: 12, lg: 8 }}>
                <Stack gap="lg">
                  <Lines order={order} />
                  <Story id={order.id} />
                </Stack>
              </Grid.Col>
              <Grid.Col span={{ base: 12, lg: 4 }}>
                <Stack gap="lg">
                  <Buyer order={order} />
                  <Belongs order={order} />
                  <Documents order={order} />
                  <Rights order={order} />
                </Stack>
              </Grid.Col>
            </Grid>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function About({ order }: { order: Order }) {
  return (
    <Group gap="xs">
      <StateBadge state={order.state} />
      <Money amount={order.total} fw={600} />
      <span>
        {t.placed} <When at={order.created_at} />
      </span>
      {order.coupon && <Badge variant="outline">{order.coupon}</Badge>}
    </Group>
  );
}

function Actions({ order }: { order: Order }) {
  const me = useMe();
  const [refunding, setRefunding] = useState(false);
  const left = order.total.minor - order.refunded.minor;
  if (!may(me, "orders:write") || left <= 0 || !["paid", "partly_refunded", "disputed"].includes(order.state)) {
    return null;
  }
  return (
    <>
      <Button variant="light" color="red" onClick={() => setRefunding(true)}>
        {t.refund}
      </Button>
      <RefundDialog order={order} opened={refunding} onClose={() => setRefunding(false)} />
    </>
  );
}

function Reviews({ order }: { order: Order }) {
  const { support } = useStaffArea();
  const open = order.reviews.filter((r) => !r.resolved_at);
  if (open.length === 0) {
    return null;
  }
  return (
    <Alert color="orange" title={fill(t.openReviews, { n: open.length })}>
      {open.map((r) => (
        <Text key={r.id} size="sm">
          {support ? text.bookings.kinds[r.kind]?.name : <Anchor component={Link} to="/admin/reviews" inherit>{text.bookings.kinds[r.kind]?.name ?? r.kind}</Anchor>}: {r.detail}
        </Text>
      ))}
    </Alert>
  );
}

type OrderLine = Order["lines"][number];

const amountColumn = (key: string, title: string, of: (line: OrderLine) => Schemas["Amount"]): SmallColumn<OrderLine> => ({
  key, title, align: "right", value: (line) => of(line).minor, render: (line) => <Money amount={of(line)} />,
});

const lineColumns: SmallColumn<OrderLine>[] = [
  {
    key: "item", title: t.item, value: (line) => line.name,
    render: (line) => (
      <>
        {line.name}
        <Text size="xs" c="dimmed">
          {line.sku}
        </Text>
      </>
    ),
  },
  amountColumn("list", t.list, (line) => line.list),
  { ...amountColumn("discount", t.discount, (line) => line.discount), render: (line) => (line.discount.minor === 0 ? "–" : <Money amount={line.discount} />) },
  amountColumn("net", t.net, (line) => line.net),
  amountColumn("tax", t.tax, (line) => line.tax.total),
  amountColumn("total", t.total, (line) => line.total),
];

function Lines({ order }: { order: Order }) {
  return (
    <Card component="section" aria-labelledby="lines">
      <Title order={2} id="lines" mb="sm">
        {t.lines}
      </Title>
      <SmallTable
        name={t.lines}
        minWidth={560}
        rows={order.lines}
        rowKey={(line) => line.id}
        columns={lineColumns}
        foot={
          <>
            <Table.Tr fw={600}>
              <Table.Th scope="row">{t.total}</Table.Th>
              {[order.totals.list, order.totals.discount, order.totals.net, order.totals.tax.total, order.totals.total].map((amount, i) => (
                <Table.Td key={i} ta="right">
                  <Money amount={amount} />
                </Table.Td>
              ))}
            </Table.Tr>
            {order.refunded.minor > 0 && (
              <Table.Tr>
                <Table.Th scope="row" colSpan={5}>
                  {t.refunded}
                </Table.Th>
                <Table.Td ta="right">
                  <Money amount={{ ...order.refunded, minor: -order.refunded.minor }} />
                </Table.Td>
              </Table.Tr>
            )}
          </>
        }
      />
    </Card>
  );
}

function Buyer({ order }: { order: Order }) {
  const { customer } = order;
  return (
    <Card component="section" aria-labelledby="buyer">
      <Title order={2} id="buyer" mb="sm">
        {t.customer}
      </Title>
      {order.erased_at && <Text c="dimmed">{fill(t.forgotten, { at: formatDate(order.erased_at) })}</Text>}
      <Text>{customer.name}</Text>
      <CopyText value={customer.email} mono={false} />
      {customer.address && (
        <Text size="sm" style={{ whiteSpace: "pre-line" }}>
          {customer.address}
        </Text>
      )}
      <Text size="sm" c="dimmed">
        {[customer.state, customer.country && countryName(customer.country)].filter(Boolean).join(", ")}
        {customer.gstin && ` · ${t.taxID} ${customer.gstin}`}
        {order.place_of_supply && ` · ${t.place} ${order.place_of_supply}`}
      </Text>
    </Card>
  );
}

function Belongs({ order }: { order: Order }) {
  const sees = may(useMe(), "catalog:read");
  const name = useNames(sees ? mentions([order.affiliate_id, order.attribution.text]).filter((id) => !id.startsWith("per_")) : []);
  return (
    <Card component="section" aria-labelledby="belongs">
      <Title order={2} id="belongs" mb="sm">
        {t.attribution}
      </Title>
      {order.affiliate_id ? <Ref id={order.affiliate_id} name={name(order.affiliate_id)} /> : <Text>{t.noAttribution}</Text>}
      <Text size="sm" mt="xs">
        {reworded(order.attribution.text, name)}
      </Text>
    </Card>
  );
}

function Rights({ order }: { order: Order }) {
  if (order.entitlements.length === 0) {
    return null;
  }
  return (
    <Card component="section" aria-labelledby="rights">
      <Title order={2} id="rights" mb="sm">
        {t.entitlements}
      </Title>
      <Stack gap={4}>
        {order.entitlements.map((e) => (
          <Text key={e.code + e.granted_at} size="sm" td={e.revoked_at ? "line-through" : undefined}>
            {e.code}
            {e.revoked_at && ` (${fill(t.revoked, { at: formatDateTime(e.revoked_at) })})`}
          </Text>
        ))}
      </Stack>
    </Card>
  );
}
