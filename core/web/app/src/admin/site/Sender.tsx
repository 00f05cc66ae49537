import { Alert, Button, Card, FileButton, Group, Progress, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconUpload } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { sentence } from "../../api/problem";
import { upload } from "../../api/upload";
import { fill, text } from "../../text";
import { formatBytes, formatPercent } from "../../ui/locale";
import { maxMediaBytes } from "./limits";

const t = text.publicSite;
const types = ["image/png", "image/jpeg", "image/webp", "application/pdf"];

/** Sends files one after the other; one that is not taken does not stop the others. */
export function Sender({ onSent }: { onSent: () => Promise<unknown> }) {
  const [now, setNow] = useState<{ name: string; share: number }>();
  const [refused, setRefused] = useState<{ name: string; why: string }[]>([]);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const send = async (files: File[]) => {
    const controller = (running.current = new AbortController());
    const failures: { name: string; why: string }[] = [];
    for (const file of files) {
      const why = complaint(file) ?? (await one(file, controller.signal));
      if (controller.signal.aborted) {
        notifications.show({ message: t.uploadStopped });
        break;
      }
      if (why) {
        failures.push({ name: file.name, why });
      } else {
        notifications.show({ message: fill(t.uploaded, { name: file.name }), color: "teal" });
      }
    }
    setRefused(failures);
    setNow(undefined);
    await onSent();
  };
  // Returns why it was not taken.
  const one = async (file: File, signal: AbortSignal): Promise<string | undefined> => {
    setNow({ name: file.name, share: 0 });
    try {
      const path = `/api/v1/site/media?file_name=${encodeURIComponent(file.name)}`;
      await upload(path, file, "application/octet-stream", (share) => setNow({ name: file.name, share }), signal, "POST");
      return undefined;
    } catch (error) {
      return sentence(error);
    }
  };
  return (
    <Card>
      <Stack gap="sm">
        <Group justify="space-between">
          <Text size="sm" c="dimmed" style={{ flex: "1 1 14rem" }}>
            {fill(t.uploadAbout, { size: formatBytes(maxMediaBytes) })}
          </Text>
          <FileButton multiple onChange={(files) => void send(files)} accept={types.join(",")} disabled={now !== undefined}>
            {(button) => (
              <Button {...button} leftSection={<IconUpload size={16} aria-hidden />} loading={now !== undefined}>
                {t.upload}
              </Button>
            )}
          </FileButton>
        </Group>
        {now && (
          <Group role="status" wrap="nowrap">
            <Stack gap={4} style={{ flex: 1, minWidth: 0 }}>
              <Text size="sm" truncate>
                {fill(t.uploading, { name: now.name, percent: formatPercent(Math.round(now.share * 100) / 100) })}
              </Text>
              <Progress value={now.share * 100} animated={now.share === 1} aria-label={t.upload} />
            </Stack>
            <Button variant="default" size="xs" onClick={() => running.current?.abort()}>
              {text.common.cancel}
            </Button>
          </Group>
        )}
        {refused.map(({ name, why }) => (
          <Alert key={name} role="alert" color="red" title={fill(t.uploadFailed, { name })}>
            {why}
          </Alert>
        ))}
      </Stack>
    </Card>
  );
}

function complaint(file: File): string | undefined {
  if (!types.includes(file.type)) {
    return fill(t.uploadType, { name: file.name });
  }
  if (file.size > maxMediaBytes) {
    return fill(t.uploadTooLarge, { name: file.name, size: formatBytes(file.size), max: formatBytes(maxMediaBytes) });
  }
  return file.size === 0 ? fill(t.uploadEmpty, { name: file.name }) : undefined;
}
