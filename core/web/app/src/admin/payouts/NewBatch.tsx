import { Alert, Button, Group, SegmentedControl, Select, Stack, Switch, Text, TextInput, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatMoney, formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { Page } from "../../ui/Page";
import { Stat, StatGrid } from "../../ui/Stat";
import { Loaded } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { useQueryState } from "../../ui/useQueryState";
import { When } from "../../ui/When";
import { amountText } from "./Batches";
import { reason, Reasons } from "./Reasons";

type Candidate = Schemas["PayoutCandidate"];
const t = text.payouts;

const columns: Column<Candidate>[] = [
  { key: "name", title: t.affiliate, value: (c) => c.name },
  {
    key: "requested_at", title: text.payoutRequests.asked, wide: true, value: (c) => c.requested_at ?? "",
    render: (c) => (c.requested_at ? <When at={c.requested_at} as="date" /> : "–"),
  },
  { key: "account", title: t.account, value: (c) => c.account || t.noAccount, wide: true },
  { key: "pending", title: t.pending, value: (c) => amountText(c.pending), render: (c) => <Money amount={c.pending} />, align: "right", wide: true },
  { key: "payable", title: t.payable, value: (c) => amountText(c.payable), render: (c) => <Money amount={c.payable} />, align: "right" },
  {
    key: "tax", title: t.tax, value: (c) => amountText(c.tax), align: "right", wide: true,
    render: (c) => (
      <Tooltip label={c.tax_text} disabled={!c.tax_text} multiline maw={320}>
        <span>
          <Money amount={c.tax} />
        </span>
      </Tooltip>
    ),
  },
  { key: "net", title: t.net, value: (c) => (c.ready ? amountText(c.net) : ""), render: (c) => (c.ready ? <Money amount={c.net} fw={600} /> : "–"), align: "right" },
  { key: "reasons", title: t.notReady, value: (c) => c.reasons.map(reason).join("; "), render: (c) => <Reasons of={c} /> },
];

/** Who would be paid, how much, and why not; then the batch. */
export function NewBatch() {
  const [currency, setCurrency] = useQueryState("currency", "INR");
  const [executor, setExecutor] = useQueryState("executor", "bank_file");
  const [requested, setRequested] = useQueryState("requested");
  const [show, setShow] = useState("all");
  const [making, setMaking] = useState(false);
  const preview = useQuery({
    queryKey: ["payout-preview", currency, executor, requested],
    queryFn: ({ signal }) => ok(client.POST("/api/v1/payout-batches/preview", { body: { currency, executor, requested_only: requested !== "" }, signal })),
  });
  const me = useMe();
  return (
    <Page
      title={t.new}
      about={t.newAbout}
      trail={[{ label: text.nav.batches, to: "/admin/payouts" }]}
      actions={
        may(me, "payouts:write") &&
        preview.data &&
        preview.data.payouts > 0 && (
          <Button onClick={() => setMaking(true)} h="auto" mih={36} py={6} styles={{ label: { whiteSpace: "normal" } }}>
            {fill(t.create, { n: formatNumber(preview.data.payouts), net: formatMoney(preview.data.net) })}
          </Button>
        )
      }
    >
      <Group align="flex-end">
        <Select label={t.currency} data={["INR", "USD", "EUR"]} value={currency} onChange={setCurrency} allowDeselect={false} w={110} />
        <Select
          label={t.how}
          data={Object.entries(t.executors).filter(([value]) => value !== "sandbox").map(([value, label]) => ({ value, label }))}
          value={executor}
          onChange={setExecutor}
          allowDeselect={false}
          w={240}
        />
        <Switch label={text.payoutRequests.onlyAsked} checked={requested !== ""} onChange={(e) => setRequested(e.currentTarget.checked ? "1" : null)} mb={8} />
      </Group>
      <Loaded query={preview} lines={10}>
        {(p) => (
          <Stack>
            <StatGrid>
              <Stat label={t.payouts} value={formatNumber(p.payouts)} />
              <Stat label={text.payoutRequests.requests} value={formatNumber(p.requests)} hint={p.requests > 0 && fill(text.payoutRequests.requestsReady, { n: formatNumber(p.requests_ready) })} />
              <Stat label={t.gross} value={formatMoney(p.gross)} />
              <Stat label={t.tax} value={formatMoney(p.tax)} />
              <Stat label={t.net} value={formatMoney(p.net)} />
            </StatGrid>
            {p.payouts === 0 && <Alert color="yellow">{t.nothing}</Alert>}
            {p.more && <Alert color="yellow">{t.previewMore}</Alert>}
            <DataTable
              name={t.new}
              columns={columns}
              source={p.candidates.filter((c) => show === "all" || c.ready === (show === "ready"))}
              rowKey={(c) => c.affiliate_id}
              to={(c) => `/admin/affiliates/${c.affiliate_id}`}
              filters={
                <SegmentedControl
                  aria-label={t.affiliate}
                  value={show}
                  onChange={setShow}
                  data={[
                    { value: "all", label: t.all },
                    { value: "ready", label: t.readyOnly },
                    { value: "not", label: t.withReasons },
                  ]}
                />
              }
            />
            <CreateDialog preview={p} selection={{ currency, executor, requested_only: requested !== "" }} opened={making} onClose={() => setMaking(false)} />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

interface CreateProps {
  preview: Schemas["PayoutPreview"];
  selection: Schemas["PayoutSelection"];
  opened: boolean;
  onClose: () => void;
}

function CreateDialog({ preview, selection, opened, onClose }: CreateProps) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [note, setNote] = useState("");
  const create = async () => {
    const batch = await ok(client.POST("/api/v1/payout-batches", { body: { ...selection, note: note.trim() } }));
    notifications.show({ message: t.created, color: "teal" });
    await cache.invalidateQueries();
    await navigate(`/admin/payouts/${batch.id}`);
  };
  return (
    <ConfirmDialog opened={opened} onClose={onClose} title={t.createTitle} action={t.createTitle} onConfirm={create}>
      <Text size="sm">{fill(t.createAbout, { net: formatMoney(preview.net), n: formatNumber(preview.payouts), approvals: t.createOther })}</Text>
      <TextInput label={t.note} description={t.noteHint} value={note} onChange={(e) => setNote(e.currentTarget.value)} maxLength={128} />
    </ConfirmDialog>
  );
}
