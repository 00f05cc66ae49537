import { Alert, Anchor, Button, Card, FileInput, Group, Progress, Stack, Text, Title } from "@mantine/core";
import { IconFileTypeCsv, IconUpload } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatBytes, formatNumber } from "../../ui/locale";
import { Stat, StatGrid } from "../../ui/Stat";
import { ErrorState, LoadingState } from "../../ui/states";
import { csv, save } from "../../ui/table/csv";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { divide } from "./parts";

type Outcome = Schemas["Upload"];
type Wrong = Schemas["LineError"];

const t = text.bookings;
const maxBytes = 10 << 20;
const partRecords = 500;

function send(body: string, dry_run: boolean, signal: AbortSignal): Promise<Outcome> {
  return ok(
    client.POST("/api/v1/conversions/upload", { params: { query: { dry_run } }, headers: { "Content-Type": "text/csv" }, body, bodySerializer: (b: unknown) => b as string, signal }) as Promise<{
      data?: Outcome;
      error?: unknown;
      response: Response;
    }>,
  );
}

type Step =
  | { at: "choose" }
  | { at: "checking" }
  | { at: "checked"; outcome: Outcome }
  | { at: "booking"; done: number; all: number; outcome: Outcome }
  | { at: "done"; outcome: Outcome; stopped: boolean };

const nothing: Outcome = { lines: 0, valid: 0, invalid: 0, booked: 0, duplicates: 0, conflicts: 0, refused: 0, dry_run: false, errors: [] };

/** Checks a file as a whole, then books it in parts that can be stopped. */
export function Upload() {
  const cache = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [step, setStep] = useState<Step>({ at: "choose" });
  const [failure, setFailure] = useState<unknown>();
  const running = useRef<AbortController>(undefined);

  const begin = () => {
    setFailure(undefined);
    return (running.current = new AbortController());
  };
  const check = async () => {
    const { signal } = begin();
    setStep({ at: "checking" });
    try {
      setStep({ at: "checked", outcome: await send((await file?.text()) ?? "", true, signal) });
    } catch (error) {
      setStep({ at: "choose" });
      setFailure(signal.aborted ? undefined : error);
    }
  };
  const book = async () => {
    const { signal } = begin();
    const parts = divide((await file?.text()) ?? "", partRecords);
    const all = parts.reduce((n, p) => n + p.lines, 0);
    let outcome = { ...nothing };
    let done = 0;
    setStep({ at: "booking", done, all, outcome });
    try {
      for (const part of parts) {
        if (signal.aborted) {
          break;
        }
        // A part that was sent is waited for, so that what is shown is what happened.
        const some = await send(part.text, false, new AbortController().signal);
        outcome = {
          ...outcome,
          lines: outcome.lines + some.lines,
          valid: outcome.valid + some.valid,
          invalid: outcome.invalid + some.invalid,
          booked: outcome.booked + some.booked,
          duplicates: outcome.duplicates + some.duplicates,
          conflicts: outcome.conflicts + some.conflicts,
          refused: outcome.refused + some.refused,
          errors: [...outcome.errors, ...some.errors.map((e) => ({ ...e, line: part.lineOf(e.line) }))],
        };
        done += part.lines;
        setStep({ at: "booking", done, all, outcome });
      }
    } catch (error) {
      setFailure(error);
    }
    setStep({ at: "done", outcome, stopped: done < all });
    await cache.invalidateQueries();
  };
  const choose = (next: File | null) => {
    setFile(next);
    setFailure(undefined);
    setStep({ at: "choose" });
  };
  const tooLarge = file !== null && file.size > maxBytes;
  const busy = step.at === "checking" || step.at === "booking";

  return (
    <Stack>
      <Card>
        <Stack>
          <Text size="sm">{t.uploadAbout}</Text>
          <Text size="sm" c="dimmed" maw="44rem">
            {fill(t.uploadColumns, { size: formatBytes(maxBytes) })}{" "}
            <Anchor component="button" type="button" inherit onClick={example}>
              {t.uploadExample}
            </Anchor>
          </Text>
          <Group align="flex-end">
            <FileInput
              label={t.uploadFile}
              placeholder={t.uploadChoose}
              accept=".csv,text/csv"
              leftSection={<IconFileTypeCsv size={18} aria-hidden />}
              clearable
              value={file}
              onChange={choose}
              disabled={busy}
              error={tooLarge && fill(t.uploadTooLarge, { max: formatBytes(maxBytes) })}
              w={{ base: "100%", xs: 320 }}
            />
            <Button variant={step.at === "checked" ? "default" : "filled"} onClick={() => void check()} disabled={!file || tooLarge || step.at === "booking"} loading={step.at === "checking"}>
              {t.uploadCheck}
            </Button>
            {step.at === "checked" && step.outcome.invalid === 0 && step.outcome.valid > 0 && (
              <Button leftSection={<IconUpload size={16} aria-hidden />} onClick={() => void book()}>
                {fill(t.uploadBook, { n: formatNumber(step.outcome.valid) })}
              </Button>
            )}
          </Group>
        </Stack>
      </Card>
      {failure !== undefined && <ErrorState error={failure} />}
      {step.at === "checking" && <LoadingState lines={3} />}
      {step.at === "booking" && (
        <Card>
          <Stack gap="xs">
            <Progress value={step.all ? (100 * step.done) / step.all : 0} aria-label={t.tabs.upload} />
            <Group justify="space-between">
              <Text size="sm" role="status">
                {fill(t.uploadBooking, { done: formatNumber(step.done), all: formatNumber(step.all) })}
              </Text>
              <Button size="xs" variant="default" onClick={() => running.current?.abort()}>
                {t.uploadStop}
              </Button>
            </Group>
          </Stack>
        </Card>
      )}
      {step.at === "checked" && <Alert color={step.outcome.invalid > 0 ? "red" : "teal"}>{step.outcome.invalid > 0 ? t.uploadBad : t.uploadGood}</Alert>}
      {step.at === "done" && <Alert color={step.stopped ? "yellow" : "teal"}>{step.stopped ? t.uploadStopped : t.uploadDone}</Alert>}
      {(step.at === "checked" || step.at === "booking" || step.at === "done") && <Shown outcome={step.outcome} dry={step.at === "checked"} />}
    </Stack>
  );
}

