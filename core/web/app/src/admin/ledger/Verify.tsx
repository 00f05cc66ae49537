import { Alert, Button, Card, Group, Loader, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconShieldCheck } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { ok } from "../../api/call";
import { client, type Schemas } from "../../api/client";
import { text } from "../../text";
import { CopyText } from "../../ui/CopyText";
import { formatNumber } from "../../ui/locale";
import { ErrorState } from "../../ui/states";
import { Fact } from "../parts/Fact";
import { Ref } from "../parts/Ref";

const t = text.bookings;

/** Recomputes the ledger when somebody asks. */
export function Verify() {
  const [head, setHead] = useState("");
  const running = useRef<AbortController>(undefined);
  const verify = useMutation({
    mutationFn: () => {
      const { signal } = (running.current = new AbortController());
      return ok(client.GET("/api/v1/ledger/verification", { params: { query: head.trim() ? { expect_head: head.trim() } : {} }, signal }));
    },
  });
  const stopped = verify.error instanceof DOMException && verify.error.name === "AbortError";
  return (
    <Card component="section" aria-label={t.verification}>
      <Stack gap="sm">
        <Group justify="space-between" align="flex-end">
          <div style={{ flex: "1 1 18rem" }}>
            <Title order={2}>{t.verification}</Title>
            <Text size="sm" c="dimmed">
              {t.verifyText}
            </Text>
          </div>
          <TextInput label={t.expectHead} description={t.expectHint} maxLength={100} value={head} onChange={(e) => setHead(e.currentTarget.value)} w={{ base: "100%", xs: 280 }} />
          <Button leftSection={<IconShieldCheck size={16} aria-hidden />} onClick={() => verify.mutate()} disabled={verify.isPending}>
            {t.verify}
          </Button>
        </Group>
        {verify.isPending && (
          <Group gap="xs" role="status">
            <Loader size="xs" />
            <Text size="sm">{t.verifying}</Text>
            <Button size="compact-xs" variant="subtle" onClick={() => running.current?.abort()}>
              {text.common.cancel}
            </Button>
          </Group>
        )}
        {verify.error && !stopped && <ErrorState error={verify.error} retry={() => verify.mutate()} />}
        {verify.data && !verify.isPending && <Outcome v={verify.data} />}
        {!verify.data && !verify.isPending && (!verify.error || stopped) && (
          <Text size="sm" c="dimmed">
            {t.notVerified}
          </Text>
        )}
      </Stack>
    </Card>
  );
}

function Outcome({ v }: { v: Schemas["Verification"] }) {
  return (
    <Stack gap="sm">
      <Alert color={v.ok ? "teal" : "red"} icon={v.ok ? <IconCircleCheck /> : <IconAlertTriangle />} title={v.ok ? t.verified : t.broken} role={v.ok ? "status" : "alert"}>
        {!v.ok && (
          <>
            <Text size="sm">{v.text}</Text>
            <Text size="sm">{t.brokenText}</Text>
          </>
        )}
        {v.break && (
          <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs">
            <Fact label={t.check}>{v.break.check}</Fact>
            <Fact label={t.detail}>{v.break.detail}</Fact>
            {v.break.transaction_id && (
              <Fact label={t.transaction}>
                <CopyText value={v.break.transaction_id} />
              </Fact>
            )}
            {v.break.commission_id && (
              <Fact label={t.commission}>
                <Ref id={v.break.commission_id} />
              </Fact>
            )}
          </SimpleGrid>
        )}
      </Alert>
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
        <Fact label={t.transactions}>{formatNumber(v.transactions)}</Fact>
        <Fact label={t.entries}>{formatNumber(v.entries)}</Fact>
        <Fact label={t.accounts}>{formatNumber(v.accounts)}</Fact>
        <Fact label={t.commissionsCompared}>{formatNumber(v.commissions)}</Fact>
        <Fact label={t.sealed}>{formatNumber(v.sealed)}</Fact>
        <Fact label={t.unsealed}>{formatNumber(v.unsealed)}</Fact>
      </SimpleGrid>
      {v.head && (
        <Fact label={t.head}>
          <CopyText value={v.head} />
          <Text size="xs" c="dimmed">
            {t.headHint}
          </Text>
        </Fact>
      )}
    </Stack>
  );
}
