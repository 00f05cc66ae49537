import { Box, Button, Card, CopyButton, Grid, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";

import { config } from "../../config";
import { fill, text } from "../../text";
import { address, checkDestination, maxParameter, subNames, utmNames, type Parameters } from "./address";
import { QRDownload } from "./QRDownload";
import { hostsOf } from "./usePrograms";

const { myLinks: words } = text;

/** The address of a link with sub-ids, campaign and another page to lead to; to copy and as a QR code. */
export function AddressBuilder({ slug, hosts }: { slug: string; hosts: readonly string[] | undefined }) {
  const [values, setValues] = useState<Parameters & { to?: string }>({});
  const set = (name: keyof typeof values) => (value: string) => setValues((now) => ({ ...now, [name]: value }));
  const refusal = values.to?.trim() && hosts ? checkDestination(values.to, hosts) : undefined;
  const built = address(config.tracker, slug, refusal ? { ...values, to: "" } : values);
  return (
    <Grid gap="lg">
      <Grid.Col span={{ base: 12, md: 8 }}>
        <Stack gap="sm">
          {hosts && hosts.length > 0 && (
            <TextInput
              label={words.builderTo} description={fill(words.builderToHint, { hosts: hostsOf(hosts) })} type="url" inputMode="url" value={values.to ?? ""} onChange={(e) => set("to")(e.currentTarget.value)}
              error={refusal && fill(words.refusal[refusal], { hosts: hostsOf(hosts) })}
            />
          )}
          <Fields legend={words.subs} hint={words.subsHint}>
            {subNames.map((name, i) => (
              <TextInput key={name} label={fill(words.sub, { n: i + 1 })} value={values[name] ?? ""} onChange={(e) => set(name)(e.currentTarget.value)} maxLength={maxParameter} />
            ))}
          </Fields>
          <Fields legend={words.utm} hint={words.utmHint}>
            {utmNames.map((name) => (
              <TextInput key={name} label={words.utmLabels[name]} placeholder={words.utmExamples[name]} value={values[name] ?? ""} onChange={(e) => set(name)(e.currentTarget.value)} maxLength={maxParameter} />
            ))}
          </Fields>
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 4 }}>
        <Stack gap="sm">
          <Card padding="sm" bg="var(--mantine-color-default-hover)">
            <Text size="sm" c="dimmed">
              {words.built}
            </Text>
            <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }} aria-live="polite">
              {built}
            </Text>
            <CopyLink value={built} />
          </Card>
          <QRDownload value={built} name={slug} size={180} />
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

function Fields({ legend, hint, children }: { legend: string; hint: string; children: ReactNode }) {
  return (
    <Box component="fieldset" m={0} p={0} style={{ border: 0, minWidth: 0 }}>
      <Box component="legend" p={0} mb={4}>
        <Text fw={600} size="sm" component="span">
          {legend}
        </Text>{" "}
        <Text size="xs" c="dimmed" component="span">
          {hint}
        </Text>
      </Box>
      <SimpleGrid cols={{ base: 2, sm: 3 }} spacing="xs">
        {children}
      </SimpleGrid>
    </Box>
  );
}

/** The button that people came for. */
export function CopyLink({ value }: { value: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button mt="xs" size="sm" color={copied ? "teal" : undefined} onClick={copy} leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}>
          {copied ? text.common.copied : words.copyLink}
        </Button>
      )}
    </CopyButton>
  );
}
