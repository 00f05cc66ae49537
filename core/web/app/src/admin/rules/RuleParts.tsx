import { ActionIcon, Button, Card, Group, NumberInput, Select, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { IconPlus, IconX } from "@tabler/icons-react";

import { fill, text } from "../../text";
import type { RuleValues } from "./rule";

const t = text.partners;

type Form = UseFormReturnType<RuleValues>;

function Remove({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <ActionIcon variant="subtle" color="red" mt={6} onClick={onClick} aria-label={fill(t.removeRow, { what })}>
      <IconX size={16} />
    </ActionIcon>
  );
}

/** Rates that grow within the month. */
export function Tiers({ form }: { form: Form }) {
  const v = form.values;
  const byCount = v.tiers_by === "count";
  return (
    <Card component="section" aria-label={t.tiers}>
      <Stack gap="sm">
        <Switch label={t.tiers} description={t.tiersHint} {...form.getInputProps("tiers", { type: "checkbox" })} />
        {v.tiers && (
          <>
            <Select label={t.tiersBy} data={Object.entries(t.tiersBys).map(([value, label]) => ({ value, label }))} allowDeselect={false} {...form.getInputProps("tiers_by")} />
            {v.steps.map((_, i) => {
              const what = fill(t.step, { n: i + 1 });
              return (
                <Group key={i} gap="xs" align="flex-start" wrap="nowrap">
                  <TextInput
                    aria-label={`${what}: ${byCount ? t.stepFromSales : t.stepFromAmount}`}
                    placeholder={byCount ? t.stepFromSales : t.stepFromAmount}
                    inputMode="decimal"
                    leftSection={<span aria-hidden>≥</span>}
                    style={{ flex: 1 }}
                    {...form.getInputProps(`steps.${i}.from`)}
                  />
                  {v.pay === "percent" ? (
                    <NumberInput aria-label={`${what}: ${t.share}`} suffix=" %" min={0} max={100} decimalScale={2} w={110} {...form.getInputProps(`steps.${i}.percent`)} />
                  ) : (
                    <TextInput aria-label={`${what}: ${t.amount}`} inputMode="decimal" placeholder={t.amount} w={130} {...form.getInputProps(`steps.${i}.flat`)} />
                  )}
                  <Remove what={what} onClick={() => (v.steps.length === 1 ? form.setFieldValue("tiers", false) : form.removeListItem("steps", i))} />
                </Group>
              );
            })}
            <div>
              <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => form.insertListItem("steps", { from: "", percent: "", flat: "" })}>
                {t.addStep}
              </Button>
            </div>
          </>
        )}
      </Stack>
    </Card>
  );
}

/** What sponsors earn by it. */
export function Levels({ form }: { form: Form }) {
  return (
    <Card component="section" aria-label={t.levels}>
      <Stack gap="sm">
        <div>
          <Title order={2} fz="sm">
            {t.levels}
          </Title>
          <Text size="xs" c="dimmed">
            {t.levelsHint}
          </Text>
        </div>
        {form.values.levels.map((_, i) => {
          const what = fill(t.levelN, { n: i + 1 });
          return (
            <Group key={i} gap="xs" align="flex-start" wrap="nowrap">
              <NumberInput aria-label={`${what}: ${t.percent}`} suffix=" %" min={0} max={100} decimalScale={2} w={110} {...form.getInputProps(`levels.${i}.percent`)} />
              <Select
                aria-label={`${what}: ${t.of}`}
                data={Object.entries(t.ofs).map(([value, label]) => ({ value, label: `${t.of.toLowerCase()} ${label}` }))}
                allowDeselect={false}
                style={{ flex: 1 }}
                {...form.getInputProps(`levels.${i}.of`)}
              />
              <Remove what={what} onClick={() => form.removeListItem("levels", i)} />
            </Group>
          );
        })}
        <div>
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} disabled={form.values.levels.length >= 10} onClick={() => form.insertListItem("levels", { percent: "", of: "net" })}>
            {t.addLevel}
          </Button>
        </div>
      </Stack>
    </Card>
  );
}
