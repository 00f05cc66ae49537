import { Button, Card, CloseButton, Group, Kbd, Loader, SimpleGrid, Stack, Text, TextInput, Title, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconHistory, IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";

import { useStaffArea } from "../admin/parts/area";
import { ok } from "../api/call";
import { client } from "../api/client";
import { text } from "../text";
import { Page } from "../ui/Page";
import { ErrorState } from "../ui/states";
import { byKind, pageOfHit, type Hit } from "./hits";
import classes from "./Overview.module.css";
import { hitID, Results } from "./Results";
import { useSearches } from "./Searches";
import { searchField } from "./SupportShell";

const t = text.support;

/** Where support begins: one field for whatever somebody has in hand. */
export function Overview() {
  const { words, setWords, remember } = useSearches();
  const [settled] = useDebouncedValue(words.trim(), 250);
  const [active, setActive] = useState(0);
  const area = useStaffArea();
  const navigate = useNavigate();
  const query = useQuery({
    queryKey: ["search", settled],
    queryFn: ({ signal }) => ok(client.GET("/api/v1/search", { params: { query: { q: settled } }, signal })),
    enabled: settled.length > 1,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const asked = words.trim().length > 1;
  const current = asked && settled === words.trim() && !query.isPlaceholderData;
  const hits = asked ? byKind(query.data?.hits ?? []).flatMap(([, of]) => of) : [];
  const chosen = hits[Math.min(active, hits.length - 1)];

  const open = (hit: Hit) => {
    const to = pageOfHit(hit, area);
    remember(words.trim());
    if (to) {
      void navigate(to);
    }
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && hits.length > 0) {
      event.preventDefault();
      const next = (Math.min(active, hits.length - 1) + step + hits.length) % hits.length;
      setActive(next);
      document.getElementById(hitID(next))?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && chosen && current) {
      event.preventDefault();
      open(chosen);
    } else if (event.key === "Escape") {
      setWords("");
    }
  };

  return (
    <Page title={t.title} about={t.about}>
      <search>
        <TextInput
          id={searchField}
          label={t.label}
          description={t.help}
          placeholder={t.placeholder}
          size="lg"
          styles={{ label: { fontSize: "var(--mantine-font-size-sm)" }, description: { fontSize: "var(--mantine-font-size-xs)" } }}
          value={words}
          onChange={(e) => {
            setWords(e.currentTarget.value);
            setActive(0);
          }}
          onKeyDown={key}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          maxLength={2048}
          leftSection={query.isFetching ? <Loader size="xs" aria-label={t.searching} /> : <IconSearch size={20} aria-hidden />}
          rightSection={words ? <CloseButton aria-label={t.clear} onClick={() => setWords("")} /> : <Kbd aria-hidden>/</Kbd>}
          role="combobox"
          aria-expanded={hits.length > 0}
          aria-controls="hits"
          aria-autocomplete="list"
          aria-activedescendant={chosen ? hitID(hits.indexOf(chosen)) : undefined}
        />
      </search>
      {!asked ? (
        <Start onPick={setWords} />
      ) : query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.data ? (
        <Results result={query.data} stale={!current} active={chosen} onOpen={open} />
      ) : null}
    </Page>
  );
}

function Start({ onPick }: { onPick: (words: string) => void }) {
  const { recent, forget } = useSearches();
  return (
    <Stack gap="lg">
      {recent.length > 0 && (
        <Card component="section" aria-labelledby="recent">
          <Group justify="space-between" mb="xs">
            <Title order={2} id="recent">
              {t.recent}
            </Title>
            <Button variant="subtle" size="compact-sm" onClick={forget}>
              {t.forget}
            </Button>
          </Group>
          <Stack gap={2}>
            {recent.map((words) => (
              <UnstyledButton key={words} className={classes.recent} onClick={() => onPick(words)}>
                <IconHistory size={16} aria-hidden />
                <Text size="sm" truncate>
                  {words}
                </Text>
              </UnstyledButton>
            ))}
          </Stack>
          <Text size="xs" c="dimmed" mt="xs">
            {t.recentText}
          </Text>
        </Card>
      )}
      <Card component="section" aria-labelledby="examples">
        <Title order={2} id="examples" mb="sm">
          {t.start}
        </Title>
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {t.examples.map(([what, how]) => (
            <div key={what}>
              <Text size="sm" fw={600}>
                {what}
              </Text>
              <Text size="sm" c="dimmed">
                {how}
              </Text>
            </div>
          ))}
        </SimpleGrid>
      </Card>
    </Stack>
  );
}
