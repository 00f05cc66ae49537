import { Badge, Box, Button, Card, Code, CopyButton, Group, Image, Text, Title } from "@mantine/core";
import { IconCheck, IconCopy, IconDownload, IconExternalLink, IconLink, IconPaperclip } from "@tabler/icons-react";
import { Link } from "react-router";

import type { Schemas } from "../../api/client";
import { fill, text } from "../../text";
import { formatBytes } from "../../ui/locale";
import type { MyLink } from "../useMyLinks";

const { myMaterials: words } = text;
type Material = Schemas["OwnMaterial"];

interface Props {
  material: Material;
  link: MyLink | undefined;
  /** Its name, if it is of one program alone. */
  program: string | undefined;
}

/** One thing to hand on, as it will look, and the buttons that take it away. */
export function MaterialCard({ material: m, link, program }: Props) {
  const foreign = link && m.program_id !== "" && m.program_id !== link.program_id;
  return (
    <Card component="section" aria-label={m.name} style={{ display: "flex", flexDirection: "column", gap: 12 }}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={2} fz="md" style={{ overflowWrap: "anywhere" }}>
          {m.name}
        </Title>
        <Badge variant="light" color="gray" tt="none" style={{ flex: "none" }}>
          {words.kindOne[m.kind]}
        </Badge>
      </Group>
      {program && (
        <Text size="xs" c={foreign ? "orange.9" : "dimmed"}>
          {fill(words.program, { program })}
          {foreign && `. ${words.otherProgram}`}
        </Text>
      )}
      <Box style={{ flex: 1, minWidth: 0 }}>
        <MaterialPreview material={m} />
      </Box>
      <Group gap="xs">
        <Deeds material={m} />
      </Group>
    </Card>
  );
}

/** The thing itself, as affiliates see it. */
export function MaterialPreview({ material: m }: { material: Material }) {
  switch (m.kind) {
    case "banner":
      return (
        <>
          <Image src={m.media_url} alt={m.name} w="auto" maw="100%" mah={220} fit="contain" radius="sm" loading="lazy" />
          <Text size="xs" c="dimmed" mt={4}>
            {m.width > 0 && fill(words.size, { width: m.width, height: m.height })} {m.size > 0 && `· ${formatBytes(m.size)}`}
          </Text>
          {m.html ? (
            <Code block mt="xs" fz="xs" mah={110} tabIndex={0} aria-label={words.html} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", overflowY: "auto" }}>
              {m.html}
            </Code>
          ) : (
            <Text size="sm" c="dimmed" mt="xs">
              {words.needLink}
            </Text>
          )}
        </>
      );
    case "text":
    case "email":
      return (
        <Box p="sm" bg="var(--mantine-color-default-hover)" mah={260} tabIndex={0} role="region" aria-label={m.name} style={{ borderRadius: 8, overflowY: "auto" }}>
          {m.subject && (
            <Text size="sm" fw={600} mb="xs">
              {words.subject}: {m.subject}
            </Text>
          )}
          <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {m.content}
          </Text>
        </Box>
      );
    case "landing":
      return (
        <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {m.url}
        </Text>
      );
    case "file":
      return (
        <Group gap="xs" wrap="nowrap">
          <IconPaperclip size={18} aria-hidden />
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {m.file_name} <Text span c="dimmed">{formatBytes(m.size)}</Text>
          </Text>
        </Group>
      );
  }
}

function Deeds({ material: m }: { material: Material }) {
  const download = m.media_url && (
    <Button key="download" component="a" href={m.media_url} download={m.file_name} variant="default" size="xs" leftSection={<IconDownload size={14} aria-hidden />} aria-label={`${text.common.download}: ${m.name}`}>
      {text.common.download}
    </Button>
  );
  switch (m.kind) {
    case "banner":
      return (
        <>
          {m.html && <Copy value={m.html} label={words.copyHTML} name={m.name} />}
          {download}
        </>
      );
    case "text":
      return <Copy value={m.content} label={words.copyText} name={m.name} />;
    case "email":
      return (
        <>
          <Copy value={m.content} label={words.copyText} name={m.name} />
          <Copy value={m.subject} label={words.copySubject} name={m.name} quiet />
        </>
      );
    case "landing":
      return (
        <>
          <Button component={Link} to={`/affiliate/links?new=1&to=${encodeURIComponent(m.url)}${m.program_id && `&program=${m.program_id}`}`} size="xs" leftSection={<IconLink size={14} aria-hidden />}>
            {words.makeLinkTo}
          </Button>
          <Button component="a" href={m.url} target="_blank" rel="noreferrer" variant="default" size="xs" leftSection={<IconExternalLink size={14} aria-hidden />}>
            {words.open}
          </Button>
        </>
      );
    case "file":
      return download;
  }
}

function Copy({ value, label, name, quiet }: { value: string; label: string; name: string; quiet?: boolean }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button
          size="xs" variant={quiet ? "default" : "filled"} color={copied ? "teal" : undefined} onClick={copy} aria-label={`${copied ? text.common.copied : label}: ${name}`}
          leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
        >
          {copied ? text.common.copied : label}
        </Button>
      )}
    </CopyButton>
  );
}
