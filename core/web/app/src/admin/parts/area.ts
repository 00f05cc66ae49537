// Some pages of staff stand in two areas, the back office and support. What they lead to stays in the area they are looked at in.
import { useMemo } from "react";
import { useLocation } from "react-router";

import { areasOf } from "../../areas";
import { useMe } from "../../session/Session";
import { text } from "../../text";
import type { WhyPaths } from "../../ui/Why";

// The folder of a thing's page, by the prefix of its identifier.
const inBoth: Record<string, string> = { aff: "affiliates", lnk: "links", cnv: "conversions", ord: "orders", per: "people" };
const inOffice: Record<string, string> = { prg: "programs", rul: "rules", com: "commissions", pbt: "payouts", prd: "products" };

export interface StaffArea {
  support: boolean;
  /** The page of a thing, by its identifier. Undefined: it has none that the reader may open. */
  pageOf: (id: string) => string | undefined;
  /** The way back to the list that a page belongs to. */
  trail: (list: string, path: string) => { label: string; to: string }[];
  whyPaths: WhyPaths;
}

export function useStaffArea(): StaffArea {
  const support = useLocation().pathname.startsWith("/support");
  const me = useMe();
  return useMemo(() => {
    const office = areasOf(me).some(({ to }) => to === "/admin");
    const here = support ? "/support" : "/admin";
    const pageOf = (id: string) => {
      const prefix = id.split("_")[0] ?? "";
      const folder = inBoth[prefix];
      return folder ? `${here}/${folder}/${id}` : office && inOffice[prefix] ? `/admin/${inOffice[prefix]}/${id}` : undefined;
    };
    const both = (id: string) => pageOf(id) ?? here;
    return {
      support,
      pageOf,
      trail: (list, path) => [support ? { label: text.nav.find, to: "/support" } : { label: list, to: `/admin/${path}` }],
      whyPaths: {
        conversion: both,
        link: both,
        affiliate: both,
        ...(office && {
          commission: (id: string) => `/admin/commissions/${id}`,
          payout: ({ id, batch_id }: { id: string; batch_id: string }) => `/admin/payouts/${batch_id}/${id}`,
          rule: (id: string) => `/admin/rules/${id}`,
        }),
      },
    };
  }, [support, me]);
}
