import { Button, Group, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import dayjs from "dayjs";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { parsePercent, percentText, showErrors } from "../../ui/form";
import { decimalText, minorDigits, parseMoney } from "../../ui/locale";
import { ErrorState } from "../../ui/states";

type Coupon = Schemas["Coupon"];
const t = text.coupons;

interface Values extends Record<string, unknown> {
  code: string;
  form: "percent" | "flat";
  percent_bp: string;
  currency: string;
  amounts: string;
  affiliate_id: string;
  max_uses: string;
  max_per_customer: string;
  starts_at: string | null;
  ends_at: string | null;
}

function valuesOf(c?: Coupon): Values {
  const flat = c?.amounts[0];
  return {
    code: c?.code ?? "",
    form: flat ? "flat" : "percent",
    percent_bp: c && c.percent_bp > 0 ? percentText(c.percent_bp) : "",
    currency: flat?.currency ?? "INR",
    amounts: flat ? decimalText(flat.minor, minorDigits(flat.currency)) : "",
    affiliate_id: c?.affiliate_id ?? "",
    max_uses: c?.max_uses ? String(c.max_uses) : "",
    max_per_customer: c?.max_per_customer ? String(c.max_per_customer) : "",
    starts_at: c?.starts_at ? dayjs(c.starts_at).format("YYYY-MM-DD HH:mm:ss") : null,
    ends_at: c?.ends_at ? dayjs(c.ends_at).format("YYYY-MM-DD HH:mm:ss") : null,
  };
}

const moment = (typed: string | null) => (typed ? dayjs(typed).toISOString() : undefined);

/** Makes a coupon, or changes one. */
export function CouponForm({ coupon, onDone }: { coupon?: Coupon; onDone: () => void }) {
  const cache = useQueryClient();
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useForm<Values>({
    initialValues: valuesOf(coupon),
    validate: {
      code: (v) => (/^[A-Za-z0-9_-]{1,40}$/.test(v) ? null : t.codeHint),
      percent_bp: (v, all) => (all.form === "percent" && !parsePercent(v) ? t.value : null),
      amounts: (v, all) => (all.form === "flat" && !parseMoney(v, all.currency) ? t.amount : null),
      max_uses: (v) => (/^\d*$/.test(v) ? null : t.noLimit),
      max_per_customer: (v) => (/^\d*$/.test(v) ? null : t.noLimit),
    },
  });
  const save = form.onSubmit(async (v) => {
    setBusy(true);
    setFailure(undefined);
    const discount = v.form === "percent" ? { percent_bp: parsePercent(v.percent_bp) ?? 0 } : { amounts: [{ currency: v.currency, minor: parseMoney(v.amounts, v.currency) ?? 0 }] };
    const limits = { max_uses: Number(v.max_uses || 0), max_per_customer: Number(v.max_per_customer || 0) };
    try {
      if (coupon) {
        await ok(
          client.PATCH("/api/v1/coupons/{id}", {
            params: { path: { id: coupon.id } },
            body: { ...discount, ...limits, affiliate_id: v.affiliate_id.trim(), starts_at: moment(v.starts_at) ?? null, ends_at: moment(v.ends_at) ?? null },
          }),
        );
      } else {
        await ok(
          client.POST("/api/v1/coupons", {
            body: { code: v.code.trim(), ...discount, ...limits, starts_at: moment(v.starts_at), ends_at: moment(v.ends_at), ...(v.affiliate_id.trim() && { affiliate_id: v.affiliate_id.trim() }) },
          }),
        );
      }
      notifications.show({ message: text.common.saved, color: "teal" });
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
        {!coupon && <TextInput label={t.code} description={t.codeHint} required data-autofocus {...form.getInputProps("code")} />}
        <SegmentedControl
          aria-label={t.off}
          data={[
            { value: "percent", label: t.percent },
            { value: "flat", label: t.flat },
          ]}
          {...form.getInputProps("form")}
        />
        {form.values.form === "percent" ? (
          <TextInput label={t.value} inputMode="decimal" required {...form.getInputProps("percent_bp")} />
        ) : (
          <Group grow align="flex-start">
            <TextInput label={t.amount} inputMode="decimal" required {...form.getInputProps("amounts")} />
            <Select label={text.payouts.currency} data={["INR", "USD", "EUR", "GBP"]} allowDeselect={false} {...form.getInputProps("currency")} />
          </Group>
        )}
        <TextInput label={t.owner} description={t.ownerHint} {...form.getInputProps("affiliate_id")} />
        <Group grow align="flex-start">
          <TextInput label={t.maxUses} description={t.noLimit} inputMode="numeric" {...form.getInputProps("max_uses")} />
          <TextInput label={t.maxPerCustomer} description={t.noLimit} inputMode="numeric" {...form.getInputProps("max_per_customer")} />
        </Group>
        <Group grow align="flex-start">
          <DateTimePicker label={t.starts} clearable {...form.getInputProps("starts_at")} />
          <DateTimePicker label={t.ends} clearable {...form.getInputProps("ends_at")} />
        </Group>
        {failure !== undefined && <ErrorState error={failure} />}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            {coupon ? text.common.save : text.common.create}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
