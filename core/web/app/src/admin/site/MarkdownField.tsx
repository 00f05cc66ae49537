import { Group, SegmentedControl, Stack, Text, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { fill, text } from "../../text";
import { Loaded } from "../../ui/states";
import classes from "./Markdown.module.css";

const t = text.publicSite;
const look = "<style>body{font:16px/1.6 system-ui,sans-serif;margin:16px;color:#1a2233;overflow-wrap:anywhere}img{max-width:100%;height:auto}table{border-collapse:collapse}td,th{border:1px solid #ccd;padding:4px 8px}pre{overflow:auto}</style>";

interface Props {
  label: string;
  description: string;
  value: string;
  error?: ReactNode;
  readOnly: boolean;
  onChange: (next: string) => void;
}

/** A text in Markdown, and how the public pages will show it. */
export function MarkdownField({ label, description, value, error, readOnly, onChange }: Props) {
  const [shown, setShown] = useState("write");
  return (
    <Stack gap="xs">
      <Group justify="space-between" align="flex-end">
        <div>
          <Text size="sm" fw={500} aria-hidden>
            {label}
          </Text>
          <Text size="xs" c="dimmed">
            {description}
          </Text>
        </div>
        <SegmentedControl
          size="xs"
          aria-label={fill(t.previewOf, { name: label })}
          value={shown}
          onChange={setShown}
          data={[
            { value: "write", label: t.write },
            { value: "preview", label: t.preview },
          ]}
        />
      </Group>
      {shown === "write" ? (
        <Textarea aria-label={label} autosize minRows={8} maxRows={24} ff="monospace" value={value} error={error} readOnly={readOnly} onChange={(e) => onChange(e.currentTarget.value)} />
      ) : (
        <Preview label={label} value={value} />
      )}
    </Stack>
  );
}

// The core makes the HTML and cleans it; the frame runs no script, sends no form, and is of no origin.
function Preview({ label, value }: { label: string; value: string }) {
  const query = useQuery({ queryKey: ["markdown", value], queryFn: ({ signal }) => ok(client.POST("/api/v1/markdown", { body: { text: value }, signal })), staleTime: Infinity, gcTime: 60_000, enabled: value.trim() !== "" });
  if (!value.trim()) {
    return <Text c="dimmed">{t.previewEmpty}</Text>;
  }
  return <Loaded query={query}>{({ html }) => <iframe className={classes.frame} title={fill(t.previewOf, { name: label })} sandbox="" srcDoc={look + html} />}</Loaded>;
}
