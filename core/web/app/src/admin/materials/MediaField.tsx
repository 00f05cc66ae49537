import { Alert, Button, FileButton, Group, Progress, Select, Stack, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { upload } from "../../api/upload";
import { formatBytes } from "../../ui/locale";
import { may, useMe } from "../../session/Session";
import { fill, text } from "../../text";
import { formatPercent } from "../../ui/locale";
import { ErrorState } from "../../ui/states";
import { readAll } from "../../ui/table/source";
import { maxMediaBytes } from "../site/limits";

const t = text.materials;
const pictures = "image/png,image/jpeg,image/webp";

export type Media = Pick<Schemas["SiteMedia"], "id" | "path" | "file_name" | "width" | "height" | "size">;

interface Props {
  value: Media | undefined;
  onChange: (media: Media) => void;
  /** Pictures alone. */
  picture: boolean;
  error?: ReactNode;
  /** While a file is on its way, the form cannot be sent. */
  onBusy: (busy: boolean) => void;
}

/** One of the site's files, or a new one. */
export function MediaField({ value, onChange, picture, error, onBusy }: Props) {
  const me = useMe();
  const cache = useQueryClient();
  const running = useRef<AbortController>(undefined);
  const [sending, setSending] = useState<{ name: string; share: number }>();
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<unknown>();
  const sees = may(me, "settings:read");
  const media = useQuery({
    queryKey: ["site-media", "all"],
    queryFn: ({ signal }) => readAll({ key: ["site-media"], page: (cursor, limit, s) => ok(client.GET("/api/v1/site/media", { params: { query: { cursor, limit } }, signal: s })) }, () => {}, signal),
    enabled: sees,
  });
  useEffect(() => () => running.current?.abort(), []);

  const known: Media[] = (media.data ?? []).filter((m) => !picture || m.width > 0);
  const choices = value && !known.some((m) => m.id === value.id) ? [value, ...known] : known;
  const send = async (file: File | null) => {
    if (!file) {
      return;
    }
    setFailure(undefined);
    setWrong(file.size > maxMediaBytes ? fill(t.tooLarge, { name: file.name, size: formatBytes(file.size), max: formatBytes(maxMediaBytes) }) : undefined);
    if (file.size > maxMediaBytes) {
      return;
    }
    const controller = (running.current = new AbortController());
    onBusy(true);
    try {
      setSending({ name: file.name, share: 0 });
      const path = `/api/v1/site/media?file_name=${encodeURIComponent(file.name)}`;
      onChange(await upload<Media>(path, file, "application/octet-stream", (share) => setSending({ name: file.name, share }), controller.signal, "POST"));
      await cache.invalidateQueries({ queryKey: ["site-media"] });
    } catch (e) {
      if (!controller.signal.aborted) {
        setFailure(e);
      }
    } finally {
      setSending(undefined);
      onBusy(false);
    }
  };
  return (
    <Stack gap="xs">
      <Select
        label={picture ? t.picture : t.file}
        placeholder={t.choose}
        description={sees ? undefined : t.mediaNone}
        required
        searchable
        allowDeselect={false}
        data={choices.map((m) => ({ value: m.id, label: `${m.file_name} · ${m.width > 0 ? `${m.width} × ${m.height} · ` : ""}${formatBytes(m.size)}` }))}
        value={value?.id ?? null}
        onChange={(id) => {
          const chosen = choices.find((m) => m.id === id);
          if (chosen) {
            onChange(chosen);
          }
        }}
        nothingFoundMessage={text.table.noMatch}
        error={error}
      />
      {media.error && <ErrorState error={media.error} retry={() => void media.refetch()} />}
      {may(me, "settings:write") && (
        <Group gap="sm">
          <FileButton onChange={(file) => void send(file)} accept={picture ? pictures : `${pictures},application/pdf`} disabled={sending !== undefined}>
            {(button) => (
              <Button {...button} variant="default" size="xs" leftSection={<IconUpload size={14} aria-hidden />} disabled={sending !== undefined}>
                {t.upload}
              </Button>
            )}
          </FileButton>
          <Text size="xs" c="dimmed" style={{ flex: "1 1 12rem" }}>
            {fill(picture ? t.uploadPictureHint : t.uploadHint, { size: formatBytes(maxMediaBytes) })}
          </Text>
        </Group>
      )}
      {sending && (
        <Stack gap={4} role="status">
          <Group justify="space-between">
            <Text size="sm">{fill(t.uploading, { name: sending.name, percent: formatPercent(Math.round(sending.share * 100) / 100) })}</Text>
            <Button size="compact-xs" variant="subtle" onClick={() => running.current?.abort()}>
              {text.common.cancel}
            </Button>
          </Group>
          <Progress value={sending.share * 100} animated={sending.share === 1} aria-label={t.upload} />
        </Stack>
      )}
      {wrong && (
        <Alert color="red" role="alert">
          {wrong}
        </Alert>
      )}
      {failure !== undefined && <ErrorState error={failure} title={text.error.deed} />}
    </Stack>
  );
}
