import { Alert, Stack, Text, Title } from "@mantine/core";

import type { Schemas } from "../api/client";
import { fill, text } from "../text";
import { After } from "./why/After";
import { Arithmetic } from "./why/Arithmetic";
import { Attribution } from "./why/Attribution";
import { Clicks } from "./why/Clicks";
import { Part, typeWord, type WhyPaths } from "./why/Part";
import { RuleOf } from "./why/Rule";

export type { WhyPaths } from "./why/Part";

const w = text.why;

/**
 * Why a conversion belongs to whom, and why each of its commissions is what it is: the answer of the API's four operations
 * that end in /why, in plain words. What it does not know the words for it shows as it is.
 */
export function Why({ why, paths }: { why: Schemas["Why"]; paths: WhyPaths }) {
  const type = typeWord(why.conversion.type);
  const several = why.commissions.length > 1;
  return (
    <Stack gap="md">
      <Parts why={why} />
      <Part title={fill(w.whose, { type })}>
        <Attribution why={why} paths={paths} />
      </Part>
      {why.clicks.length > 0 && (
        <Part title={why.clicks.length === 1 ? w.click : w.clicks}>
          <Clicks why={why} paths={paths} />
        </Part>
      )}
      {why.commissions.length === 0 && <NothingEarned why={why} />}
      {why.commissions.map((c) => (
        <Stack key={c.id} gap="md" component="section" aria-label={c.product || c.id}>
          {several && (
            <Title order={2} size="h3">
              {c.product || (c.level > 0 ? fill(text.story.commissionLevel, { level: c.level }) : text.story.commission)}
            </Title>
          )}
          <Part title={w.rule}>
            <RuleOf commission={c} own={why.view !== "all"} paths={paths} />
          </Part>
          <Part title={w.arithmetic}>
            <Arithmetic commission={c} />
          </Part>
          <After why={why} commission={c} paths={paths} />
        </Stack>
      ))}
    </Stack>
  );
}

function NothingEarned({ why }: { why: Schemas["Why"] }) {
  const code = why.conversion.no_commission;
  return (
    <Part title={w.nothingEarned}>
      <Text>{code ? (w.noCommission[code] ?? code) : w.nothingYet}</Text>
    </Part>
  );
}

function Parts({ why }: { why: Schemas["Why"] }) {
  const words: Record<string, string> = { unavailable: w.partMissing, not_permitted: w.partForbidden, cut: w.partCut };
  const missing = why.parts.filter((p) => p.state !== "complete");
  if (missing.length === 0) {
    return null;
  }
  return (
    <Alert color="yellow">
      {missing.map((p) => (
        <Text key={p.part} size="sm">
          {fill(words[p.state] ?? p.state, { part: w.parts[p.part] ?? p.part })}
        </Text>
      ))}
    </Alert>
  );
}
