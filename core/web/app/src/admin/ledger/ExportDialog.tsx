import { Button, Group, Loader, Modal, Select, Stack, Text } from "@mantine/core";
import { DatePickerInput } from "@mantine/dates";
import dayjs from "dayjs";
import { useRef, useState } from "react";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { text } from "../../text";
import { ErrorState } from "../../ui/states";
import { save } from "../../ui/table/csv";

const t = text.bookings;

const files = { csv: "ledger.csv", hledger: "ledger.journal", beancount: "ledger.beancount" };

/** Exports the ledger as a table or a journal. */
export function ExportDialog({ onClose }: { onClose: () => void }) {
  const [format, setFormat] = useState<keyof typeof files>("csv");
  const [from, setFrom] = useState<string | null>(null);
  const [to, setTo] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const running = useRef<AbortController>(undefined);

  const run = async () => {
    const { signal } = (running.current = new AbortController());
    setBusy(true);
    setFailure(undefined);
    try {
      const query = {
        format,
        ...(from && { from: dayjs(from).startOf("day").toISOString() }),
        ...(to && { to: dayjs(to).startOf("day").add(1, "day").toISOString() }), // the day that was chosen is in it
      };
      const blob = (await ok(client.GET("/api/v1/ledger/export", { params: { query }, parseAs: "blob", signal }))) as unknown as Blob;
      save(files[format], blob, blob.type);
      onClose();
    } catch (error) {
      setFailure(signal.aborted ? undefined : error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={t.export} closeOnClickOutside={!busy}>
      <Stack>
        <Text size="sm">{t.exportText}</Text>
        <Select label={t.format} data={Object.entries(t.formats).map(([value, label]) => ({ value, label }))} value={format} onChange={(v) => setFormat((v ?? "csv") as keyof typeof files)} allowDeselect={false} />
        <Group grow>
          <DatePickerInput label={text.common.from} clearable value={from} onChange={setFrom} maxDate={to ?? undefined} />
          <DatePickerInput label={text.common.to} clearable value={to} onChange={setTo} minDate={from ?? undefined} />
        </Group>
        {busy && (
          <Group gap="xs" role="status">
            <Loader size="xs" />
            <Text size="sm">{t.exporting}</Text>
          </Group>
        )}
        {failure !== undefined && <ErrorState error={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => (busy ? running.current?.abort() : onClose())}>
            {text.common.cancel}
          </Button>
          <Button onClick={() => void run()} loading={busy}>
            {t.export}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
