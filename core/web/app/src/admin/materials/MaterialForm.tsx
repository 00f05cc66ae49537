import { Box, Button, Code, Group, NumberInput, Select, SimpleGrid, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { MaterialPreview } from "../../affiliate/materials/MaterialCard";
import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { showErrors } from "../../ui/form";
import { ErrorState } from "../../ui/states";
import { ProgramPicker } from "../parts/pickers";
import { MediaField, type Media } from "./MediaField";
import { sampleOf } from "./sample";

type Material = Schemas["Material"];
const t = text.materials;
const kinds = Object.entries(t.kinds).map(([value, label]) => ({ value, label }));

interface Values extends Record<string, unknown> {
  kind: Material["kind"];
  name: string;
  program_id: string;
  subject: string;
  content: string;
  url: string;
  media_id: Media | undefined;
  active: boolean;
  position: number | string;
}

function valuesOf(m?: Material): Values {
  return {
    kind: m?.kind ?? "banner", name: m?.name ?? "", program_id: m?.program_id ?? "", subject: m?.subject ?? "", content: m?.content ?? "", url: m?.url ?? "",
    media_id: m?.media_id ? { id: m.media_id, path: m.media_path, file_name: m.file_name, width: m.width, height: m.height, size: m.size } : undefined,
    active: m?.active ?? true, position: m?.position ?? 0,
  };
}

/** What a material of its kind has beside what all have; the core refuses the rest. */
function ownFields(v: Values) {
  switch (v.kind) {
    case "banner":
    case "file":
      return { media_id: v.media_id?.id };
    case "text":
      return { content: v.content };
    case "email":
      return { subject: v.subject.trim(), content: v.content };
    case "landing":
      return { url: v.url.trim() };
  }
}

const isPicture = (v: Values) => v.kind === "banner";
const hasMedia = (v: Values) => isPicture(v) || v.kind === "file";
const hasText = (v: Values) => v.kind === "text" || v.kind === "email";

/** Makes a material, or changes one. */
export function MaterialForm({ material, onDone }: { material?: Material; onDone: () => void }) {
  const cache = useQueryClient();
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [sending, setSending] = useState(false);
  const form = useForm<Values>({
    initialValues: valuesOf(material),
    validate: {
      name: (v) => (v.trim() ? null : t.needed),
      position: (v) => (typeof v === "number" && Number.isInteger(v) && Math.abs(v) <= 1_000_000 ? null : t.orderWrong),
      subject: (v, all) => (all.kind !== "email" || v.trim() ? null : t.needed),
      content: (v, all) => (!hasText(all) || v.trim() ? null : t.needed),
      url: (v, all) => (all.kind !== "landing" || v.trim() ? null : t.needed),
      media_id: (v, all) => (!hasMedia(all) || v ? null : t.needed),
    },
  });
  const v = form.values;
  const save = form.onSubmit(async (typed) => {
    setBusy(true);
    setFailure(undefined);
    const body = { name: typed.name.trim(), program_id: typed.program_id, active: typed.active, position: Number(typed.position), ...ownFields(typed) };
    try {
      if (material) {
        await ok(client.PATCH("/api/v1/materials/{id}", { params: { path: { id: material.id } }, body }));
      } else {
        await ok(client.POST("/api/v1/materials", { body: { kind: typed.kind, ...body } }));
      }
      notifications.show({ message: text.common.saved, color: "teal" });
      await cache.invalidateQueries({ queryKey: ["materials"] });
      onDone();
    } catch (error) {
      showErrors(form, error);
      setFailure(error);
    } finally {
      setBusy(false);
    }
  });
  const setKind = (kind: string | null) => {
    form.clearErrors();
    form.setFieldValue("kind", (kind ?? "banner") as Material["kind"]);
    // A document is no banner.
    if (kind === "banner" && v.media_id?.width === 0) {
      form.setFieldValue("media_id", undefined);
    }
  };
  return (
    <form onSubmit={save} noValidate>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
        <Stack>
          {!material && <Select label={t.kind} data={kinds} allowDeselect={false} value={v.kind} onChange={setKind} data-autofocus />}
          <TextInput label={t.name} description={t.nameHint} required maxLength={255} {...form.getInputProps("name")} />
          {hasMedia(v) && <MediaField value={v.media_id} onChange={(m) => form.setFieldValue("media_id", m)} picture={isPicture(v)} error={form.errors.media_id} onBusy={setSending} />}
          {v.kind === "email" && <TextInput label={t.subject} required maxLength={255} {...form.getInputProps("subject")} />}
          {hasText(v) && <Textarea label={t.content} required autosize minRows={5} maxRows={14} maxLength={20_000} {...form.getInputProps("content")} />}
          {hasText(v) && <Placeholders />}
          {v.kind === "landing" && <TextInput label={t.url} description={t.urlHint} type="url" required maxLength={2048} {...form.getInputProps("url")} />}
          <ProgramPicker label={t.program} description={t.programHint} placeholder={t.programAll} {...form.getInputProps("program_id")} />
          <NumberInput label={t.order} description={t.orderHint} allowDecimal={false} {...form.getInputProps("position")} />
          <Switch label={t.shown} {...form.getInputProps("active", { type: "checkbox" })} />
        </Stack>
        <Sample values={v} />
      </SimpleGrid>
      {failure !== undefined && (
        <Box mt="md">
          <ErrorState error={failure} title={text.error.deed} />
        </Box>
      )}
      <Group justify="flex-end" mt="md">
        <Button type="submit" loading={busy} disabled={sending}>
          {material ? text.common.save : text.common.create}
        </Button>
      </Group>
    </form>
  );
}

function Placeholders() {
  return (
    <Stack gap={4} role="group" aria-label={t.placeholders}>
      <Text size="sm">
        <Code>{"{link}"}</Code> {t.placeLink}
      </Text>
      <Text size="sm">
        <Code>{"{name}"}</Code> {t.placeName}
      </Text>
    </Stack>
  );
}

/** How it will look, while it is typed. */
function Sample({ values: v }: { values: Values }) {
  const media = hasMedia(v) ? v.media_id : undefined;
  const empty = hasMedia(v) ? !media : hasText(v) ? !v.content : !v.url;
  return (
    <Stack gap="xs">
      <Text fw={600} size="sm">
        {t.asSeen}
      </Text>
      {hasText(v) && v.content && !v.content.includes("{link}") && (
        <Text size="sm" c="orange.9">
          {t.noLink}
        </Text>
      )}
      {empty ? (
        <Text c="dimmed" size="sm">
          …
        </Text>
      ) : (
        <MaterialPreview
          material={sampleOf({
            kind: v.kind, name: v.name, program_id: v.program_id, subject: v.kind === "email" ? v.subject : "", content: v.content, url: v.url,
            media_id: media?.id ?? "", media_path: media?.path ?? "", file_name: media?.file_name ?? "", width: media?.width ?? 0, height: media?.height ?? 0, size: media?.size ?? 0,
          })}
        />
      )}
      {!empty && v.kind !== "landing" && v.kind !== "file" && (
        <Text size="xs" c="dimmed">
          {fill(t.sampleHint, { name: t.sampleName })}
        </Text>
      )}
    </Stack>
  );
}
