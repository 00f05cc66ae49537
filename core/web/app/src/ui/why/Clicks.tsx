import { Divider, Stack, Text } from "@mantine/core";

import type { Schemas } from "../../api/client";
import { config } from "../../config";
import { text } from "../../text";
import { CopyText } from "../CopyText";
import { Facts } from "../Facts";
import { countryName } from "../span";
import { When } from "../When";
import type { WhyPaths } from "./Part";
import { Named } from "./Named";

const w = text.why;

/** When and from where each click came. */
export function Clicks({ why, paths }: { why: Schemas["Why"]; paths: WhyPaths }) {
  return (
    <Stack gap="md">
      {why.clicks.map((c, i) => (
        <Stack key={c.id} gap="xs">
          {i > 0 && <Divider />}
          <Facts
            facts={[
              [w.clickAt, <When at={c.time} />],
              [w.clickLink, <LinkOf click={c} why={why} paths={paths} />],
              [w.clickFrom, c.stored && (c.referrer_host ? c.referrer_host + c.referrer_path : w.clickDirect)],
              [w.clickCountry, c.country && countryName(c.country)],
              [w.clickDevice, [c.browser, c.os, c.device].filter(Boolean).join(", ")],
              [w.clickSubs, [c.sub1, c.sub2, c.sub3, c.sub4, c.sub5].map((s, n) => s && `sub${n + 1}=${s}`).filter(Boolean).join(", ")],
              [w.clickCampaign, campaign(c)],
              [w.clickBot, c.bot],
              [w.clickID, <CopyText value={c.id} />],
            ]}
          />
          {!c.stored && (
            <Text size="sm" c="dimmed">
              {w.clickNotStored}
            </Text>
          )}
        </Stack>
      ))}
    </Stack>
  );
}

function campaign(c: Schemas["StoryClick"]): string {
  const ads = (["gclid", "fbclid", "ttclid", "msclkid"] as const).filter((key) => c[key]);
  return [c.utm_source, c.utm_medium, c.utm_campaign, c.utm_term, c.utm_content, ...ads].filter(Boolean).join(" / ");
}

function LinkOf({ click, why, paths }: { click: Schemas["StoryClick"]; why: Schemas["Why"]; paths: WhyPaths }) {
  if (!click.link_id) {
    return null;
  }
  const slug = why.link?.id === click.link_id ? `${config.tracker.replace(/^https?:\/\//, "")}/${why.link.slug}` : undefined;
  return (
    <Named id={click.link_id} path={paths.link}>
      {slug}
    </Named>
  );
}
