import { ActionIcon, Button, Group, Input, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPlus, IconX } from "@tabler/icons-react";

import { fill, text } from "../../text";
import { ProductPicker } from "../parts/pickers";
import type { ProgramFormType } from "./ProgramForm";
import { sources } from "./values";

const t = text.partners;

/** What counts first: an order that is changed by buttons, so that the keyboard does it too. */
export function Precedence({ form }: { form: ProgramFormType }) {
  const order = form.values.precedence;
  const set = (next: string[]) => form.setFieldValue("precedence", next);
  const swap = (i: number, j: number) => {
    const next = [...order];
    [next[i], next[j]] = [next[j] ?? "", next[i] ?? ""];
    set(next);
  };
  return (
    <Input.Wrapper label={t.precedence} description={t.precedenceHint} error={form.errors["precedence"]} labelElement="div">
      <Stack gap={4} mt={4}>
        {order.map((source, i) => {
          const what = t.precedences[source] ?? source;
          return (
            <Group key={source} gap={4} wrap="nowrap">
              <Text size="sm" style={{ flex: 1 }}>
                {i + 1}. {what}
              </Text>
              <ActionIcon variant="subtle" onClick={() => swap(i, i - 1)} disabled={i === 0} aria-label={fill(t.up, { what })}>
                <IconArrowUp size={16} />
              </ActionIcon>
              <ActionIcon variant="subtle" onClick={() => swap(i, i + 1)} disabled={i === order.length - 1} aria-label={fill(t.down, { what })}>
                <IconArrowDown size={16} />
              </ActionIcon>
              <ActionIcon variant="subtle" color="red" onClick={() => set(order.filter((s) => s !== source))} disabled={order.length === 1} aria-label={fill(t.leaveOut, { what })}>
                <IconX size={16} />
              </ActionIcon>
            </Group>
          );
        })}
        {sources
          .filter((s) => !order.includes(s))
          .map((source) => {
            const what = t.precedences[source] ?? source;
            return (
              <Group key={source} gap={4} wrap="nowrap">
                <Text size="sm" c="dimmed" style={{ flex: 1 }}>
                  {what}: {t.notCounting}
                </Text>
                <ActionIcon variant="subtle" onClick={() => set([...order, source])} aria-label={fill(t.takeIn, { what })}>
                  <IconPlus size={16} />
                </ActionIcon>
              </Group>
            );
          })}
      </Stack>
    </Input.Wrapper>
  );
}

/** Longer holds of single products. */
export function Holds({ form }: { form: ProgramFormType }) {
  return (
    <Input.Wrapper label={t.productHolds} labelElement="div">
      <Stack gap="xs" mt={4}>
        {form.values.product_holds.map((_, i) => (
          <Group key={i} gap="xs" align="flex-start" wrap="nowrap">
            <ProductPicker aria-label={t.product} placeholder={t.product} required style={{ flex: 1 }} {...form.getInputProps(`product_holds.${i}.product_id`)} />
            <NumberInput aria-label={t.hold} suffix={` ${t.daysUnit}`} min={0} max={365} allowDecimal={false} w={110} {...form.getInputProps(`product_holds.${i}.days`)} />
            <ActionIcon variant="subtle" color="red" mt={6} onClick={() => form.removeListItem("product_holds", i)} aria-label={fill(t.removeRow, { what: `${t.product} ${i + 1}` })}>
              <IconX size={16} />
            </ActionIcon>
          </Group>
        ))}
        <div>
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => form.insertListItem("product_holds", { product_id: "", days: 60 })}>
            {t.addHold}
          </Button>
        </div>
      </Stack>
    </Input.Wrapper>
  );
}

/** Payable balances below which somebody looks. People type how far below zero. */
export function Floors({ form }: { form: ProgramFormType }) {
  return (
    <Input.Wrapper label={t.floors} description={t.floorsHint} labelElement="div">
      <Stack gap="xs" mt={4}>
        {form.values.floors.map((_, i) => (
          <Group key={i} gap="xs" align="flex-start" wrap="nowrap">
            <TextInput aria-label={t.currency} placeholder="INR" maxLength={3} w={80} {...form.getInputProps(`floors.${i}.currency`)} />
            <TextInput aria-label={t.amount} leftSection={<span aria-hidden>−</span>} inputMode="decimal" placeholder="0" style={{ flex: 1 }} {...form.getInputProps(`floors.${i}.below`)} />
            <ActionIcon variant="subtle" color="red" mt={6} onClick={() => form.removeListItem("floors", i)} aria-label={fill(t.removeRow, { what: `${t.floors} ${i + 1}` })}>
              <IconX size={16} />
            </ActionIcon>
          </Group>
        ))}
        <div>
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => form.insertListItem("floors", { currency: form.values.currency || "INR", below: "0" })}>
            {t.addFloor}
          </Button>
        </div>
      </Stack>
    </Input.Wrapper>
  );
}
