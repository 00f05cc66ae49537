import { Anchor } from "@mantine/core";
import { Link } from "react-router";

import { Feed } from "../../feed/Feed";
import { useFeed } from "../../feed/useFeed";
import { may, useMe } from "../../session/Session";
import { text } from "../../text";
import { useStaffArea } from "../parts/area";
import { useNames } from "../parts/names";

/** What happens in the business, as far as the reader may see it. */
export function LiveFeed() {
  const me = useMe();
  const { pageOf } = useStaffArea();
  const feed = useFeed("all", { conversions: may(me, "conversions:read"), commissions: may(me, "ledger:read") }, true);
  const ids = feed.items?.flatMap(({ click, conversion, commissions = [] }) => [click, conversion, ...commissions].flatMap((it) => (it ? [it.link_id, it.affiliate_id] : []))) ?? [];
  const name = useNames(ids);
  return (
    <Feed
      feed={feed}
      about={text.feed.aboutAll}
      names={{
        link: (id) => (id ? name(id) : text.feed.noLink), affiliate: (id) => (id ? name(id) : text.feed.nobody),
        conversionPage: (id) => pageOf(id) ?? "", commissionPage: (id) => pageOf(id) ?? "",
      }}
      more={
        may(me, "conversions:read") && (
          <Anchor component={Link} to="/admin/conversions" size="sm">
            {text.feed.allConversions}
          </Anchor>
        )
      }
    />
  );
}
