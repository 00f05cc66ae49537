import { Alert, Card, Group, SimpleGrid, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "react-router";

import { useStaffArea } from "../admin/parts/area";
import { Fact } from "../admin/parts/Fact";
import { useNames } from "../admin/parts/names";
import { Ref } from "../admin/parts/Ref";
import { ok } from "../api/call";
import { client, type Schemas } from "../api/client";
import { fill, text } from "../text";
import { CopyText } from "../ui/CopyText";
import { Page } from "../ui/Page";
import { countryName } from "../ui/span";
import { StateBadge } from "../ui/StateBadge";
import { EmptyState, Loaded } from "../ui/states";
import { When } from "../ui/When";
import { pageOfHit, type Hit } from "./hits";
import { Incomplete, Results } from "./Results";

const t = text.support.click;

/** A Click ID: what it says by itself, the click that is stored, and what it led to. */
export function ClickPage() {
  const { id = "" } = useParams();
  const query = useQuery({ queryKey: ["search", id], queryFn: ({ signal }) => ok(client.GET("/api/v1/search", { params: { query: { q: id } }, signal })) });
  return (
    <Page title={t.title} about={<CopyText value={id} />} trail={useStaffArea().trail(text.nav.links, "links")}>
      <Loaded query={query} lines={8}>
        {(result) => <Found result={result} />}
      </Loaded>
    </Page>
  );
}

function Found({ result }: { result: Schemas["SearchResult"] }) {
  const area = useStaffArea();
  const navigate = useNavigate();
  const hit = result.hits.find((h) => h.kind === "click");
  const led = result.hits.filter((h) => h.kind === "order" || h.kind === "conversion");
  if (!hit) {
    return (
      <Card>
        <EmptyState title={t.notOurs}>{result.unsigned_click_id && text.support.unsigned}</EmptyState>
        <Incomplete parts={result.parts} />
      </Card>
    );
  }
  return (
    <>
      {!hit.click && <Alert color="yellow">{t.unstored}</Alert>}
      {hit.click ? <Stored click={hit.click} /> : <Bare hit={hit} />}
      <section aria-labelledby="led">
        <Title order={2} id="led" mb="xs">
          {t.led}
        </Title>
        {led.length === 0 ? (
          <Card>
            <EmptyState title={t.ledNothing}>{t.ledNothingText}</EmptyState>
          </Card>
        ) : (
          <Results
            result={{ ...result, hits: led, parts: [] }}
            stale={false}
            active={undefined}
            onOpen={(found) => {
              const to = pageOfHit(found, area);
              if (to) {
                void navigate(to);
              }
            }}
          />
        )}
      </section>
      <Incomplete parts={result.parts} />
    </>
  );
}

// What the Click ID says by itself: it names its affiliate and link, and when it was made.
function Bare({ hit }: { hit: Hit }) {
  const [affiliate, link] = ["aff_", "lnk_"].map((prefix) => hit.refs.find((r) => r.startsWith(prefix)) ?? "") as [string, string];
  const name = useNames([affiliate, link]);
  return (
    <Card>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        {hit.at && (
          <Fact label={t.time}>
            <When at={hit.at} />
          </Fact>
        )}
        <Fact label={t.affiliate}>
          <Ref id={affiliate} name={name(affiliate)} />
        </Fact>
        <Fact label={t.link}>
          <Ref id={link} name={link && "/" + name(link)} />
        </Fact>
      </SimpleGrid>
    </Card>
  );
}

function Stored({ click: c }: { click: Schemas["Click"] }) {
  const name = useNames([c.affiliate_id, c.link_id, c.program_id]);
  const subs = [c.sub1, c.sub2, c.sub3, c.sub4, c.sub5];
  const ad = Object.entries({ gclid: c.gclid, fbclid: c.fbclid, ttclid: c.ttclid, msclkid: c.msclkid }).filter(([, v]) => v);
  const campaign = [c.utm_source, c.utm_medium, c.utm_campaign, c.utm_term, c.utm_content].filter(Boolean).join(" / ");
  return (
    <Card>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        <Fact label={t.time}>
          <When at={c.time} />
        </Fact>
        <Fact label={t.affiliate}>
          <Ref id={c.affiliate_id} name={name(c.affiliate_id)} />
        </Fact>
        <Fact label={t.link}>
          <Ref id={c.link_id} name={"/" + name(c.link_id)} />
        </Fact>
        <Fact label={t.program}>
          <Ref id={c.program_id} name={name(c.program_id)} />
        </Fact>
        <Fact label={t.place}>{c.country ? countryName(c.country) : text.common.unknown}</Fact>
        <Fact label={t.network}>{c.network || text.common.unknown}</Fact>
        <Fact label={t.device}>{[c.browser, c.os, c.device].filter(Boolean).join(" / ") || text.common.unknown}</Fact>
        <Fact label={t.language}>{c.language || text.common.unknown}</Fact>
        <Fact label={t.referrer}>{c.referrer_host ? c.referrer_host + c.referrer_path : t.direct}</Fact>
        {campaign && <Fact label={t.campaign}>{campaign}</Fact>}
        {subs.map((sub, i) => sub && <Fact key={i} label={fill(t.sub, { n: i + 1 })}>{sub}</Fact>)}
        {ad.map(([kind, value]) => (
          <Fact key={kind} label={`${t.ad}: ${kind}`}>
            <CopyText value={value} />
          </Fact>
        ))}
        <Fact label={t.node}>{c.node}</Fact>
      </SimpleGrid>
      {c.bot && (
        <Group gap="xs" mt="md">
          <StateBadge state="review" label={t.bot} />
          <Text size="sm">{c.bot.replaceAll("_", " ")}</Text>
        </Group>
      )}
    </Card>
  );
}
