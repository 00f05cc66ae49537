import { Button, Card, Group, Image, Modal, Select, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { MaterialPreview } from "../../affiliate/materials/MaterialCard";
import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { Page } from "../../ui/Page";
import { StateBadge } from "../../ui/StateBadge";
import { EmptyState, Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { usePrograms } from "../parts/pickers";
import { MaterialForm } from "./MaterialForm";
import { sampleOf } from "./sample";

type Material = Schemas["Material"];
const t = text.materials;
const kinds = [{ value: "", label: t.kindAll }, ...Object.entries(t.kinds).map(([value, label]) => ({ value, label }))];

const says = (m: Material) => m.subject || m.content || m.url || m.file_name;

function columns(program: (id: string) => string): Column<Material>[] {
  return [
    { key: "name", title: t.name, value: (m) => m.name },
    { key: "preview", title: t.preview, value: says, render: (m) => <Thumbnail material={m} /> },
    { key: "kind", title: t.kind, value: (m) => t.kinds[m.kind] },
    { key: "program", title: t.program, value: (m) => program(m.program_id) },
    { key: "order", title: t.order, value: (m) => m.position, align: "right" },
    { key: "state", title: t.state, value: (m) => (m.active ? t.active : t.inactive), render: (m) => <StateBadge state={m.active ? "active" : "disabled"} label={m.active ? t.active : t.inactive} /> },
  ];
}

function Thumbnail({ material: m }: { material: Material }) {
  return m.kind === "banner" ? (
    <Image src={m.media_path} alt="" w={96} h={48} fit="contain" radius="sm" loading="lazy" style={{ objectPosition: "left" }} />
  ) : (
    <Text size="sm" c="dimmed" lineClamp={2} maw={280} style={{ overflowWrap: "anywhere" }}>
      {says(m)}
    </Text>
  );
}

/** What the business gives affiliates to hand on. */
export function Materials() {
  const me = useMe();
  const cache = useQueryClient();
  const programs = usePrograms();
  const [kind, setKind] = useQueryState("kind");
  const [opened, setOpened] = useState<Material | "new">();
  const [doomed, setDoomed] = useState<Material>();
  const mine = may(me, "catalog:write");
  const list = useQuery({ queryKey: ["materials"], queryFn: ({ signal }) => ok(client.GET("/api/v1/materials", { signal })) });
  const again = () => cache.invalidateQueries({ queryKey: ["materials"] });
  const turn = async (m: Material) => {
    try {
      await ok(client.PATCH("/api/v1/materials/{id}", { params: { path: { id: m.id } }, body: { active: !m.active } }));
      notifications.show({ message: text.common.saved, color: "teal" });
      await again();
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    }
  };
  const remove = async (m: Material) => {
    await ok(client.DELETE("/api/v1/materials/{id}", { params: { path: { id: m.id } } }));
    notifications.show({ message: t.deleted, color: "teal" });
    await again();
  };
  const make = mine && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpened("new")}>
      {t.new}
    </Button>
  );
  const deeds: Column<Material> = {
    key: "deeds", title: text.common.more, value: () => "", deeds: true,
    render: (m) => (
      <Group gap={4} wrap="nowrap">
        <Button size="compact-sm" variant="default" onClick={() => void turn(m)} aria-label={`${m.active ? t.deactivate : t.activate} ${m.name}`}>
          {m.active ? t.deactivate : t.activate}
        </Button>
        <Button size="compact-sm" variant="subtle" color="red" onClick={() => setDoomed(m)} aria-label={`${t.delete} ${m.name}`}>
          {t.delete}
        </Button>
      </Group>
    ),
  };
  const shown = columns((id) => (id ? (programs.data?.find((p) => p.id === id)?.name ?? id) : t.programAll));
  const title = opened === "new" ? t.new : opened && (mine ? fill(t.edit, { name: opened.name }) : opened.name);
  return (
    <Page title={text.nav.materials} about={t.about} actions={make}>
      <Loaded query={list}>
        {({ items }) =>
          items.length === 0 ? (
            <Card>
              <EmptyState title={t.empty} action={make}>
                {t.emptyText}
              </EmptyState>
            </Card>
          ) : (
            <DataTable
              name={text.nav.materials}
              columns={mine ? [...shown, deeds] : shown}
              source={items.filter((m) => kind === "" || m.kind === kind)}
              rowKey={(m) => m.id}
              onRow={setOpened}
              filters={<Select aria-label={t.kind} data={kinds} value={kind} onChange={setKind} allowDeselect={false} w={180} />}
            />
          )
        }
      </Loaded>
      <Modal opened={opened !== undefined} onClose={() => setOpened(undefined)} title={title} size={mine ? "xl" : "lg"}>
        {opened && (mine || opened === "new" ? <MaterialForm material={opened === "new" ? undefined : opened} onDone={() => setOpened(undefined)} /> : <MaterialPreview material={sampleOf(opened)} />)}
      </Modal>
      <ConfirmDialog
        opened={doomed !== undefined} onClose={() => setDoomed(undefined)} title={doomed ? fill(t.deleteTitle, { name: doomed.name }) : ""} action={t.delete} danger
        onConfirm={async () => doomed && remove(doomed)}
      >
        <Text size="sm">{t.deleteText}</Text>
      </ConfirmDialog>
    </Page>
  );
}
