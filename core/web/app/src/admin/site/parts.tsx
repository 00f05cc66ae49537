import { Autocomplete, Badge, ColorInput, Group, MultiSelect, Select, Stack, Text, TextInput } from "@mantine/core";
import type { FormRulesRecord, UseFormReturnType } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { contrastWithWhite, leastContrast, ratioText } from "./contrast";
import { MarkdownField } from "./MarkdownField";
import { fields, type Values } from "./values";

const t = text.publicSite;
const legal = ["terms", "privacy", "refund", "contact"] as const;

interface Part {
  form: UseFormReturnType<Values, Values, FormRulesRecord<Values>>;
  readOnly: boolean;
}

/** Name, addresses and colour. */
export function General({ form, readOnly }: Part) {
  return (
    <Stack maw={560}>
      <TextInput label={t.name} required readOnly={readOnly} {...form.getInputProps("name")} />
      <TextInput label={t.supportEmail} description={t.supportEmailHint} type="email" readOnly={readOnly} {...form.getInputProps("support_email")} />
      <ColorInput label={t.accent} description={t.accentHint} format="hex" withEyeDropper={false} readOnly={readOnly} fixOnBlur={false} {...form.getInputProps("accent")} />
      <Swatch colour={form.values.accent} />
      <Autocomplete label={t.locale} description={t.localeHint} data={["en-IN", "hi-IN", "en-GB", "en-US"]} readOnly={readOnly} {...form.getInputProps("locale")} />
    </Stack>
  );
}

function Swatch({ colour }: { colour: string }) {
  const ratio = contrastWithWhite(colour);
  if (ratio === undefined) {
    return null;
  }
  return (
    <Group gap="sm" role="status">
      <span aria-hidden style={{ background: colour, color: "#fff", padding: "0.5rem 1rem", borderRadius: 8, fontWeight: 600 }}>
        {t.sample}
      </span>
      <Badge color={ratio < leastContrast ? "red" : "teal"} variant="light" tt="none">
        {fill(t.contrast, { ratio: ratioText(ratio) })}
      </Badge>
    </Group>
  );
}

/** What the first page says and shows. */
export function Landing({ form, readOnly }: Part) {
  return (
    <Stack>
      <TextInput label={t.headline} readOnly={readOnly} {...form.getInputProps("headline")} />
      <Markdown form={form} readOnly={readOnly} field="text" hint={t.textHint} />
      <Hero form={form} readOnly={readOnly} />
      <Featured form={form} readOnly={readOnly} />
    </Stack>
  );
}

/** The pages that the law asks for. */
export function Legal({ form, readOnly }: Part) {
  return (
    <Stack gap="xl">
      {legal.map((field) => (
        <Markdown key={field} form={form} readOnly={readOnly} field={field} hint={t.legalHint} />
      ))}
    </Stack>
  );
}

function Markdown({ form, readOnly, field, hint }: Part & { field: (typeof legal)[number] | "text"; hint: string }) {
  return <MarkdownField label={fields[field].label} description={hint} value={form.values[field]} error={form.errors[field]} readOnly={readOnly} onChange={(next) => form.setFieldValue(field, next)} />;
}

function Hero({ form, readOnly }: Part) {
  const media = useQuery({ queryKey: ["site-media", "pictures"], queryFn: () => ok(client.GET("/api/v1/site/media", { params: { query: { limit: 200 } } })) });
  const pictures = (media.data?.items ?? []).filter((m) => m.width > 0);
  const id = form.values.hero_image_id;
  const listed = !id || pictures.some((m) => m.id === id);
  return (
    <Group align="flex-end">
      {id && <img src={`/site/media/${id}`} alt="" width={160} height={90} style={{ objectFit: "cover", borderRadius: 8 }} />}
      <Select
        label={t.hero}
        description={t.heroHint}
        data={[{ value: "", label: t.noHero }, ...pictures.map((m) => ({ value: m.id, label: m.file_name })), ...(listed ? [] : [{ value: id, label: id }])]}
        allowDeselect={false}
        searchable
        readOnly={readOnly}
        style={{ flex: "1 1 14rem" }}
        {...form.getInputProps("hero_image_id")}
      />
    </Group>
  );
}

function Featured({ form, readOnly }: Part) {
  const me = useMe();
  const products = useQuery({ queryKey: ["products", "all"], queryFn: () => ok(client.GET("/api/v1/products", { params: { query: { limit: 200 } } })), enabled: may(me, "shop:read") });
  const known = products.data?.items ?? [];
  const others = form.values.featured_product_ids.filter((id) => !known.some((p) => p.id === id));
  return (
    <Stack gap={4}>
      <MultiSelect
        label={t.featured}
        description={t.featuredHint}
        searchable
        maxValues={12}
        readOnly={readOnly}
        data={[...known.map((p) => ({ value: p.id, label: p.status === "active" ? p.name : `${p.name} (${text.states[p.status] ?? p.status})` })), ...others.map((id) => ({ value: id, label: id }))]}
        {...form.getInputProps("featured_product_ids")}
      />
      <Text size="xs" c="dimmed" ta="right">
        {form.values.featured_product_ids.length} / 12
      </Text>
    </Stack>
  );
}
