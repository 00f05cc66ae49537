import { Button, Checkbox, Group, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { showErrors } from "../../ui/form";
import { ErrorState } from "../../ui/states";
import { AffiliatePicker, ProgramPicker } from "../parts/pickers";

type Webhook = Schemas["Webhook"];
type Events = Schemas["WebhookRequest"]["events"];
const t = text.webhooks;
const events: Events = ["conversion.booked", "conversion.refused", "commission.created", "commission.released", "commission.reversed", "commission.restored"];

interface Values extends Record<string, unknown> {
  url: string;
  description: string;
  events: Events;
  method: "GET" | "POST";
  program_id: string;
  affiliate_id: string;
}

/** Makes a webhook, or changes one. Whose it is stays. */
export function WebhookForm({ webhook, onDone }: { webhook?: Webhook; onDone: (webhook: Webhook) => void }) {
  const cache = useQueryClient();
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useForm<Values>({
    initialValues: {
      url: webhook?.url ?? "",
      description: webhook?.description ?? "",
      events: (webhook?.events as Events | undefined) ?? ["conversion.booked", "commission.created"],
      method: webhook?.method ?? "POST",
      program_id: webhook?.program_id ?? "",
      affiliate_id: webhook?.affiliate_id ?? "",
    },
    validate: { url: (v) => (/^https?:\/\/\S+$/.test(v.trim()) ? null : t.urlHint), events: (v) => (v.length > 0 ? null : t.events) },
  });
  const postback = form.values.affiliate_id !== "";
  const save = form.onSubmit(async (v) => {
    setBusy(true);
    setFailure(undefined);
    const body = { url: v.url.trim(), description: v.description.trim(), events: v.events, ...(postback && { method: v.method }) };
    try {
      const saved = webhook
        ? await ok(client.PATCH("/api/v1/webhooks/{id}", { params: { path: { id: webhook.id } }, body }))
        : await ok(client.POST("/api/v1/webhooks", { body: { ...body, ...(v.program_id && { program_id: v.program_id }), ...(v.affiliate_id && { affiliate_id: v.affiliate_id }) } }));
      notifications.show({ message: text.common.saved, color: "teal" });
      await cache.invalidateQueries();
      onDone(saved);
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
        <TextInput label={t.url} description={postback ? `${t.urlHint}. ${fill(t.macroHint, { macros: "{txn_id}, {amount}, {currency}, {event}, …" })}` : t.urlHint} type="url" required data-autofocus {...form.getInputProps("url")} />
        <TextInput label={t.description} maxLength={255} {...form.getInputProps("description")} />
        {!webhook && (
          <>
            <ProgramPicker label={t.program} placeholder={t.allPrograms} value={form.values.program_id} onChange={(id) => form.setFieldValue("program_id", id)} clearable />
            <AffiliatePicker label={t.affiliate} description={t.affiliateHint} value={form.values.affiliate_id} onChange={(id) => form.setFieldValue("affiliate_id", id)} />
          </>
        )}
        {postback && <SegmentedControl aria-label={t.method} data={["GET", "POST"]} {...form.getInputProps("method")} style={{ alignSelf: "flex-start" }} />}
        <Checkbox.Group label={t.events} required {...form.getInputProps("events")}>
          <Stack gap={6} mt={6}>
            {events.map((event) => (
              <Checkbox key={event} value={event} label={t.eventWords[event]} description={event} />
            ))}
          </Stack>
        </Checkbox.Group>
        {failure !== undefined && <ErrorState error={failure} />}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            {webhook ? text.common.save : text.common.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
