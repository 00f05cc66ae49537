import { Radio, Stack, Text, TextInput, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { formatMoney, parseMoney } from "../../ui/locale";

type Order = Schemas["OrderDetail"];
const t = text.orders;

/** Gives money of an order back: all that is left, or a part. The core knows the limits; this names the obvious ones. */
export function RefundDialog({ order, opened, onClose }: { order: Order; opened: boolean; onClose: () => void }) {
  const cache = useQueryClient();
  const [whole, setWhole] = useState("whole");
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const { currency } = order.total;
  const left = { minor: order.total.minor - order.refunded.minor, currency };
  const minor = whole === "whole" ? left.minor : parseMoney(amount, currency);
  const bad = minor === undefined || minor <= 0 || minor > left.minor;

  const refund = async () => {
    const body = { reason: reason.trim(), ...(whole !== "whole" && { amount: { minor: minor ?? 0, currency } }) };
    await ok(client.POST("/api/v1/orders/{id}/refunds", { params: { path: { id: order.id } }, body }));
    notifications.show({ message: t.refundDone, color: "teal" });
    await cache.invalidateQueries();
  };

  return (
    <ConfirmDialog opened={opened} onClose={onClose} title={fill(t.refundTitle, { number: order.number })} action={t.refund} danger disabled={bad || !reason.trim()} onConfirm={refund}>
      <Stack>
        <Text size="sm">{t.refundAbout}</Text>
        <Radio.Group value={whole} onChange={setWhole} aria-label={t.refund}>
          <Stack gap="xs">
            <Radio value="whole" label={fill(t.refundWhole, { amount: formatMoney(left) })} />
            <Radio value="part" label={t.refundPart} />
          </Stack>
        </Radio.Group>
        {whole === "part" && (
          <TextInput
            label={`${t.refundPart} (${currency})`}
            inputMode="decimal"
            value={amount}
            onChange={(e) => setAmount(e.currentTarget.value)}
            error={amount && bad ? fill(t.badAmount, { currency, max: formatMoney(left) }) : undefined}
          />
        )}
        <Textarea label={t.refundReason} description={t.refundReasonHint} value={reason} onChange={(e) => setReason(e.currentTarget.value)} required maxLength={255} autosize />
      </Stack>
    </ConfirmDialog>
  );
}
