import { Alert, Button, Group, Loader, Select, Stack, Text, TextInput } from "@mantine/core";
import { DatePickerInput } from "@mantine/dates";
import { useForm } from "@mantine/form";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconCheck } from "@tabler/icons-react";
import dayjs from "dayjs";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { config } from "../../config";
import { fill, text } from "../../text";
import { showErrors } from "../../ui/form";
import { ErrorState } from "../../ui/states";
import { linksChanged, type MyLink } from "../useMyLinks";
import { checkDestination, checkSlug, startPage } from "./address";
import { hostsOf, type OpenProgram } from "./usePrograms";

const { myLinks: words } = text;

// A type, not an interface: forms are records of their fields.
type Values = {
  program_id: string;
  destination: string;
  slug: string;
  /** The last day, in the reader's zone. */
  until: string | null;
};

interface Props {
  programs: readonly OpenProgram[];
  initial?: { program?: string; destination?: string };
  onMade: (link: MyLink) => void;
}

/** What a new link needs. What can be told before it is sent is told while it is typed. */
export function LinkForm({ programs, initial, onMade }: Props) {
  const queries = useQueryClient();
  const first = programs.find((p) => p.id === initial?.program) ?? (programs.length === 1 ? programs[0] : undefined);
  const form = useForm<Values>({
    initialValues: { program_id: first?.id ?? "", destination: initial?.destination || startPage(first?.allowed_hosts ?? []), slug: "", until: null },
    validateInputOnBlur: ["destination"],
    validate: {
      program_id: (id) => (id ? null : words.programPick),
      destination: (typed, { program_id }) => destinationError(typed, programs.find((p) => p.id === program_id)?.allowed_hosts ?? []),
      slug: (slug) => { const bad = slug ? checkSlug(slug) : undefined; return bad ? words.slugRefusal[bad] : null; },
    },
  });
  const program = programs.find((p) => p.id === form.values.program_id);
  const slug = useSlug(form.values.slug);
  const make = useMutation({
    mutationFn: ({ program_id, destination, slug, until }: Values) =>
      ok(client.POST("/api/v1/me/affiliate/links", {
        body: { program_id, destination: destination.trim(), ...(slug && { slug }), ...(until && { expires_at: endOf(until) }) },
      })),
    onSuccess: async (link) => {
      await linksChanged(queries, link);
      onMade(link);
    },
    onError: (error) => showErrors(form, error),
  });
  const choose = (id: string | null) => {
    const next = programs.find((p) => p.id === id);
    const untouched = form.values.destination === "" || form.values.destination === startPage(program?.allowed_hosts ?? []);
    form.setValues({ program_id: id ?? "", ...(untouched && next && { destination: startPage(next.allowed_hosts) }) });
    form.clearErrors();
  };
  return (
    <form onSubmit={form.onSubmit((values) => make.mutate(values))} noValidate>
      <Stack gap="sm">
        <Select
          label={words.program} placeholder={words.programPick} required allowDeselect={false} data={programs.map((p) => ({ value: p.id, label: p.name }))} value={form.values.program_id || null} onChange={choose}
          error={form.errors["program_id"]} searchable={programs.length > 8}
          description={program && fill(words.programTerms, { hold: program.hold_days, window: program.attribution_window_days })}
        />
        <TextInput
          label={words.destination} required type="url" inputMode="url" autoComplete="off" {...form.getInputProps("destination")}
          description={program && fill(words.destinationHint, { hosts: hostsOf(program.allowed_hosts) })}
        />
        <TextInput
          label={words.slug} description={words.slugHint} autoComplete="off" autoCapitalize="none" spellCheck={false} {...form.getInputProps("slug")}
          error={form.errors["slug"] ?? slug.error} rightSection={slug.checking ? <Loader size="xs" /> : slug.free ? <IconCheck size={16} color="var(--mantine-color-teal-7)" aria-hidden /> : undefined}
        />
        <Text size="sm" c={slug.free ? "teal" : "dimmed"} ff="monospace" style={{ overflowWrap: "anywhere" }} aria-live="polite">
          {config.tracker}/{form.values.slug || "…"} {slug.free && `· ${words.slugFree}`}
        </Text>
        <DatePickerInput label={words.expires} description={words.expiresHint} minDate={dayjs().format("YYYY-MM-DD")} clearable {...form.getInputProps("until")} />
        {make.error && Object.keys(form.errors).length === 0 && <ErrorState error={make.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending} disabled={slug.error !== undefined}>
            {words.creating}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function destinationError(typed: string, hosts: readonly string[]): string | null {
  const bad = checkDestination(typed, hosts);
  return bad ? fill(words.refusal[bad], { hosts: hostsOf(hosts) }) : null;
}

/** The end of a day of the reader's. */
export const endOf = (day: string): string => dayjs(day).add(1, "day").startOf("day").toISOString();

/** Whether a slug is free, asked when the typing pauses. Without an answer the form can be sent all the same. */
function useSlug(slug: string): { error?: string; free: boolean; checking: boolean } {
  const bad = slug ? checkSlug(slug) : undefined;
  const [settled] = useDebouncedValue(slug, 300);
  const asked = slug !== "" && !bad && settled === slug;
  const check = useQuery({
    queryKey: ["slug", settled], enabled: asked, retry: false, staleTime: 10_000,
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/slugs/{slug}", { params: { path: { slug: settled } }, signal })),
  });
  if (bad) {
    // Who still types is not told that it is short.
    return { error: bad === "short" && settled !== slug ? undefined : words.slugRefusal[bad], free: false, checking: false };
  }
  const answer = asked ? check.data : undefined;
  return { error: answer && !answer.free && answer.reason ? words.slugRefusal[answer.reason] : undefined, free: answer?.free ?? false, checking: slug !== "" && check.isFetching };
}

/** Where there is nothing to make links in. */
export function NoPrograms() {
  return (
    <Alert color="yellow" title={words.noPrograms}>
      {words.noProgramsText}
    </Alert>
  );
}
