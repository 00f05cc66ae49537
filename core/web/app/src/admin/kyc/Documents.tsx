import { Button, Drawer, Group, Stack, Text, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok, source } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatDateTime } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { countryName } from "../../ui/span";
import { StateBadge } from "../../ui/StateBadge";
import { StateFilter } from "../../ui/StateFilter";
import { EmptyState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { withNames, type Named } from "../parts/names";
import { Ref } from "../parts/Ref";

type Document = Schemas["KYCDocument"];
const t = text.kyc;
const states = ["submitted", "accepted", "rejected", "awaiting"] as const;

const kindName = (kind: string) => text.documents.kinds[kind] ?? kind.replaceAll("_", " ");

const columns: Column<Named<Document>>[] = [
  { key: "kind", title: t.kind, value: ({ row }) => kindName(row.kind) },
  { key: "affiliate", title: t.affiliate, value: ({ row, name }) => name(row.affiliate_id), render: ({ row, name }) => <Ref id={row.affiliate_id} name={name(row.affiliate_id)} /> },
  { key: "country", title: t.country, value: ({ row }) => countryName(row.country), wide: true },
  { key: "state", title: t.state, value: ({ row }) => text.states[row.state] ?? row.state, render: ({ row }) => <StateBadge state={row.state} /> },
  { key: "file", title: t.file, value: ({ row }) => row.file_name || "–", wide: true },
  { key: "created_at", title: t.sent, value: ({ row }) => row.created_at, render: ({ row }) => <When at={row.created_at} /> },
];

/** Documents that wait for a person's judgement. */
export function KYCDocuments() {
  const [state, setState] = useQueryState("state", "submitted");
  const [opened, setOpened] = useState<Named<Document>>();
  const sees = may(useMe(), "catalog:read");
  const query = state && state !== "all" ? { state: state as (typeof states)[number] } : {};
  return (
    <Page title={text.nav.kyc} about={t.about}>
      <DataTable
        key={state}
        name={text.nav.kyc}
        columns={columns}
        source={withNames(
          source<Document>(["kyc-documents", query], (page, signal) => client.GET("/api/v1/kyc-documents", { params: { query: { ...query, ...page } }, signal })),
          (d) => (sees ? [d.affiliate_id] : []),
        )}
        rowKey={({ row }) => row.id}
        onRow={setOpened}
        filters={<StateFilter states={states} value={state === "all" ? "" : state} onChange={(next) => setState(next || "all")} label={t.state} />}
        empty={<EmptyState title={t.empty} />}
      />
      <Drawer opened={opened !== undefined} onClose={() => setOpened(undefined)} position="right" title={opened && fill(t.reviewTitle, { kind: kindName(opened.row.kind), affiliate: opened.name(opened.row.affiliate_id) })}>
        {opened && <Review document={opened.row} onDone={() => setOpened(undefined)} />}
      </Drawer>
    </Page>
  );
}

function Review({ document: d, onDone }: { document: Document; onDone: () => void }) {
  const me = useMe();
  const cache = useQueryClient();
  const [rejecting, setRejecting] = useState(false);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const params = { path: { id: d.id } };
  const open = async () => {
    try {
      const { path } = await ok(client.POST("/api/v1/kyc-documents/{id}/link", { params }));
      window.open(path, "_blank", "noopener,noreferrer");
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    }
  };
  const decide = async (accept: boolean) => {
    await ok(client.POST("/api/v1/kyc-documents/{id}/review", { params, body: accept ? { accept } : { accept, reason: reason.trim() } }));
    notifications.show({ message: accept ? t.accepted : t.rejected });
    await cache.invalidateQueries();
    onDone();
  };
  const accept = async () => {
    setBusy(true);
    try {
      await decide(true);
    } catch (error) {
      notifications.show({ color: "red", message: sentence(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack>
      <Group gap="xs">
        <StateBadge state={d.state} />
        <Text size="sm">{d.file_name}</Text>
      </Group>
      {d.reviewed_at && <Text size="sm">{fill(t.reviewed, { who: d.reviewed_by, at: formatDateTime(d.reviewed_at) })}</Text>}
      {d.reason && <Text size="sm">{d.reason}</Text>}
      {d.size > 0 && (
        <Button variant="default" onClick={() => void open()}>
          {t.open}
        </Button>
      )}
      {may(me, "kyc:write") && (d.state === "submitted" || d.state === "accepted") && (
        <Group grow>
          <Button variant="light" color="red" onClick={() => setRejecting(true)}>
            {t.reject}
          </Button>
          {d.state === "submitted" && (
            <Button onClick={() => void accept()} loading={busy}>
              {t.accept}
            </Button>
          )}
        </Group>
      )}
      <ConfirmDialog opened={rejecting} onClose={() => setRejecting(false)} title={t.reject} action={t.reject} danger disabled={!reason.trim()} onConfirm={() => decide(false)}>
        <Text size="sm">{t.rejectAbout}</Text>
        <Textarea label={t.reason} value={reason} onChange={(e) => setReason(e.currentTarget.value)} required maxLength={500} autosize data-autofocus />
      </ConfirmDialog>
    </Stack>
  );
}