const columns: Column<Wrong>[] = [
  { key: "line", title: t.line, value: (e) => e.line, render: (e) => formatNumber(e.line) },
  { key: "column", title: t.column, value: (e) => e.column },
  { key: "error", title: t.error, value: (e) => e.detail },
  { key: "code", title: text.common.code, value: (e) => e.code, wide: true },
];

function Shown({ outcome, dry }: { outcome: Outcome; dry: boolean }) {
  return (
    <Stack>
      <StatGrid>
        <Stat label={t.lines} value={formatNumber(outcome.lines)} />
        {dry && <Stat label={t.valid} value={formatNumber(outcome.valid)} />}
        {dry && <Stat label={t.invalid} value={formatNumber(outcome.invalid)} />}
        {!dry && <Stat label={t.booked} value={formatNumber(outcome.booked)} />}
        {!dry && <Stat label={t.duplicates} value={formatNumber(outcome.duplicates)} />}
        {!dry && <Stat label={t.conflicts} value={formatNumber(outcome.conflicts)} />}
        {!dry && <Stat label={t.refused} value={formatNumber(outcome.refused)} />}
      </StatGrid>
      {outcome.errors.length > 0 && (
        <section>
          <Title order={2} mb="xs">
            {t.errorsOf}
          </Title>
          {outcome.errors.length >= 1000 && <Text size="sm">{t.errorsCapped}</Text>}
          <DataTable name={t.errorsOf} source={outcome.errors} rowKey={(e) => `${e.line} ${e.column} ${e.code}`} columns={columns} />
        </section>
      )}
    </Stack>
  );
}

function example() {
  const rows = [
    ["program_id", "type", "txn_id", "ref_txn_id", "click_id", "amount", "currency", "name", "customer", "coupon", "happened_at"],
    ["prg_…", "sale", "order-1001", "", "", "1499.50", "INR", "", "buyer@example.com", "SPRING", "2026-11-01T10:30:00Z"],
    ["prg_…", "refund", "refund-7", "order-1001", "", "500.00", "INR", "", "", "", "2026-11-09T08:00:00Z"],
  ];
  save("conversions.csv", csv(rows), "text/csv");
}
