import { Button, Group, Modal, Stack, TextInput, Textarea } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import dayjs from "dayjs";
import { useNavigate } from "react-router";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { config } from "../../config";
import { text } from "../../text";
import { ErrorState } from "../../ui/states";
import { AffiliatePicker, ProgramPicker } from "../parts/pickers";

type Link = Schemas["Link"];

/** Makes a link for an affiliate, or changes where one leads and how long. */
export function LinkForm({ link, affiliate, onClose }: { link?: Link; affiliate?: string; onClose: () => void }) {
  const t = text.partners;
  const cache = useQueryClient();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: {
      affiliate_id: link?.affiliate_id ?? affiliate ?? "",
      program_id: link?.program_id ?? "",
      slug: "",
      destination: link?.destination ?? "",
      expires_at: link?.expires_at ? dayjs(link.expires_at).format("YYYY-MM-DD HH:mm:ss") : (null as string | null),
    },
    validate: {
      affiliate_id: (v) => (v ? null : t.affiliateNeeded),
      program_id: (v) => (v ? null : t.programNeeded),
      destination: (v) => (/^https?:\/\/\S+$/.test(v.trim()) ? null : t.destinationNeeded),
    },
  });
  const save = useMutation({
    mutationFn: (values: typeof form.values) => {
      const destination = values.destination.trim();
      const expires_at = values.expires_at ? dayjs(values.expires_at).toISOString() : null;
      return ok<Link>(
        link
          ? client.PATCH("/api/v1/links/{id}", { params: { path: { id: link.id } }, body: { destination, expires_at } })
          : client.POST("/api/v1/links", {
              body: { affiliate_id: values.affiliate_id, program_id: values.program_id, destination, ...(values.slug.trim() && { slug: values.slug.trim() }), ...(expires_at && { expires_at }) },
            }),
      );
    },
    onSuccess: async (made) => {
      notifications.show({ message: t.linkDone });
      await cache.invalidateQueries();
      onClose();
      if (!link) {
        void navigate(`/admin/links/${made.id}`);
      }
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  return (
    <Modal opened onClose={onClose} title={link ? t.editLink : t.addLink}>
      <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <Stack>
          {!link && !affiliate && <AffiliatePicker label={t.affiliate} required {...form.getInputProps("affiliate_id")} />}
          {!link && <ProgramPicker label={t.program} required {...form.getInputProps("program_id")} />}
          {!link && <TextInput label={t.slug} description={t.slugHint} maxLength={64} leftSection={<span aria-hidden>/</span>} placeholder={t.slugExample} {...form.getInputProps("slug")} />}
          <Textarea label={t.destination} description={t.destinationHint} required autosize minRows={2} maxLength={2048} placeholder={`${config.origin}/`} {...form.getInputProps("destination")} />
          <DateTimePicker label={t.expires} description={t.expiresHint} clearable minDate={dayjs().format("YYYY-MM-DD")} {...form.getInputProps("expires_at")} />
          {save.error && Object.keys(fieldErrors(save.error)).length === 0 && <ErrorState error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {text.common.cancel}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {link ? text.common.save : text.common.create}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
