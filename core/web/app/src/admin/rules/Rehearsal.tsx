import { Alert, Box, Button, Card, Group, Loader, NumberInput, Stack, Switch, Text, Title } from "@mantine/core";
import { DatePickerInput } from "@mantine/dates";
import { useMutation } from "@tanstack/react-query";
import dayjs from "dayjs";
import { useRef, useState } from "react";

import { ok } from "../../api/call";
import { api, client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";
import { Money } from "../../ui/Money";
import { EmptyState, ErrorState } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table/DataTable";
import { SmallTable, type SmallColumn } from "../../ui/table/SmallTable";
import { useNames } from "../parts/names";
import { Ref } from "../parts/Ref";
import { draftOf, type Rule } from "./rule";
import { useRules } from "./rules";

const t = text.partners;

type Difference = Schemas["RehearsalDifference"];

interface Props {
  program: string;
  /** Which the draft replaces; absent: it is added. */
  rule?: Rule;
  /** Undefined while the form is not filled in. */
  draft: () => Schemas["DraftRule"] | undefined;
  /** Of the form: what was rehearsed with another one is old. */
  version: string;
}

/** Runs the draft, among the other live rules of the program, over sales of the past. */
export function Rehearsal({ program, rule, draft, version }: Props) {
  const today = dayjs().startOf("day");
  const [span, setSpan] = useState<[string | null, string | null]>([today.subtract(30, "day").format("YYYY-MM-DD"), today.format("YYYY-MM-DD")]);
  const [guard, setGuard] = useState<number | "">();
  const [ran, setRan] = useState("");
  const running = useRef<AbortController>(undefined);
  const others = useRules({ program_id: program }, program !== "");
  const terms = api.useQuery("get", "/api/v1/programs/{id}", { params: { path: { id: program } } }, { enabled: program !== "" });
  const run = useMutation({
    mutationFn: (mine: Schemas["DraftRule"]) => {
      const { signal } = (running.current = new AbortController());
      const kept = terms.data?.terms;
      const { max_share_bp: _, ...rest } = kept ?? { bind: "lead" as const };
      return ok(
        client.POST("/api/v1/commission-rules/rehearse", {
          body: {
            program_id: program,
            from: dayjs(span[0]).toISOString(),
            to: dayjs(span[1]).add(1, "day").toISOString(),
            rules: [...(others.data ?? []).filter((r) => r.id !== rule?.id).map(draftOf), mine],
            ...(guard !== undefined && kept && { terms: { ...rest, ...(guard !== "" && { max_share_bp: Math.round(guard * 100) }) } }),
          },
          signal,
        }),
      );
    },
  });
  const begin = () => {
    const mine = draft();
    if (mine) {
      setRan(version + JSON.stringify([span, guard]));
      run.mutate(mine);
    }
  };
  const stopped = run.error instanceof DOMException && run.error.name === "AbortError";
  const fresh = ran === version + JSON.stringify([span, guard]);
  return (
    <Card component="section" aria-label={t.rehearseTitle}>
      <Stack gap="sm">
        <div>
          <Title order={2}>{t.rehearseTitle}</Title>
          <Text size="sm" c="dimmed" maw="44rem">
            {t.rehearseText}
          </Text>
        </div>
        <Group align="flex-start">
          <DatePickerInput type="range" label={text.common.period} value={span} onChange={setSpan} maxDate={today.format("YYYY-MM-DD")} allowSingleDateInRange valueFormat="D MMM YYYY" miw={230} />
          <NumberInput
            label={t.guard}
            description={t.guardHint}
            inputWrapperOrder={["label", "input", "description", "error"]}
            suffix=" %"
            min={0}
            max={100}
            decimalScale={2}
            value={guard ?? (terms.data?.terms.max_share_bp === undefined ? "" : terms.data.terms.max_share_bp / 100)}
            onChange={(v) => setGuard(v === "" ? "" : Number(v))}
            w={{ base: "100%", sm: 260 }}
          />
          <Button mt={{ sm: 24 }} variant="light" onClick={begin} disabled={!program || !others.data || !terms.data || !span[0] || !span[1] || run.isPending}>
            {run.data ? t.rehearseAgain : t.rehearseRun}
          </Button>
          {run.isPending && (
            <Group gap="xs" role="status" mb={6}>
              <Loader size="xs" />
              <Button size="compact-xs" variant="subtle" onClick={() => running.current?.abort()}>
                {text.common.cancel}
              </Button>
            </Group>
          )}
        </Group>
        {others.error && <ErrorState error={others.error} retry={() => void others.refetch()} />}
        {run.error && !stopped && <ErrorState error={run.error} />}
        {(!run.data || !fresh) && !run.isPending && <Text size="sm">{t.rehearseNeeded}</Text>}
        {run.data && fresh && !run.isPending && <Result result={run.data} />}
      </Stack>
    </Card>
  );
}

function Result({ result }: { result: Schemas["RehearsalResult"] }) {
  const [all, setAll] = useState(false);
  const name = useNames(result.affiliates.map((d) => d.affiliate_id));
  const changed = result.affiliates.filter((d) => d.difference.minor !== 0);
  if (result.conversions === 0) {
    return <EmptyState title={t.rehearseNothing} />;
  }
  const columns: Column<Difference>[] = [
    { key: "affiliate", title: t.affiliate, value: (d) => name(d.affiliate_id), render: (d) => <Ref id={d.affiliate_id} name={name(d.affiliate_id)} /> },
    { key: "paid", title: t.rehearsePaid, value: (d) => d.paid.minor, render: (d) => <Money amount={d.paid} />, align: "right" },
    { key: "draft", title: t.rehearseDraft, value: (d) => d.draft.minor, render: (d) => <Money amount={d.draft} />, align: "right" },
    { key: "difference", title: t.rehearseDifference, value: (d) => d.difference.minor, render: (d) => <Money amount={d.difference} fw={600} />, align: "right" },
    { key: "currency", title: t.currency, value: (d) => d.difference.currency, wide: true },
  ];
  return (
    <Stack gap="sm">
      <Text size="sm">{fill(t.rehearsed, { n: formatNumber(result.conversions) })}</Text>
      <Totals rows={result.affiliates} />
      {changed.length === 0 && <Alert color="teal">{t.rehearseSame}</Alert>}
      {(all || changed.length > 0) && (
        // As high as a screen, so that saving stays in reach.
        <Box mah={560} style={{ overflow: "auto" }} tabIndex={0}>
          <DataTable
            name={t.rehearseTitle}
            source={all ? result.affiliates : changed}
            rowKey={(d) => d.affiliate_id + d.difference.currency}
            columns={columns}
            filters={<Switch label={t.rehearseOnlyChanged} checked={!all} onChange={(e) => setAll(!e.currentTarget.checked)} mb={8} />}
          />
        </Box>
      )}
    </Stack>
  );
}

/** Each currency for itself. */
function Totals({ rows }: { rows: Difference[] }) {
  const currencies = [...new Set(rows.map((d) => d.difference.currency))].sort();
  const sum = (currency: string, pick: (d: Difference) => number) => ({ currency, minor: rows.reduce((n, d) => (d.difference.currency === currency ? n + pick(d) : n), 0) });
  const amount = (key: string, title: string, pick: (d: Difference) => number, fw?: number): SmallColumn<string> => ({
    key, title, align: "right", value: (c) => sum(c, pick).minor, render: (c) => <Money amount={sum(c, pick)} fw={fw} />,
  });
  return (
    <SmallTable
      name={t.total}
      w="auto"
      rows={currencies}
      rowKey={(c) => c}
      columns={[
        { key: "currency", title: t.total, head: true, value: (c) => c },
        amount("paid", t.rehearsePaid, (d) => d.paid.minor),
        amount("draft", t.rehearseDraft, (d) => d.draft.minor),
        amount("difference", t.rehearseDifference, (d) => d.difference.minor, 650),
      ]}
    />
  );
}
