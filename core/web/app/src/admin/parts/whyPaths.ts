import type { WhyPaths } from "../../ui/Why";

/** Where staff find what an explanation names. */
export const whyPaths: WhyPaths = {
  conversion: (id) => `/admin/conversions/${id}`,
  commission: (id) => `/admin/commissions/${id}`,
  payout: ({ id, batch_id }) => `/admin/payouts/${batch_id}/${id}`,
  link: (id) => `/admin/links/${id}`,
  affiliate: (id) => `/admin/affiliates/${id}`,
  rule: (id) => `/admin/rules/${id}`,
};
