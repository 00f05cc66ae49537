import { Button, List, Menu, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconChevronDown } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { ViewAs } from "../affiliates/ViewAs";
import { Consequences, isGuarded, RolePicker, type Role } from "./Roles";

type Person = Schemas["Person"];
type Deed = "roles" | "suspend" | "activate" | "erase";
const t = text.people;

/** What can be done to a person, by whom may do it. */
export function Deeds({ person }: { person: Person }) {
  const me = useMe();
  const [deed, setDeed] = useState<Deed>();
  if (!may(me, "people:write") || person.status === "erased") {
    return null;
  }
  const close = () => setDeed(undefined);
  if (person.id === me.id) {
    return (
      <Text size="sm" c="dimmed">
        {t.own}
      </Text>
    );
  }
  const mine = me.roles.includes("owner") || !isGuarded(person.roles);
  return (
    <>
      <ViewAs person={person} name={person.name || person.email} />
      {mine && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button rightSection={<IconChevronDown size={16} aria-hidden />}>{t.deeds}</Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setDeed("roles")}>{t.change}</Menu.Item>
            {person.status === "active" ? <Menu.Item onClick={() => setDeed("suspend")}>{t.suspend}</Menu.Item> : <Menu.Item onClick={() => setDeed("activate")}>{t.activate}</Menu.Item>}
            <Menu.Divider />
            <Menu.Item color="red" onClick={() => setDeed("erase")}>
              {t.erase}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {deed === "roles" && <ChangeRoles person={person} onClose={close} />}
      {(deed === "suspend" || deed === "activate") && <ChangeStatus person={person} to={deed === "suspend" ? "suspended" : "active"} onClose={close} />}
      {deed === "erase" && <Erase person={person} onClose={close} />}
    </>
  );
}

/** Waits for a deed, says that it is done, and has everything read anew. */
export function useDone() {
  const cache = useQueryClient();
  return async (deed: Promise<unknown>) => {
    await deed;
    notifications.show({ message: t.done, color: "teal" });
    await cache.invalidateQueries();
  };
}

/** Why somebody does it, for the audit log. */
export function Reason({ value, onChange, required }: { value: string; onChange: (reason: string) => void; required?: boolean }) {
  return <Textarea label={t.reason} description={t.reasonHint} required={required} autosize minRows={2} maxLength={500} value={value} onChange={(e) => onChange(e.currentTarget.value)} />;
}

interface DeedProps {
  person: Person;
  onClose: () => void;
}

function ChangeRoles({ person, onClose }: DeedProps) {
  const done = useDone();
  const [chosen, setChosen] = useState(person.roles as Role[]);
  const [reason, setReason] = useState("");
  const same = [...chosen].sort().join() === [...person.roles].sort().join();
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={fill(t.changeTitle, { name: person.name || person.email })}
      action={text.common.save}
      disabled={same}
      onConfirm={() => done(ok(client.PATCH("/api/v1/people/{id}", { params: { path: { id: person.id } }, body: { roles: chosen, ...(reason.trim() && { reason: reason.trim() }) } })))}
    >
      <Stack>
        <Text size="sm">{t.changeText}</Text>
        <RolePicker value={chosen} onChange={setChosen} />
        <Consequences before={person.roles} after={chosen} />
        <Reason value={reason} onChange={setReason} />
      </Stack>
    </ConfirmDialog>
  );
}

function ChangeStatus({ person, to, onClose }: DeedProps & { to: "active" | "suspended" }) {
  const done = useDone();
  const [reason, setReason] = useState("");
  const name = person.name || person.email;
  const ends = to === "suspended";
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={fill(ends ? t.suspendTitle : t.activateTitle, { name })}
      action={ends ? t.suspend : t.activate}
      danger={ends}
      disabled={!reason.trim()}
      onConfirm={() => done(ok(client.PATCH("/api/v1/people/{id}", { params: { path: { id: person.id } }, body: { status: to, reason: reason.trim() } })))}
    >
      <Text size="sm">{ends ? t.suspendText : t.activateText}</Text>
      <Reason value={reason} onChange={setReason} required />
    </ConfirmDialog>
  );
}

function Erase({ person, onClose }: DeedProps) {
  const done = useDone();
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={fill(t.eraseTitle, { name: person.name || person.email })}
      action={t.erase}
      danger
      disabled={reason.trim().length < 3 || typed.trim().toLowerCase() !== person.email.toLowerCase()}
      onConfirm={() => done(ok(client.POST("/api/v1/people/{id}/erase", { params: { path: { id: person.id } }, body: { reason: reason.trim() } })))}
    >
      <Text size="sm" fw={600}>
        {t.eraseText}
      </Text>
      <List size="sm" spacing={4}>
        {t.eraseDoes.map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
      <Reason value={reason} onChange={setReason} required />
      <TextInput label={fill(t.eraseType, { email: person.email })} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} autoComplete="off" required />
    </ConfirmDialog>
  );
}
