import { Card, Code, CopyButton, Button, Group, Stack, Text, Title } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

import type { Schemas } from "../../api/client";
import { config } from "../../config";
import { text } from "../../text";
import { Secret } from "./Secret";

const t = text.partners;

function Snippet({ title, about, code }: { title: string; about?: string; code: string }) {
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Title order={3} fz="sm">
          {title}
        </Title>
        <CopyButton value={code}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="subtle" onClick={copy} leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />} aria-label={`${text.common.copy}: ${title}`}>
              {copied ? text.common.copied : text.common.copy}
            </Button>
          )}
        </CopyButton>
      </Group>
      {about && (
        <Text size="sm" c="dimmed" mb={4}>
          {about}
        </Text>
      )}
      <Code block tabIndex={0} style={{ overflowX: "auto" }}>
        {code}
      </Code>
    </div>
  );
}

/** How a shop tells us of conversions of a program. */
export function Integration({ program }: { program: Schemas["Program"] }) {
  const at = config.tracker;
  const currency = program.currency || "INR";
  return (
    <Stack>
      <Secret program={program} />
      <Card component="section" aria-label={t.postback}>
        <Stack>
          <div>
            <Title order={2}>{t.postback}</Title>
            <Text size="sm" c="dimmed" maw="44rem">
              {t.postbackText} {t.placeholders}
            </Text>
          </div>
          <Snippet
            title={t.postbackCurl}
            code={`curl -X POST ${at}/postback \\\n  -H 'Authorization: Bearer SECRET' -H 'Content-Type: application/json' \\\n  -d '{"click_id":"CLICK_ID","txid":"ORDER","amount":"AMOUNT","currency":"${currency}"}'`}
          />
          <Snippet title={t.postbackURL} code={`${at}/postback?click_id=CLICK_ID&txid=ORDER&amount=AMOUNT&currency=${currency}&secret=SECRET`} />
          <Snippet title={t.refundURL} code={`${at}/postback?program=${program.id}&status=refund&txid=REFUND&ref_txid=ORDER&amount=AMOUNT&currency=${currency}&secret=SECRET`} />
        </Stack>
      </Card>
      <Card component="section" aria-label={t.script}>
        <Stack>
          <div>
            <Title order={2}>{t.script}</Title>
            <Text size="sm" c="dimmed" maw="44rem">
              {program.browser_conversions === "off" ? t.scriptOff : t.scriptText}
            </Text>
          </div>
          {program.browser_conversions !== "off" && (
            <>
              <Snippet
                title={t.script}
                code={[
                  `<script src="${at}/t.js" data-param="${program.click_param}" data-days="${program.attribution_window_days}"></script>`,
                  "<script>",
                  '  edgeref.lead({txid: "ORDER", event: "signup"});',
                  ...(program.browser_conversions === "all" ? [`  edgeref.sale({txid: "ORDER", amount: "AMOUNT", currency: "${currency}"});`] : []),
                  "</script>",
                ].join("\n")}
              />
              <Snippet title={t.pixel} code={`<img src="${at}/pixel.gif?click_id=CLICK_ID&txid=ORDER" width="1" height="1" alt="">`} />
            </>
          )}
        </Stack>
      </Card>
    </Stack>
  );
}
