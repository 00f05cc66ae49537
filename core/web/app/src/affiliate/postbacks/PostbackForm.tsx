import { Button, Card, Checkbox, Code, Group, Select, Stack, Text, Textarea, TextInput, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState, type FormEvent } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { text } from "../../text";
import { ErrorState } from "../../ui/states";
import { complaint, expand, macros, requestOf, sample } from "./macros";

type EventName = Schemas["OwnWebhookRequest"]["events"][number];
const t = text.postbacks;
// Postbacks hear of no refused conversions: those belong to nobody.
const events: EventName[] = ["commission.created", "commission.released", "commission.reversed", "commission.restored", "conversion.booked"];
const fresh = "https://tracker.example.com/postback?click={click_id}&txn={txn_id}&payout={commission}&currency={commission_currency}&event={event}";

export interface PostbackInput {
  url: string;
  method: "GET" | "POST";
  events: EventName[];
  description: string;
  program_id: string;
}

interface Props {
  /** Absent: a new one. */
  postback?: Schemas["Webhook"];
  action: string;
  onCancel: () => void;
  onSave: (input: PostbackInput) => Promise<unknown>;
}

/** The address with its macros, and what would be sent, while one writes. */
export function PostbackForm({ postback, action, onCancel, onSave }: Props) {
  const [input, setInput] = useState<PostbackInput>({
    url: postback?.url ?? fresh, method: postback?.method ?? "GET", events: (postback?.events as EventName[] | undefined) ?? ["commission.created", "commission.reversed"],
    description: postback?.description ?? "", program_id: postback?.program_id ?? "",
  });
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const address = useRef<HTMLTextAreaElement>(null);
  const programs = useQuery({
    queryKey: ["open-programs"],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/me/affiliate/programs", { params: { query: { limit: 100 } }, signal }))).items,
  });
  const set = (change: Partial<PostbackInput>) => setInput((now) => ({ ...now, ...change }));
  const wrong = complaint(input.url) ?? fieldErrors(failure).url;

  const insert = (name: string) => {
    const field = address.current;
    const [from, to] = [field?.selectionStart ?? input.url.length, field?.selectionEnd ?? input.url.length];
    set({ url: `${input.url.slice(0, from)}{${name}}${input.url.slice(to)}` });
    requestAnimationFrame(() => {
      field?.focus();
      field?.setSelectionRange(from + name.length + 2, from + name.length + 2);
    });
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      await onSave({ ...input, url: input.url.trim() });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(e) => void save(e)}>
      <Stack>
        <Textarea ref={address} label={t.url} description={t.urlText} autosize minRows={2} maxLength={2048} required spellCheck={false} value={input.url} onChange={(e) => set({ url: e.currentTarget.value.replaceAll("\n", "") })} error={wrong} styles={{ input: { fontFamily: "monospace" } }} />
        <div role="group" aria-label={t.insert}>
          <Text size="sm" fw={500} mb={4}>
            {t.insert}
          </Text>
          <Group gap={6}>
            {macros.map((name) => (
              <Tooltip key={name} label={t.macros[name]}>
                <Button size="compact-sm" variant="default" ff="monospace" onClick={() => insert(name)}>
                  {`{${name}}`}
                </Button>
              </Tooltip>
            ))}
          </Group>
        </div>
        <Select label={t.method} allowDeselect={false} value={input.method} onChange={(method) => set({ method: method === "POST" ? "POST" : "GET" })} data={[{ value: "GET", label: t.get }, { value: "POST", label: t.post }]} />
        <Preview method={input.method} url={expand(input.url, sample)} note={t.previewText} title={t.preview} />
        <Checkbox.Group label={t.events} value={input.events} onChange={(chosen) => set({ events: chosen as EventName[] })} error={input.events.length === 0 ? t.chooseEvents : undefined}>
          <Stack gap="xs" mt={6}>
            {events.map((name) => (
              <Checkbox key={name} value={name} label={t.eventNames[name] ?? name} />
            ))}
          </Stack>
        </Checkbox.Group>
        {!postback && (
          <Select label={t.program} placeholder={t.allPrograms} clearable value={input.program_id || null} onChange={(id) => set({ program_id: id ?? "" })} data={(programs.data ?? []).map((p) => ({ value: p.id, label: p.name }))} />
        )}
        <TextInput label={t.description} description={t.descriptionText} maxLength={255} value={input.description} onChange={(e) => set({ description: e.currentTarget.value })} />
        {failure !== undefined && !fieldErrors(failure).url && <ErrorState error={failure} title={text.error.deed} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {text.common.cancel}
          </Button>
          <Button type="submit" loading={busy} disabled={complaint(input.url) !== undefined || input.events.length === 0}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A request as it goes out. */
export function Preview({ method, url, title, note }: { method: string; url: string; title: string; note?: string }) {
  const { line, form } = requestOf(method, url);
  return (
    <Card padding="sm" component="section" aria-label={title}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {note && (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      )}
      <Code block mt={6} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {form === undefined ? line : `${line}\n\n${form}`}
      </Code>
    </Card>
  );
}
