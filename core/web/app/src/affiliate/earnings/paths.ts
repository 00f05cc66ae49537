import type { WhyPaths } from "../../ui/Why";

/** Where affiliates find what an explanation names. */
export const paths: WhyPaths = {
  conversion: (id) => `/affiliate/conversions/${id}`,
  commission: (id) => `/affiliate/commissions/${id}`,
  payout: ({ id }) => `/affiliate/payouts/${id}`,
  link: (id) => `/affiliate/links/${id}`,
};
