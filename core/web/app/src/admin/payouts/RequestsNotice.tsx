import { Alert, Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { fill, text } from "../../text";
import { formatNumber } from "../../ui/locale";

const t = text.payoutRequests;
const most = 200;

/** The requests that wait, the newest of them. */
export function useWaitingRequests() {
  return useQuery({
    queryKey: ["payout-requests", "waiting"],
    queryFn: async ({ signal }) => (await ok(client.GET("/api/v1/payout-requests", { params: { query: { state: "waiting", limit: most } }, signal }))).items,
  });
}

/** Says on other pages that requests wait. */
export function RequestsNotice() {
  const waiting = useWaitingRequests();
  const n = waiting.data?.length ?? 0;
  if (n === 0) {
    return null;
  }
  return (
    <Alert color="blue">
      <Group justify="space-between" gap="sm">
        <Text size="sm">{n === 1 ? t.noticeOne : fill(t.notice, { n: n === most ? fill(text.business.atLeast, { n: formatNumber(n) }) : formatNumber(n) })}</Text>
        <Button component={Link} to="/admin/payout-requests" size="xs" variant="default">
          {t.look}
        </Button>
      </Group>
    </Alert>
  );
}
