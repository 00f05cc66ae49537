import { ActionIcon, Button, Card, Checkbox, Grid, Group, MultiSelect, Select, Stack, Text, TextInput, Textarea } from "@mantine/core";
import { useForm, type FormRulesRecord, type UseFormReturnType } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { parsePercent, percentText, showErrors } from "../../ui/form";
import { decimalText, minorDigits, parseMoney } from "../../ui/locale";
import { ErrorState } from "../../ui/states";

type Product = Schemas["Product"];
const t = text.products;

interface Values extends Record<string, unknown> {
  kind: Product["kind"];
  name: string;
  slug: string;
  status: Product["status"];
  sku: string;
  description: string;
  image_id: string;
  prices: { currency: string; amount: string }[];
  tax_included: boolean;
  tax_bp: string;
  tax_code: string;
  entitlements: string;
  program_id: string;
  hold_days: string;
  part_ids: string[];
}

function valuesOf(p?: Product): Values {
  return {
    kind: p?.kind ?? "product",
    name: p?.name ?? "",
    slug: p?.slug ?? "",
    status: p?.status ?? "draft",
    sku: p?.sku ?? "",
    description: p?.description ?? "",
    image_id: p?.image_id ?? "",
    prices: p?.prices.map((a) => ({ currency: a.currency, amount: decimalText(a.minor, minorDigits(a.currency)) })) ?? [{ currency: "INR", amount: "" }],
    tax_included: p?.tax_included ?? true,
    tax_bp: percentText(p?.tax_bp ?? 1800),
    tax_code: p?.tax_code ?? "",
    entitlements: p?.entitlements.join("\n") ?? "",
    program_id: p?.program_id ?? "",
    hold_days: p?.hold_days == null ? "" : String(p.hold_days),
    part_ids: p?.part_ids ?? [],
  };
}

function bodyOf(v: Values) {
  return {
    name: v.name.trim(),
    slug: v.slug.trim(),
    status: v.status,
    sku: v.sku.trim(),
    description: v.description,
    image_id: v.image_id,
    prices: v.prices.map(({ currency, amount }) => ({ currency, minor: parseMoney(amount, currency) ?? 0 })),
    tax_included: v.tax_included,
    tax_bp: parsePercent(v.tax_bp) ?? 0,
    tax_code: v.tax_code.trim(),
    entitlements: v.entitlements.split(/\s+/).filter(Boolean),
    program_id: v.program_id,
    ...(v.kind === "bundle" && { part_ids: v.part_ids }),
  };
}

/** Makes a product, or changes one. */
export function ProductForm({ product }: { product?: Product }) {
  const me = useMe();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useForm<Values>({
    initialValues: valuesOf(product),
    validate: {
      name: (v) => (v.trim() ? null : " "),
      slug: (v) => (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(v) ? null : fill(t.slugHint, { slug: v || "…" })),
      tax_bp: (v) => (parsePercent(v) === undefined ? t.tax : null),
      prices: { amount: (v, values, path) => (parseMoney(v, values.prices[Number(path.split(".")[1])]?.currency ?? "INR") === undefined ? t.price : null) },
    },
  });
  const save = form.onSubmit(async (values) => {
    setBusy(true);
    setFailure(undefined);
    try {
      const body = bodyOf(values);
      const hold = values.hold_days.trim();
      const saved = product
        ? await ok(client.PATCH("/api/v1/products/{id}", { params: { path: { id: product.id } }, body: { ...body, hold_days: hold ? Number(hold) : null } }))
        : await ok(client.POST("/api/v1/products", { body: { ...body, kind: values.kind, ...(hold && { hold_days: Number(hold) }), ...(!values.image_id && { image_id: undefined }), ...(!values.program_id && { program_id: undefined }) } }));
      notifications.show({ message: text.common.saved, color: "teal" });
      await cache.invalidateQueries();
      if (!product) {
        await navigate(`/admin/products/${saved.id}`);
      }
    } catch (error) {
      showErrors(form, error);
      setFailure(error);
    } finally {
      setBusy(false);
    }
  });
  const mine = may(me, "shop:write");
  return (
    <form onSubmit={save} noValidate>
      <fieldset disabled={!mine} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 7 }}>
            <Card>
              <Stack>
                {!product && <Select label={t.kind} data={Object.entries(t.kinds).map(([value, label]) => ({ value, label }))} allowDeselect={false} {...form.getInputProps("kind")} />}
                <TextInput label={t.name} required {...form.getInputProps("name")} />
                <TextInput label={t.slug} description={fill(t.slugHint, { slug: form.values.slug || "…" })} required {...form.getInputProps("slug")} />
                <Textarea label={t.description} description={t.descriptionHint} autosize minRows={5} {...form.getInputProps("description")} />
                {form.values.kind === "bundle" && <Parts form={form} />}
                <Textarea label={t.entitlements} description={t.entitlementsHint} autosize minRows={2} styles={{ input: { fontFamily: "monospace" } }} {...form.getInputProps("entitlements")} />
                <Image form={form} />
              </Stack>
            </Card>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 5 }}>
            <Stack gap="lg">
              <Card>
                <Stack>
                  <Select label={t.status} description={t.statusHint} data={["draft", "active", "archived"].map((value) => ({ value, label: text.states[value] ?? value }))} allowDeselect={false} {...form.getInputProps("status")} />
                  <TextInput label={t.sku} {...form.getInputProps("sku")} />
                  <Prices form={form} />
                  <Checkbox label={t.taxIncluded} {...form.getInputProps("tax_included", { type: "checkbox" })} />
                  <Group grow align="flex-start">
                    <TextInput label={t.tax} inputMode="decimal" {...form.getInputProps("tax_bp")} />
                    <TextInput label={t.taxCode} {...form.getInputProps("tax_code")} />
                  </Group>
                </Stack>
              </Card>
              <Card>
                <Stack>
                  <Programs form={form} />
                  <TextInput label={t.hold} description={t.holdHint} inputMode="numeric" {...form.getInputProps("hold_days")} />
                </Stack>
              </Card>
            </Stack>
          </Grid.Col>
        </Grid>
        <Stack mt="lg" align="flex-start">
          {failure !== undefined && <ErrorState error={failure} />}
          {mine && (
            <Button type="submit" loading={busy} disabled={product && !form.isDirty()}>
              {product ? text.common.save : text.common.create}
            </Button>
          )}
        </Stack>
      </fieldset>
    </form>
  );
}

