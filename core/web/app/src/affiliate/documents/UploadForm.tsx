import { Alert, Button, Card, FileButton, Group, Progress, Select, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconUpload } from "@tabler/icons-react";
import { useRef, useState, type DragEvent } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { upload } from "../../api/upload";
import { fill, text } from "../../text";
import { formatBytes, formatPercent } from "../../ui/locale";
import { ErrorState } from "../../ui/states";
import classes from "./UploadForm.module.css";

const t = text.documents;
const endings: Record<string, string> = { pdf: "application/pdf", jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png" };

interface Props {
  country: string;
  kinds: string[];
  rules: Schemas["KYCRequirements"];
  /** Documents of the country that were announced or sent before. */
  waiting: Schemas["KYCDocument"][];
  done: () => Promise<unknown>;
}

/** Takes a file by choosing or dropping, looks at type and size, announces it and sends it. */
export function UploadForm({ country, kinds, rules, waiting, done }: Props) {
  const [kind, setKind] = useState(kinds[0] ?? "");
  const [file, setFile] = useState<File | null>(null);
  const [wrong, setWrong] = useState<string>();
  const [share, setShare] = useState<number>();
  const [failure, setFailure] = useState<unknown>();
  const [over, setOver] = useState(false);
  const running = useRef<AbortController>(undefined);

  const take = (next: File | null) => {
    const problem = next && complaint(next, rules);
    setFailure(undefined);
    setWrong(problem ?? undefined);
    setFile(problem ? null : next);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0] ?? null);
  };
  const send = async () => {
    if (!file) {
      return;
    }
    const controller = (running.current = new AbortController());
    setFailure(undefined);
    setShare(0);
    try {
      // One that was announced, or is not reviewed yet, takes another file: sending again makes no second document.
      const known = waiting.find((d) => d.kind === kind && d.file_name === file.name && (d.state === "awaiting" || d.state === "submitted"));
      const document = known ?? (await ok(client.POST("/api/v1/me/affiliate/kyc-documents", { body: { country, kind, file_name: file.name }, signal: controller.signal })));
      await upload(`/api/v1/me/affiliate/kyc-documents/${document.id}/content`, file, typeOf(file) ?? file.type, setShare, controller.signal);
      notifications.show({ message: t.sent });
      setFile(null);
    } catch (error) {
      if (controller.signal.aborted) {
        notifications.show({ message: t.stopped });
      } else {
        setFailure(error);
      }
    } finally {
      setShare(undefined);
      await done();
    }
  };
  const busy = share !== undefined;
  return (
    <Card component="section" aria-label={t.sendTitle}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {t.sendTitle}
        </Title>
        <Select
          label={t.kind}
          searchable
          allowDeselect={false}
          data={[...new Set([...kinds, ...Object.keys(t.kinds)])].map((value) => ({ value, label: t.kinds[value] ?? value.replaceAll("_", " ") }))}
          value={kind}
          onChange={(next) => setKind(next ?? "")}
          maw={320}
          disabled={busy}
        />
        <div
          className={classes.drop}
          data-over={over || undefined}
          onDragOver={(e) => {
            e.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          <IconUpload size={28} aria-hidden />
          <Text fw={600} ta="center" style={{ overflowWrap: "anywhere" }}>
            {file ? `${file.name}, ${formatBytes(file.size)}` : t.drop}
          </Text>
          <FileButton onChange={take} accept={rules.types.join(",")} disabled={busy}>
            {(button) => (
              <Button {...button} variant="default" size="xs" disabled={busy}>
                {t.choose}
              </Button>
            )}
          </FileButton>
          <Text size="sm" c="dimmed" ta="center">
            {fill(t.limits, { size: formatBytes(rules.max_bytes) })}
          </Text>
        </div>
        {wrong && (
          <Alert color="red" role="alert">
            {wrong}
          </Alert>
        )}
        {failure !== undefined && <ErrorState error={failure} title={text.error.deed} />}
        {busy && (
          <Stack gap={4} role="status">
            <Text size="sm">{share < 1 ? fill(t.sending, { name: file?.name ?? "", percent: formatPercent(Math.round(share * 100) / 100) }) : t.checking}</Text>
            <Progress value={share * 100} animated={share === 1} aria-label={t.send} />
          </Stack>
        )}
        <Group>
          <Button onClick={() => void send()} disabled={!file || !kind} loading={busy}>
            {t.send}
          </Button>
          {busy && (
            <Button variant="default" onClick={() => running.current?.abort()}>
              {text.common.cancel}
            </Button>
          )}
        </Group>
      </Stack>
    </Card>
  );
}

/** By the ending, which is what the core compares with the content. */
function typeOf(file: File): string | undefined {
  return endings[file.name.split(".").pop()?.toLowerCase() ?? ""];
}

function complaint(file: File, rules: Schemas["KYCRequirements"]): string | undefined {
  const type = typeOf(file);
  if (!type || !rules.types.includes(type)) {
    return fill(t.wrongType, { name: file.name });
  }
  if (file.size > rules.max_bytes) {
    return fill(t.tooLarge, { name: file.name, size: formatBytes(file.size), max: formatBytes(rules.max_bytes) });
  }
  return file.size === 0 ? fill(t.tooSmall, { name: file.name }) : undefined;
}
