import { Badge, Button, Group, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";

type Session = Schemas["Session"];
const t = text.security;

/** Where somebody is signed in, and how to end it. */
export function Sessions() {
  const me = useMe();
  const cache = useQueryClient();
  const [ending, setEnding] = useState<Session>();
  const [all, setAll] = useState(false);
  const sessions = useQuery({ queryKey: ["my-sessions"], queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/sessions", { signal }))).items });
  const ended = async () => {
    notifications.show({ message: t.ended });
    await cache.invalidateQueries({ queryKey: ["my-sessions"] });
  };
  const columns: Column<Session>[] = [
    {
      key: "device", title: t.device, value: (s) => s.device,
      render: (s) => (
        <Group gap="xs" component="span" justify="inherit">
          {s.device || text.common.unknown}
          {s.current && (
            <Badge component="span" variant="light" color="teal" tt="none">
              {t.thisOne}
            </Badge>
          )}
        </Group>
      ),
    },
    { key: "address", title: t.address, value: (s) => s.address },
    { key: "created_at", title: t.begun, value: (s) => s.created_at, render: (s) => <When at={s.created_at} /> },
    { key: "last_used_at", title: t.used, value: (s) => s.last_used_at, render: (s) => <When at={s.last_used_at} as="ago" /> },
    { key: "expires_at", title: t.ends, wide: true, value: (s) => s.expires_at, render: (s) => <When at={s.expires_at} as="date" /> },
    {
      key: "end", title: t.end, value: () => "", deeds: true,
      render: (s) =>
        s.current || me.read_only ? (
          "–"
        ) : (
          <Button size="compact-sm" variant="light" color="red" onClick={() => setEnding(s)} aria-label={`${t.end}: ${s.device}`}>
            {t.end}
          </Button>
        ),
    },
  ];
  return (
    <section>
      <Title order={2}>{t.sessions}</Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t.sessionsText}
      </Text>
      <Loaded query={sessions}>
        {(list) => (
          <DataTable
            name={t.sessions}
            columns={columns}
            source={list}
            rowKey={(s) => s.id}
            actions={
              !me.read_only && (
                <Button variant="default" disabled={list.every((s) => s.current)} onClick={() => setAll(true)}>
                  {t.endOthers}
                </Button>
              )
            }
          />
        )}
      </Loaded>
      <ConfirmDialog
        opened={ending !== undefined}
        danger
        onClose={() => setEnding(undefined)}
        title={t.endTitle}
        action={t.end}
        onConfirm={async () => {
          await ok(client.DELETE("/api/v1/me/sessions/{id}", { params: { path: { id: ending?.id ?? "" } } }));
          await ended();
        }}
      >
        <Text>{fill(t.endText, { device: ending?.device ?? "" })}</Text>
      </ConfirmDialog>
      <ConfirmDialog
        opened={all}
        danger
        onClose={() => setAll(false)}
        title={t.endOthersTitle}
        action={t.endOthers}
        onConfirm={async () => {
          await ok(client.POST("/api/v1/me/sessions/end-others"));
          await ended();
        }}
      >
        <Text>{t.endOthersText}</Text>
      </ConfirmDialog>
    </section>
  );
}
