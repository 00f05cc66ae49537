import { Box, Button, Drawer, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconMail, IconSend } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { MailDetail, mailKind } from "./MailDetail";

type Mail = Schemas["Mail"];
const t = text.mails;
const states = ["pending", "sent", "dead", "local"] as const;

const columns: Column<Mail>[] = [
  { key: "subject", title: t.subject, value: (m) => m.subject, render: (m) => <Box component="span" display="block" miw={{ base: 0, sm: 240 }}>{m.subject}</Box> },
  { key: "to", title: t.to, value: (m) => m.to },
  { key: "template", title: t.template, value: (m) => mailKind(m.template), wide: true },
  { key: "state", title: t.state, value: (m) => text.states[m.state] ?? m.state, render: (m) => <StateBadge state={m.state} /> },
  { key: "attempts", title: t.attempts, value: (m) => m.attempts, align: "right", wide: true },
  { key: "error", title: t.lastError, value: (m) => m.last_error, wide: true },
  { key: "made", title: t.made, value: (m) => m.created_at, render: (m) => <When at={m.created_at} /> },
];

/** What was sent to people. */
export function Mails() {
  const me = useMe();
  const [state, setState] = useQueryState("state");
  const [kind, setKind] = useQueryState("kind");
  const [open, setOpen] = useQueryState("open");
  const [typed, setTyped] = useState("");
  const [to] = useDebouncedValue(typed.trim(), 300);
  const [testing, setTesting] = useState(false);
  const query = { ...(state && { state: state as Mail["state"] }), ...(kind && { template: kind }), ...(to && { to }) };
  const filtered = Object.keys(query).length > 0;
  const test = may(me, "admin") && (
    <Button leftSection={<IconSend size={16} aria-hidden />} onClick={() => setTesting(true)}>
      {t.test}
    </Button>
  );
  return (
    <Page title={text.nav.mails} about={t.about} actions={test}>
      <DataTable
        name={text.nav.mails}
        columns={columns}
        source={source<Mail>(["mails", query], (page, signal) => client.GET("/api/v1/mails", { params: { query: { ...query, ...page } }, signal }))}
        rowKey={(m) => m.id}
        onRow={(m) => setOpen(m.id)}
        filters={
          <>
            <TextInput aria-label={t.recipient} placeholder={t.recipient} leftSection={<IconMail size={16} aria-hidden />} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} w={230} />
            <StateFilter states={states} value={state} onChange={setState} label={t.state} />
            <Select
              aria-label={t.template}
              data={[{ value: "", label: t.anyKind }, ...Object.entries(t.kinds).map(([value, label]) => ({ value, label }))]}
              value={kind}
              onChange={setKind}
              allowDeselect={false}
              searchable
              w={190}
            />
          </>
        }
        empty={filtered ? <EmptyState title={t.none} /> : <EmptyState title={t.empty} action={test}>{t.emptyText}</EmptyState>}
      />
      <Drawer opened={open !== ""} onClose={() => setOpen(null)} title={t.one} position="right" size="xl">
        {open && <MailDetail id={open} />}
      </Drawer>
      {testing && <TestDialog onClose={() => setTesting(false)} />}
    </Page>
  );
}

function TestDialog({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const cache = useQueryClient();
  const [to, setTo] = useState(me.email);
  const send = async () => {
    await ok(client.POST("/api/v1/mails/test", { body: { to: to.trim() } }));
    notifications.show({ message: t.tested, color: "teal" });
    await cache.invalidateQueries();
  };
  return (
    <ConfirmDialog opened onClose={onClose} title={t.testTitle} action={t.test} disabled={!to.includes("@")} onConfirm={send}>
      <Text size="sm">{t.testText}</Text>
      <TextInput label={t.to} type="email" value={to} onChange={(e) => setTo(e.currentTarget.value)} required data-autofocus />
    </ConfirmDialog>
  );
}
