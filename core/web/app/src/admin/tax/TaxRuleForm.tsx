import { Button, Group, Select, Stack, Text, TextInput, Textarea } from "@mantine/core";
import { DatePickerInput } from "@mantine/dates";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import dayjs from "dayjs";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { parsePercent, percentText, showErrors } from "../../ui/form";
import { decimalText, minorDigits, parseMoney } from "../../ui/locale";
import { ErrorState } from "../../ui/states";

type Terms = Schemas["TaxTerms"];
const t = text.tax;

export function blankTerms(): Terms {
  return {
    name: "", country: "IN", confirmed_by: "", note: "", rate_bp: 0, no_id_rate_bp: 0, round_to_minor: 100, threshold: { minor: 0, currency: "INR" }, threshold_mode: "whole",
    utc_offset_minutes: 330, valid_from: dayjs().startOf("day").add(1, "day").toISOString(), year_month: 4, year_day: 1,
  };
}

/** Makes a rule. Amounts and rates are typed as people write them. */
export function TaxRuleForm({ terms, onDone }: { terms: Terms; onDone: () => void }) {
  const cache = useQueryClient();
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: {
      name: terms.name, country: terms.country, confirmed_by: terms.confirmed_by, note: terms.note, rate_bp: percentText(terms.rate_bp), no_id_rate_bp: percentText(terms.no_id_rate_bp),
      threshold: decimalText(terms.threshold.minor, minorDigits(terms.threshold.currency)), currency: terms.threshold.currency, threshold_mode: terms.threshold_mode as string,
      valid_from: dayjs(terms.valid_from).format("YYYY-MM-DD") as string | null,
    },
    validate: {
      name: (v) => (v.trim() ? null : t.name),
      country: (v) => (/^[A-Za-z]{2}$/.test(v) ? null : "ISO 3166-1: IN"),
      rate_bp: (v) => (parsePercent(v) === undefined ? t.percent : null),
      no_id_rate_bp: (v) => (parsePercent(v) === undefined ? t.percent : null),
      threshold: (v, all) => (parseMoney(v, all.currency) === undefined ? t.threshold : null),
      valid_from: (v) => (v ? null : t.validFrom),
    },
  });
  const save = form.onSubmit(async (v) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await ok(
        client.POST("/api/v1/tax-rules", {
          body: {
            ...terms, name: v.name.trim(), country: v.country.toUpperCase(), confirmed_by: v.confirmed_by.trim(), note: v.note.trim(), rate_bp: parsePercent(v.rate_bp) ?? 0,
            no_id_rate_bp: parsePercent(v.no_id_rate_bp) ?? 0, threshold: { currency: v.currency, minor: parseMoney(v.threshold, v.currency) ?? 0 },
            threshold_mode: v.threshold_mode as Terms["threshold_mode"], valid_from: dayjs(v.valid_from).startOf("day").toISOString(),
          },
        }),
      );
      notifications.show({ message: t.created, color: "teal" });
      await cache.invalidateQueries();
      onDone();
    } catch (error) {
      showErrors(form, error);
      setFailure(error);
    } finally {
      setBusy(false);
    }
  });
  return (
    <form onSubmit={save} noValidate>
      <Stack>
        <TextInput label={t.name} required data-autofocus {...form.getInputProps("name")} />
        <Group grow align="flex-start">
          <TextInput label={t.country} required maxLength={2} {...form.getInputProps("country")} />
          <DatePickerInput label={t.validFrom} required {...form.getInputProps("valid_from")} />
        </Group>
        <Group grow align="flex-start">
          <TextInput label={`${t.rate}, ${t.percent}`} inputMode="decimal" {...form.getInputProps("rate_bp")} />
          <TextInput label={`${t.noIDRate}, ${t.percent}`} inputMode="decimal" {...form.getInputProps("no_id_rate_bp")} />
        </Group>
        <Group grow align="flex-start">
          <TextInput label={t.threshold} inputMode="decimal" {...form.getInputProps("threshold")} />
          <Select label={t.currency} data={["INR", "USD", "EUR"]} allowDeselect={false} {...form.getInputProps("currency")} />
        </Group>
        <Select label={t.mode} data={Object.entries(t.modes).map(([value, label]) => ({ value, label }))} allowDeselect={false} {...form.getInputProps("threshold_mode")} />
        <TextInput label={t.confirmed} {...form.getInputProps("confirmed_by")} />
        <Textarea label={t.note} autosize {...form.getInputProps("note")} />
        <Text size="sm" c="dimmed">
          {fill(t.asIs, { day: terms.year_day, month: terms.year_month, offset: terms.utc_offset_minutes, round: terms.round_to_minor })}
        </Text>
        {failure !== undefined && <ErrorState error={failure} />}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            {text.common.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
