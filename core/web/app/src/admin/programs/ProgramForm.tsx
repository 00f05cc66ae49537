import { Alert, Button, Group, NumberInput, Select, SimpleGrid, Stack, Switch, TagsInput, TextInput, Title } from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fieldErrors, sentence } from "../../api/problem";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { parseMoney } from "../../ui/locale";
import { Floors, Holds, Precedence } from "./TermFields";
import { fieldsOf, valuesOf, type ProgramValues } from "./values";

const t = text.partners;

type Form = UseFormReturnType<ProgramValues>;

const choices = (of: Record<string, string>) => Object.entries(of).map(([value, label]) => ({ value, label }));

/** All terms of a program, in the units in which people think of them. */
export function ProgramForm({ program, onMade }: { program?: Schemas["Program"]; onMade?: (made: Schemas["ProgramWithSecret"]) => void }) {
  const writes = may(useMe(), "catalog:write");
  const cache = useQueryClient();
  const form = useForm<ProgramValues>({
    initialValues: valuesOf(program),
    validate: {
      name: (v) => (v.trim() ? null : t.nameNeeded),
      currency: (v) => (/^([A-Za-z]{3})?$/.test(v.trim()) ? null : t.currencyNeeded),
      fallback_url: (v) => (v.trim() === "" || /^https?:\/\/\S+$/.test(v.trim()) ? null : t.destinationNeeded),
      floors: { currency: (v) => (/^[A-Za-z]{3}$/.test(v) ? null : t.currencyNeeded), below: (v, all, path) => (parseMoney(v, all.floors[Number(path.split(".")[1])]?.currency.toUpperCase() ?? "") === undefined ? t.amountNeeded : null) },
      product_holds: { product_id: (v) => (v ? null : t.product) },
    },
  });
  const save = useMutation({
    mutationFn: async (v: ProgramValues) => {
      if (!program) {
        onMade?.(await ok(client.POST("/api/v1/programs", { body: fieldsOf(v) })));
        return;
      }
      await ok(client.PATCH("/api/v1/programs/{id}", { params: { path: { id: program.id } }, body: { ...fieldsOf(v), status: v.open ? "active" : "disabled" } }));
      notifications.show({ message: t.programSaved });
    },
    onSuccess: async (_, v) => {
      form.resetDirty(v);
      await cache.invalidateQueries();
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  const number = (path: "attribution_window_days" | "hold_days" | "bind_days", label: string, hint: string, min: number, max: number, disabled = false) => (
    <NumberInput label={label} description={hint} suffix={` ${t.daysUnit}`} min={min} max={max} allowDecimal={false} clampBehavior="strict" required disabled={disabled} {...form.getInputProps(path)} />
  );
  return (
    <form onSubmit={form.onSubmit((v) => save.mutate(v))}>
      <fieldset disabled={!writes} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack gap="xl">
          <Section title={t.sections.basics}>
            <TextInput label={t.name} required maxLength={255} {...form.getInputProps("name")} />
            <TextInput label={t.currency} description={t.currencyHint} maxLength={3} {...form.getInputProps("currency")} />
            {program && <Switch label={t.active} description={t.activeHint} {...form.getInputProps("open", { type: "checkbox" })} />}
          </Section>
          <Section title={t.sections.attribution}>
            {number("attribution_window_days", t.window, t.windowHint, 1, 365)}
            <Select label={t.model} data={choices(t.models)} allowDeselect={false} {...form.getInputProps("attribution_model")} />
            <Precedence form={form} />
            <Select label={t.bind} description={t.bindHint} data={choices(t.binds)} allowDeselect={false} {...form.getInputProps("bind")} />
            {number("bind_days", t.bindDays, t.bindDaysHint, 0, 3650, form.values.lifetime || form.values.bind === "none")}
            <Stack gap="sm" justify="flex-end">
              <Switch label={t.lifetime} disabled={form.values.bind === "none"} {...form.getInputProps("lifetime", { type: "checkbox" })} />
              <Switch label={t.selfPurchases} {...form.getInputProps("self_purchases", { type: "checkbox" })} />
              <Switch label={t.refuseSelf} {...form.getInputProps("refuse_self_purchases", { type: "checkbox" })} />
            </Stack>
          </Section>
          <Section title={t.sections.money}>
            {number("hold_days", t.hold, t.holdHint, 0, 365)}
            <NumberInput label={t.maxShare} description={t.maxShareHint} suffix={` ${t.percentUnit}`} min={0} max={100} decimalScale={2} clampBehavior="strict" {...form.getInputProps("max_share")} />
            <TextInput label={t.timeZone} description={t.timeZoneHint} placeholder="Asia/Kolkata" maxLength={64} {...form.getInputProps("time_zone")} />
            <Holds form={form} />
            <Floors form={form} />
          </Section>
          <Section title={t.sections.links}>
            <TagsInput label={t.hosts} description={t.hostsHint} placeholder="shop.example" maxTags={100} {...form.getInputProps("allowed_hosts")} />
            <TextInput label={t.fallback} description={t.fallbackHint} maxLength={2048} placeholder="https://" {...form.getInputProps("fallback_url")} />
            <TextInput label={t.clickParam} description={t.clickParamHint} maxLength={32} required {...form.getInputProps("click_param")} />
            <Select label={t.browser} description={t.browserHint} data={choices(t.browsers)} allowDeselect={false} {...form.getInputProps("browser_conversions")} />
          </Section>
          {save.error && (
            <Alert role="alert" color="red">
              {sentence(save.error)}
            </Alert>
          )}
          {writes && (
            <Group justify="flex-end">
              <Button type="submit" loading={save.isPending} disabled={program && !form.isDirty()}>
                {program ? t.saveProgram : text.common.create}
              </Button>
            </Group>
          )}
        </Stack>
      </fieldset>
    </form>
  );
}

export type { Form as ProgramFormType };

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <Title order={2} mb="sm">
        {title}
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        {children}
      </SimpleGrid>
    </section>
  );
}
