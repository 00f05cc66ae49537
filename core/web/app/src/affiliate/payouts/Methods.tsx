import { Badge, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatDateTime } from "../../ui/locale";
import { EmptyState, Loaded } from "../../ui/states";
import { When } from "../../ui/When";
import { MethodDialog } from "./MethodDialog";

type Method = Schemas["OwnPayoutMethod"];
const t = text.ownPayouts;

/** Where the affiliate is paid, one account for each currency. */
export function Methods() {
  const me = useMe();
  const cache = useQueryClient();
  const [setting, setSetting] = useState(false);
  const [removing, setRemoving] = useState<Method>();
  const methods = useQuery({
    queryKey: ["own-methods"],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/payout-methods", { params: { query: { limit: 100 } }, signal }))).items.filter((m) => m.in_use),
  });
  const changed = () => Promise.all([cache.invalidateQueries({ queryKey: ["own-methods"] }), cache.invalidateQueries({ queryKey: ["own-outlook"] })]);
  return (
    <Card component="section" id="methods" aria-label={t.methods}>
      <Group justify="space-between" align="flex-start">
        <div style={{ flex: "1 1 14rem" }}>
          <Title order={2} size="h4">
            {t.methods}
          </Title>
          <Text size="sm" c="dimmed">
            {t.methodsText}
          </Text>
        </div>
        {!me.read_only && (
          <Button size="xs" onClick={() => setSetting(true)}>
            {methods.data?.length ? t.replace : t.addMethod}
          </Button>
        )}
      </Group>
      <Loaded query={methods} lines={2}>
        {(list) =>
          list.length === 0 ? (
            <EmptyState title={t.methodsEmpty} />
          ) : (
            <Stack mt="md" gap="sm">
              {list.map((m) => (
                <Row key={m.id} method={m} remove={me.read_only ? undefined : () => setRemoving(m)} />
              ))}
            </Stack>
          )
        }
      </Loaded>
      <MethodDialog opened={setting} onClose={() => setSetting(false)} done={changed} />
      {removing && (
        <ConfirmDialog
          opened
          danger
          onClose={() => setRemoving(undefined)}
          title={fill(t.removeTitle, { account: removing.account })}
          action={t.removeMethod}
          onConfirm={async () => {
            await ok(client.DELETE("/api/v1/me/affiliate/payout-methods/{id}", { params: { path: { id: removing.id } } }));
            await changed();
          }}
        >
          <Text>{fill(t.removeText, { currency: removing.currency })}</Text>
        </ConfirmDialog>
      )}
    </Card>
  );
}

function Row({ method: m, remove }: { method: Method; remove?: () => void }) {
  const frozen = Date.parse(m.frozen_until) > Date.now();
  return (
    <Group justify="space-between" align="flex-start">
      <div style={{ minWidth: 0, flex: "1 1 12rem" }}>
        <Group gap="xs">
          <Badge variant="default">{m.currency}</Badge>
          <Text fw={600}>{t.kinds[m.kind] ?? m.kind}</Text>
        </Group>
        <Text ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {m.account}
        </Text>
        <Text size="sm" c="dimmed">
          {t.since} <When at={m.created_at} as="date" />
        </Text>
        {frozen && (
          <Text size="sm" fw={600}>
            {fill(t.frozen, { at: formatDateTime(m.frozen_until) })}
          </Text>
        )}
      </div>
      {remove && (
        <Button size="xs" variant="subtle" color="red" onClick={remove} aria-label={`${t.removeMethod} ${m.account}`}>
          {t.removeMethod}
        </Button>
      )}
    </Group>
  );
}
