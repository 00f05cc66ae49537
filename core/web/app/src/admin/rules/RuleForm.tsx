import { Alert, Button, Card, Group, NumberInput, Radio, SegmentedControl, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";

import { ok } from "../../api/call";
import { api, client } from "../../api/client";
import { sentence } from "../../api/problem";
import { fill, text } from "../../text";
import { minorDigits, parseMoney } from "../../ui/locale";
import { Page } from "../../ui/Page";
import { Loaded } from "../../ui/states";
import { AffiliatePicker, GroupPicker, ProductPicker, ProgramPicker } from "../parts/pickers";
import { Rehearsal } from "./Rehearsal";
import { scopeOf, termsInWords, termsOf, valuesOf, type Rule, type RuleValues } from "./rule";
import { Levels, Tiers } from "./RuleParts";

const t = text.partners;
// Fields in a row keep their inputs on one line.
const below: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];
const trail = [{ label: text.nav.rules, to: "/admin/rules" }];

/** A new rule. */
export function NewRule() {
  const [query] = useSearchParams();
  return (
    <Page title={t.addRule} trail={trail} about={t.rulesAbout}>
      <Form program={query.get("program") ?? ""} />
    </Page>
  );
}

/** A new version of a rule. */
export function ChangeRule() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/commission-rules/{id}", { params: { path: { id } } });
  return (
    <Page
      title={t.changeRule}
      trail={[...trail, ...(query.data ? [{ label: termsInWords(query.data), to: `/admin/rules/${id}` }] : [])]}
      about={query.data && fill(t.changeText, { n: query.data.version + 1 })}
    >
      <Loaded query={query} lines={8}>
        {(rule) => <Form key={rule.version} rule={rule} />}
      </Loaded>
    </Page>
  );
}

function checkAmount(typed: string, v: RuleValues): string | null {
  return parseMoney(typed, v.currency.toUpperCase()) === undefined ? t.amountNeeded : null;
}

function checkPercent(percent: number | ""): string | null {
  return percent === "" || percent < 0 || percent > 100 ? t.shareNeeded : null;
}

function Form({ rule, program }: { rule?: Rule; program?: string }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const form = useForm<RuleValues>({
    initialValues: valuesOf(rule, program),
    validate: {
      program_id: (v) => (v ? null : t.programNeeded),
      group_id: (v, all) => (all.whom === "group" && !v ? t.groupNeeded : null),
      affiliate_id: (v, all) => (all.whom === "affiliate" && !v ? t.affiliateNeeded : null),
      percent: (v, all) => (all.pay === "percent" ? checkPercent(v) : null),
      currency: (v) => (/^[A-Za-z]{3}$/.test(v.trim()) ? null : t.currencyNeeded),
      flat: (v, all) => (all.pay === "flat" ? checkAmount(v, all) : null),
      cap_order: (v, all) => (v.trim() ? checkAmount(v, all) : null),
      cap_month: (v, all) => (v.trim() ? checkAmount(v, all) : null),
      steps: {
        from: (v, all) => (!all.tiers ? null : all.tiers_by === "count" ? (/^[1-9]\d*$/.test(v) ? null : t.positive) : checkAmount(v, all)),
        percent: (v, all) => (all.tiers && all.pay === "percent" ? checkPercent(v) : null),
        flat: (v, all) => (all.tiers && all.pay === "flat" ? checkAmount(v, all) : null),
      },
      levels: { percent: (v) => checkPercent(v) },
    },
  });
  const v = form.values;
  const save = useMutation({
    mutationFn: (values: RuleValues) =>
      ok<Rule>(
        rule
          ? client.PATCH("/api/v1/commission-rules/{id}", { params: { path: { id: rule.id } }, body: termsOf(values) })
          : client.POST("/api/v1/commission-rules", { body: { program_id: values.program_id, ...scopeOf(values), ...termsOf(values) } }),
      ),
    onSuccess: async (made) => {
      await cache.invalidateQueries();
      void navigate(`/admin/rules/${made.id}`);
    },
  });
  const places = minorDigits(v.currency.toUpperCase());
  const money = (path: "flat" | "cap_order" | "cap_month", label: string, description?: string) => (
    <TextInput label={label} description={description} inputWrapperOrder={below} inputMode="decimal" placeholder={places ? "1499.50" : "1499"} rightSection={<Text size="xs">{v.currency.toUpperCase()}</Text>} rightSectionWidth={48} {...form.getInputProps(path)} />
  );
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        {!rule && (
          <Card>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <ProgramPicker label={t.program} required {...form.getInputProps("program_id")} />
              <Radio.Group label={t.on} {...form.getInputProps("on")}>
                <Group mt={8}>
                  <Radio value="sale" label={t.ons["sale"]} />
                  <Radio value="lead" label={t.ons["lead"]} />
                </Group>
              </Radio.Group>
              <div>
                <Text size="sm" fw={600} mb={4} id="for-whom">
                  {t.forWhom}
                </Text>
                <SegmentedControl aria-labelledby="for-whom" fullWidth data={Object.entries(t.forWhoms).map(([value, label]) => ({ value, label }))} {...form.getInputProps("whom")} />
                {v.whom === "group" && <GroupPicker mt="xs" aria-label={t.group} placeholder={t.group} {...form.getInputProps("group_id")} />}
                {v.whom === "affiliate" && <AffiliatePicker mt="xs" aria-label={t.affiliate} placeholder={t.find} {...form.getInputProps("affiliate_id")} />}
              </div>
              <ProductPicker label={t.product} placeholder={t.everyProduct} disabled={v.on === "lead"} {...form.getInputProps("product_id")} />
            </SimpleGrid>
          </Card>
        )}
        <Card>
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            <Radio.Group label={t.payment} {...form.getInputProps("pay")}>
              <Group mt={8}>
                <Radio value="percent" label={t.percent} disabled={v.on === "lead"} />
                <Radio value="flat" label={t.flat} />
              </Group>
            </Radio.Group>
            {v.pay === "percent" ? (
              <NumberInput label={t.share} suffix=" %" min={0} max={100} decimalScale={2} required {...form.getInputProps("percent")} />
            ) : (
              money("flat", t.amount, t.amountEach)
            )}
            <TextInput label={t.currency} maxLength={3} description={t.ruleCurrencyHint} inputWrapperOrder={below} {...form.getInputProps("currency")} />
          </SimpleGrid>
        </Card>
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Tiers form={form} />
          <Levels form={form} />
        </SimpleGrid>
        <Card>
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            {money("cap_order", t.capOrder)}
            {money("cap_month", t.capMonth)}
            <NumberInput label={t.months} description={t.monthsHint} inputWrapperOrder={below} suffix={` ${t.monthsUnit}`} min={0} max={1200} allowDecimal={false} {...form.getInputProps("months")} />
          </SimpleGrid>
        </Card>
        <Rehearsal program={v.program_id} rule={rule} draft={() => (form.validate().hasErrors ? undefined : { ...scopeOf(form.getValues()), ...termsOf(form.getValues()) })} version={JSON.stringify(v)} />
        {save.error && (
          <Alert role="alert" color="red">
            {sentence(save.error)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button component={Link} to={rule ? `/admin/rules/${rule.id}` : "/admin/rules"} variant="default">
            {text.common.cancel}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={rule && !form.isDirty()}>
            {rule ? text.common.save : text.common.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
