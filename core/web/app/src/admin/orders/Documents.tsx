import { Card, Group, Stack, Text, Title } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { text } from "../../text";
import { DownloadButton } from "../../ui/DownloadButton";
import { Money } from "../../ui/Money";
import { When } from "../../ui/When";

const t = text.orders;

/** Invoices and credit notes of an order, as PDF. */
export function Documents({ order }: { order: Schemas["OrderDetail"] }) {
  if (order.invoices.length === 0) {
    return null;
  }
  return (
    <Card component="section" aria-labelledby="documents">
      <Title order={2} id="documents" mb="sm">
        {t.documents}
      </Title>
      <Stack gap="sm">
        {order.invoices.map((d) => (
          <Group key={d.number} justify="space-between">
            <div>
              <Text size="sm">{d.number}</Text>
              <Text size="xs" c="dimmed">
                <When at={d.issued_at} as="date" /> · <Money amount={d.total} />
              </Text>
            </div>
            <DownloadButton path={`/api/v1/orders/${order.id}/invoice.pdf?number=${encodeURIComponent(d.number)}`} name={`${d.number.replaceAll("/", "-")}.pdf`}>
              PDF
            </DownloadButton>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
