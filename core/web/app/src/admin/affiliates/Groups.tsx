import { Button, Group as Row, Modal, Stack, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { Page } from "../../ui/Page";
import { EmptyState, ErrorState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { When } from "../../ui/When";

type Group = Schemas["Group"];

const t = text.partners;

export function Groups() {
  const writes = may(useMe(), "catalog:write");
  const [editing, setEditing] = useState<Group | "new">();
  const columns: Column<Group>[] = [
    { key: "name", title: t.name, value: (g) => g.name },
    { key: "created", title: t.created, value: (g) => g.created_at, render: (g) => <When at={g.created_at} as="date" /> },
    {
      key: "deeds",
      title: t.actions,
      deeds: true,
      value: () => "",
      render: (g) => (
        <Row gap={4}>
          <Button component={Link} to={`/admin/affiliates?group=${g.id}`} size="compact-sm" variant="subtle" aria-label={fill(t.membersOf, { name: g.name })}>
            {t.members}
          </Button>
          <Button component={Link} to={`/admin/rules?group=${g.id}`} size="compact-sm" variant="subtle" aria-label={fill(t.rulesOf, { name: g.name })}>
            {text.nav.rules}
          </Button>
          {writes && (
            <Button size="compact-sm" variant="subtle" onClick={() => setEditing(g)} aria-label={fill(t.renameOf, { name: g.name })}>
              {t.rename}
            </Button>
          )}
        </Row>
      ),
    },
  ];
  return (
    <Page
      title={text.nav.groups}
      about={t.groupsAbout}
      actions={
        writes && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEditing("new")}>
            {t.addGroup}
          </Button>
        )
      }
    >
      <DataTable
        name={text.nav.groups}
        source={source<Group>(["groups"], (query, signal) => client.GET("/api/v1/affiliate-groups", { params: { query }, signal }))}
        rowKey={(g) => g.id}
        columns={columns}
        empty={<EmptyState title={t.noGroups}>{t.groupsAbout}</EmptyState>}
      />
      {editing && <GroupForm group={editing === "new" ? undefined : editing} onClose={() => setEditing(undefined)} />}
    </Page>
  );
}

function GroupForm({ group, onClose }: { group?: Group; onClose: () => void }) {
  const cache = useQueryClient();
  const [name, setName] = useState(group?.name ?? "");
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim() };
      return ok<Group>(group ? client.PATCH("/api/v1/affiliate-groups/{id}", { params: { path: { id: group.id } }, body }) : client.POST("/api/v1/affiliate-groups", { body }));
    },
    onSuccess: async () => {
      await cache.invalidateQueries();
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={group ? t.rename : t.addGroup}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <TextInput label={t.name} required maxLength={255} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
          {save.error && <ErrorState error={save.error} />}
          <Row justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {text.common.cancel}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={name.trim() === ""}>
              {group ? text.common.save : text.common.create}
            </Button>
          </Row>
        </Stack>
      </form>
    </Modal>
  );
}
