import { Alert, Box, Button, Card, Group, Progress, Text, ThemeIcon, Title } from "@mantine/core";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { IconCheck, IconListCheck } from "@tabler/icons-react";
import { Link } from "react-router";

import { ok } from "../../api/call";
import { client } from "../../api/client";
import { useMe } from "../../session/Session";
import { fill, text } from "../../text";
import type { MyLink } from "../useMyLinks";
import classes from "./Overview.module.css";

interface Step {
  title: string;
  about: string;
  action: string;
  to: string;
  done: boolean;
}

export interface Steps {
  /** Undefined until all is known: nobody is reminded of what he has done. */
  list: Step[] | undefined;
  /** No link was ever made. */
  fresh: boolean;
}

/** What an affiliate must do to earn and be paid, and what of it is done. Asked for after the figures. */
export function useSteps(links: UseQueryResult<MyLink[]>, enabled: boolean): Steps {
  const methods = useQuery({
    queryKey: ["my-steps", "methods"], enabled,
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/payout-methods", { params: { query: { limit: 50 } }, signal })),
  });
  const documents = useQuery({
    queryKey: ["my-steps", "documents"], enabled,
    queryFn: ({ signal }) => ok(client.GET("/api/v1/me/affiliate/kyc-documents", { params: { query: { limit: 50 } }, signal })),
  });
  const fresh = links.data?.length === 0;
  if (!links.data || !methods.data || !documents.data) {
    return { list: undefined, fresh };
  }
  const sent = documents.data.items.filter((d) => d.state === "submitted" || d.state === "accepted");
  const refused = sent.length === 0 && documents.data.items.some((d) => d.state === "rejected");
  const { myOverview: t } = text;
  return {
    fresh,
    list: [
      { title: t.stepLink, about: t.stepLinkText, action: t.stepLinkDo, to: "/affiliate/links?new=1", done: !fresh },
      { title: t.stepMethod, about: t.stepMethodText, action: t.stepMethodDo, to: "/affiliate/payouts", done: methods.data.items.some((m) => m.in_use) },
      { title: t.stepDocuments, about: refused ? t.stepDocumentsAgain : t.stepDocumentsText, action: t.stepDocumentsDo, to: "/affiliate/documents", done: sent.length > 0 },
    ],
  };
}

/** Gone once everything is done. */
export function FirstSteps({ steps: { list }, welcome }: { steps: Steps; welcome: boolean }) {
  const me = useMe();
  const done = list?.filter((s) => s.done).length ?? 0;
  if (!list || done === list.length) {
    return null;
  }
  const next = list.find((s) => !s.done);
  if (!welcome) {
    return <Reminder open={list.filter((s) => !s.done)} />;
  }
  return (
    <Card component="section" aria-labelledby="steps">
      <Title order={2} id="steps">
        {fill(text.myOverview.stepsNew, { name: me.name })}
      </Title>
      <Text c="dimmed" size="sm" mb="xs">
        {text.myOverview.stepsAbout}
      </Text>
      <Progress value={(done / list.length) * 100} size="sm" aria-label={fill(text.myOverview.stepsProgress, { done, all: list.length })} mb="xs" />
      <ol className={classes.list}>
        {list.map((step, i) => (
          <li key={step.title} className={classes.step}>
            <ThemeIcon radius="xl" variant={step.done ? "filled" : "light"} color={step.done ? "teal" : "accent"} aria-label={step.done ? text.myOverview.stepDone : undefined}>
              {step.done ? <IconCheck size={16} /> : <Text size="sm" fw={600}>{i + 1}</Text>}
            </ThemeIcon>
            <Box style={{ flex: 1, minWidth: 0 }}>
              <Text fw={600} td={step.done ? "line-through" : undefined} c={step.done ? "dimmed" : undefined}>
                {step.title}
              </Text>
              {!step.done && (
                <>
                  <Text size="sm" c="dimmed">
                    {step.about}
                  </Text>
                  <Button component={Link} to={step.to} mt={8} size="xs" variant={step === next ? "filled" : "default"}>
                    {step.action}
                  </Button>
                </>
              )}
            </Box>
          </li>
        ))}
      </ol>
    </Card>
  );
}

// Who earns already is told in one line what still keeps him from being paid.
function Reminder({ open }: { open: Step[] }) {
  return (
    <Alert icon={<IconListCheck />} title={text.myOverview.stepsOpen} component="section">
      <Group gap="xs">
        {open.map((step) => (
          <Button key={step.title} component={Link} to={step.to} size="xs" variant="default" title={step.about}>
            {step.title}
          </Button>
        ))}
      </Group>
    </Alert>
  );
}
