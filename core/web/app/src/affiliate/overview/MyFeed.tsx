import { Anchor } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "react-router";

import { Feed } from "../../feed/Feed";
import { useFeed } from "../../feed/useFeed";
import { text } from "../../text";
import type { MyLink } from "../useMyLinks";

const kinds = { conversions: true, commissions: true };

/** What the affiliate's links do and earn, as it happens. */
export function MyFeed({ links, enabled }: { links: readonly MyLink[] | undefined; enabled: boolean }) {
  const feed = useFeed("mine", kinds, enabled);
  const slugs = useMemo(() => new Map(links?.map((l) => [l.id, l.slug])), [links]);
  return (
    <Feed
      feed={feed}
      about={text.feed.aboutMine}
      names={{ link: (id) => slugs.get(id) ?? id, conversionPage: (id) => `/affiliate/conversions/${id}`, commissionPage: (id) => `/affiliate/commissions/${id}` }}
      more={
        <Anchor component={Link} to="/affiliate/conversions" size="sm">
          {text.feed.allConversions}
        </Anchor>
      }
    />
  );
}
