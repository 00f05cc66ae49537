import { Button, Drawer, Select, Stack, TextInput } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { IconFilter } from "@tabler/icons-react";
import dayjs from "dayjs";
import { useState } from "react";

import { source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { Page } from "../../ui/Page";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";
import { actionWords, Actor, actorName, Difference } from "./Entry";

type Entry = Schemas["AuditEntry"];
const t = text.auditLog;

const columns: Column<Named<Entry>>[] = [
  { key: "action", title: t.action, value: ({ row }) => row.action, render: ({ row }) => actionWords(row.action) },
  { key: "object", title: t.object, value: ({ row, name }) => name(row.object), render: ({ row, name }) => <Ref id={row.object} name={name(row.object)} /> },
  { key: "who", title: t.who, value: ({ row, name }) => actorName(row, name), render: ({ row, name }) => <Actor entry={row} name={name} /> },
  { key: "reason", title: t.reason, value: ({ row }) => row.reason, wide: true },
  { key: "address", title: t.address, value: ({ row }) => row.address, wide: true },
  { key: "at", title: t.at, value: ({ row }) => row.at, render: ({ row }) => <When at={row.at} /> },
];

// Filters by identifiers are typed or pasted, and asked for when they are whole.
function useTyped(key: string) {
  const [value, setValue] = useQueryState(key);
  const [typed, setTyped] = useState(value);
  const input = {
    value: typed,
    onChange: (e: { currentTarget: { value: string } }) => setTyped(e.currentTarget.value),
    onBlur: () => setValue(typed.trim()),
    onKeyDown: (e: { key: string }) => e.key === "Enter" && setValue(typed.trim()),
  };
  const put = (next: string) => {
    setTyped(next);
    setValue(next);
  };
  return { value, input, put };
}

/** Everything that was ever changed. */
export function AuditLog() {
  const object = useTyped("object");
  const actor = useTyped("actor");
  const action = useTyped("action");
  const [kind, setKind] = useQueryState("kind");
  const [from, setFrom] = useQueryState("from");
  const [to, setTo] = useQueryState("to");
  const [opened, setOpened] = useState<Named<Entry>>();
  const query = {
    ...(object.value && { object: object.value }),
    ...(actor.value && { actor_id: actor.value }),
    ...(action.value && { action: action.value }),
    ...(kind && { actor_kind: kind as Entry["actor"]["kind"] }),
    ...(from && { from }),
    ...(to && { to }),
  };
  const moment = (set: (next: string | null) => void) => (typed: string | null) => set(typed ? dayjs(typed).toISOString() : null);
  const shown = (at: string) => (at ? dayjs(at).format("YYYY-MM-DD HH:mm:ss") : null);
  return (
    <Page title={text.nav.audit} about={t.about}>
      <DataTable
        key={JSON.stringify(query)}
        name={text.nav.audit}
        columns={columns}
        source={withNames(
          source<Entry>(["audit-log", query], (page, signal) => client.GET("/api/v1/audit-log", { params: { query: { ...query, ...page } }, signal })),
          (e) => [e.actor.kind === "person" ? e.actor.id : "", e.object],
        )}
        rowKey={({ row }) => row.id}
        onRow={setOpened}
        filters={
          <>
            <TextInput aria-label={t.findObject} placeholder={t.objectHint} w={{ base: "100%", xs: 190 }} ff="monospace" {...object.input} />
            <TextInput aria-label={t.findActor} placeholder={t.actorHint} w={{ base: "100%", xs: 190 }} ff="monospace" {...actor.input} />
            <TextInput aria-label={t.findAction} placeholder={t.actionHint} w={{ base: "100%", xs: 170 }} {...action.input} />
            <Select
              aria-label={t.actorKind}
              data={[{ value: "", label: t.anybody }, ...Object.entries(t.kinds).map(([value, label]) => ({ value, label }))]}
              value={kind}
              onChange={setKind}
              allowDeselect={false}
              w={140}
            />
            <DateTimePicker aria-label={t.from} placeholder={t.from} clearable value={shown(from)} onChange={moment(setFrom)} w={190} />
            <DateTimePicker aria-label={t.to} placeholder={t.to} clearable value={shown(to)} onChange={moment(setTo)} w={190} />
          </>
        }
        empty={<EmptyState title={Object.keys(query).length > 0 ? t.none : t.empty} />}
      />
      <Drawer opened={opened !== undefined} onClose={() => setOpened(undefined)} title={opened && actionWords(opened.row.action)} position="right" size="xl">
        {opened && (
          <Detail
            {...opened}
            onFilter={() => {
              object.put(opened.row.object);
              setOpened(undefined);
            }}
          />
        )}
      </Drawer>
    </Page>
  );
}

function Detail({ row, name, onFilter }: Named<Entry> & { onFilter: () => void }) {
  return (
    <Stack>
      <Facts
        facts={[
          [t.at, <When at={row.at} />],
          [t.who, <Actor entry={row} name={name} />],
          [t.object, <Ref id={row.object} name={name(row.object)} />],
          ["ID", row.object && <CopyText value={row.object} />],
          [t.reason, row.reason],
          [t.address, row.address],
          [t.session, row.actor.session_id],
        ]}
      />
      <Button variant="default" size="xs" leftSection={<IconFilter size={14} aria-hidden />} onClick={onFilter} style={{ alignSelf: "flex-start" }}>
        {t.filter}
      </Button>
      <Difference entry={row} />
    </Stack>
  );
}
