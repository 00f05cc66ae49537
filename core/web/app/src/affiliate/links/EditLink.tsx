import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { DatePickerInput } from "@mantine/dates";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import dayjs from "dayjs";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { fill, text } from "../../text";
import { showErrors } from "../../ui/form";
import { ErrorState } from "../../ui/states";
import { linksChanged, type MyLink } from "../useMyLinks";
import { destinationError, endOf } from "./LinkForm";

const { myLinks: words } = text;

// A type, not an interface: forms are records of their fields.
type Values = {
  destination: string;
  until: string | null;
};

/** Changes where a link leads and how long. hosts: undefined if its program is closed; then the core decides. */
export function EditLink({ link, hosts, opened, onClose }: { link: MyLink; hosts: readonly string[] | undefined; opened: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const last = link.expires_at ? dayjs(link.expires_at).subtract(1, "millisecond").format("YYYY-MM-DD") : null;
  const form = useForm<Values>({
    initialValues: { destination: link.destination, until: last },
    validate: { destination: (typed) => (hosts ? destinationError(typed, hosts) : null) },
  });
  const change = useMutation({
    mutationFn: ({ destination, until }: Values) =>
      ok(client.PATCH("/api/v1/me/affiliate/links/{id}", {
        params: { path: { id: link.id } },
        body: { ...(destination.trim() !== link.destination && { destination: destination.trim() }), ...(until !== last && { expires_at: until && endOf(until) }) },
      })),
    onSuccess: async (changed) => {
      await linksChanged(queries, changed);
      notifications.show({ color: "teal", message: text.common.saved });
      onClose();
    },
    onError: (error) => showErrors(form, error),
  });
  return (
    <Modal opened={opened} onClose={onClose} title={fill(words.editTitle, { slug: link.slug })}>
      <form onSubmit={form.onSubmit((values) => change.mutate(values))} noValidate>
        <Stack gap="sm">
          <TextInput label={words.destination} required type="url" inputMode="url" {...form.getInputProps("destination")} />
          <DatePickerInput label={words.expires} description={words.expiresHint} clearable {...form.getInputProps("until")} />
          <Text size="sm" c="dimmed">
            {words.editSlug}
          </Text>
          {change.error && Object.keys(form.errors).length === 0 && <ErrorState error={change.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {text.common.cancel}
            </Button>
            <Button type="submit" loading={change.isPending}>
              {text.common.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
