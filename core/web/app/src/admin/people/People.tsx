import { Button, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconSearch, IconUserPlus } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";
import { RoleBadges, RolePicker, type Role } from "./Roles";

type Person = Schemas["Person"];
const t = text.people;

const columns: Column<Named<Person>>[] = [
  { key: "name", title: t.name, value: ({ row }) => row.name || row.email },
  { key: "email", title: t.email, value: ({ row }) => row.email },
  { key: "roles", title: t.roles, value: ({ row }) => row.roles.map((r) => t.roleWords[r] ?? r).join(", "), render: ({ row }) => <RoleBadges held={row.roles} /> },
  { key: "status", title: t.status, value: ({ row }) => text.states[row.status] ?? row.status, render: ({ row }) => <StateBadge state={row.status} /> },
  {
    key: "affiliate",
    title: t.affiliate,
    value: ({ row, name }) => (row.affiliate_id ? name(row.affiliate_id) : ""),
    render: ({ row, name }) => (row.affiliate_id ? <Ref id={row.affiliate_id} name={name(row.affiliate_id)} /> : "–"),
    wide: true,
  },
  { key: "since", title: t.since, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} as="date" /> },
];

/** Everybody who can sign in. */
export function People() {
  const me = useMe();
  const [status, setStatus] = useQueryState("status");
  const [typed, setTyped] = useState("");
  const [needle] = useDebouncedValue(typed.trim(), 300);
  const [inviting, setInviting] = useState(false);
  const query = { ...(status && { status: status as Person["status"] }), ...(needle && (needle.includes("@") ? { email: needle } : { name: needle })) };
  const invite = may(me, "people:write") && (
    <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
      {t.invite}
    </Button>
  );
  return (
    <Page title={text.nav.people} about={t.about} actions={invite}>
      <DataTable
        name={text.nav.people}
        columns={columns}
        source={withNames(
          source<Person>(["people", query], (page, signal) => client.GET("/api/v1/people", { params: { query: { ...query, ...page } }, signal })),
          (p) => [p.affiliate_id],
        )}
        rowKey={({ row }) => row.id}
        to={({ row }) => `/admin/people/${row.id}`}
        filters={
          <>
            <TextInput aria-label={t.find} placeholder={t.find} leftSection={<IconSearch size={16} aria-hidden />} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} w={{ base: "100%", xs: 260 }} />
            <Select
              aria-label={t.status}
              data={[{ value: "", label: text.orders.anyState }, ...["active", "suspended", "erased"].map((value) => ({ value, label: text.states[value] ?? value }))]}
              value={status}
              onChange={setStatus}
              allowDeselect={false}
              w={150}
            />
          </>
        }
        empty={<EmptyState title={Object.keys(query).length > 0 ? t.none : t.empty} />}
      />
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </Page>
  );
}

function Invite({ onClose }: { onClose: () => void }) {
  const cache = useQueryClient();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<Role[]>(["support"]);
  const send = async () => {
    await ok(client.POST("/api/v1/people/invitations", { body: { email: email.trim(), name: name.trim(), roles: chosen } }));
    notifications.show({ message: fill(t.invited, { email: email.trim() }), color: "teal" });
    await cache.invalidateQueries();
  };
  return (
    <ConfirmDialog opened onClose={onClose} title={t.inviteTitle} action={t.invite} disabled={!/.@./.test(email) || !name.trim() || chosen.length === 0} onConfirm={send}>
      <Stack>
        <Text size="sm">{t.inviteText}</Text>
        <TextInput label={t.email} type="email" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} data-autofocus />
        <TextInput label={t.name} required maxLength={255} value={name} onChange={(e) => setName(e.currentTarget.value)} />
        <RolePicker value={chosen} onChange={setChosen} />
      </Stack>
    </ConfirmDialog>
  );
}
