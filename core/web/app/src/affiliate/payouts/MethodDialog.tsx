import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { text } from "../../text";
import { ErrorState } from "../../ui/states";

type Kind = Schemas["PayoutMethodRequest"]["kind"];
const t = text.ownPayouts;

// Which currencies an account of a kind can be paid in; those of IBANs and PayPal are many, these are the usual ones.
const currencies: Record<Kind, string[]> = { bank_in: ["INR"], upi: ["INR"], iban: ["EUR", "USD", "GBP", "CHF", "AED"], paypal: ["USD", "EUR", "GBP", "AUD", "CAD", "SGD"] };
const labels: Record<Kind, string> = { bank_in: t.number, iban: t.iban, upi: t.upi, paypal: t.paypal };
const compact = (value: string) => value.replace(/[\s-]/g, "");

interface Props {
  opened: boolean;
  onClose: () => void;
  done: () => Promise<unknown>;
}

/** Names the account to which a currency is paid. The API asks for the second factor. */
export function MethodDialog({ opened, onClose, done }: Props) {
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const form = useForm({
    initialValues: { kind: "bank_in" as Kind, currency: "INR", holder: "", account: "", again: "", ifsc: "" },
    validate: {
      holder: (v) => (v.trim() ? null : t.holderText),
      account: (v) => (v.trim() ? null : labels.bank_in),
      again: (v, all) => (all.kind === "bank_in" && compact(v) !== compact(all.account) ? t.differs : null),
      ifsc: (v, all) => (all.kind === "bank_in" && !/^[A-Za-z]{4}0[A-Za-z0-9]{6}$/.test(v.trim()) ? t.ifscWrong : null),
    },
  });
  const { kind } = form.values;
  const close = () => {
    form.reset();
    setFailure(undefined);
    onClose();
  };
  const save = form.onSubmit(async ({ kind: of, currency, holder, account, ifsc }) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await ok(client.POST("/api/v1/me/affiliate/payout-methods", { body: { kind: of, currency, holder: holder.trim(), account: account.trim(), ...(of === "bank_in" && { ifsc: ifsc.trim() }) } }));
      notifications.show({ message: t.saved });
      await done();
      close();
    } catch (error) {
      const fields = fieldErrors(error);
      form.setErrors(fields);
      if (Object.keys(fields).length === 0) {
        setFailure(error);
      }
    } finally {
      setBusy(false);
    }
  });
  return (
    <Modal opened={opened} onClose={close} title={t.setTitle}>
      <form onSubmit={save} noValidate>
        <Stack>
          <Select
            label={t.kind}
            allowDeselect={false}
            data={Object.entries(t.kinds).map(([value, label]) => ({ value, label }))}
            value={kind}
            onChange={(next) => next && form.setValues({ kind: next as Kind, currency: currencies[next as Kind][0] ?? "INR", account: "", again: "", ifsc: "" })}
          />
          {currencies[kind].length > 1 && <Select label={t.currency} allowDeselect={false} data={currencies[kind]} {...form.getInputProps("currency")} />}
          <TextInput label={t.holder} description={t.holderText} autoComplete="name" maxLength={120} required {...form.getInputProps("holder")} />
          <TextInput
            key={kind}
            label={labels[kind]}
            description={kind === "upi" ? t.upiText : undefined}
            inputMode={kind === "bank_in" ? "numeric" : kind === "iban" ? "text" : "email"}
            autoComplete="off"
            maxLength={127}
            required
            {...form.getInputProps("account")}
          />
          {kind === "bank_in" && (
            <>
              <TextInput label={t.numberAgain} inputMode="numeric" autoComplete="off" required onPaste={(e) => e.preventDefault()} {...form.getInputProps("again")} />
              <TextInput label={t.ifsc} description={t.ifscText} autoComplete="off" maxLength={11} required {...form.getInputProps("ifsc")} />
            </>
          )}
          <Alert color="blue">
            <Text size="sm">{t.freezeText}</Text>
          </Alert>
          {failure !== undefined && <ErrorState error={failure} title={text.error.deed} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close} disabled={busy}>
              {text.common.cancel}
            </Button>
            <Button type="submit" loading={busy}>
              {text.common.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
