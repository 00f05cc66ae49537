import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";

import { text } from "../../text";

// Where the page of a thing is, by the prefix of its identifier.
const pages: Record<string, (id: string) => string> = {
  aff: (id) => `/admin/affiliates/${id}`,
  lnk: (id) => `/admin/links/${id}`,
  prg: (id) => `/admin/programs/${id}`,
  rul: (id) => `/admin/rules/${id}`,
  cnv: (id) => `/admin/conversions/${id}`,
  com: (id) => `/admin/commissions/${id}`,
  ord: (id) => `/admin/orders/${id}`,
  pbt: (id) => `/admin/payouts/${id}`,
  prd: (id) => `/admin/products/${id}`,
  per: (id) => `/admin/people/${id}`,
};

export function pageOf(id: string): string | undefined {
  return pages[id.split("_")[0] ?? ""]?.(id);
}

/** A thing by its name, with the way to its page. */
export function Ref({ id, name }: { id: string; name?: string }) {
  if (!id) {
    return (
      <Text component="span" inherit c="dimmed">
        {text.common.none}
      </Text>
    );
  }
  const to = pageOf(id);
  return to ? (
    <Anchor component={Link} to={to} inherit underline="hover" style={{ overflowWrap: "anywhere" }}>
      {name ?? id}
    </Anchor>
  ) : (
    <>{name ?? id}</>
  );
}
