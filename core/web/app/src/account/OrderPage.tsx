import { Card, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { ok } from "../api/call";
import { client, type Schemas } from "../api/client";
import { fill, text } from "../text";
import { DownloadButton } from "../ui/DownloadButton";
import { Facts } from "../ui/Facts";
import { Money } from "../ui/Money";
import { Page } from "../ui/Page";
import { StateBadge } from "../ui/StateBadge";
import { Loaded } from "../ui/states";
import { When } from "../ui/When";

type Order = Schemas["CheckoutOrder"];
const t = text.account;

/** One order of a learner, with its invoices. */
export function OrderPage() {
  const { id = "" } = useParams();
  const order = useQuery({ queryKey: ["my-order", id], queryFn: ({ signal }) => ok(client.GET("/api/v1/me/orders/{id}", { params: { path: { id } }, signal })) });
  return (
    <Page title={order.data ? fill(t.order, { number: order.data.number }) : text.nav.orders_mine} trail={[{ label: text.nav.orders_mine, to: "/account/orders" }]}>
      <Loaded query={order} lines={8}>
        {(o) => (
          <Stack>
            <Card>
              <Facts
                facts={[
                  [t.state, <StateBadge state={o.state} />],
                  [t.bought, <When at={o.created_at} />],
                  [t.paid, o.paid_at && <When at={o.paid_at} />],
                  [t.billTo, [o.customer.name, o.customer.email].filter(Boolean).join(", ")],
                  [t.coupon, o.coupon],
                  [t.refunded, o.refunded.minor !== 0 && <Money amount={o.refunded} />],
                ]}
              />
            </Card>
            <Lines order={o} />
            <Invoices order={o} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Lines({ order: o }: { order: Order }) {
  const sums: [string, Schemas["Amount"]][] = [
    [t.net, o.totals.net],
    [t.tax, o.totals.tax.total],
  ];
  return (
    <Card component="section" aria-label={t.items}>
      <Title order={2} size="h4" mb="xs">
        {t.items}
      </Title>
      <Table horizontalSpacing={0} aria-label={t.items}>
        <Table.Tbody>
          {o.lines.map((l) => (
            <Table.Tr key={l.id || l.product_id}>
              <Table.Td>{l.name}</Table.Td>
              <Table.Td ta="right">
                <Money amount={l.total} />
              </Table.Td>
            </Table.Tr>
          ))}
          {sums.map(([label, amount]) => (
            <Table.Tr key={label}>
              <Table.Td c="dimmed">{label}</Table.Td>
              <Table.Td ta="right">
                <Money amount={amount} />
              </Table.Td>
            </Table.Tr>
          ))}
          <Table.Tr>
            <Table.Td fw={650}>{t.total}</Table.Td>
            <Table.Td ta="right">
              <Money amount={o.totals.total} fw={650} />
            </Table.Td>
          </Table.Tr>
        </Table.Tbody>
      </Table>
    </Card>
  );
}

function Invoices({ order: o }: { order: Order }) {
  return (
    <Card component="section" aria-label={t.documents}>
      <Title order={2} size="h4" mb="sm">
        {t.documents}
      </Title>
      {o.invoices.length === 0 && <Text size="sm">{t.documentsNone}</Text>}
      <Stack gap="sm">
        {o.invoices.map((i) => (
          <Group key={i.number} justify="space-between">
            <div>
              <Text>{fill(i.kind === "invoice" ? t.invoice : t.creditNote, { number: i.number })}</Text>
              <Text size="sm" c="dimmed">
                <When at={i.issued_at} as="date" /> · <Money amount={i.total} />
              </Text>
            </div>
            <DownloadButton path={`/api/v1/me/orders/${o.id}/invoice.pdf?number=${encodeURIComponent(i.number)}`} name={`${i.number.replaceAll("/", "-")}.pdf`}>
              {text.ownPayouts.pdf}
            </DownloadButton>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
