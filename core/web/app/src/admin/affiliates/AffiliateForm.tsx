import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { text } from "../../text";
import { ErrorState } from "../../ui/states";
import { AffiliatePicker, GroupPicker } from "../parts/pickers";
import { change } from "./deeds";

/** Makes an affiliate, or changes one. */
export function AffiliateForm({ opened, onClose, affiliate }: { opened: boolean; onClose: () => void; affiliate?: Schemas["Affiliate"] }) {
  const t = text.partners;
  const cache = useQueryClient();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { name: affiliate?.name ?? "", email: affiliate?.email ?? "", sponsor_id: affiliate?.sponsor_id ?? "", group_id: affiliate?.group_id ?? "", reason: "" },
    validate: { name: (v) => (v.trim() ? null : t.nameNeeded), email: (v) => (/^\S+@\S+$/.test(v.trim()) ? null : t.emailNeeded) },
  });
  const save = useMutation({
    mutationFn: async ({ reason, ...fields }: typeof form.values) => {
      const body = { ...fields, name: fields.name.trim(), email: fields.email.trim() };
      if (affiliate) {
        return change(affiliate.id, { ...body, ...(reason.trim() && { reason: reason.trim() }) });
      }
      const { sponsor_id, group_id, ...must } = body;
      return ok(client.POST("/api/v1/affiliates", { body: { ...must, ...(sponsor_id && { sponsor_id }), ...(group_id && { group_id }) } }));
    },
    onSuccess: async (made) => {
      notifications.show({ message: text.common.saved });
      await cache.invalidateQueries();
      onClose();
      if (!affiliate) {
        void navigate(`/admin/affiliates/${made.id}`);
      }
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  return (
    <Modal opened={opened} onClose={onClose} title={affiliate ? t.editAffiliate : t.addAffiliate}>
      <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <Stack>
          <TextInput label={t.name} required maxLength={255} {...form.getInputProps("name")} data-autofocus />
          <TextInput label={t.email} type="email" required maxLength={254} {...form.getInputProps("email")} />
          <AffiliatePicker label={t.sponsor} description={t.sponsorHint} {...form.getInputProps("sponsor_id")} />
          <GroupPicker label={t.group} description={t.groupHint} {...form.getInputProps("group_id")} />
          {affiliate && <TextInput label={t.reason} description={t.reasonHint} maxLength={500} {...form.getInputProps("reason")} />}
          {save.error && Object.keys(fieldErrors(save.error)).length === 0 && <ErrorState error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {text.common.cancel}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {affiliate ? text.common.save : text.common.create}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