type Form = UseFormReturnType<Values, Values, FormRulesRecord<Values>>;

function Prices({ form }: { form: Form }) {
  return (
    <Stack gap="xs">
      <div>
        <Text size="sm" fw={600}>
          {t.prices}
        </Text>
        <Text size="xs" c="dimmed">
          {t.priceHint}
        </Text>
      </div>
      {form.values.prices.map((price, i) => (
        <Group key={i} gap="xs" align="flex-start" wrap="nowrap">
          <Select aria-label={text.payouts.currency} data={["INR", "USD", "EUR", "GBP"]} allowDeselect={false} w={100} {...form.getInputProps(`prices.${i}.currency`)} />
          <TextInput aria-label={`${t.price} ${price.currency}`} inputMode="decimal" style={{ flex: 1 }} {...form.getInputProps(`prices.${i}.amount`)} />
          <ActionIcon variant="subtle" color="gray" size={36} aria-label={`${text.common.remove} ${price.currency}`} onClick={() => form.removeListItem("prices", i)} disabled={form.values.prices.length === 1}>
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Button variant="subtle" size="compact-sm" style={{ alignSelf: "flex-start" }} onClick={() => form.insertListItem("prices", { currency: "USD", amount: "" })}>
        {t.addPrice}
      </Button>
    </Stack>
  );
}

function Programs({ form }: { form: Form }) {
  const me = useMe();
  const programs = useQuery({
    queryKey: ["programs", "all"],
    queryFn: () => ok(client.GET("/api/v1/programs", { params: { query: { limit: 200 } } })),
    enabled: may(me, "catalog:read"),
  });
  return (
    <Select
      label={t.program}
      data={[{ value: "", label: t.noProgram }, ...(programs.data?.items ?? []).map((p) => ({ value: p.id, label: p.name }))]}
      allowDeselect={false}
      searchable
      {...form.getInputProps("program_id")}
    />
  );
}

function Parts({ form }: { form: Form }) {
  const products = useQuery({ queryKey: ["products", "parts"], queryFn: () => ok(client.GET("/api/v1/products", { params: { query: { limit: 200, kind: "product" } } })) });
  return <MultiSelect label={t.parts} description={t.partsHint} searchable data={(products.data?.items ?? []).map((p) => ({ value: p.id, label: p.name }))} {...form.getInputProps("part_ids")} />;
}

function Image({ form }: { form: Form }) {
  const me = useMe();
  const media = useQuery({
    queryKey: ["site-media", "pictures"],
    queryFn: () => ok(client.GET("/api/v1/site/media", { params: { query: { limit: 200 } } })),
    enabled: may(me, "settings:read"),
  });
  const pictures = (media.data?.items ?? []).filter((m) => m.width > 0);
  const chosen = pictures.find((m) => m.id === form.values.image_id);
  return (
    <Group align="flex-end" wrap="nowrap">
      {chosen && <img src={chosen.path} alt="" width={96} height={64} style={{ objectFit: "cover", borderRadius: 8 }} />}
      <Select
        label={t.image}
        description={t.imageHint}
        data={[{ value: "", label: t.noImage }, ...pictures.map((m) => ({ value: m.id, label: m.file_name }))]}
        allowDeselect={false}
        searchable
        style={{ flex: 1 }}
        {...form.getInputProps("image_id")}
      />
    </Group>
  );
}
